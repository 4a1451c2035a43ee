// One photo, large: the candidates, what speaks for the first of them, and what a unit of each stage sees.

import { ask } from "./api.js";
import { showCandidates } from "./gallery.js";
import { fieldOf, photoInSquare, turned, turnedBack, unitAt } from "./geometry.js";
import { drawHeat } from "./heat.js";

const byId = (id) => document.getElementById(id);
const dialog = byId("inspector"), stageBox = byId("stage"), image = byId("photo"), svg = byId("field");
let photo = null, model = null, place = null, turn = null;
let chosen = null, pointed = null; // stages: picked, and under the pointer
let spot = [0.5, 0.5]; // down and across the photo

/** Show `shown`, answered by `described`; `step` goes by that many photos. */
export function inspect(shown, described, step) {
  [photo, model, turn, place] = [shown, described, step, null];
  byId("inspected").textContent = photo.name;
  const { entry } = photo;
  byId("verdict").textContent = entry.error ?? (entry.abstained ? `Not sure: perhaps ${entry.label}` : entry.label);
  byId("verdict").classList.toggle("unsure", entry.abstained);
  showCandidates(byId("candidates"), entry);
  byId("show-heat-text").textContent = `Show what speaks for ${entry.label ?? "it"}`;
  byId("show-heat").disabled = !entry.label;
  byId("stages").hidden = !entry.label || !model.stages?.length;
  byId("previous").disabled = !step(-1, true);
  byId("next").disabled = !step(1, true);
  listStages();
  loadImage();
  if (!dialog.open) dialog.showModal();
}

/** The photo that is shown, or null. */
export const inspected = () => (dialog.open ? photo : null);

function loadImage() {
  const shown = photo;
  if (image.src) URL.revokeObjectURL(image.src);
  stageBox.hidden = false;
  byId("unshown").hidden = true;
  image.onload = () => {
    place = photoInSquare(image.naturalWidth, image.naturalHeight, model.preprocessing);
    stageBox.style.setProperty("--ratio", image.naturalWidth / image.naturalHeight);
    svg.setAttribute("viewBox", `${place.left} ${place.top} ${place.width} ${place.height}`);
    drawField();
    showHeat();
  };
  image.onerror = () => {
    if (shown !== photo) return;
    stageBox.hidden = true;
    byId("unshown").hidden = false;
    showHeat();
  };
  image.src = URL.createObjectURL(photo.file);
  stageBox.setAttribute("aria-label", `Photo ${photo.name}`);
}

function listStages() {
  const stages = model.stages ?? [];
  chosen = stages.find((stage) => stage.name === chosen?.name) ?? null;
  const most = Math.max(...stages.map((stage) => stage.macs));
  const rows = [null, ...stages].map((stage) => stageRow(stage, most));
  byId("stages").querySelector("div").replaceChildren(...rows);
  drawField();
}

function stageRow(stage, most) {
  const row = document.createElement("label"), input = document.createElement("input");
  const name = document.createElement("span");
  Object.assign(input, { type: "radio", name: "stage", checked: stage === chosen });
  input.addEventListener("change", () => { [chosen, pointed] = [stage, null]; drawField(); });
  name.textContent = stage?.name ?? "none";
  row.append(input, name);
  if (!stage) return row;
  const size = document.createElement("span"), meter = document.createElement("span"), bar = document.createElement("span");
  size.className = "size";
  size.textContent = extent(stage.receptive_field);
  meter.className = "meter";
  meter.title = `${(stage.macs / 1e6).toFixed(0)} million products`;
  bar.style.width = `${(100 * stage.macs) / most}%`;
  meter.append(bar);
  row.append(size, meter);
  row.addEventListener("pointerenter", () => { pointed = stage; drawField(); });
  row.addEventListener("pointerleave", () => { pointed = null; drawField(); });
  return row;
}

const extent = ([rows, columns]) => (rows === columns ? `${rows} px` : `${columns} × ${rows} px`);

/** Draw the field of the unit nearest to the spot, of the stage that is pointed at or else chosen. */
function drawField() {
  const stage = pointed ?? chosen;
  svg.toggleAttribute("hidden", !stage || !place);
  byId("field-text").textContent = stage ? "" : "Point at a stage, then move over the photo, or use its arrow keys.";
  if (!stage || !place) return;
  const size = model.preprocessing.size;
  const centre = [place.top + spot[0] * place.height, place.left + spot[1] * place.width];
  const turn = photo.entry.rotation ?? 0;
  const unit = turned(centre, turn, size).map((along, axis) => unitAt(along, stage, axis, size));
  const field = turnedBack(fieldOf(unit, stage), turn, size);
  const outside = `M${place.left} ${place.top}h${place.width}v${place.height}h${-place.width}z`;
  const inside = `M${field.left} ${field.top}h${field.width}v${field.height}h${-field.width}z`;
  svg.querySelector(".shade").setAttribute("d", outside + inside);
  set(svg.querySelector(".frame"), { x: field.left, y: field.top, width: field.width, height: field.height });
  const middle = { cx: field.left + field.width / 2, cy: field.top + field.height / 2 };
  set(svg.querySelector(".unit"), { ...middle, r: size / 90 });
  byId("field-text").textContent = describe(stage, unit, field, size);
}

function describe(stage, unit, field, size) {
  const whole = field.left <= place.left && field.top <= place.top
    && field.left + field.width >= place.left + place.width && field.top + field.height >= place.top + place.height;
  const seen = whole ? "the whole photo" : `${field.width} × ${field.height} px of the ${size} px square`;
  return `Unit ${unit[0]}, ${unit[1]} of ${stage.name} sees ${seen}. Units lie ${stage.stride[1]} px apart.`;
}

function set(element, attributes) {
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
}

async function showHeat() {
  const wanted = byId("show-heat").checked && photo.entry.label !== null;
  const [canvas, text, shown] = [byId("heat"), byId("heat-text"), photo];
  canvas.hidden = text.hidden = true;
  stageBox.classList.remove("mapped");
  if (!wanted || !place) return;
  try {
    const map = await mapOf(shown);
    if (shown !== photo || !byId("show-heat").checked || !place) return;
    drawHeat(canvas, map.values, place, model.stages, model.preprocessing.size, shown.entry.rotation ?? 0);
    text.firstElementChild.textContent = `evidence for ${map.label}: little to much`;
    canvas.hidden = text.hidden = false;
    stageBox.classList.add("mapped");
  } catch (error) {
    byId("field-text").textContent = error.message;
  }
}

/** The class map of a photo by the model that labelled it, asked for once. */
async function mapOf(shown) {
  if (shown.map?.version !== shown.version) {
    const query = new URLSearchParams({ model: shown.model, top: 1, class_map: true });
    const answer = await ask(`/v1/predict?${query}`, { method: "POST", body: shown.file });
    shown.map = { version: answer.version, ...answer.predictions[0].class_map };
  }
  return shown.map;
}

function moveSpot(down, across) {
  spot = [down, across].map((share) => Math.min(1, Math.max(0, share)));
  drawField();
}

stageBox.addEventListener("pointermove", (event) => {
  const box = image.getBoundingClientRect();
  moveSpot((event.clientY - box.top) / box.height, (event.clientX - box.left) / box.width);
});
stageBox.addEventListener("pointerdown", () => {
  if (!chosen && model.stages?.length) {
    chosen = model.stages[Math.floor(model.stages.length / 2)];
    listStages();
  }
});
stageBox.addEventListener("keydown", (event) => {
  const move = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] }[event.key];
  const stage = pointed ?? chosen;
  if (!move || !stage || !place) return;
  event.preventDefault();
  moveSpot(spot[0] + (move[0] * stage.stride[0]) / place.height, spot[1] + (move[1] * stage.stride[1]) / place.width);
});
byId("show-heat").addEventListener("change", showHeat);
byId("close").addEventListener("click", () => dialog.close());
byId("previous").addEventListener("click", () => turn(-1));
byId("next").addEventListener("click", () => turn(1));
dialog.addEventListener("click", (event) => event.target === dialog && dialog.close());
dialog.addEventListener("close", () => photo.item.querySelector("button").focus());
