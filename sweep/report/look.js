/* The looks of a figure: the reader's colours, and room on a narrow screen. */

const darkScheme = matchMedia("(prefers-color-scheme: dark)");
const coarsePointer = matchMedia("(pointer: coarse)");

function layoutOf(figure, host) {
  const narrow = host.clientWidth < 480;
  const layout = structuredClone(figure.layout);
  layout.template = data.themes[darkScheme.matches ? "dark" : "light"];
  if (narrow && layout.xaxis) layout.margin = { l: 56, r: 10, b: 54, t: 40, ...layout.margin };
  if (narrow && layout.height > 420 && !layout.scene && !layout.yaxis2) layout.height = 400;
  if (coarsePointer.matches && !layout.scene) layout.dragmode = false;
  return layout;
}

/* The figure in the colours for dark paper. */
function brighter(figure) {
  return JSON.parse(JSON.stringify(figure).replace(/#[0-9A-F]{6}/g, (colour) => data.brighter[colour] ?? colour));
}
