/* The list of studies; one that cannot be read is listed with the reason. */

const studyColumns = ["study", "labels", "trials", "feasible", "confirmed", "smallest", "last trial ended"];

function listStudies({ studies }) {
  document.title = "Studies – sweep";
  const rows = studies.map(({ name, problem, cells }) => {
    const [first, ...rest] = [link(name, `/study/${encodeURIComponent(name)}`), ...(cells ?? [problem])];
    return problem ? element("tr", "", wide(problem)) : element("tr", "", element("td", "", first), ...rest.map((cell) => element("td", "", cell)));
  });
  const head = element("tr", "", ...studyColumns.map((text) => element("th", "", text)));
  const table = element("table", "", element("thead", "", head), element("tbody", "", ...rows));
  const nothing = element("p", "", "There is no study here yet; sweep run makes one.");
  byId("columns").replaceChildren(element("h1", "", "Studies"), rows.length ? scrolled(table, "studies") : nothing);
}

function wide(text) {
  const cell = element("td", "quiet", text);
  cell.colSpan = studyColumns.length;
  return cell;
}
