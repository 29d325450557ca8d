/* A close look at a trial on the front, inside the card of the selected trial. */

function grid(head, rows, title) {
  const table = element("table", "numbers");
  table.append(element("caption", "", title));
  const line = (tag, texts) => {
    const tr = element("tr");
    tr.append(...texts.map((text) => element(tag, "", String(text))));
    return tr;
  };
  const top = element("thead");
  const body = element("tbody");
  top.append(line("th", head));
  body.append(...rows.map((row) => line("td", row)));
  table.append(top, body);
  return table;
}

/* Validation accuracy over epochs, as a small line with its ends written out. */
function curve(values) {
  const figure = element("figure", "curve");
  const [low, high] = [Math.min(...values), Math.max(...values)];
  const width = 240;
  const height = 80;
  const points = values.map((value, i) =>
    `${(i / Math.max(1, values.length - 1)) * width},${height - ((value - low) / (high - low || 1)) * height}`);
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("viewBox", `-2 -2 ${width + 4} ${height + 4}`);
  svg.setAttribute("role", "img");
  svg.setAttribute("aria-label", `accuracy from ${values[0]} to ${values.at(-1)}`);
  const line = document.createElementNS(svg.namespaceURI, "polyline");
  line.setAttribute("points", points.join(" "));
  svg.append(line);
  const last = values.at(-1).toFixed(3);
  const text = `Validation accuracy over ${values.length} epochs: from ${values[0].toFixed(3)} to ${last}, at most ${high.toFixed(3)}`;
  figure.append(element("figcaption", "", text), svg);
  return figure;
}

function closeup(number) {
  const look = data.closeups[number];
  const parts = element("div", "closeup");
  if (!look) return parts;
  const short = (value, digits) => (value === null ? "–" : value.toFixed(digits));
  parts.append(grid(["variant", "accuracy", "KB", "ms"], look.variants.map(([name, accuracy, size, latency], i) =>
    [i === look.chosen ? `${name} ✓` : name, short(accuracy, 3), short(size, 2), short(latency, 3)]), "Variants measured"));
  if (look.confusion.length) {
    const rows = look.confusion.map((row, i) => [data.labels[i], ...row]);
    parts.append(grid(["said \\ heard", ...data.labels], rows, "Validation clips"));
  }
  if (look.accuracies.length) parts.append(curve(look.accuracies));
  if (look.mistakes.length) {
    const list = element("ol", "clips");
    list.append(...look.mistakes.map((name, place) => clip("trial", number, place, name)));
    const box = element("div");
    box.append(element("b", "", "Heard wrong, most confident first"), list);
    parts.append(box);
  }
  return parts;
}
