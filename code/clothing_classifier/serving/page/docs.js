// The OpenAPI document as a page.

const element = (tag, text, ...children) => {
  const made = document.createElement(tag);
  // What stands between backticks is code.
  const pieces = (text ?? "").split("`").map((piece, index) => (index % 2 ? element("code", piece) : piece));
  made.append(...pieces, ...children);
  return made;
};

function definitions(title, rows) {
  if (!rows.length) return [];
  return [element("h3", title), element("dl", "", ...rows.flatMap(([term, text]) => [element("dt", term), element("dd", text)]))];
}

function described({ name, schema, description }) {
  const type = schema.type ?? schema.anyOf?.map((one) => one.type).filter((one) => one !== "null").join(" or ");
  const fallback = schema.default === undefined ? "" : `, default ${schema.default}`;
  return [name, `${description ?? ""} (${type}${fallback})`];
}

function section(path, method, operation) {
  const title = element("h2", "", Object.assign(element("span", method.toUpperCase()), { className: "method" }));
  title.append(element("code", path));
  const { summary, description, parameters = [], requestBody, responses } = operation;
  return element("section", "", title,
    element("p", `${summary}. ${description ?? ""}`),
    ...(requestBody ? [element("p", requestBody.description)] : []),
    ...definitions("Query", parameters.map(described)),
    ...definitions("Body", Object.keys(requestBody?.content ?? {}).map((kind) => [kind, ""])),
    ...definitions("Answers", Object.entries(responses).map(([status, { description: text }]) => [status, text])));
}

document.getElementById("example").textContent = [
  `curl --data-binary @photo.jpg ${location.origin}/v1/predict`,
  `curl -F a=@a.jpg -F b=@b.jpg '${location.origin}/v1/predict?top=5&min_precision=0.97'`,
].join("\n");
const { paths } = await (await fetch("/openapi.json")).json();
const sections = Object.entries(paths).flatMap(([path, methods]) =>
  Object.entries(methods).map(([method, operation]) => section(path, method, operation)));
document.getElementById("operations").replaceChildren(...sections);
