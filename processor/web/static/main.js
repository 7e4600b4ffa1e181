/** The page: which run is shown, what comes of it, and the keys that work everywhere. */

import { get } from "./api.js";
import { Charts } from "./charts.js";
import { Control } from "./control.js";
import { find, mark, show, tell } from "./dom.js";
import { Feed } from "./feed.js";
import { moment } from "./format.js";
import * as head from "./head.js";
import { Items } from "./items.js";
import * as lists from "./lists.js";
import * as runs from "./runs.js";
import { Series } from "./series.js";
import { Story } from "./story.js";
import * as theme from "./theme.js";

const RUNS_MS = 3000;
const RUNS_ASIDE_MS = 15_000; // while one run is looked at
const LINKS = {
  opening: "connecting",
  live: "live",
  fetching: "live, every 2 s",
  lost: "server lost, trying again",
  unreadable: "not readable now",
  gone: "no longer there",
};
const LOST = "The server that shows this page does not answer. What is shown is the last that came";
const LOST_SO = "a run that works goes on without it. Start it again with: processor monitor --web";
const AGES_MS = 15_000; // what time alone changes is told anew so often

const page = { run: null, item: null, feed: null, look: null, runs: [], updates: 0, frame: 0, timer: 0 };

const series = new Series();
const charts = new Charts(series);
const control = new Control();
const items = new Items({ open: (seq) => go(page.run, seq), wasRead: neighbours });
const story = new Story({
  go: (by) => {
    const seq = items.beside(page.item, by);
    if (seq !== undefined) go(page.run, seq);
  },
  leave: () => {
    const left = page.item;
    if (left == null) return;
    go(page.run);
    items.focus(left);
  },
});

const CAUSES = {
  only: (code) => items.only({ status: "failed", code }),
  again: (code) => control.sendAgain(code),
};

function go(run, item) {
  location.hash = run == null ? "#/" : runs.linkOf(run, item);
}

/** `#/`, `#/run/NAME` or `#/run/NAME/item/SEQ`. */
function placeOf(hash) {
  const [, run, , item] = /^#\/run\/([^/]+)(\/item\/(\d+))?$/.exec(hash) ?? [];
  try {
    return { run: run ? decodeURIComponent(run) : null, item: item ? Number(item) : null };
  } catch {
    return { run: null, item: null }; // typed by hand
  }
}

function route() {
  if (location.hash && !location.hash.startsWith("#/")) return; // a link within the page
  const place = placeOf(location.hash);
  if (place.run !== page.run) choose(place.run);
  page.item = place.item;
  if (place.item == null) return story.close();
  void story.open(page.run, place.item);
  neighbours();
}

function neighbours() {
  const [before, after] = [-1, 1].map((by) => items.beside(page.item, by));
  story.neighbours({ hasBefore: before !== undefined, hasAfter: after !== undefined });
}

function choose(name) {
  page.feed?.close();
  page.feed = null;
  page.run = name;
  page.look = null;
  series.clear();
  charts.clear();
  items.choose(name);
  link("opening");
  show(find("run"), false);
  show(find("runs"), name == null);
  document.title = name ?? "processor";
  if (name != null) page.feed = new Feed(name, { take, tell: link, after: () => series.newest });
  void readRuns();
}

function take(look) {
  if (page.look && page.look.stats.run_id !== look.stats.run_id) return beginAnew();
  page.look = { ...look, at: Date.now() / 1000 };
  series.add(look.point_columns, look.points);
  page.updates += 1;
  head.title(look);
  soon();
}

/** Another run has taken the place of the one that was shown: nothing of that one may stay. */
function beginAnew() {
  const name = page.run;
  choose(null);
  if (page.item != null) go(name);
  choose(name);
}

/** Looks that come together are drawn once. */
function soon() {
  page.frame ||= requestAnimationFrame(render);
}

function render() {
  page.frame = 0;
  const { look } = page;
  if (!look) return;
  show(find("run"), true);
  head.render(look);
  control.render(look);
  lists.faults(look, CAUSES);
  lists.batches(look);
  lists.orders(look);
  items.render(look);
  story.render(look);
  charts.render(look);
  document.documentElement.dataset.updates = page.updates;
}

function link(state, words) {
  tell(find("link"), LINKS[state]);
  mark(find("link"), "data-link", state);
  const trouble = words ?? (state === "lost" ? lost() : null);
  tell(find("trouble"), trouble ?? "");
  show(find("trouble"), Boolean(trouble));
}

function lost() {
  return `${LOST}${page.look ? `, at ${moment(page.look.at)}` : ""}; ${LOST_SO}`;
}

async function readRuns() {
  if (document.visibilityState === "visible") await refreshRuns();
  clearTimeout(page.timer); // another call may have set it meanwhile: there is one round, not two
  page.timer = setTimeout(readRuns, page.run == null ? RUNS_MS : RUNS_ASIDE_MS);
}

async function refreshRuns() {
  try {
    page.runs = await get("/api/runs");
  } catch {
    if (page.run == null) link("lost");
    return;
  }
  if (page.run == null) link("live");
  runs.renderChoice(page.runs, page.run);
  if (page.run == null) runs.renderCards(page.runs);
}

/** With a single run there is nothing to choose. */
async function begin() {
  theme.begin();
  window.addEventListener("hashchange", route);
  find("choose").addEventListener("change", (event) => go(event.target.value || null));
  find("help").addEventListener("click", () => find("keys").showModal());
  document.addEventListener("keydown", key);
  setInterval(soon, AGES_MS);
  if (!location.hash) {
    await refreshRuns();
    if (page.runs.length === 1) history.replaceState(null, "", runs.linkOf(page.runs[0].name));
  }
  page.run = undefined; // whatever is chosen is another one
  route();
}

const KEYS = {
  "/": () => find("text").focus(),
  "?": () => find("keys").showModal(),
  f: () => items.only({ status: "failed" }),
  p: () => control.togglePause(),
  r: () => go(null),
  t: () => theme.nextTheme(),
};

function key(event) {
  const isTyping = event.target.closest("input, select, textarea, dialog");
  if (isTyping || event.repeat || event.altKey || event.ctrlKey || event.metaKey || !(event.key in KEYS)) return;
  if (page.run == null && "/fp".includes(event.key)) return;
  event.preventDefault();
  KEYS[event.key]();
}

void begin();
