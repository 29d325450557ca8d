/* The table of trials: sorted, filtered by text and by brush, saved as CSV. */

const sorting = { column: "compressed_size", up: true };
const atFirst = 100;
let wholeTable = false;

function brush(numbers) {
  state.brushed = numbers;
  fillTable();
}

function visibleRows() {
  const outcomes = new Set(data.shown[chosen("show")]);
  const words = byId("filter").value.toLowerCase().split(/\s+/).filter(Boolean);
  const text = (i) => ["trial", "outcome", "reason", "what"].map((name) => trials[name][i]).join(" ").toLowerCase();
  const rows = [...trials.trial.keys()].filter((i) =>
    outcomes.has(trials.outcome[i])
    && (!state.brushed || state.brushed.has(trials.trial[i]))
    && words.every((word) => text(i).includes(word)));
  const column = trials[sorting.column];
  const sign = sorting.up ? 1 : -1;
  return rows.sort((a, b) => {
    if (column[a] === null || column[b] === null) return (column[a] === null) - (column[b] === null);
    return sign * (column[a] < column[b] ? -1 : column[a] > column[b] ? 1 : 0);
  });
}

function cell(column, i) {
  const td = element("td", column.number ? "number" : column.name);
  const value = trials[column.name][i];
  if (column.name === "trial") {
    td.append(button(String(value), () => choose(value)));
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

function fillTable() {
  const rows = visibleRows();
  const body = byId("table").tBodies[0];
  const some = wholeTable ? rows : rows.slice(0, atFirst);
  body.replaceChildren(...some.map((i) => {
    const tr = element("tr", trials.trial[i] === state.selected ? "selected" : "");
    tr.dataset.trial = trials.trial[i];
    tr.append(...data.columns.map((column) => cell(column, i)));
    return tr;
  }));
  byId("count").textContent = `${rows.length} of ${trials.trial.length} trials`
    + (state.brushed ? ", brushed above" : "");
  byId("more").hidden = some.length === rows.length;
  byId("more").textContent = `Show all ${rows.length}`;
}

function headTable() {
  const head = element("tr");
  for (const column of data.columns) {
    const th = element("th", column.number ? "number" : "");
    th.scope = "col";
    th.append(button(column.name.replaceAll("_", "_\u200b"), () => {
      sorting.up = sorting.column === column.name ? !sorting.up : true;
      sorting.column = column.name;
      markSorting();
      fillTable();
    }));
    if (column.unit) th.append(element("small", "", column.unit));
    th.dataset.column = column.name;
    head.append(th);
  }
  byId("table").tHead.replaceChildren(head);
  markSorting();
}

function markSorting() {
  for (const th of byId("table").tHead.rows[0].cells) {
    const here = th.dataset.column === sorting.column;
    th.setAttribute("aria-sort", !here ? "none" : sorting.up ? "ascending" : "descending");
    th.querySelector("button").dataset.arrow = !here ? "" : sorting.up ? "▲" : "▼";
  }
}

function showRow(number) {
  const find = () => byId("table").querySelector(`tr[data-trial="${number}"]`);
  if (!find() && visibleRows().some((i) => trials.trial[i] === number)) {
    wholeTable = true;
    fillTable();
  }
  for (const tr of byId("table").tBodies[0].rows) {
    tr.classList.toggle("selected", Number(tr.dataset.trial) === number);
  }
  return find();
}

function saveCsv() {
  const names = [...data.columns.map((column) => column.name), "low", "high", "reason"];
  const quoted = (value) => {
    const text = value === null ? "" : String(value);
    return /[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  };
  const settings = Object.keys(data.parameters);
  const lines = visibleRows().map((i) =>
    [...names.map((name) => trials[name][i]), ...settings.map((name) => data.parameters[name][i])].map(quoted).join());
  const file = new Blob([[[...names, ...settings].join(), ...lines, ""].join("\n")], { type: "text/csv" });
  const link = element("a");
  link.href = URL.createObjectURL(file);
  link.download = "trials.csv";
  link.click();
  URL.revokeObjectURL(link.href);
}
