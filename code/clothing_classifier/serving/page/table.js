// The results as CSV (RFC 4180), with nothing in it that a spreadsheet would run.

const HEADER = ["path", "label", "confidence", "abstained", "top", "error", "ood_score", "rotation", "model", "version"];

/** CSV of `photos`, each with `name` and, once answered, `entry`, `model` and `version`. */
export function toCsv(photos) {
  const rows = photos.map(({ name, entry, model, version }) => {
    const top = (entry?.top ?? []).map((one) => `${one.label} ${one.confidence.toFixed(4)}`).join("; ");
    const { label, confidence, abstained, error, ood_score, rotation } = entry ?? { error: "not answered" };
    return [name, label, confidence, abstained, top, error, ood_score, rotation, model, version].map(cell);
  });
  return [HEADER, ...rows].map((row) => row.join(",") + "\r\n").join("");
}

/** A cell; text that a spreadsheet would take for a formula gets an apostrophe (OWASP, CSV injection). */
export function cell(value) {
  if (value === null || value === undefined) return "";
  let text = String(value);
  if (typeof value === "string" && /^[=+\-@\t\r\n\uFF1D\uFF0B\uFF0D\uFF20]/.test(text)) text = `'${text}`;
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
