// The cards: a thumbnail each, with its label, how sure the model is, and what else it may be.

const THUMBNAIL = 360;
const template = document.getElementById("card");

/** A share as text; never rounded up to certainty. */
export function percent(share) {
  if (share < 0.001) return "<0.1%";
  const tenths = Math.floor(1000 * share) / 10;
  return share < 0.1 || share > 0.99 ? `${tenths.toFixed(1)}%` : `${Math.round(100 * share)}%`;
}

/** A card for `photo`; `open` is called when it is chosen. */
export function createCard(photo, open) {
  const item = template.content.firstElementChild.cloneNode(true);
  Object.assign(item.querySelector(".name"), { textContent: photo.name, title: photo.name });
  item.querySelector("button").addEventListener("click", open);
  drawThumbnail(item.querySelector("canvas"), photo.file);
  photo.item = item;
  showEntry(photo);
  return item;
}

/** Show on the card what is known of `photo` by now. */
export function showEntry(photo) {
  const { item, entry } = photo;
  const state = !entry ? "waiting" : entry.error ? "failed" : entry.abstained ? "unsure" : "sure";
  item.className = state;
  const texts = {
    waiting: () => ["Looking…", "", ""],
    failed: () => ["Can't be used", "", entry.error],
    unsure: () => ["Not sure", "", `perhaps ${entry.top.map(described).join(", ")}`],
    sure: () => [entry.label, percent(entry.confidence), [...entry.top.slice(1).map(described), ...rotated(entry)].join(", ")],
  };
  const [label, share, others] = texts[state]();
  item.querySelector(".label").textContent = label;
  item.querySelector(".percent").textContent = share;
  item.querySelector(".others").textContent = others;
  item.querySelector(".meter span").style.width = entry?.confidence ? `${100 * entry.confidence}%` : "0";
}

/** Says that a photo came on its side or upside down and was rotated before it was read. */
function rotated({ rotation }) {
  return rotation ? [`rotated by ${rotation}°`] : [];
}

/** Bars of the candidates of an entry, for the list `list`. */
export function showCandidates(list, entry) {
  list.classList.toggle("unsure", entry.abstained);
  list.replaceChildren(...entry.top.map(({ label, confidence }) => {
    const row = document.createElement("li");
    const [name, meter, bar, share] = ["span", "span", "span", "span"].map((tag) => document.createElement(tag));
    [name.textContent, share.textContent] = [label, percent(confidence)];
    [meter.className, share.className] = ["meter", "percent"];
    meter.setAttribute("aria-hidden", "true");
    bar.style.width = `${100 * confidence}%`;
    meter.append(bar);
    row.append(name, meter, share);
    return row;
  }));
}

const described = ({ label, confidence }) => `${label} ${percent(confidence)}`;

async function drawThumbnail(canvas, file) {
  try {
    const bitmap = await createImageBitmap(file, { resizeWidth: THUMBNAIL, resizeQuality: "medium" });
    [canvas.width, canvas.height] = [bitmap.width, bitmap.height];
    canvas.getContext("2d").drawImage(bitmap, 0, 0);
    bitmap.close();
  } catch {
    canvas.hidden = true; // a format that this browser doesn't show; the card keeps its plain ground
  }
}
