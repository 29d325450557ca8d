/* The selected trial: what was measured of it, its training, the clips it gets wrong. */

class TrialPanel {
  constructor(host) {
    Object.assign(this, { host, view: null, number: null, opener: null });
    addEventListener("keydown", (event) => {
      if (event.key === "Escape" && this.number !== null) this.close();
    });
  }

  async open(view, number) {
    if (this.number === null) this.opener = document.activeElement;
    Object.assign(this, { view, number });
    this.host.hidden = false;
    document.documentElement.classList.add("with-panel");
    this.fill(view.details(number));
    const details = await view.fetchDetails(number);
    if (this.view === view && this.number === number) this.fill(details);
  }

  close() {
    const { view, number } = this;
    const inside = this.host.contains(document.activeElement);
    this.number = null;
    this.host.hidden = true;
    document.documentElement.classList.remove("with-panel");
    view.select(null);
    /* The row may have been made anew since. */
    const opener = this.opener?.isConnected ? this.opener : view.rowButton(number);
    if (inside) opener?.focus({ preventScroll: true });
  }

  fill(details) {
    const { view, number } = this;
    const i = view.rowOf.get(number);
    const close = button("Close", () => this.close());
    close.classList.add("close");
    const kicker = element("p", "kicker quiet", "A trial of ", element("b", "", view.data.name));
    const head = element("div", "panel-head", element("div", "", kicker, element("h2", "", `Trial ${number}`)), close);
    const held = this.host.contains(document.activeElement);
    if (i === undefined) this.host.replaceChildren(head, element("p", "", `Trial ${number} has not ended.`));
    else this.host.replaceChildren(head, ...this.summary(i), ...(details ? this.closeUp(details) : []));
    if (held) close.focus({ preventScroll: true });
  }

  summary(i) {
    const { view, number } = this;
    const { trials, parameters, command } = view.data;
    const facts = measured(view.data, i).map(({ title, value, interval }) =>
      element("li", "", element("span", "tag", title), element("b", "", value), element("small", "", interval)));
    const parts = [
      element("p", "", element("b", `ended ${trials.outcome[i]}`, trials.outcome[i]), trials.reason[i] ? `: ${trials.reason[i]}` : ""),
      element("ul", "metrics", ...facts),
      element("p", "quiet", trials.what[i]),
    ];
    if (trials.outcome[i] === "feasible") parts.push(this.takeAway(`sweep export ${command} --trial ${number}`));
    if (!view.knowsDetails(number)) {
      const varied = Object.entries(parameters).map(([name, values]) => [name, shortNumber(values[i])]);
      parts.push(element("h3", "", "Parameters"), factList(Object.fromEntries(varied)));
    }
    return parts;
  }

  takeAway(text) {
    const { view, number } = this;
    const command = element("code", "", text);
    const told = element("p", "quiet");
    const download = async () => {
      const answer = await fetch(`${view.place}/trial/${number}/model.tflite`);
      told.textContent = answer.ok ? "" : await answer.text();
      if (answer.ok) saveFile(await answer.blob(), `${view.data.name}-${number}.tflite`);
    };
    const tools = element("div", "tools",
      ...(view.place ? [button("Download model.tflite", download)] : []),
      button("Copy the command", (event) => copyText(command, event.currentTarget)),
      button("Show in table", () => view.showRow(number)));
    return element("div", "take-away", command, tools, told);
  }

  closeUp(details) {
    const { view, number } = this;
    const parts = [];
    if (details.variants.length) {
      const rows = details.variants.map(([name, ...cells], i) => [i === details.chosen ? `${name} ✓` : name, ...cells]);
      parts.push(textTable({ title: details.title, head: details.head, rows }, "numbers"));
    }
    if (details.machine) parts.push(element("p", "quiet", `Trained and measured on ${details.machine}`));
    const pair = element("div", "pair");
    if (details.accuracies.length) {
      pair.append(curve("Validation accuracy", details.accuracies), curve("Training loss", details.losses));
    }
    if (pair.childElementCount) parts.push(element("h3", "", "Training"), pair);
    if (details.confusion.length) parts.push(confusionTable(details.confusion, view.data.labels));
    if (details.mistakes.length) {
      parts.push(element("h3", "", "Misclassified, most confident first"),
        clipList(details.mistakes, view.place && `${view.place}/trial/${number}/clip`));
      if (details.more_mistakes) parts.push(element("p", "quiet", `and ${details.more_mistakes} more`));
    }
    parts.push(element("h3", "", "Parameters"), factList(details.varied),
      element("details", "", element("summary", "", "The parameters that are fixed"), factList(details.fixed)));
    return parts;
  }
}

/* Values over epochs as a small line, with its ends written out. */
function curve(name, values) {
  const known = values.filter((value) => value !== null);
  const [low, high] = [Math.min(...known), Math.max(...known)];
  const [width, height] = [240, 80];
  const at = (value, i) => [(i / Math.max(1, values.length - 1)) * width, height - ((value - low) / (high - low || 1)) * height];
  const points = values.flatMap((value, i) => (value === null ? [] : [at(value, i).join()])).join(" ");
  const text = `${name} over ${values.length} epochs: from ${known[0]?.toFixed(3)} to ${known.at(-1)?.toFixed(3)}`;
  return element("figure", "curve", element("figcaption", "", text),
    drawing("svg", { viewBox: `-2 -2 ${width + 4} ${height + 4}`, role: "img", "aria-label": text, preserveAspectRatio: "none" },
      drawing("polyline", { points })));
}

/* Validation clips by label (rows) and prediction (columns), shaded by their share of the row. */
function confusionTable(counts, labels) {
  const rows = counts.map((row, i) => {
    const total = row.reduce((a, b) => a + b, 0) || 1;
    return element("tr", "", element("th", "", labels[i]), ...row.map((count) => {
      const share = count / total;
      const cell = element("td", share > 0.5 ? "most" : "", count.toLocaleString("en"));
      cell.style.setProperty("--share", `${Math.round(100 * share)}%`);
      return cell;
    }));
  });
  const head = element("tr", "", element("th", "", "label \\ predicted"), ...labels.map((label) => element("th", "", label)));
  const table = element("table", "confusion", element("thead", "", head), element("tbody", "", ...rows));
  return element("div", "", element("h3", "", "Validation clips"), scrolled(table, "Validation clips by label and prediction"));
}

/* Clips by name; those that are on the server's machine can be played. */
function clipList(clips, place) {
  const list = element("ol", "clips", ...clips.map(({ name, note, playable }, i) => {
    const item = element("li", "", element("span", "", name), " ", element("small", "", note));
    if (playable && place) {
      const sound = element("audio");
      Object.assign(sound, { controls: true, preload: "none", src: `${place}/${i}`, title: name });
      item.append(sound);
    }
    return item;
  }));
  if (!place || clips.some(({ playable }) => playable)) return list;
  return element("div", "", list, element("p", "quiet", "The recordings are not on this machine."));
}
