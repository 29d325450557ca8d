/* Parallel coordinates: what is brushed, the trials inside, and the selected trial on top. */

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
function trialsInside(trace) {
  const brushed = trace.dimensions.filter((axis) => axis.constraintrange?.length);
  if (!brushed.length) return null;
  const inside = (axis, i) => {
    const ranges = Array.isArray(axis.constraintrange[0]) ? axis.constraintrange : [axis.constraintrange];
    return ranges.some(([low, high]) => low <= axis.values[i] && axis.values[i] <= high);
  };
  return new Set(trace.customdata.filter((_, i) => brushed.every((axis) => inside(axis, i))));
}

/* Plotly draws hairlines only, so the selected trial gets a line of its own above them. */
function drawSelected(host, number) {
  host.querySelector("svg.picked")?.remove();
  const trace = host.data?.[0];
  const row = trace?.customdata?.indexOf(number) ?? -1;
  if (row < 0) return;
  const frame = host.getBoundingClientRect();
  const points = [];
  for (const group of host.querySelectorAll(".y-axis")) {
    const label = group.querySelector(".axis-title")?.getAttribute("data-unformatted");
    const axis = trace.dimensions.find((one) => one.label === label);
    const line = group.querySelector(".axis .domain")?.getBoundingClientRect();
    if (!axis || !line) continue;
    const [low, high] = axis.range;
    const share = line.height < 1 ? 0 : (axis.values[row] - low) / (high - low);
    points.push([line.right - frame.left, line.bottom - share * line.height - frame.top]);
  }
  const path = points.sort((a, b) => a[0] - b[0]).map((point) => point.join()).join(" ");
  const lines = ["under", "over"].map((kind) => drawing("polyline", { points: path, class: kind }));
  host.append(drawing("svg", { class: "picked" }, ...lines));
}
