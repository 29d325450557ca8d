/* Where the page begins: a study in this file, or the studies of a server. */

const pollEveryMs = 1500;
const panel = new TrialPanel(byId("panel"));
const embedded = JSON.parse(byId("data").textContent);

function setHash(number) {
  history.replaceState(null, "", number === null ? location.pathname + location.search : `#trial-${number}`);
}

function trialOfHash() {
  const match = /^#trial-(\d{1,9})$/.exec(location.hash);
  return match ? Number(match[1]) : null;
}

function openHash(view) {
  const number = trialOfHash();
  if (number !== null && number !== view.selected) view.select(number);
}

function tell(text) {
  byId("told").textContent = text;
  byId("told").hidden = !text;
}

/* Plotly is large: it starts once the page can be read. */
function startPlotly() {
  const script = element("script");
  script.addEventListener("load", () => figures.forEach((figure) => figure.draw()));
  const here = byId("plotly");
  if (here.dataset.src) script.src = here.dataset.src;
  else script.textContent = here.textContent;
  document.head.append(script);
  if (!here.dataset.src) figures.forEach((figure) => figure.draw());
}

/* Ask for an address again and again; `show` is given every answer that is new. */
async function follow(address, show) {
  for (let tag = null; ;) {
    try {
      const answer = await fetch(address, tag ? { headers: { "If-None-Match": tag } } : {});
      if (answer.status === 200) {
        tag = answer.headers.get("ETag");
        show(await answer.json());
      }
      tell(answer.ok || answer.status === 304 ? "" : await answer.text());
    } catch (error) {
      if (!(error instanceof TypeError)) throw error;
      tell("The server does not answer; trying again.");
    }
    await new Promise((done) => setTimeout(done, pollEveryMs));
    while (document.hidden) await new Promise((done) => document.addEventListener("visibilitychange", done, { once: true }));
  }
}

function beginStudy(place, name) {
  const columns = byId("columns");
  const other = new URLSearchParams(location.search).get("compare");
  const places = [place, ...(other ? [`/study/${encodeURIComponent(other)}`] : [])];
  const views = places.map((one) => new StudyView(columns.appendChild(element("article")), one));
  const [first, second] = views;
  if (second) {
    columns.classList.add("two");
    [first.beside, second.beside] = [second, first];
  }
  views.forEach((view) => follow(`${view.place}/data.json`, (data) => {
    view.update(data);
    for (const [figure, one] of Object.entries(view.beside?.figures ?? {})) if (figure.startsWith("front-")) one.draw();
    if (view === first) openHash(first);
  }));
  addEventListener("hashchange", () => openHash(first));
  fetch("/studies.json").then((answer) => answer.json()).then(({ studies, only }) => {
    const others = studies.map((one) => one.name).filter((one) => one !== name);
    if (!only) byId("tools").append(link("All studies", "/", "button"));
    if (!others.length) return;
    const compare = new Choice(byId("tools"), "compare with", (value) =>
      location.assign(location.pathname + (value ? `?compare=${encodeURIComponent(value)}` : "")));
    compare.offer([["", "no other"], ...others.map((one) => [one, one])]);
    compare.value = other ?? "";
  });
}

function begin() {
  if (embedded) {
    const view = new StudyView(byId("columns").appendChild(element("article")), "");
    view.update(embedded);
    openHash(view);
    addEventListener("hashchange", () => openHash(view));
  } else if (location.pathname === "/") {
    follow("/studies.json", listStudies);
  } else {
    const name = decodeURIComponent(location.pathname.split("/")[2]);
    beginStudy(`/study/${encodeURIComponent(name)}`, name);
  }
  requestAnimationFrame(() => setTimeout(startPlotly));
}

/* The cookie admits the reader from here on; the token need not stay in the address bar. */
const query = new URLSearchParams(location.search);
if (query.has("token")) {
  query.delete("token");
  history.replaceState(null, "", location.pathname + (query.size ? `?${query}` : "") + location.hash);
}

begin();
