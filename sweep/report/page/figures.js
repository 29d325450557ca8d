/* Figures: drawn when they come near the screen, and again when what they show has changed. */

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

const noWebGL = "This figure needs WebGL, which this browser does not offer.";
const hasWebGL = (() => {
  const gl = document.createElement("canvas").getContext("webgl");
  gl?.getExtension("WEBGL_lose_context")?.loseContext();
  return Boolean(gl);
})();

const figures = new Map();

/* Hidden figures come near when they are shown. */
const comingNear = new IntersectionObserver((entries) => {
  for (const { target } of entries.filter((one) => one.isIntersecting)) {
    comingNear.unobserve(target);
    const figure = figures.get(target);
    figure.near = true;
    setTimeout(() => figure.draw());
  }
}, { rootMargin: "75%" });

darkScheme.addEventListener("change", () => figures.forEach((figure) => figure.draw()));
addEventListener("beforeprint", () => figures.forEach((figure) => {
  figure.near = true;
  figure.draw();
}));

class Figure {
  /* `compute` returns what to draw, or words where there is nothing; `events` are Plotly's, by
     name; zoom and turn stay while the figure's `uirevision` does. */
  constructor(host, compute, events = {}) {
    Object.assign(this, { host, compute, events, near: false, asked: null });
    figures.set(host, this);
    comingNear.observe(host);
  }

  /* With `anew`, what the reader has done to the figure goes. */
  draw(anew = false) {
    if (!this.near || !window.Plotly) return;
    const figure = this.compute();
    if (typeof figure === "string") return this.say(figure);
    const { data, layout } = dressed(figure, this.host);
    const asked = JSON.stringify([data, layout]);
    if (asked === this.asked && !anew) return;
    const first = this.asked === null;
    if (first) this.host.textContent = "";
    this.asked = asked;
    this.host.classList.remove("empty");
    Plotly.react(this.host, data, layout, plotConfig).then(() => {
      if (!first) return;
      for (const [name, act] of Object.entries(this.events)) this.host.on(name, act);
      this.events.plotly_afterplot?.();
    });
  }

  say(text) {
    if (this.asked !== null) Plotly.purge(this.host);
    this.asked = null;
    this.host.classList.add("empty");
    this.host.textContent = text;
  }
}

/* Widen axes to hold what another figure of the same metrics shows; a log axis and a linear one stay apart. */
function shareAxes(layout, other) {
  for (const side of ["xaxis", "yaxis"]) {
    const [mine, theirs] = [layout[side], other[side]];
    if (mine.type !== theirs.type) return;
    mine.range = [Math.min(mine.range[0], theirs.range[0]), Math.max(mine.range[1], theirs.range[1])];
  }
}
