/* Elements and controls. Text stays text: nothing from a study is parsed as HTML. */

"use strict";

function byId(id) {
  return document.getElementById(id);
}

/* An element with children, which are elements or text. */
function element(tag, classes = "", ...children) {
  const made = document.createElement(tag);
  if (classes) made.className = classes;
  made.append(...children);
  return made;
}

function drawing(tag, attributes, ...children) {
  const made = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
}

function button(text, act) {
  const made = element("button", "", text);
  made.type = "button";
  made.addEventListener("click", act);
  return made;
}

function link(text, address, classes = "") {
  const made = element("a", classes, text);
  made.href = address;
  return made;
}

/* A table of texts; one that is wider than the page scrolls by itself. */
function textTable({ title, head, rows }, classes = "") {
  const line = (tag, cells) => element("tr", "", ...cells.map((cell) => element(tag, "", cell)));
  const table = element("table", classes, element("thead", "", line("th", head)),
    element("tbody", "", ...rows.map((row) => line("td", row))));
  return element("div", "", element("h3", "", title), scrolled(table, title));
}

function scrolled(content, label) {
  const region = element("div", "scroll", content);
  region.tabIndex = 0;
  region.setAttribute("role", "region");
  region.setAttribute("aria-label", label);
  return region;
}

/* Names and values; a value may be names and values again. */
function factList(facts) {
  const list = element("dl");
  for (const [name, value] of Object.entries(facts)) {
    const nested = value !== null && typeof value === "object" && !Array.isArray(value);
    const text = Array.isArray(value) ? value.join(", ") || "none" : String(value);
    list.append(element("dt", "", name), element("dd", "", nested ? factList(value) : text));
  }
  return list;
}

/* Radio buttons in a row; `options` are pairs of value and text. */
class Switch {
  static count = 0;

  constructor(host, legend, act) {
    Object.assign(this, { host, act, name: `switch-${Switch.count++}` });
    host.className = "switch";
    host.append(element("legend", "", legend));
  }

  offer(options, preferred = this.value) {
    if (JSON.stringify(options) === this.offered) return;
    this.offered = JSON.stringify(options);
    this.host.querySelectorAll("label").forEach((label) => label.remove());
    for (const [value, text] of options) {
      const input = element("input");
      Object.assign(input, { type: "radio", name: this.name, value });
      input.addEventListener("change", () => this.act(value));
      this.host.append(element("label", "", input, element("span", "", text)));
    }
    this.value = options.some(([value]) => value === preferred) ? preferred : options[0]?.[0];
  }

  get value() {
    return this.host.querySelector("input:checked")?.value;
  }

  set value(value) {
    for (const input of this.host.querySelectorAll("input")) input.checked = input.value === value;
  }
}

/* A list to choose from, with its label. */
class Choice {
  constructor(host, text, act) {
    this.select = element("select");
    this.select.addEventListener("change", () => act(this.select.value));
    host.append(element("label", "field", `${text} `, this.select));
  }

  offer(options) {
    if (JSON.stringify(options) === this.offered) return;
    this.offered = JSON.stringify(options);
    const before = this.select.value;
    this.select.replaceChildren(...options.map(([value, text]) => new Option(text, value)));
    if (options.some(([value]) => value === before)) this.select.value = before;
  }

  get value() {
    return this.select.value;
  }

  set value(value) {
    this.select.value = value;
  }
}

function saveFile(content, name) {
  const made = link("", URL.createObjectURL(content));
  made.download = name;
  made.click();
  URL.revokeObjectURL(made.href);
}

/* Copy an element's text; where the browser forbids that, select it. */
async function copyText(source, pressed) {
  try {
    await navigator.clipboard.writeText(source.textContent);
    pressed.textContent = "Copied";
  } catch {
    getSelection().selectAllChildren(source);
    pressed.textContent = "Selected: press Ctrl+C";
  }
}
