/* What a study says, as sections of its page; each function returns what a part of the page holds. */

function warningList({ warnings }) {
  return warnings.map(({ text, advice }) =>
    element("li", "warning", text, ...(advice ? [element("code", "", advice)] : [])));
}

function limitChips({ limits }) {
  return limits.map(({ limit, text, binds }) =>
    element("li", binds ? "binds" : "", element("b", "", limit), ` ${text}`));
}

function funnelBars({ funnel, finalists }) {
  const most = funnel[0].count || 1;
  const bars = funnel.map(({ name, count, note }) => {
    const bar = element("i", count ? "some" : "");
    bar.style.setProperty("--share", `${(100 * count) / most}%`);
    return element("li", name, element("span", "", name), element("span", "bar", bar),
      element("span", "count", count.toLocaleString("en")), element("small", "", note));
  });
  if (!finalists.each.length) bars.push(element("li", "confirmed none", element("span", "", "confirmed"), element("span", "", "no finalists yet")));
  return bars;
}

function pickCards({ picks, misses, command }, select) {
  const cards = picks.map(({ word, trial, lead, rest }) => {
    const name = word.replace("-", " ");
    return element("li", "", element("span", "tag", name[0].toUpperCase() + name.slice(1)), element("span", "lead", lead),
      element("span", "rest", rest), element("code", "", `sweep export ${command} --pick ${word}`),
      element("span", "", button(`Trial ${trial}`, () => select(trial))));
  });
  if (cards.length) return [element("h2", "", "What to take"), element("ul", "picks", ...cards)];
  if (misses) return [element("h2", "", "The nearest misses"), textTable(misses, "last-wide")];
  return [element("h2", "", "What to take"), element("p", "", "Nothing was measured yet.")];
}

function finalistsVerdict({ finalists, picks, command }) {
  if (!picks.length) return [];
  const title = element("h2", "", "Does it hold?");
  if (finalists.each.length) {
    return [title, element("p", "", finalists.verdict), textTable(finalists.table, "numbers"),
      ...(finalists.streams ? [textTable(finalists.streams, "numbers")] : []), element("p", "quiet", finalists.legend)];
  }
  return [title, element("p", "", "Nothing was trained again yet. ", element("code", "", `sweep finalists ${command}`),
    " trains the best of the front from other seeds and then, for the first time, reads the test clips.")];
}

/* The trials that ended last; only where trials still end. */
function latestTrials({ latest, trials, columns }, rowOf, select) {
  if (!latest.trials.length) return [element("p", "quiet", "None has yet.")];
  const metrics = columns.filter((column) => column.studied);
  const head = ["trial", "outcome", ...metrics.map(({ title, unit }) => (unit ? `${title} (${unit})` : title)), "what it is"];
  const rows = latest.trials.map((number) => {
    const i = rowOf.get(number);
    const values = metrics.map((column) => {
      const value = trials[column.name][i];
      return value === null ? "–" : inDigits(value, column);
    });
    const outcome = element("span", "", trials.outcome[i], element("small", "", trials.reason[i]));
    return [button(String(number), () => select(number)), outcome, ...values, trials.what[i]];
  });
  return [textTable({ title: latest.when, head, rows }, "last-wide")];
}

function careful({ about, space }) {
  const parts = about.flatMap(({ title, facts }) => [element("h3", "", title), factList(facts)]);
  const text = element("pre", "", space);
  text.tabIndex = 0;
  return [...parts, element("h3", "", "Search space"),
    element("details", "", element("summary", "", "The file in full, defaults filled in"), text)];
}
