/* What Dash asks of the browser: figures in the reader's colours, where a click leads,
   the table that follows a brush, copying. */

const lastDrawn = new Map();

function domId(id) {
  return JSON.stringify(Object.fromEntries(Object.entries(id).sort()));
}

function fitted(figure, host) {
  const coloured = darkScheme.matches ? brighter(figure) : figure;
  return { data: coloured.data, layout: layoutOf(coloured, host ?? document.body) };
}

/* Carry over what the reader did to the figure before: zoom, turn, brush. */
function keepView(figure, plot, before) {
  const text = (axis) => axis?.title?.text?.replace(/ \(\d+ trials? below\)/, "");
  for (const side of ["xaxis", "yaxis"]) {
    const [fresh, shown, old] = [figure.layout[side], plot.layout?.[side], before.layout[side]];
    const zoomed = shown?.range && shown.autorange !== true && String(shown.range) !== String(old?.range);
    if (zoomed && text(fresh) === text(old)) figure.layout[side] = { ...fresh, range: [...shown.range], autorange: false };
  }
  const camera = plot.layout?.scene?.camera;
  if (camera && figure.layout.scene) figure.layout.scene.camera = camera;
  const [trace, old] = [figure.data[0], plot.data?.[0]];
  if (trace?.dimensions) setRanges(trace, carried(old, trace));
}

const tables = new Map();
const meeting = new Set();

/* The table of a study; one is made when its place is new on the page. */
function tableOf(study) {
  const host = document.getElementById(domId({ part: "table", study }));
  if (host && tables.get(study)?.host !== host) {
    const trialCell = (number) => {
      const link = element("a", "", String(number));
      link.href = `/study/${encodeURIComponent(study)}/trial/${number}`;
      return link;
    };
    const act = (number) => location.assign(trialCell(number).href);
    tables.set(study, new TrialTable(host, { trialCell, act, file: `${study}.csv` }));
  }
  return tables.get(study);
}

function plotOf(study) {
  return document.getElementById(domId({ figure: "parallel", study }))?.querySelector(".js-plotly-plot");
}

/* Brush a study's parallel coordinates; the table follows. */
function brushTo(study, ranges) {
  const plot = plotOf(study);
  const trace = structuredClone(plot.data[0]);
  setRanges(trace, ranges);
  Plotly.react(plot, [trace], plot.layout);
  tableOf(study).brush(kept(trace));
}

function trialAddress(click, study) {
  const number = click?.points?.[0]?.customdata;
  return Number.isInteger(number) ? `/study/${encodeURIComponent(study)}/trial/${number}` : undefined;
}

function setQuery(search, name, value) {
  const query = new URLSearchParams(search);
  if (value) query.set(name, value);
  else query.delete(name);
  return query.size ? `?${query}` : "";
}

window.dash_clientside = Object.assign(window.dash_clientside ?? {}, {
  live: {
    /* Only what has changed is drawn again, so that zoom, brush and hover stay. */
    draw(figures, scheme, ids, drawn) {
      return ids.map((id, i) => {
        const figure = figures?.[id.figure];
        const key = domId(id);
        const host = document.getElementById(key);
        const [before, asked] = [drawn[i] && lastDrawn.get(key), JSON.stringify([figure, scheme])];
        if (!figure || before?.asked === asked) return dash_clientside.no_update;
        const fresh = fitted(structuredClone(figure), host);
        lastDrawn.set(key, { asked, layout: structuredClone(fresh.layout) });
        const plot = host?.querySelector(".js-plotly-plot");
        if (before && plot) keepView(fresh, plot, before);
        if (id.figure === "parallel" && meeting.delete(id.study)) setRanges(fresh.data[0], fresh.data[0].meta.limits);
        if (id.figure === "parallel") tableOf(id.study).brush(kept(fresh.data[0]));
        return fresh;
      });
    },
    follow(...clicks) {
      const { prop_id: from, value } = dash_clientside.callback_context.triggered[0];
      const id = JSON.parse(from.slice(0, from.lastIndexOf(".")));
      return trialAddress(value, id.study) ?? dash_clientside.no_update;
    },
    pick(click, metrics) {
      const [parameter, metric] = click?.points?.[0]?.customdata ?? [];
      const known = metrics.some((one) => (one.value ?? one) === metric);
      const same = dash_clientside.no_update;
      return [parameter ?? same, known ? metric : same];
    },
    fill(rows, shown, { study }) {
      if (rows) tableOf(study).show(rows, data.shown[shown]);
    },
    brush(change, { study }) {
      if (change) tableOf(study).brush(kept(plotOf(study).data[0]));
    },
    /* Of axes that are not drawn nothing can be kept: all are, first. */
    meet(_, axes, { study }) {
      if (axes === "all") brushTo(study, plotOf(study).data[0].meta.limits);
      else meeting.add(study);
      return "all";
    },
    reset(_, { study }) {
      brushTo(study, {});
    },
    compare(other, search) {
      return setQuery(search, "compare", other);
    },
    async copy() {
      const command = byId("command");
      try {
        await navigator.clipboard.writeText(command.textContent);
        return "Copied";
      } catch {
        getSelection().selectAllChildren(command);
        return "Selected: press Ctrl+C";
      }
    },
  },
});

darkScheme.addEventListener("change", () => dash_clientside.set_props("scheme", { data: darkScheme.matches }));

/* The cookie lets us in from here on; the token need not stay in the address bar. */
const query = new URLSearchParams(location.search);
if (query.has("token")) history.replaceState(null, "", location.pathname + setQuery(location.search, "token"));
