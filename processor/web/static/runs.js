/** The runs that there are: a list to choose from, and a page of cards when several go on. */

import { find, make, mark, part, show, sync, tell } from "./dom.js";
import { count, counted, moment, share } from "./format.js";
import { capital, kind } from "./head.js";

const MOST = 60;

/** Where a run is shown, or one of its items. */
export const linkOf = (name, item) => `#/run/${encodeURIComponent(name)}${item == null ? "" : `/item/${item}`}`;

export function renderChoice(runs, chosen) {
  const select = find("choose");
  show(select, runs.length > 1 || (runs.length === 1 && !chosen));
  const listed = runs.filter((run, at) => at < MOST || run.name === chosen);
  const entries = [{ name: "", label: "All runs" }, ...listed.map((run) => ({ name: run.name, label: `${run.name} · ${run.state}` }))];
  sync(
    select, entries, (entry) => entry.name, (entry) => make("option", { value: entry.name }),
    (node, entry) => tell(node, entry.label),
  );
  if (select.value !== (chosen ?? "")) select.value = chosen ?? "";
}

export function renderCards(runs) {
  show(find("no-runs"), runs.length === 0);
  show(find("more-runs"), runs.length > MOST);
  tell(find("more-runs"), `and ${counted(runs.length - MOST, "older run")}: name their folders, as in processor monitor --web runs/NAME`);
  sync(find("run-list"), runs.slice(0, MOST), (run) => run.name, cardOf, cardNow);
}

function cardOf(run) {
  return make(
    "li", {},
    make("a", { href: linkOf(run.name) },
      make("span", { class: "row" }, make("b", {}, run.name), make("span", { class: "state", "data-part": "state" })),
      make("span", { class: "track", "aria-hidden": "true" }, make("i", { class: "ok", "data-part": "ok" }), make("i", { class: "fail", "data-part": "fail" })),
      make("span", { class: "row" }, make("span", { "data-part": "done" }), make("span", { "data-part": "rate" })),
      make("span", { class: "soft", "data-part": "about" })),
  );
}

function cardNow(node, run) {
  const wide = (value) => (run.total ? `${(100 * value) / run.total}%` : "0");
  tell(part(node, "state"), capital(run.state));
  mark(part(node, "state"), "data-state", kind(run));
  part(node, "ok").style.width = wide(run.finished - run.failed);
  part(node, "fail").style.width = wide(run.failed);
  tell(part(node, "done"), run.problem ?? `${count(run.finished)} of ${count(run.total)}`);
  tell(part(node, "rate"), run.finished ? `${share(run.success_rate)} succeeded` : "");
  const about = [run.task, run.model, run.started_at && `since ${moment(run.started_at)}`];
  tell(part(node, "about"), about.filter(Boolean).join(" · "));
}
