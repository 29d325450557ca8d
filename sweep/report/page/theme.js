/* The looks of a figure: the reader's colours, and room on a narrow screen. */

const look = JSON.parse(byId("look").textContent);
const darkScheme = matchMedia("(prefers-color-scheme: dark)");
const coarsePointer = matchMedia("(pointer: coarse)");

/* A figure in the reader's colours, with a layout that fits its place. */
function dressed(figure, host) {
  const text = JSON.stringify(figure);
  const { data, layout } = JSON.parse(darkScheme.matches
    ? text.replace(/#[0-9A-F]{6}/g, (colour) => look.brighter[colour] ?? colour) : text);
  const narrow = host.clientWidth < 480;
  layout.template = look.themes[darkScheme.matches ? "dark" : "light"];
  if (narrow && layout.xaxis) layout.margin = { l: 56, r: 10, b: 54, t: 40, ...layout.margin };
  if (narrow && layout.height > 420 && !layout.scene && !layout.yaxis2) layout.height = 400;
  if (coarsePointer.matches && !layout.scene) layout.dragmode = false;
  return { data, layout };
}
