/* Parallel coordinates: brushing filters the table, the selected trial is a line on top. */

function drawParallel(host, ranges) {
  const figure = data.figures[`parallel-${chosen("show")}`];
  const trace = structuredClone(figure.data[0]);
  if (!trace.customdata.length) {
    table.brush(null);
    return say(host, "There is no such trial to draw.");
  }
  if (chosen("axes") === "frontend") {
    trace.dimensions = trace.dimensions.filter((axis) => trace.meta.frontend.includes(axis.name));
  }
  setRanges(trace, ranges ?? carried(host.data?.[0], trace));
  table.brush(kept(trace));
  if (!hasWebGL) {
    return say(host, "This figure needs WebGL, which this browser does not offer. The table below shows the same trials.");
  }
  host.style.minWidth = `${trace.dimensions.length * 64 + 120}px`;
  plot(host, { data: [trace], layout: figure.layout }).then(() => {
    host.on("plotly_restyle", () => {
      table.brush(kept(host.data[0]));
      overlay(host);
    });
    host.on("plotly_afterplot", () => overlay(host));
    overlay(host);
  });
}

/* Of axes that are not drawn nothing can be kept: all are, first. */
function meetLimits() {
  const host = byId("parallel");
  document.querySelector('[name="axes"][value="all"]').checked = true;
  drawParallel(host, data.figures[`parallel-${chosen("show")}`].data[0].meta.limits);
}

/* Plotly draws hairlines only, so the selected trial gets a line of its own above them. */
function overlay(host) {
  host.querySelector("svg.picked")?.remove();
  const trace = host.data?.[0];
  const row = trace?.customdata?.indexOf(state.selected) ?? -1;
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
  points.sort((a, b) => a[0] - b[0]);
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.classList.add("picked");
  for (const [colour, width] of [["var(--paper)", 6], ["#cc79a7", 3]]) {
    const path = document.createElementNS(svg.namespaceURI, "polyline");
    path.setAttribute("points", points.map((point) => point.join()).join(" "));
    path.setAttribute("style", `fill:none;stroke:${colour};stroke-width:${width};stroke-linejoin:round`);
    svg.append(path);
  }
  host.append(svg);
}
