/* A finalist in the stream of test speakers: a timeline to move along, its false alarms and misses. */

const beforeInS = 4;
const afterInS = 2;
const mostMoments = 60;

class StreamView {
  /* `place` is the address of the study on a server; empty where the page is a file. */
  constructor(parts, place, data) {
    Object.assign(this, { parts, place, data, trial: null, from: null });
    this.figure = new Figure(parts.timeline, () => this.drawn());
    this.sound = element("audio");
    Object.assign(this.sound, { controls: true, preload: "none", title: "the part that is shown" });
    parts.moves.append(button("Earlier", () => this.move(-0.8)), button("Later", () => this.move(0.8)), this.sound);
  }

  get full() {
    return this.data().figures[`timeline-${this.trial}`];
  }

  show(one) {
    this.trial = one.trial;
    this.playable = Boolean(this.place && one.moments?.playable);
    this.sound.hidden = !this.playable;
    this.from = this.full?.layout.xaxis.range[0] ?? 0;
    this.parts["false-alarms"].replaceChildren(this.list(one.moments?.false_alarms ?? []));
    this.parts.missed.replaceChildren(this.list(one.moments?.misses ?? []));
    this.look();
    return `The first training of trial ${one.trial}, by the second`;
  }

  /* The part of the stream that is shown, whole seconds. */
  get part() {
    const { end, shown } = this.full.layout.meta;
    const from = Math.round(Math.max(0, Math.min(this.from, end - shown)));
    return [from, from + shown];
  }

  drawn() {
    if (!this.full) return "This was not kept; sweep finalists keeps it.";
    const figure = structuredClone(this.full);
    figure.layout.xaxis.range = this.part;
    return figure;
  }

  move(share) {
    this.from = this.part[0] + share * this.full.layout.meta.shown;
    this.look();
  }

  look() {
    if (!this.full) return;
    if (this.playable) this.sound.src = this.address(...this.part);
    this.figure.draw();
  }

  address(from, to) {
    return `${this.place}/finalist/${this.trial}/stream/${from}-${to}.wav`;
  }

  list(moments) {
    if (!moments.length) return element("p", "quiet", "None.");
    const items = moments.slice(0, mostMoments).map(({ time_in_s: time, text, clip }) => {
      const go = button(clock(time), () => {
        this.from = time - this.full.layout.meta.shown / 2;
        this.look();
        this.parts.timeline.scrollIntoView({ block: "center" });
      });
      const item = element("li", "", go, ` ${text} `, element("small", "", clip));
      if (this.playable) {
        const sound = element("audio");
        const from = Math.max(0, Math.floor(time - beforeInS));
        Object.assign(sound, { controls: true, preload: "none", src: this.address(from, Math.ceil(time + afterInS)), title: text });
        item.append(sound);
      }
      return item;
    });
    const more = moments.length - mostMoments;
    return element("div", "", element("ol", "clips moments", ...items), ...(more > 0 ? [element("p", "quiet", `and ${more} more`)] : []));
  }
}

function clock(seconds) {
  const whole = Math.floor(seconds);
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")}`;
}
