/* A table of trials: sorted, filtered by text and by brush, saved as CSV. */

const atFirst = 100;

class TrialTable {
  /* `select` is called with the number of a trial that was chosen. */
  constructor(host, select) {
    Object.assign(this, { host, select, brushed: null, selected: null, whole: false, sorting: null });
    Object.assign(this, { trials: { trial: [] }, intervals: {}, columns: [], parameters: {}, outcomes: new Set() });
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
    this.width = new Switch(element("fieldset"), "Metrics", () => {
      this.head();
      this.fill();
    });
    this.width.offer([["studied", "limits and objectives"], ["every", "every metric"]]);
    const field = element("label", "field", "Filter ", this.filter);
    const tools = element("div", "tools", field, this.width.host, button("Save as CSV", () => this.save()), this.count);
    this.host.replaceChildren(tools, scrolled(this.table, "Table of trials, scrollable"), this.more);
    this.table.tBodies[0].addEventListener("click", (event) => {
      const row = event.target.closest("tr");
      if (row && !event.target.closest("button")) this.select(Number(row.dataset.trial));
    });
  }

  /* Show trials, those of some outcomes only. */
  show({ name, trials, intervals, columns, parameters, costs }, outcomes) {
    Object.assign(this, { trials, intervals, columns, parameters, outcomes: new Set(outcomes), file: `${name}.csv` });
    this.sorting ??= { column: costs[0].name, up: true };
    if (this.table.tHead.childElementCount === 0) this.head();
    this.fill();
  }

  shown() {
    const metrics = this.columns.filter((column) => column.studied || this.width.value === "every");
    return [{ name: "trial", title: "trial" }, { name: "outcome", title: "outcome" }, ...metrics, { name: "what", title: "what it is" }];
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
    const value = this.trials[column.name][i];
    if (column.digits !== undefined) {
      const interval = this.intervals[column.name]?.[i];
      const small = interval ? [element("small", "", interval.map((end) => inDigits(end, column)).join("–"))] : [];
      return element("td", "number", value === null ? "–" : inDigits(value, column), ...small);
    }
    const td = element("td", column.name);
    if (column.name === "trial") td.append(button(String(value), () => this.select(value)));
    else td.append(value);
    const reason = this.trials.reason[i];
    if (column.name === "outcome" && reason) td.append(element("small", "", reason));
    return td;
  }

  fill() {
    const rows = this.visible();
    const columns = this.shown();
    const some = this.whole ? rows : rows.slice(0, atFirst);
    const body = this.table.tBodies[0];
    const focused = body.contains(document.activeElement) ? document.activeElement.closest("tr").dataset.trial : null;
    body.replaceChildren(...some.map((i) => {
      const tr = element("tr", this.trials.trial[i] === this.selected ? "selected" : "",
        ...columns.map((column) => this.cell(column, i)));
      tr.dataset.trial = this.trials.trial[i];
      return tr;
    }));
    body.querySelector(`tr[data-trial="${focused}"] button`)?.focus({ preventScroll: true });
    const brushed = this.brushed ? ", brushed above" : "";
    this.count.textContent = `${rows.length} of ${this.trials.trial.length} trials${brushed}`;
    this.more.hidden = some.length === rows.length;
    this.more.textContent = `Show all ${rows.length}`;
  }

  head() {
    const line = element("tr");
    for (const column of this.shown()) {
      const th = element("th", column.digits === undefined ? "" : "number", button(column.title, () => {
        this.sorting = { column: column.name, up: this.sorting.column === column.name ? !this.sorting.up : true };
        this.mark();
        this.fill();
      }));
      th.scope = "col";
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
  markTrial(number) {
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
    const quoted = (value) => {
      const text = value === null ? "" : String(value);
      return /[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
    };
    const columns = { ...this.trials };
    for (const [name, ends] of Object.entries(this.intervals)) {
      columns[`${name}_low`] = ends.map((interval) => interval?.[0] ?? null);
      columns[`${name}_high`] = ends.map((interval) => interval?.[1] ?? null);
    }
    const values = [...Object.values(columns), ...Object.values(this.parameters)];
    const names = [...Object.keys(columns), ...Object.keys(this.parameters)];
    const lines = this.visible().map((i) => values.map((column) => quoted(column[i])).join());
    saveFile(new Blob([[names.join(), ...lines, ""].join("\n")], { type: "text/csv" }), this.file);
  }
}
