/* A table of trials: sorted, filtered by text and by brush, saved as CSV; both pages have one. */

const atFirst = 100;

class TrialTable {
  /* `trialCell` makes what stands for a trial's number; `act`, if any, is told of a clicked row. */
  constructor(host, { trialCell, act, file }) {
    Object.assign(this, { host, trialCell, file, brushed: null, selected: null, whole: false });
    this.sorting = { column: "compressed_size", up: true };
    Object.assign(this, { trials: { trial: [] }, columns: [], parameters: {}, outcomes: new Set() });
    this.table = element("table");
    this.table.append(element("thead"), element("tbody"));
    this.filter = element("input");
    this.filter.type = "search";
    this.filter.placeholder = "log_mel, int8, 58 …";
    this.filter.addEventListener("input", () => this.fill());
    this.count = element("p", "quiet count");
    this.count.setAttribute("role", "status");
    this.more = button("", () => {
      this.whole = true;
      this.fill();
    });
    const field = element("label", "field", "Filter ");
    field.append(this.filter);
    const tools = element("div", "tools");
    tools.append(field, button("Save as CSV", () => this.save()), this.count);
    const scroll = element("div", "scroll");
    scroll.tabIndex = 0;
    scroll.setAttribute("role", "region");
    scroll.setAttribute("aria-label", "Table of trials, scrollable");
    scroll.append(this.table);
    this.host.replaceChildren(tools, scroll, this.more);
    this.table.tBodies[0].addEventListener("click", (event) => {
      const row = event.target.closest("tr");
      if (row && !event.target.closest("button, a")) act?.(Number(row.dataset.trial));
    });
  }

  /* Show trials, those of some outcomes only. */
  show({ trials, columns, parameters }, outcomes) {
    const first = !this.columns.length;
    Object.assign(this, { trials, columns, parameters, outcomes: new Set(outcomes) });
    if (first) this.head();
    this.fill();
  }

  brush(numbers) {
    this.brushed = numbers;
    this.fill();
  }

  visible() {
    const trials = this.trials;
    const words = this.filter.value.toLowerCase().split(/\s+/).filter(Boolean);
    const text = (i) => ["trial", "outcome", "reason", "what"].map((name) => trials[name][i]).join(" ").toLowerCase();
    const rows = [...trials.trial.keys()].filter((i) =>
      this.outcomes.has(trials.outcome[i])
      && (!this.brushed || this.brushed.has(trials.trial[i]))
      && words.every((word) => text(i).includes(word)));
    const column = trials[this.sorting.column];
    const sign = this.sorting.up ? 1 : -1;
    return rows.sort((a, b) => {
      if (column[a] === null || column[b] === null) return (column[a] === null) - (column[b] === null);
      return sign * (column[a] < column[b] ? -1 : column[a] > column[b] ? 1 : 0);
    });
  }

  cell(column, i) {
    const trials = this.trials;
    const td = element("td", column.number ? "number" : column.name);
    const value = trials[column.name][i];
    if (column.name === "trial") {
      td.append(this.trialCell(value));
    } else if (column.number) {
      td.textContent = value === null ? "–" : value.toFixed(column.digits);
      if (column.name === "tflite_accuracy" && trials.low[i] !== null) {
        td.append(element("small", "", `${trials.low[i].toFixed(3)}–${trials.high[i].toFixed(3)}`));
      }
    } else {
      td.textContent = value || "";
      if (column.name === "outcome" && trials.reason[i]) td.append(element("small", "", trials.reason[i]));
    }
    return td;
  }

  fill() {
    const rows = this.visible();
    const some = this.whole ? rows : rows.slice(0, atFirst);
    const body = this.table.tBodies[0];
    const focused = body.contains(document.activeElement) ? document.activeElement.closest("tr").dataset.trial : null;
    body.replaceChildren(...some.map((i) => {
      const tr = element("tr", this.trials.trial[i] === this.selected ? "selected" : "");
      tr.dataset.trial = this.trials.trial[i];
      tr.append(...this.columns.map((column) => this.cell(column, i)));
      return tr;
    }));
    body.querySelector(`tr[data-trial="${focused}"] :is(button, a)`)?.focus({ preventScroll: true });
    const brushed = this.brushed ? ", brushed above" : "";
    this.count.textContent = `${rows.length} of ${this.trials.trial.length} trials${brushed}`;
    this.more.hidden = some.length === rows.length;
    this.more.textContent = `Show all ${rows.length}`;
  }

  head() {
    const line = element("tr");
    for (const column of this.columns) {
      const th = element("th", column.number ? "number" : "");
      th.scope = "col";
      th.append(button(column.name.replaceAll("_", "_\u200b"), () => {
        this.sorting = { column: column.name, up: this.sorting.column === column.name ? !this.sorting.up : true };
        this.mark();
        this.fill();
      }));
      if (column.unit) th.append(element("small", "", column.unit));
      th.dataset.column = column.name;
      line.append(th);
    }
    this.table.tHead.replaceChildren(line);
    this.mark();
  }

  mark() {
    for (const th of this.table.tHead.rows[0].cells) {
      const here = th.dataset.column === this.sorting.column;
      th.setAttribute("aria-sort", !here ? "none" : this.sorting.up ? "ascending" : "descending");
      th.querySelector("button").dataset.arrow = !here ? "" : this.sorting.up ? "▲" : "▼";
    }
  }

  /* Mark a trial's row; return it if it is among those shown. */
  select(number) {
    this.selected = number;
    const find = () => this.table.querySelector(`tr[data-trial="${number}"]`);
    if (!find() && this.visible().some((i) => this.trials.trial[i] === number)) {
      this.whole = true;
      this.fill();
    }
    for (const tr of this.table.tBodies[0].rows) {
      tr.classList.toggle("selected", Number(tr.dataset.trial) === number);
    }
    return find();
  }

  save() {
    const names = [...this.columns.map((column) => column.name), "low", "high", "reason"];
    const quoted = (value) => {
      const text = value === null ? "" : String(value);
      return /[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
    };
    const settings = Object.keys(this.parameters);
    const lines = this.visible().map((i) => [
      ...names.map((name) => this.trials[name][i]),
      ...settings.map((name) => this.parameters[name][i]),
    ].map(quoted).join());
    const content = new Blob([[[...names, ...settings].join(), ...lines, ""].join("\n")], { type: "text/csv" });
    const link = element("a");
    link.href = URL.createObjectURL(content);
    link.download = this.file;
    link.click();
    URL.revokeObjectURL(link.href);
  }
}
