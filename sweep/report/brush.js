/* Brushed ranges of parallel coordinates, and the trials inside them. */

function rangesOf(trace) {
  const brushed = (trace?.dimensions ?? []).filter((axis) => axis.constraintrange?.length);
  return Object.fromEntries(brushed.map((axis) => [axis.name, axis.constraintrange]));
}

function setRanges(trace, ranges) {
  for (const axis of trace.dimensions) {
    if (ranges[axis.name]) axis.constraintrange = ranges[axis.name];
    else delete axis.constraintrange;
  }
}

/* What is brushed on one trace, as another places it: an axis may have turned logarithmic, or back. */
function carried(from, to) {
  const ranges = rangesOf(from);
  for (const name of Object.keys(ranges)) {
    const [was, is] = [from.meta.log.includes(name), to.meta.log.includes(name)];
    if (was === is) continue;
    const place = (at) => (Array.isArray(at) ? at.map(place) : was ? 10 ** at : Math.log10(at));
    ranges[name] = place(ranges[name]);
    if (!ranges[name].flat().every(Number.isFinite)) delete ranges[name];
  }
  return ranges;
}

/* The trials inside every brushed range, or null where nothing is brushed. */
function kept(trace) {
  const brushed = trace.dimensions.filter((axis) => axis.constraintrange?.length);
  if (!brushed.length) return null;
  const inside = (axis, i) => {
    const ranges = Array.isArray(axis.constraintrange[0]) ? axis.constraintrange : [axis.constraintrange];
    return ranges.some(([low, high]) => low <= axis.values[i] && axis.values[i] <= high);
  };
  return new Set(trace.customdata.filter((_, i) => brushed.every((axis) => inside(axis, i))));
}
