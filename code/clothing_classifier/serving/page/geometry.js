// Where the model's square lies on a photo, and what a unit of a stage sees of it. All in pixels of the square.

/** The photo's place in the square, `{left, top, width, height}`: the image contract of preprocessing/. */
export function photoInSquare(width, height, { size, fit }) {
  if (fit === "squash") return { left: 0, top: 0, width: size, height: size };
  const scale = size / (fit === "pad" ? Math.max(width, height) : Math.min(width, height));
  const columns = fit === "pad" ? Math.max(1, Math.round(width * scale)) : width * scale;
  const rows = fit === "pad" ? Math.max(1, Math.round(height * scale)) : height * scale;
  const margin = fit === "pad" ? (side) => Math.floor((size - side) / 2) : (side) => (size - side) / 2;
  return { left: margin(columns), top: margin(rows), width: columns, height: rows };
}

/** Index of the unit of a stage whose field has its centre nearest to `place`, along one axis (0 rows, 1 columns). */
export function unitAt(place, stage, axis, size) {
  const last = Math.max(0, Math.ceil(size / stage.stride[axis]) - 1);
  const index = Math.round((place - firstCentre(stage, axis)) / stage.stride[axis]);
  return Math.min(last, Math.max(0, index));
}

/** What the unit `[row, column]` of a stage sees: `{top, left, height, width}`, which may reach beyond the square. */
export function fieldOf(unit, stage) {
  const [top, left] = unit.map((index, axis) => stage.start[axis] + index * stage.stride[axis]);
  return { top, left, height: stage.receptive_field[0], width: stage.receptive_field[1] };
}

/** Centre of the field of unit 0 along an axis. */
export function firstCentre(stage, axis) {
  return stage.start[axis] + stage.receptive_field[axis] / 2;
}

/** Along each axis, where the first cell of a class map has its centre and how far apart cells are. */
export function mapGrid(values, stages, size) {
  const counts = [values.length, values[0].length];
  const last = (stages ?? []).at(-1);
  return counts.map((count, axis) => {
    const fits = last && Math.ceil(size / last.stride[axis]) === count;
    if (fits) return { first: firstCentre(last, axis), step: last.stride[axis] };
    return { first: size / count / 2, step: size / count };
  });
}
