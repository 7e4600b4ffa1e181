/** One chart: lines over active time, drawn as SVG, read point by point by mouse or keyboard. */

import { make, mark, show, sync, tell } from "./dom.js";
import { moment } from "./format.js";

const SVG = "http://www.w3.org/2000/svg";
const HEIGHT = 150;
const EDGE = { top: 10, right: 10, bottom: 22 };
const GLYPH = 6.4; // about as wide is one of a label
const SHORT_S = 600; // a run so short is told to the second
const FAR = 3; // a bound so many times above what is drawn would press it flat
const PEAK = 6; // so many times above the usual is a peak
const NEVER_ALONE = 1e-9;

function draw(tag, attributes, parent) {
  const node = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  parent?.append(node);
  return node;
}

export class Chart {
  /**
   * `lines`: [{name, label, look, isArea}], `name` a column of points and `look` a colour's class;
   * `bounds(look)`: [{label, value}], lines that do not move; `read(index)` is called when a point
   * is read, `resized()` when there is another width to draw for.
   */
  constructor({ title, format, lines, bounds = () => [], isOptional = false }, { read, resized }) {
    Object.assign(this, { title, format, lines, bounds, isOptional, read, width: 0 });
    this.keys = make("ul", { class: "keys" });
    this.plot = make("div", {
      class: "plot", tabindex: "0", role: "slider", "aria-label": `${title} over time`,
      "aria-orientation": "horizontal", "aria-valuemin": "1",
    });
    this.svg = draw("svg", { height: HEIGHT, "aria-hidden": "true", focusable: "false" });
    this.plot.append(this.svg);
    this.grid = draw("g", { class: "grid" }, this.svg);
    this.fills = lines.map((line) => line.isArea && draw("path", { class: `area ${line.look}` }, this.svg));
    this.fixed = draw("g", { class: "bounds" }, this.svg);
    this.paths = lines.map((line) => draw("path", { class: `line ${line.look}` }, this.svg));
    this.hair = draw("g", { class: "hair" }, this.svg);
    this.node = make("figure", { class: "chart" }, make("figcaption", {}, make("h3", {}, title), this.keys), this.plot);
    this.#listen();
    // Asked of the layout when it changes, not while others are drawn.
    new ResizeObserver(([{ contentRect }]) => {
      this.width = Math.floor(contentRect.width);
      resized();
    }).observe(this.plot);
  }

  /** `timeline`: {rows, x, at, gaps, to, value(row, name)}; `index`: the point that is read, or null. */
  render(timeline, look, index) {
    this.timeline = timeline;
    const isTold = (value) => (this.isOptional ? Boolean(value) : value != null);
    show(this.node, this.lines.some((line) => timeline.rows.some((row) => isTold(timeline.value(row, line.name)))));
    if (this.node.hidden) return;
    if (!this.width) return;
    const bounds = this.bounds(look).filter((bound) => bound.value != null);
    this.scale = this.#scaled(this.width, bounds);
    mark(this.svg, "width", this.width);
    this.#grid();
    this.#bounds(bounds);
    this.#peak();
    this.lines.forEach((line, at) => this.#line(line, at));
    this.point(index);
  }

  /** Read a point; null for the newest, without a hair line. */
  point(index) {
    const { timeline, scale } = this;
    if (!scale || this.node.hidden) return;
    const last = timeline.rows.length - 1;
    const row = timeline.rows[index ?? last];
    this.#told(row);
    mark(this.plot, "aria-valuemax", Math.max(1, last + 1));
    mark(this.plot, "aria-valuenow", Math.max(1, (index ?? last) + 1));
    mark(this.plot, "aria-valuetext", this.#words(row, index ?? last));
    this.hair.replaceChildren();
    if (index == null || !row) return;
    const x = scale.x(timeline.x[index]);
    draw("line", { x1: x, x2: x, y1: EDGE.top, y2: HEIGHT - EDGE.bottom }, this.hair);
    for (const line of this.lines) {
      const value = timeline.value(row, line.name);
      if (value != null) draw("circle", { cx: x, cy: scale.y(value), r: 3.5, class: line.look }, this.hair);
    }
    const isRight = x > scale.width / 2;
    const text = { x: isRight ? x - 6 : x + 6, y: EDGE.top + 8, "text-anchor": isRight ? "end" : "start" };
    draw("text", text, this.hair).textContent = moment(timeline.at[index], { withSeconds: true });
  }

  #scaled(width, bounds) {
    const { timeline } = this;
    let highest = this.#highest();
    for (const { value } of bounds) if (value <= FAR * highest || highest === 0) highest = Math.max(highest, value);
    const step = stepOf(highest || 1);
    const top = Math.max(step, Math.ceil(highest / step - NEVER_ALONE) * step);
    const span = Math.max(timeline.to, NEVER_ALONE);
    const left = Math.ceil(14 + GLYPH * Math.max(this.#tick(top).length, this.#tick(step).length));
    const [across, up] = [width - left - EDGE.right, HEIGHT - EDGE.top - EDGE.bottom];
    return {
      width, left, right: width - EDGE.right, top, step,
      x: (seconds) => round(left + (across * seconds) / span),
      y: (value) => round(EDGE.top + up * (1 - Math.min(1, value / top))),
      seconds: (x) => (span * (x - left)) / across,
    };
  }

  /** What the scale is to hold: everything, but for a few peaks that would press the rest flat. */
  #highest() {
    const { timeline } = this;
    const values = this.lines.flatMap((line) => timeline.rows.map((row) => timeline.value(row, line.name) ?? 0));
    values.sort((one, other) => one - other);
    const [usual, highest] = [values[Math.floor(0.97 * (values.length - 1))] ?? 0, values.at(-1) ?? 0];
    return usual > 0 && highest > PEAK * usual ? 1.5 * usual : highest;
  }

  /** Peaks that the scale does not hold say how high they are. */
  #peak() {
    const { timeline, scale } = this;
    let [highest, at] = [scale.top, -1];
    for (const line of this.lines) {
      timeline.rows.forEach((row, index) => {
        const value = timeline.value(row, line.name) ?? 0;
        if (value > highest) [highest, at] = [value, index];
      });
    }
    if (at < 0) return;
    const x = scale.x(timeline.x[at]);
    const isRight = x > scale.width / 2;
    const place = { x: isRight ? x - 5 : x + 5, y: EDGE.top + 10, "text-anchor": isRight ? "end" : "start" };
    draw("text", place, this.fixed).textContent = `↑ ${this.format(highest)}`;
  }

  #tick(value) {
    return value === 0 ? "0" : this.format(value);
  }

  #grid() {
    const { scale, timeline } = this;
    this.grid.replaceChildren();
    for (let value = 0; value <= scale.top * (1 + NEVER_ALONE); value += scale.step) {
      const y = scale.y(value);
      draw("line", { x1: scale.left, x2: scale.right, y1: y, y2: y }, this.grid);
      draw("text", { x: scale.left - 8, y: y + 4, "text-anchor": "end" }, this.grid).textContent = this.#tick(value);
    }
    for (const seconds of timeline.gaps) {
      const x = scale.x(seconds);
      draw("line", { x1: x, x2: x, y1: EDGE.top, y2: HEIGHT - EDGE.bottom, class: "gap" }, this.grid);
    }
    const last = timeline.rows.length - 1;
    if (last < 0) return;
    const places = last > 1 && scale.width > 300 ? [0, Math.floor(last / 2), last] : [0, last];
    for (const index of new Set(places)) {
      const anchor = index === last ? "end" : index === 0 ? "start" : "middle";
      const x = index === last ? scale.right : index === 0 ? scale.left : scale.x(timeline.x[index]);
      const at = index === 0 ? timeline.at[0] - timeline.x[0] : timeline.at[index];
      const label = moment(at, { withSeconds: timeline.to < SHORT_S });
      draw("text", { x, y: HEIGHT - 5, "text-anchor": anchor }, this.grid).textContent = label;
    }
  }

  #bounds(bounds) {
    this.fixed.replaceChildren();
    this.far = bounds.filter(({ value }) => value > this.scale.top);
    const drawn = bounds.filter(({ value }) => value <= this.scale.top).sort((one, other) => one.value - other.value);
    drawn.forEach(({ label, value }, index) => {
      const y = this.scale.y(value);
      draw("line", { x1: this.scale.left, x2: this.scale.right, y1: y, y2: y }, this.fixed);
      // Labels of neighbours stand at either end, so that close ones do not cover each other.
      const isLeft = index % 2 === 1;
      const x = isLeft ? this.scale.left + 4 : this.scale.right;
      const text = draw("text", { x, y: y < EDGE.top + 12 ? y + 12 : y - 4, "text-anchor": isLeft ? "start" : "end" }, this.fixed);
      text.textContent = `${label} ${this.format(value)}`;
    });
  }

  /** A point tells of the stretch before it, so a line begins where the first stretch did. */
  #line(line, at) {
    const { timeline, scale } = this;
    const floor = scale.y(0);
    let [path, area, begun, before] = ["", "", null, 0];
    const end = () => begun != null && (area += `L${before},${floor}L${begun},${floor}Z`);
    timeline.rows.forEach((row, index) => {
      const value = timeline.value(row, line.name);
      if (value == null) {
        end();
        begun = null;
        return;
      }
      const [x, y] = [scale.x(timeline.x[index]), scale.y(value)];
      const first = scale.x(index ? timeline.x[index - 1] : 0);
      const step = begun == null ? `M${first},${y}L${x},${y}` : `L${x},${y}`;
      path += step;
      area += step;
      begun ??= first;
      before = x;
    });
    end();
    this.paths[at].setAttribute("d", path);
    if (this.fills[at]) this.fills[at].setAttribute("d", area);
  }

  #told(row) {
    const values = this.lines.map((line) => ({ ...line, text: row ? this.format(this.timeline.value(row, line.name)) : "–" }));
    const far = this.far.map((bound) => ({ label: bound.label, look: "bound", text: this.format(bound.value) }));
    sync(
      this.keys,
      [...values, ...far],
      (key) => key.label,
      (key) => make("li", { class: key.look }, `${key.label} `, make("b")),
      (node, key) => tell(node.lastChild, key.text),
    );
  }

  #words(row, index) {
    if (!row) return "nothing yet";
    const values = this.lines.map((line) => `${line.label} ${this.format(this.timeline.value(row, line.name))}`);
    return `${moment(this.timeline.at[index], { withSeconds: true })}: ${values.join(", ")}`;
  }

  #listen() {
    const at = (event) => this.scale && this.read(nearest(this.timeline.x, this.scale.seconds(event.offsetX)));
    this.svg.addEventListener("pointermove", at);
    this.svg.addEventListener("pointerdown", at);
    this.svg.addEventListener("pointerleave", (event) => event.pointerType === "mouse" && this.read(null));
    this.plot.addEventListener("blur", () => this.read(null));
    this.plot.addEventListener("keydown", (event) => this.#key(event));
  }

  #key(event) {
    const last = (this.timeline?.rows.length ?? 0) - 1;
    const now = Number(this.plot.getAttribute("aria-valuenow") ?? 1) - 1;
    const step = event.shiftKey ? 10 : 1;
    const places = {
      ArrowLeft: now - step, ArrowDown: now - step, ArrowRight: now + step, ArrowUp: now + step,
      PageDown: now - 10, PageUp: now + 10, Home: 0, End: last, Escape: null,
    };
    if (last < 0 || !(event.key in places) || event.altKey || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    event.stopPropagation();
    const place = places[event.key];
    this.read(place == null ? null : Math.min(last, Math.max(0, place)));
  }
}

const round = (value) => Math.round(10 * value) / 10;

/** A round step: about three of them reach the highest value. */
function stepOf(highest) {
  const rough = highest / 3;
  const power = 10 ** Math.floor(Math.log10(rough));
  return power * ([1, 2, 2.5, 5].find((times) => times * power >= rough) ?? 10);
}

/** The index of the value that is nearest, of values that rise. */
function nearest(values, wanted) {
  let [low, high] = [0, values.length - 1];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (values[middle] < wanted) low = middle + 1;
    else high = middle;
  }
  if (low > 0 && wanted - values[low - 1] < values[low] - wanted) return low - 1;
  return values.length ? low : null;
}
