/* A trial in words, beside the pointer; Plotly shows some HTML, so text is escaped for it. */

function escaped(text) {
  return String(text).replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}

/* A metric's value as the shell writes it. */
function inDigits(value, { digits }) {
  if (digits === null) return String(Number(value.toPrecision(4)));
  return digits ? value.toFixed(digits) : Math.round(value).toLocaleString("en");
}

/* A parameter's value in four digits; files have it in full. */
function shortNumber(value) {
  return typeof value === "number" ? String(Number(value.toPrecision(4))) : value;
}

/* The studied metrics that were measured of the trial in a row: title, value with unit, interval. */
function measured({ trials, intervals, columns }, i) {
  return columns.filter((column) => column.studied && trials[column.name][i] !== null).map((column) => ({
    title: column.title,
    value: [inDigits(trials[column.name][i], column), column.unit].filter(Boolean).join("\u00a0"),
    interval: (intervals[column.name]?.[i] ?? []).map((end) => inDigits(end, column)).join("–"),
  }));
}

function describeTrial(data, i) {
  const { trials, parameters } = data;
  const reason = trials.reason[i] ? `: ${trials.reason[i]}`.slice(0, 90) : "";
  const metrics = measured(data, i).map(({ title, value, interval }) => `${title} ${value}${interval && ` (${interval})`}`);
  const values = Object.entries(parameters).map(([name, all]) => `${name} ${shortNumber(all[i])}`);
  const lines = [trials.outcome[i] + reason, ...metrics, ...values].map(escaped);
  return `<b>trial ${trials.trial[i]}</b> ${lines.join("<br>")}`;
}

function describeFinalist({ finalists }, number) {
  const lines = finalists.each.find(({ trial }) => trial === number).told.map(escaped);
  return `<b>trial ${number}, trained again</b> ${lines.join("<br>")}`;
}
