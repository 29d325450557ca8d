/* Figures: drawn when they come near the screen, in the colours of the reader's scheme. */

const drawn = new Set();

const plotConfig = {
  displaylogo: false,
  responsive: true,
  plotlyServerURL: "",
  showSendToCloud: false,
  showEditInChartStudio: false,
  topojsonURL: "",
  modeBarButtonsToRemove: ["select2d", "lasso2d", "autoScale2d", "zoom2d", "pan2d", "zoomIn2d", "zoomOut2d"],
  plotGlPixelRatio: 1,
  displayModeBar: coarsePointer.matches ? false : "hover",
};

const hasWebGL = (() => {
  const gl = document.createElement("canvas").getContext("webgl");
  gl?.getExtension("WEBGL_lose_context")?.loseContext();
  return Boolean(gl);
})();

function say(host, text) {
  Plotly.purge(host);
  host.classList.add("empty");
  host.textContent = text;
}

function plot(host, figure) {
  if (host.classList.contains("empty")) {
    host.classList.remove("empty");
    host.textContent = "";
  }
  drawn.add(host);
  for (const trace of figure.data) {
    if (trace.hovertemplate?.startsWith("%{text}")) trace.text = trace.customdata.map((number) => data.hovers[number]);
  }
  const shown = darkScheme.matches ? brighter(figure) : figure;
  return Plotly.newPlot(host, shown.data, layoutOf(shown, host), plotConfig);
}

function drawPoints(host) {
  const figure = data.figures[host.dataset.lazy];
  if (figure.layout.scene && !hasWebGL) return say(host, "This figure needs WebGL, which this browser does not offer.");
  plot(host, figure).then(() => {
    host.on("plotly_click", (event) => choose(event.points[0].customdata));
    ring(host);
  });
}

/* Put the rings of the last trace around the selected trial, and around it as a finalist. */
function ring(host) {
  const last = host.data.length - 1;
  if (host.data[last].name !== "selected") return;
  const sides = host.data[last].type === "scatter3d" ? ["x", "y", "z"] : ["x", "y"];
  const at = Object.fromEntries(sides.map((side) => [side, [[]]]));
  for (const trace of host.data.slice(0, last)) {
    const i = trace.customdata ? trace.customdata.indexOf(state.selected) : -1;
    if (i >= 0) for (const side of sides) at[side][0].push(trace[side][i]);
  }
  Plotly.restyle(host, at, [last]);
}

function drawImportance(host) {
  plot(host, data.figures.importance).then(() => host.on("plotly_click", (event) => {
    const [parameter, metric] = event.points[0].customdata;
    byId("parameter").value = parameter;
    if (data.sides.metrics[metric]) byId("metric").value = metric;
    redraw(byId("slice"));
  }));
}

function drawSlice(host) {
  const across = data.sides.parameters[byId("parameter").value];
  const up = data.sides.metrics[byId("metric").value];
  const figure = structuredClone(data.figures.slice);
  for (const trace of figure.data) {
    const rows = trace.customdata.map((number) => rowOf.get(number));
    trace.x = rows.map((row) => across.at[row]);
    trace.y = rows.map((row) => up.at[row]);
  }
  Object.assign(figure.layout.xaxis, across.axis);
  Object.assign(figure.layout.yaxis, up.axis);
  plot(host, figure).then(() => host.on("plotly_click", (event) => choose(event.points[0].customdata)));
}

function drawProgress(host) {
  plot(host, data.figures[`progress-${chosen("over")}`]);
}

const painters = {
  parallel: drawParallel,
  importance: drawImportance,
  slice: drawSlice,
  progress: drawProgress,
  curves: drawFinalist,
  confusion: drawFinalist,
};

function redraw(host) {
  if (drawn.has(host) || host.classList.contains("empty")) paint(host);
}

function paint(host) {
  (painters[host.dataset.lazy] ?? drawPoints)(host);
}

/* Plotly is large: it starts once the page can be read. */
function startPlotly() {
  const script = element("script");
  script.textContent = byId("plotly").textContent;
  document.head.append(script);
}

function watch() {
  startPlotly();
  const near = new IntersectionObserver((entries) => {
    for (const entry of entries.filter((one) => one.isIntersecting)) {
      near.unobserve(entry.target);
      setTimeout(paint, 0, entry.target);
    }
  }, { rootMargin: "75%" });
  document.querySelectorAll("[data-lazy]").forEach((host) => near.observe(host));
  darkScheme.addEventListener("change", () => drawn.forEach(paint));
  addEventListener("beforeprint", () => document.querySelectorAll("[data-lazy]").forEach(paint));
}
