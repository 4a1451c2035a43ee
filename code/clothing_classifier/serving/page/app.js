// The page: pictures in, cards with predictions out; the model, the minimum precision, and the download as CSV.

import { ask } from "./api.js";
import { createCard, showEntry } from "./gallery.js";
import { inspect, inspected } from "./inspector.js";
import { listen } from "./sources.js";
import { toCsv } from "./table.js";

const AT_ONCE = 4, CANDIDATES = 3, PRECISIONS = [0.9, 0.95, 0.97, 0.99], USUAL_PRECISION = 0.95;
const byId = (id) => document.getElementById(id);
const photos = [], models = new Map();
let model = null, running = 0, round = new AbortController();

function add(files) {
  for (const file of files) {
    const photo = { file, name: file.path || file.webkitRelativePath || file.name, entry: null };
    photos.push(photo);
    byId("gallery").append(createCard(photo, () => photo.entry && open(photo)));
  }
  refresh();
  work();
}

/** Keep a few requests under way until every photo has its entry. */
async function work() {
  if (!model || running >= AT_ONCE) return;
  const photo = photos.find((one) => !one.entry && !one.asked);
  if (!photo) return;
  running++;
  photo.asked = true;
  work();
  const current = round;
  try {
    const outcome = await label(photo, current.signal);
    if (current === round) finish(photo, outcome);
  } finally {
    running--;
    work();
  }
}

async function label(photo, signal) {
  const query = new URLSearchParams({ model: model.name, top: CANDIDATES });
  if (byId("precision").value) query.set("min_precision", byId("precision").value);
  try {
    const answer = await ask(`/v1/predict?${query}`, { method: "POST", body: photo.file, signal });
    return { entry: answer.predictions[0], model: answer.model, version: answer.version };
  } catch (error) {
    const reason = error instanceof TypeError ? "the service can't be reached; is it running?" : error.message.replace(/^body: /, "");
    return { entry: { label: null, confidence: null, abstained: false, top: [], error: reason }, model: model.name };
  }
}

function finish(photo, outcome) {
  if (!photos.includes(photo)) return;
  Object.assign(photo, outcome);
  showEntry(photo);
  refresh();
  if (inspected() === photo) open(photo);
}

function refresh() {
  const answered = photos.filter((photo) => photo.entry);
  const failed = answered.filter((photo) => photo.entry.error).length;
  const unsure = answered.filter((photo) => photo.entry.abstained).length;
  const noun = photos.length === 1 ? "picture" : "pictures";
  const parts = [`${answered.length - failed} of ${photos.length} ${noun} classified`];
  if (unsure) parts.push(`${unsure} not sure`);
  if (failed) parts.push(`${failed} can't be read`);
  byId("summary").textContent = parts.join(", ");
  byId("results").hidden = photos.length === 0;
  document.body.classList.toggle("filled", photos.length > 0);
  byId("download").disabled = answered.length < photos.length;
}

function open(photo) {
  const step = (by, onlyLook) => {
    const next = photos[photos.indexOf(photo) + by];
    if (!next?.entry) return false;
    if (!onlyLook) open(next);
    return true;
  };
  inspect(photo, models.get(photo.model) ?? model, step);
}

/** Drop the predictions, which were another model's or at another precision, and request them again. */
function start() {
  round.abort(new Error("requested again"));
  round = new AbortController();
  for (const photo of photos) {
    Object.assign(photo, { entry: null, asked: false });
    showEntry(photo);
  }
  refresh();
  work();
}

async function choose(name) {
  if (!models.has(name)) models.set(name, await ask(`/v1/model?${new URLSearchParams({ model: name })}`));
  if (byId("model").value !== name) return; // another was chosen meanwhile
  model = models.get(name);
  const reachable = Math.max(...model.precision_curve.map((point) => point.precision));
  const kept = byId("precision").options.length ? byId("precision").value : String(USUAL_PRECISION);
  const offered = PRECISIONS.filter((precision) => precision <= reachable);
  byId("precision").replaceChildren(
    new Option("none: never abstain", ""), ...offered.map((precision) => new Option(`${100 * precision}%`, precision)),
  );
  byId("precision").value = offered.includes(Number(kept)) ? kept : "";
  start();
}

function download() {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob(["\ufeff", toCsv(photos)], { type: "text/csv" }));
  link.download = "clothing.csv";
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1000);
}

function clear() {
  photos.length = 0;
  byId("gallery").replaceChildren();
  start();
  byId("choose").focus();
}

function complain(error) {
  byId("notice").textContent = error instanceof TypeError ? "The service can't be reached." : error.message;
  byId("notice").hidden = false;
}

listen(add, complain);
byId("download").addEventListener("click", download);
byId("clear").addEventListener("click", clear);
byId("precision").addEventListener("change", start);
byId("model").addEventListener("change", () => choose(byId("model").value).catch((error) => {
  if (model) byId("model").value = model.name;
  complain(error);
}));
refresh();
try {
  const served = await ask("/v1/models");
  byId("model").replaceChildren(...served.map(({ name, labels }) => new Option(`${name} (${labels.length} classes)`, name)));
  await choose(served[0].name);
  byId("model").disabled = byId("precision").disabled = false;
} catch (error) {
  complain(error);
}
