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

/** Where a spot `[down, across]` of the square lies once the square is rotated clockwise by `rotation` degrees. */
export function rotated([down, across], rotation, size) {
  return { 0: [down, across], 90: [across, size - down], 180: [size - down, size - across], 270: [size - across, down] }[rotation];
}

/** A rectangle of the square that was rotated clockwise by `rotation` degrees, where it lies before. */
export function rotatedBack({ top, left, height, width }, rotation, size) {
  const [bottom, right] = [size - top - height, size - left - width];
  return {
    0: { top, left, height, width },
    90: { top: right, left: top, height: width, width: height },
    180: { top: bottom, left: right, height, width },
    270: { top: left, left: bottom, height: width, width: height },
  }[rotation];
}

/**
 * Along each axis, where the first cell of a class map has its centre and how far apart cells are. The map lies as the
 * photo does, its cells as they were when it was read, rotated clockwise by `rotation` degrees.
 */
export function mapGrid(values, stages, size, rotation = 0) {
  const counts = [values.length, values[0].length];
  const last = (stages ?? []).at(-1);
  return counts.map((count, axis) => {
    const along = rotation % 180 ? 1 - axis : axis;
    const fits = last && Math.ceil(size / last.stride[along]) === count;
    const [first, step] = fits ? [firstCentre(last, along), last.stride[along]] : [size / count / 2, size / count];
    const isReversed = rotation === 180 || rotation === [90, 270][axis];
    return { first: isReversed ? size - first - (count - 1) * step : first, step };
  });
}
