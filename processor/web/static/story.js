/** One item's whole story, in a sheet beside the page. */

import { get, runPath } from "./api.js";
import { copyButton, find, make, tell, words } from "./dom.js";
import { count, counted, duration, milliseconds, moment, money, plain } from "./format.js";
import { standing } from "./items.js";
import { drawn } from "./mathml.js";

const REFRESH_MS = 5000;

const STATUS = { success: "succeeded", failed: "failed", pending: "pending" };

export class Story {
  #giveUp = null;
  #asked = null; // what is shown: [run, seq, whether whole]
  #told = ""; // the story, as JSON
  #latest = ""; // how the run stands
  #read = ""; // how it stood when the item was read
  #go;
  #leave;

  /** `go(by)` goes to a neighbour in the table; `leave()` is called when the sheet closes. */
  constructor({ go, leave }) {
    this.#go = go;
    this.#leave = leave;
    const sheet = find("story");
    find("story-close").addEventListener("click", () => sheet.close());
    find("story-before").addEventListener("click", () => this.#go(-1));
    find("story-after").addEventListener("click", () => this.#go(1));
    setInterval(() => this.#refresh(), REFRESH_MS);
    sheet.addEventListener("click", (event) => event.target === sheet && sheet.close());
    sheet.addEventListener("close", () => {
      this.#giveUp?.abort();
      this.#leave();
    });
    sheet.addEventListener("keydown", (event) => {
      const by = { j: 1, k: -1 }[event.key];
      if (by && !event.altKey && !event.ctrlKey && !event.metaKey) this.#go(by);
    });
  }

  async open(run, seq, { isWhole = false } = {}) {
    const sheet = find("story");
    if (!sheet.open) {
      find("story-body").replaceChildren();
      tell(find("story-title"), "Reading …");
      sheet.showModal();
    }
    this.#told = "";
    this.#asked = [run, seq, isWhole];
    if (!(await this.#load())) return;
    find("story-body").scrollTop = 0;
    find("story-body").focus();
  }

  /** Take from a look whether there may be something new. */
  render(look) {
    this.#latest = standing(look);
  }

  /** What is told of an item changes only when it does. */
  #refresh() {
    const isSeen = find("story").open && document.visibilityState === "visible";
    if (isSeen && this.#giveUp === null && this.#latest !== this.#read) void this.#load();
  }

  async #load() {
    const [run, seq, isWhole] = this.#asked;
    const latest = this.#latest;
    this.#giveUp?.abort();
    const { signal } = (this.#giveUp = new AbortController());
    try {
      const story = await get(`${runPath(run)}/items/${seq}${isWhole ? "?whole=1" : ""}`, { signal });
      const told = JSON.stringify(story);
      if (told !== this.#told) this.#render(story, () => this.open(run, seq, { isWhole: true }), isWhole);
      [this.#told, this.#read, this.#giveUp] = [told, latest, null];
      return true;
    } catch (error) {
      if (signal.aborted) return false;
      this.#giveUp = null;
      if (this.#told) return false; // what was read stays
      tell(find("story-title"), "Not read");
      find("story-body").replaceChildren(make("p", { class: "bad" }, error.message));
      return false;
    }
  }

  close() {
    if (find("story").open) find("story").close();
  }

  /** Whether there is an item before and after this one. */
  neighbours({ hasBefore, hasAfter }) {
    find("story-before").disabled = !hasBefore;
    find("story-after").disabled = !hasAfter;
  }

  #render(story, whole, isWhole) {
    tell(find("story-title"), String(story.item.id));
    const body = find("story-body");
    const parts = [summary(story), problem(story), formulas(story), answer(story), calls(story), fields(story), figures(story), shards(story)];
    body.replaceChildren(...parts.filter(Boolean));
    if (!isWhole && isCut(story)) body.prepend(wholeButton(whole));
  }
}

/** Whether a text of it is told by its beginning alone. */
function isCut({ item, outcome, attempts }) {
  const told = [item.fields, outcome ?? {}, ...attempts].flatMap(Object.values);
  return told.some((value) => typeof value === "object" && value !== null && "cut" in value);
}

function wholeButton(whole) {
  const button = make("button", { type: "button" }, "Show the whole");
  button.addEventListener("click", whole);
  return make("p", { class: "note row" }, "Long texts are cut.", button);
}

/** A text, or the beginning of one that was too long. */
function textOf(value) {
  if (value != null && typeof value === "object" && "cut" in value) return `${value.cut} (${count(value.chars)} characters)`;
  return plain(value);
}

const part = (title, ...children) => make("section", {}, make("h3", {}, title), ...children);

const raw = (value) => make("pre", { tabindex: "0" }, textOf(value));

function summary(story) {
  const { item, outcome } = story;
  const { status } = item;
  const isReview = outcome?.check === "review";
  const told = [`item ${count(item.seq)}`];
  if (item.chunk != null) told.push(`chunk ${count(item.chunk)}`);
  if (outcome) told.push(outcome.lane, outcome.model, counted(outcome.attempts, "call"));
  if (outcome?.at) told.push(moment(outcome.at, { withSeconds: true }));
  return make(
    "p", { class: "facts" },
    make("span", { class: "badge", "data-status": isReview ? "review" : status }, isReview ? "look over" : STATUS[status]),
    make("span", { class: "soft" }, told.filter(Boolean).join(" · ")),
  );
}

function problem({ outcome }) {
  if (!outcome?.code) return null;
  return make(
    "div", { class: "note bad" },
    make("p", {}, make("code", {}, outcome.code), " ", textOf(outcome.message)),
    outcome.means && words(make("p", { class: "soft" }), `${outcome.means} ${outcome.remedy}`),
  );
}

function formulas(story) {
  const { item, outcome, source_field: field, source_mathml: source, result_mathml: result } = story;
  if (!source && !result) return null;
  const given = source && formula(`Given: ${field}`, drawn(source), item.fields[field], "cannot be drawn");
  const answer = formula("Result", drawn(result), outcome?.result, outcome?.result == null ? "no result" : "cannot be drawn");
  return part("Formula", make("div", { class: "pair" }, given, answer));
}

function formula(title, math, text, otherwise) {
  return make(
    "figure", { class: "formula" },
    make("figcaption", {}, title, text != null && copyButton(textOf(text), title)),
    make("div", { class: "math" }, math ?? make("span", { class: "soft" }, otherwise)),
    text != null && raw(text),
  );
}

function answer(story) {
  const { outcome } = story;
  if (!outcome || (outcome.result == null && !outcome.body)) return null;
  const notes = outcome.notes ?? [];
  const hasFormula = story.source_mathml || story.result_mathml; // which shows the result beside it
  const result = outcome.result != null && !hasFormula ? [raw(outcome.result)] : [];
  if (outcome.label) result.push(make("p", {}, "Label: ", make("b", {}, outcome.label)));
  const check = outcome.check && outcome.check !== "unchecked" ? [make("p", {}, "Check: ", make("b", {}, outcome.check))] : [];
  const list = notes.length ? [make("ul", { class: "notes" }, ...notes.map((note) => make("li", {}, textOf(note))))] : [];
  const body = outcome.body ? [make("details", {}, make("summary", {}, "What the provider sent"), raw(outcome.body))] : [];
  const shown = [...result, ...check, ...list, ...body];
  return shown.length ? part("Answer", ...shown) : null;
}

/** Every call in time: how long it waited, how long it took, what came of it. */
function calls({ attempts: all }) {
  if (!all.length) return null;
  const begins = all.map((one) => one.at - (one.latency_ms ?? 0) / 1000);
  const [from, to] = [Math.min(...begins), Math.max(...all.map((one) => one.at))];
  const span = Math.max(to - from, 1e-3);
  const rows = all.map((one, index) => {
    const wait = index ? begins[index] - all[index - 1].at : null;
    return callOf(one, { left: (begins[index] - from) / span, width: (one.at - begins[index]) / span, wait });
  });
  return part("Calls", make("ol", { class: "calls" }, ...rows), make("p", { class: "soft" }, `${duration(span)} from the first call to the last answer`));
}

function callOf(one, { left, width, wait }) {
  const isGood = !one.code;
  const told = [one.lane];
  if (wait > 0.001) told.push(`after ${duration(wait)}`);
  if (one.latency_ms) told.push(`took ${milliseconds(one.latency_ms)}`);
  if (one.status) told.push(`HTTP ${one.status}`);
  if (one.cost_usd != null) told.push(money(one.cost_usd));
  const bar = make("i", { class: isGood ? "ok" : one.is_last ? "fail" : "warn" });
  bar.style.left = `${100 * left}%`;
  bar.style.width = `max(3px, ${100 * width}%)`;
  return make(
    "li", {},
    make("div", { class: "row" }, make("b", {}, isGood ? "answered" : one.code), make("span", { class: "soft" }, moment(one.at, { withSeconds: true }))),
    make("div", { class: "line", "aria-hidden": "true" }, bar),
    make("p", { class: "soft" }, told.filter(Boolean).join(" · ")),
    one.message && make("p", {}, textOf(one.message)),
    one.problem && make("p", {}, "Asked again, with what was wrong", textOf(one.problem) === textOf(one.message) ? "." : `: ${textOf(one.problem)}`),
    one.answer && make("details", {}, make("summary", {}, "Its answer"), raw(one.answer)),
  );
}

/** The fields, but the one whose formula is drawn with its text. */
function fields({ item, source_field: drawnField }) {
  const entries = Object.entries(item.fields).filter(([name]) => name !== drawnField);
  if (!entries.length) return null;
  return part("Given", make("dl", { class: "fields" }, ...entries.flatMap(([name, value]) => [make("dt", {}, name), make("dd", {}, textOf(value))])));
}

function figures({ outcome }) {
  if (!outcome) return null;
  const pairs = [
    ["Tokens in", count(outcome.prompt_tokens)], ["of these cached", count(outcome.cached_tokens)], ["Tokens out", count(outcome.completion_tokens)],
    ["Cost", outcome.cost_usd == null ? "unknown" : money(outcome.cost_usd)], ["Tier", outcome.tier], ["Request", outcome.request_id],
  ].filter(([, value]) => value != null && value !== "–");
  if (!pairs.length) return null;
  return part("Figures", make("dl", { class: "pairs" }, ...pairs.map(([name, value]) => make("div", {}, make("dt", {}, name), make("dd", {}, String(value))))));
}

function shards({ shard, batches }) {
  const told = [];
  if (shard) told.push(`shard ${count(shard.number)} · ${shard.state} · ${counted(shard.items, "item")}`);
  for (const batch of batches ?? []) told.push(`${batch.id} · ${batch.status}${batch.problem ? ` · ${batch.problem}` : ""}`);
  return told.length ? part("Batch", ...told.map((text) => make("p", {}, text))) : null;
}
