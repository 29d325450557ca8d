/* One study on the page: its sections, its controls, its figures, its selected trial. */

class StudyView {
  /* `place` is the address of the study on a server; empty where the page is a file. */
  constructor(host, place) {
    Object.assign(this, { host, place, data: null, beside: null, selected: null, wanted: null, filled: new Map(), rowOf: new Map() });
    host.append(byId("study").content.cloneNode(true));
    this.parts = Object.fromEntries([...host.querySelectorAll("[data-part]")].map((part) => [part.dataset.part, part]));
    const redraw = (...names) => () => names.forEach((name) => this.figures[name].draw());
    this.show = new Switch(this.parts.show, "Trials", () => {
      this.fillTable();
      this.figures.parallel.draw();
    });
    this.axes = new Switch(this.parts.axes, "Axes", redraw("parallel"));
    this.over = new Switch(this.parts.over, "Over", redraw("progress"));
    this.finalist = new Switch(this.parts.finalist, "Finalist: trial", () => this.showFinalist());
    this.parameter = new Choice(this.parts.choices, "parameter", redraw("slice"));
    this.metric = new Choice(this.parts.choices, "metric", redraw("slice"));
    this.table = new TrialTable(this.parts.table, (number) => this.select(number));
    this.parts.meet.append(button("Meet the limits", () => this.meetLimits()), button("Reset", () => this.brushTo({})));
    this.over.offer([["trials", "trials"], ["minutes", "time"]]);
  }

  makeFigures() {
    const select = ({ points }) => this.select(points[0].customdata);
    const { space, importance, slice, parallel, progress, curves, confusion, det } = this.parts;
    const brushed = () => {
      this.table.brush(trialsInside(parallel.data[0]));
      drawSelected(parallel, this.selected);
    };
    const ofFinalist = (name) => () =>
      this.data.figures[`${name}-${this.finalist.value}`] ?? "This was not kept; sweep finalists keeps it.";
    return {
      space: new Figure(space, () => (hasWebGL ? this.points("space") : noWebGL), { plotly_click: select }),
      importance: new Figure(importance, () => this.data.figures.importance, {
        plotly_click: ({ points }) => this.showSlice(...points[0].customdata),
      }),
      slice: new Figure(slice, () => this.slice(), { plotly_click: select }),
      parallel: new Figure(parallel, () => this.lines(), {
        plotly_restyle: brushed,
        plotly_afterplot: () => drawSelected(parallel, this.selected),
      }),
      progress: new Figure(progress, () => {
        const { data, layout } = this.data.figures[`progress-${this.over.value}`];
        return { data, layout: { ...layout, uirevision: this.over.value } };
      }),
      det: new Figure(det, () => this.data.figures.det ?? "", { plotly_click: select }),
      curves: new Figure(curves, ofFinalist("curves")),
      confusion: new Figure(confusion, ofFinalist("confusion")),
    };
  }

  /* Show the study as it stands; what the reader has set stays. */
  update(data) {
    const first = this.data === null;
    this.data = data;
    this.rowOf = new Map(data.trials.trial.map((number, i) => [number, i]));
    this.fillWords();
    this.show.offer(Object.keys(data.shown).map((name) => [name, name]), this.show.value ?? this.firstShown());
    this.axes.offer([["all", "everything"], ["frontend", `front end and ${data.goal.title}`]]);
    this.parameter.offer(data.matters.map((name) => [name, name]));
    this.metric.offer([data.goal, ...data.costs].map(({ name, title }) => [name, title]));
    this.finalist.offer(data.finalists.each.map(({ trial }) => [String(trial), String(trial)]));
    if (first) {
      this.figures = { ...this.makeFigures(), ...this.makeFronts() };
      this.stream = new StreamView(this.parts, this.place, () => this.data);
    }
    this.fillTable();
    this.showFinalist();
    for (const figure of Object.values(this.figures)) figure.draw();
    if (!first && this.selected !== null && panel.view === this) panel.open(this, this.selected);
  }

  /* Fill a part of the page where what it shows has changed. */
  fill(name, make, ...shown) {
    const text = JSON.stringify(shown);
    if (this.filled.get(name) === text) return;
    this.filled.set(name, text);
    this.parts[name].replaceChildren(...[make()].flat());
  }

  fillWords() {
    const { data } = this;
    const select = (number) => this.select(number);
    const simple = ["name", "headline", "caution", "effort", "volume"];
    for (const name of simple) this.fill(name, () => data[name], data[name]);
    this.fill("about", () => [data.labels.join(", "), ...(this.place ? [` · ${data.latest.when || "waiting"} · `,
      link("Save as one file", `${this.place}/report.html`)] : [])], data.labels, data.latest.when);
    this.fill("warnings", () => warningList(data), data.warnings);
    this.fill("limits", () => limitChips(data), data.limits);
    this.fill("funnel", () => funnelBars(data), data.funnel);
    this.fill("take", () => pickCards(data, select), data.picks, data.misses, data.trials.trial.length > 0);
    this.fill("finalists", () => finalistsVerdict(data), data.finalists, data.picks.length > 0);
    this.fill("prices", () => (data.prices ? textTable(data.prices, "numbers") : []), data.prices);
    this.fill("published", () => data.published.map((one) => textTable(one)), data.published);
    this.fill("careful", () => careful(data), data.about, data.space);
    this.parts.live.hidden = !this.place;
    if (this.place) this.fill("latest", () => latestTrials(data, this.rowOf, select), data.latest);
    this.parts.closely.hidden = !data.finalists.each.length;
    this.parts.streams.hidden = !data.finalists.streams;
    this.parts.matters.hidden = !data.matters.length;
    this.parts.fixed.hidden = data.matters.length > 0;
    this.parts.solid.hidden = data.costs.length < 2;
  }

  firstShown() {
    const { shown, trials } = this.data;
    const some = Object.entries(shown).find(([, outcomes]) => trials.outcome.some((one) => outcomes.includes(one)));
    return some?.[0] ?? "all";
  }

  fillTable() {
    this.table.show(this.data, this.data.shown[this.show.value]);
  }

  makeFronts() {
    return Object.fromEntries(this.data.costs.map(({ name, title }) => {
      const text = `${this.data.goal.title} against ${title}`;
      const host = element("div", "plot");
      host.dataset.figure = `front-${name}`;
      host.setAttribute("role", "group");
      host.setAttribute("aria-label", text);
      this.parts.fronts.append(element("figure", "", element("figcaption", "", text), host));
      const select = ({ points }) => this.select(points[0].customdata);
      return [`front-${name}`, new Figure(host, () => this.points(`front-${name}`), { plotly_click: select })];
    }));
  }

  /* A figure whose points are trials: what each is appears beside the pointer, the selected one is ringed. */
  points(name) {
    const figure = structuredClone(this.data.figures[name]);
    const ring = figure.data.at(-1);
    for (const trace of figure.data.filter((one) => one.customdata)) {
      trace.text = trace.customdata.map((number) => (trace.meta === "finalist"
        ? describeFinalist(this.data, number) : describeTrial(this.data, this.rowOf.get(number))));
      trace.hovertemplate = "%{text}<extra></extra>";
      const i = trace.customdata.indexOf(this.selected);
      if (i >= 0) for (const side of ["x", "y", "z"]) if (trace[side]) ring[side].push(trace[side][i]);
    }
    figure.layout.uirevision = figure.layout.scene ? "turned" : "zoomed";
    const other = this.beside?.data?.figures[name]?.layout;
    if (other) shareAxes(figure.layout, other);
    return figure;
  }

  showSlice(parameter, metric) {
    this.parameter.value = parameter;
    if (this.data.sides.metrics[metric]) this.metric.value = metric;
    this.figures.slice.draw();
  }

  slice() {
    const across = this.data.sides.parameters[this.parameter.value];
    const up = this.data.sides.metrics[this.metric.value];
    if (!across) return "";
    const figure = structuredClone(this.data.figures.slice);
    for (const trace of figure.data) {
      const rows = trace.customdata.map((number) => this.rowOf.get(number));
      trace.x = rows.map((row) => across.at[row]);
      trace.y = rows.map((row) => up.at[row]);
    }
    Object.assign(figure.layout.xaxis, across.axis);
    Object.assign(figure.layout.yaxis, up.axis);
    figure.layout.uirevision = `${this.parameter.value} ${this.metric.value}`;
    return figure;
  }

  /* Parallel coordinates with what is brushed, or is to be. */
  lines() {
    const figure = structuredClone(this.data.figures[`parallel-${this.show.value}`]);
    const [trace] = figure.data;
    const { parallel } = this.parts;
    if (!trace.customdata.length) {
      this.table.brush(null);
      return "There is no such trial to draw.";
    }
    if (this.axes.value === "frontend") {
      trace.dimensions = trace.dimensions.filter((axis) => trace.meta.frontend.includes(axis.name));
    }
    setRanges(trace, this.wanted ?? carried(parallel.data?.[0], trace));
    this.table.brush(trialsInside(trace));
    if (!hasWebGL) return `${noWebGL} The table below shows the same trials.`;
    parallel.style.minWidth = `${trace.dimensions.length * 64 + 120}px`;
    return figure;
  }

  brushTo(ranges) {
    this.wanted = ranges;
    this.figures.parallel.draw(true);
    this.wanted = null;
  }

  /* Of axes that are not drawn nothing can be kept: all are, first. */
  meetLimits() {
    this.axes.value = "all";
    this.brushTo(this.data.figures[`parallel-${this.show.value}`].data[0].meta.limits);
  }

  showFinalist() {
    const one = this.data.finalists.each.find(({ trial }) => String(trial) === this.finalist.value);
    if (!one) return;
    this.fill("worst", () => clipList(one.worst, this.place && `${this.place}/finalist/${one.trial}/clip`), one);
    this.figures.curves.draw();
    this.figures.confusion.draw();
    if (one.moments) this.fill("stream-of", () => this.stream.show(one), one);
  }

  /* Select a trial everywhere; null for none. */
  select(number) {
    if (number !== null && !Number.isInteger(number)) return;
    if (number !== null && number === this.selected) return panel.close();
    this.selected = number;
    setHash(number);
    this.table.markTrial(number);
    if (this.data.finalists.each.some(({ trial }) => trial === number)) {
      this.finalist.value = String(number);
      this.showFinalist();
    }
    for (const [name, figure] of Object.entries(this.figures)) {
      if (name === "space" || name.startsWith("front-")) figure.draw();
    }
    drawSelected(this.parts.parallel, number);
    if (number !== null) panel.open(this, number);
  }

  rowButton(number) {
    return this.parts.table.querySelector(`tr[data-trial="${number}"] button`);
  }

  showRow(number) {
    const row = this.table.markTrial(number);
    row?.scrollIntoView({ block: "center" });
    row?.querySelector("button").focus({ preventScroll: true });
  }

  knowsDetails(number) {
    return Boolean(this.place) || number in this.data.details;
  }

  details(number) {
    return this.data.details?.[number];
  }

  async fetchDetails(number) {
    if (!this.place || !this.rowOf.has(number)) return this.details(number);
    const answer = await fetch(`${this.place}/trial/${number}.json`);
    return answer.ok ? answer.json() : undefined;
  }
}
