/* What the page knows, and the few helpers everything else uses. */

"use strict";

const data = JSON.parse(document.getElementById("data").textContent);
const trials = data.trials;
const rowOf = new Map(trials.trial.map((number, i) => [number, i]));
const state = { selected: null };

function byId(id) {
  return document.getElementById(id);
}

function chosen(name) {
  return document.querySelector(`[name="${name}"]:checked`).value;
}

function element(tag, classes = "", text = "") {
  const made = document.createElement(tag);
  if (classes) made.className = classes;
  if (text) made.textContent = text;
  return made;
}

/* A parameter's value in four digits; files have it in full. */
function short(value) {
  return typeof value === "number" ? String(Number(value.toPrecision(4))) : value;
}

function button(text, act) {
  const made = element("button", "", text);
  made.type = "button";
  made.addEventListener("click", act);
  return made;
}
