// A class map as a picture to lay over the photo: transparent without evidence for the class, red where there is most.

import { mapGrid } from "./geometry.js";

const LONG_SIDE = 240;
const RAMP = [[0, 255, 196, 0, 0], [0.35, 255, 190, 0, 0.3], [0.7, 255, 110, 0, 0.62], [1, 214, 18, 60, 0.8]];

/** Draw `values` (rows of evidence) on `canvas`, which covers `place`, the photo's part of the square. */
export function drawHeat(canvas, values, place, stages, size, rotation) {
  const scale = LONG_SIDE / Math.max(place.width, place.height);
  canvas.width = Math.max(1, Math.round(place.width * scale));
  canvas.height = Math.max(1, Math.round(place.height * scale));
  const context = canvas.getContext("2d");
  const image = context.createImageData(canvas.width, canvas.height);
  const [rowGrid, columnGrid] = mapGrid(values, stages, size, rotation);
  const rows = taps(canvas.height, place.top, place.height, rowGrid, values.length);
  const columns = taps(canvas.width, place.left, place.width, columnGrid, values[0].length);
  const most = Math.max(...values.flat(), 1e-9);
  for (let y = 0, at = 0; y < canvas.height; y++) {
    for (let x = 0; x < canvas.width; x++, at += 4) {
      let sum = 0;
      for (const [row, rowWeight] of rows[y]) {
        for (const [column, weight] of columns[x]) sum += rowWeight * weight * values[row][column];
      }
      image.data.set(colour(Math.max(0, sum / most)), at);
    }
  }
  context.putImageData(image, 0, 0);
}

/** For each pixel, the cells that it is mixed from: a cubic B-spline, which is smooth and never overshoots. */
function taps(pixels, offset, extent, { first, step }, count) {
  return Array.from({ length: pixels }, (_, pixel) => {
    const place = (offset + ((pixel + 0.5) * extent) / pixels - first) / step;
    const base = Math.floor(place), t = place - base;
    const weights = [(1 - t) ** 3, 3 * t ** 3 - 6 * t ** 2 + 4, -3 * t ** 3 + 3 * t ** 2 + 3 * t + 1, t ** 3];
    return weights.map((weight, k) => [Math.min(count - 1, Math.max(0, base - 1 + k)), weight / 6]);
  });
}

function colour(value) {
  const above = RAMP.findIndex(([stop]) => stop >= Math.min(value, 1));
  const [high, low] = [RAMP[above], RAMP[Math.max(0, above - 1)]];
  const t = high[0] > low[0] ? (Math.min(value, 1) - low[0]) / (high[0] - low[0]) : 0;
  const [red, green, blue, alpha] = [1, 2, 3, 4].map((k) => low[k] + t * (high[k] - low[k]));
  return [red, green, blue, 255 * alpha];
}
