/* The finalist a reader has chosen: curves, confusion, and the clips it hears worst. */

function drawFinalist(host) {
  const figure = data.figures[`${host.dataset.lazy}-${chosen("finalist")}`];
  if (figure) plot(host, figure);
  else say(host, "This was not kept; sweep finalists keeps it.");
}

function showFinalist() {
  if (!data.finalists.length) return;
  const one = data.finalists.find(({ trial }) => trial === Number(chosen("finalist")));
  byId("worst").replaceChildren(...one.worst.map(([name, times], place) =>
    clip("finalist", one.trial, place, name, `${times} of ${one.seeds}`)));
  for (const id of ["curves", "confusion"]) redraw(byId(id));
}

function selectFinalist(number) {
  const radio = document.querySelector(`[name="finalist"][value="${number}"]`);
  if (!radio || radio.checked) return;
  radio.checked = true;
  showFinalist();
}

/* A clip's name and, where the page is served beside the recordings, the clip itself. */
function clip(kind, number, place, name, note = "") {
  const item = element("li");
  item.append(element("span", "", name), " ", element("small", "", note));
  if (data.audible.includes(name)) {
    const sound = element("audio");
    Object.assign(sound, { controls: true, preload: "none", src: `${kind}/${number}/clip/${place}`, title: name });
    item.append(sound);
  }
  return item;
}
