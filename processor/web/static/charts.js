/** The charts of a run: the same time along all of them, and one point read in all at once. */

import { Chart } from "./chart.js";
import { find, show } from "./dom.js";
import { bytes, compact, milliseconds, money, rate } from "./format.js";

const POINTS = 240; // more are not told apart at this width
const LONG_GAP_S = 30; // between two starts

const perSecond = (value) => (value == null ? "–" : `${bytes(value)}/s`);
const cores = (value) => (value == null ? "–" : `${(100 * value).toFixed(value < 0.1 ? 1 : 0)} %`);
const megabytes = (value) => (value == null ? "–" : bytes(1e6 * value));
const brief = (value) => (value == null || value < 100 ? rate(value) : `${compact(value)}/s`);

const MACHINE = "machine";

const CHARTS = [
  {
    title: "Throughput", format: brief,
    lines: [{ name: "per_s", label: "finished", look: "c1", isArea: true }],
  },
  {
    title: "Latency", format: milliseconds,
    lines: [{ name: "p50_ms", label: "p50", look: "c1", isArea: true }, { name: "p95_ms", label: "p95", look: "c2" }],
  },
  {
    title: "Errors", format: brief,
    lines: [
      { name: "failed_per_s", label: "failed", look: "c3", isArea: true },
      { name: "limited_per_s", label: "429s", look: "c4" },
      { name: "retries_per_s", label: "retries", look: "c5" },
    ],
  },
  {
    title: "Cost", format: money,
    lines: [{ name: "cost_usd", label: "spent", look: "c1", isArea: true }],
    bounds: (look) => [
      { label: "plan", value: look.planned?.usd },
      { label: "budget", value: look.stats.budget_usd },
    ],
  },
  {
    title: "In flight", format: compact,
    lines: [{ name: "in_flight", label: "calls", look: "c1", isArea: true }, { name: "window", label: "window", look: "c2" }],
    bounds: (look) => [{ label: "ceiling", value: look.now?.concurrency }],
  },
  {
    title: "Requests", format: brief,
    lines: [{ name: "requests_per_s", label: "sent", look: "c1", isArea: true }, { name: "limit_per_s", label: "limit", look: "c2" }],
  },
  {
    title: "At the provider", format: compact, place: "provider", isOptional: true,
    lines: [{ name: "at_provider", label: "items in batches", look: "c1", isArea: true }],
  },
  {
    title: "CPU", format: cores, place: MACHINE,
    lines: [{ name: "cpu", label: "of one core", look: "c1", isArea: true }],
  },
  {
    title: "Memory", format: megabytes, place: MACHINE,
    lines: [{ name: "rss_mb", label: "resident", look: "c1", isArea: true }],
  },
  {
    title: "Network", format: perSecond, place: MACHINE,
    lines: [{ name: "sent_per_s", label: "sent", look: "c1", isArea: true }, { name: "received_per_s", label: "received", look: "c2" }],
  },
];

export class Charts {
  #charts;
  #series;
  #look = null;
  #timeline = null;
  #frame = 0;
  #read = null; // the time of the point that is read

  constructor(series) {
    this.#series = series;
    this.#charts = CHARTS.map((one) => new Chart(one, { read: (index) => this.#point(index), resized: () => this.#soon() }));
    CHARTS.forEach(({ place = "charts" }, index) => find(place).append(this.#charts[index].node));
  }

  render(look) {
    this.#look = look;
    this.#timeline = timelineOf(this.#series);
    show(find("no-points"), this.#timeline.rows.length === 0);
    for (const place of ["charts", "machine-part"]) show(find(place), this.#timeline.rows.length > 0);
    this.#render();
  }

  clear() {
    this.#look = null;
    this.#read = null;
  }

  /** Once for all that changes before the next frame. */
  #soon() {
    cancelAnimationFrame(this.#frame);
    this.#frame = requestAnimationFrame(() => this.#render());
  }

  #render() {
    if (!this.#look) return;
    const index = this.#read == null ? null : indexOf(this.#timeline.at, this.#read);
    for (const chart of this.#charts) chart.render(this.#timeline, this.#look, index);
  }

  #point(index) {
    this.#read = index == null ? null : this.#timeline.at[index];
    for (const chart of this.#charts) chart.point(index);
  }
}

/** Points along active time. */
function timelineOf(series) {
  const rows = series.drawn(POINTS);
  const value = (row, name) => series.value(row, name);
  const [x, at, gaps] = [[], [], []];
  let [active, before] = [0, null];
  const drawn = rows.filter((row) => value(row, "span_s") > 0); // each start begins with none
  for (const row of drawn) {
    const [span, now] = [value(row, "span_s"), value(row, "at")];
    if (before != null && now - before - span > LONG_GAP_S) gaps.push(active);
    active += span;
    x.push(active);
    at.push(now);
    before = now;
  }
  return { rows: drawn, x, at, gaps, to: active, value };
}

function indexOf(times, wanted) {
  const index = times.findIndex((time) => time >= wanted);
  return index < 0 ? times.length - 1 : index;
}
