/* The table below follows the brush above; a click on a row selects its trial. */
const table = new TrialTable(byId("table"), {
  trialCell: (number) => button(String(number), () => choose(number)),
  act: choose,
  file: "trials.csv",
});

function fillTable() {
  table.show(data, data.shown[chosen("show")]);
}

/* One trial is selected everywhere; controls are wired; then figures are watched for. */

function choose(number) {
  if (number === undefined || Array.isArray(number)) return;
  const inCard = byId("card").contains(document.activeElement);
  const was = state.selected;
  state.selected = state.selected === number ? null : number;
  table.select(state.selected);
  selectFinalist(state.selected);
  for (const host of drawn) {
    if (host.id === "parallel") overlay(host);
    else if (host.data?.at(-1)?.name === "selected") ring(host);
  }
  fillCard();
  if (!inCard) state.opener = document.activeElement;
  else if (state.selected === null) {
    /* The row may have been made anew since. */
    const row = byId("table").querySelector(`tr[data-trial="${was}"] button`);
    (state.opener.isConnected ? state.opener : row)?.focus({ preventScroll: true });
  }
}

function fillCard() {
  const card = byId("card");
  card.hidden = state.selected === null;
  if (card.hidden) return;
  const i = rowOf.get(state.selected);
  const inner = element("div");
  const facts = [trials.outcome[i]];
  if (trials.tflite_accuracy[i] !== null) facts.push(`accuracy ${trials.tflite_accuracy[i].toFixed(3)}`);
  if (trials.compressed_size[i] !== null) facts.push(`${trials.compressed_size[i].toFixed(2)} KB`);
  if (trials.total_latency[i] !== null) facts.push(`${trials.total_latency[i].toFixed(3)} ms`);
  for (const { name, unit, digits } of data.columns.filter((column) => column.extra)) {
    if (trials[name][i] !== null) facts.push(`${name} ${trials[name][i].toFixed(digits)} ${unit}`);
  }
  inner.append(element("b", "", `Trial ${state.selected}`), element("span", "", facts.join(" · ")));
  if (trials.outcome[i] === "feasible") {
    const command = element("code", "", `${data.export} --trial ${state.selected}`);
    inner.append(command, button("Copy", (event) => copy(command, event.currentTarget)));
    inner.append(button("Show in table", () => {
      const row = table.select(state.selected);
      row?.scrollIntoView({ block: "center" });
      row?.querySelector("button").focus({ preventScroll: true });
    }));
  } else {
    inner.append(element("span", "quiet", trials.reason[i]));
  }
  const close = button("Close", () => choose(state.selected));
  close.classList.add("close");
  const details = element("details");
  const list = element("ul");
  list.append(...Object.entries(data.parameters).map(([name, values]) => element("li", "", `${name} ${short(values[i])}`)));
  details.append(element("summary", "", trials.what[i]), list, closeup(state.selected));
  inner.append(close, details);
  card.replaceChildren(inner);
}

async function copy(source, pressed) {
  try {
    await navigator.clipboard.writeText(source.textContent);
    pressed.textContent = "Copied";
  } catch {
    getSelection().selectAllChildren(source);
  }
}

function wire() {
  const parallel = byId("parallel");
  const onChange = (name, act) =>
    document.querySelectorAll(`[name="${name}"]`).forEach((input) => input.addEventListener("change", act));
  const refresh = () => {
    fillTable();
    redraw(parallel);
  };
  onChange("show", refresh);
  onChange("axes", refresh);
  onChange("over", () => redraw(byId("progress")));
  onChange("finalist", showFinalist);
  for (const id of ["parameter", "metric"]) byId(id)?.addEventListener("change", () => redraw(byId("slice")));
  byId("meet").addEventListener("click", meetLimits);
  byId("reset").addEventListener("click", () => drawParallel(parallel, {}));
  document.querySelectorAll("[data-trial]:is(button)").forEach((pick) =>
    pick.addEventListener("click", () => choose(Number(pick.dataset.trial))));
  addEventListener("keydown", (event) => {
    if (event.key === "Escape" && state.selected !== null) choose(state.selected);
  });
}

fillTable();
showFinalist();
wire();
requestAnimationFrame(() => setTimeout(watch));
