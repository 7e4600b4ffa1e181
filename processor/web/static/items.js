/** The table of items: searched and filtered by the server, paged on demand, walked by keyboard. */

import { get, runPath } from "./api.js";
import { find, make, mark, part, show, sync, tell } from "./dom.js";
import { count, counted, milliseconds, money, plain } from "./format.js";
import { linkOf } from "./runs.js";

const PAGE = 50;
const MOST_ROWS = 500; // shown at once
const MOST_ROUNDS = 20; // a search that finds nothing goes on so often by itself
const TYPING_MS = 250;
const REFRESH_MS = 5000;
const WORDS = { failed: "failed", success: "succeeded", review: "look over", pending: "pending" };

export class Items {
  #name = null;
  #open;
  #wasRead;
  #rows = [];
  #next = null; // where the next page begins
  #left = 0; // rows that are no longer shown
  #giveUp = null;
  #typing = 0;
  #latest = null; // tells one standing of the run from another
  #read = null; // the one that the table was read at
  #isSeen = false;

  /** `open(seq)` opens a row, `wasRead()` is called when the table holds other rows. */
  constructor({ open, wasRead }) {
    this.#open = open;
    this.#wasRead = wasRead;
    const form = find("filters");
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      void this.read();
    });
    for (const id of ["status", "code", "lane"]) find(id).addEventListener("change", () => this.read());
    find("text").addEventListener("input", () => {
      clearTimeout(this.#typing);
      this.#typing = setTimeout(() => this.read(), TYPING_MS);
    });
    find("text").addEventListener("keydown", (event) => this.#leaveSearch(event));
    find("again").addEventListener("click", () => this.read());
    find("more").addEventListener("click", () => this.#more());
    const body = find("items").tBodies[0];
    body.addEventListener("click", (event) => this.#click(event));
    body.addEventListener("keydown", (event) => this.#key(event));
    body.addEventListener("focusin", (event) => this.#rove(event.target.closest("tr")));
    new IntersectionObserver(([entry]) => (this.#isSeen = entry.isIntersecting)).observe(find("items"));
    setInterval(() => this.#refresh(), REFRESH_MS);
  }

  /** Show the items of another run. */
  choose(name) {
    if (name === this.#name) return;
    this.#name = name;
    this.#next = null;
    this.#giveUp?.abort();
    this.#rows = [];
    find("filters").reset();
    this.#render();
    if (name != null) void this.read();
  }

  /** Take from a look which causes there are, and whether there is something new. */
  render(look) {
    const codes = [{ code: "", label: "Any cause" }, ...look.faults.map(({ code, count: all }) => ({ code, label: `${code} (${count(all)})` }))];
    const chosen = find("code").value;
    if (chosen && !codes.some(({ code }) => code === chosen)) codes.push({ code: chosen, label: chosen });
    sync(
      find("code"), codes, ({ code }) => code, ({ code }) => make("option", { value: code }),
      (node, { label }) => tell(node, label),
    );
    this.#latest = standing(look);
  }

  only({ status = "all", code = "" }) {
    find("status").value = status;
    find("code").value = code;
    find("items-part").scrollIntoView({ block: "start" });
    void this.read();
  }

  /** The neighbour of an item in the table; undefined at its ends. */
  beside(seq, by) {
    const at = this.#rows.findIndex((row) => row.seq === seq);
    return at < 0 ? undefined : this.#rows[at + by]?.seq;
  }

  focus(seq) {
    find("items").querySelector(`tr[data-key="${Number(seq)}"]`)?.focus();
  }

  /** Read the table from its beginning. */
  async read() {
    clearTimeout(this.#typing);
    this.#left = 0;
    await this.#load([], null);
  }

  async #more() {
    const focusAt = this.#rows.at(-1)?.seq;
    await this.#load(this.#rows, this.#next);
    const next = this.beside(focusAt, 1);
    if (next !== undefined && this.#next === null) this.focus(next); // the button is gone
  }

  async #refresh() {
    const isIdle = this.#isSeen && document.visibilityState === "visible" && !document.querySelector("dialog[open]");
    const isFirst = this.#rows.length <= PAGE && this.#giveUp === null;
    if (this.#name && isIdle && isFirst && this.#latest !== this.#read) await this.#load([], null, { isQuiet: true });
  }

  async #load(before, after, { isQuiet = false } = {}) {
    this.#giveUp?.abort();
    const giveUp = (this.#giveUp = new AbortController());
    const latest = this.#latest;
    mark(find("items"), "aria-busy", "true");
    if (!isQuiet) tell(find("items-said"), "Reading …");
    try {
      const found = await this.#search(after, giveUp.signal);
      this.#read = latest;
      // An item may be met again further on, when something became of it meanwhile.
      this.#rows = [...new Map([...before, ...found.items].map((row) => [row.seq, row])).values()];
      this.#left += Math.max(0, this.#rows.length - MOST_ROWS);
      this.#rows = this.#rows.slice(-MOST_ROWS);
      this.#next = found.next;
      this.#render(found);
    } catch (error) {
      if (giveUp.signal.aborted) return;
      tell(find("items-said"), `Not read: ${error.message}.`);
    }
    this.#giveUp = null;
    mark(find("items"), "aria-busy", null);
  }

  /** A page; the server looks only for so long at a time, so that this may take some rounds. */
  async #search(after, signal) {
    const found = { items: [], next: after, complete: false };
    for (let round = 0; round < MOST_ROUNDS && !found.complete && found.items.length < PAGE; round += 1) {
      const query = new URLSearchParams({ ...this.#wanted(), most: PAGE - found.items.length });
      if (found.next != null) query.set("after", found.next);
      const page = await get(`${runPath(this.#name)}/items?${query}`, { signal });
      found.items.push(...page.items);
      found.next = page.next;
      found.complete = page.complete || page.next == null;
      if (page.complete) break;
    }
    return found;
  }

  #wanted() {
    const wanted = Object.fromEntries(["status", "code", "lane"].map((id) => [id, find(id).value]));
    const text = find("text").value.trim();
    return Object.fromEntries(Object.entries({ ...wanted, text }).filter(([, value]) => value));
  }

  #render(found = { complete: true }) {
    const body = find("items").tBodies[0];
    sync(
      body, this.#rows, ({ seq }) => seq,
      ({ seq }) => rowOf(linkOf(this.#name, seq)), rowNow,
    );
    if (body.rows.length && !body.querySelector('tr[tabindex="0"]')) body.rows[0].tabIndex = 0;
    show(find("items"), this.#rows.length > 0);
    show(find("more"), this.#next != null);
    tell(find("more"), found.complete ? "More" : "Search on");
    tell(find("items-said"), this.#said(found));
    this.#wasRead();
  }

  #said(found) {
    const shown = this.#rows.length;
    const left = this.#left ? ` The first ${count(this.#left)} are no longer shown.` : "";
    if (!found.complete) return `${counted(shown, "item")} so far; there is more to look through.${left}`;
    if (!shown) return this.#next == null ? "No item is like that." : "";
    return `${counted(shown, "item")} shown${this.#next == null ? ", that is all" : ""}.${left}`;
  }

  #click(event) {
    const row = event.target.closest("tr");
    const isElsewhere = event.ctrlKey || event.metaKey || event.shiftKey; // a link, to the browser
    if (row && !isElsewhere && !String(getSelection())) this.#open(Number(row.dataset.key));
  }

  #key(event) {
    const row = event.target.closest("tr");
    if (!row || event.altKey || event.ctrlKey || event.metaKey) return;
    const rows = row.parentElement.rows;
    const at = Array.from(rows).indexOf(row);
    const places = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: rows.length - 1, PageDown: at + 10, PageUp: at - 10 };
    if (event.key === "Enter" || event.key === " ") this.#open(Number(row.dataset.key));
    else if (event.key in places) rows[Math.min(rows.length - 1, Math.max(0, places[event.key]))].focus();
    else return;
    event.preventDefault();
  }

  /** One row is in the tab order: the one that was last there. */
  #rove(row) {
    for (const other of row.parentElement.querySelectorAll('tr[tabindex="0"]')) other.tabIndex = -1;
    row.tabIndex = 0;
  }

  #leaveSearch(event) {
    if (event.key !== "Escape") return;
    event.preventDefault();
    if (!event.target.value) return event.target.blur();
    event.target.value = "";
    void this.read();
  }
}

/** What is another text whenever something became of an item, which may fail as often as others. */
export function standing({ stats: { succeeded, failed, requests_sent: sent, total } }) {
  return [succeeded, failed, sent, total].join();
}

function rowOf(link) {
  return make(
    "tr", { tabindex: "-1" },
    make("td", { class: "id" }, make("a", { href: link, tabindex: "-1", draggable: "false", "data-part": "id" })),
    make("td", {}, make("span", { class: "badge", "data-part": "status" })),
    make("td", { class: "what" }, make("span", { "data-part": "what" }), make("span", { class: "soft", "data-part": "fields" })),
    make("td", { class: "lane", "data-part": "lane" }),
    make("td", { class: "number", "data-label": "calls", "data-part": "attempts" }),
    make("td", { class: "number", "data-part": "latency" }),
    make("td", { class: "number cost", "data-part": "cost" }),
  );
}

function rowNow(node, item) {
  const status = item.status === "success" && item.check === "review" ? "review" : item.status;
  mark(node, "data-status", status);
  tell(part(node, "id"), String(item.id));
  tell(part(node, "status"), WORDS[status] ?? status);
  mark(part(node, "status"), "data-status", status);
  tell(part(node, "what"), status === "failed" ? `${item.code}: ${item.message ?? ""}` : plain(item.result ?? ""));
  tell(part(node, "fields"), fieldsOf(item));
  tell(part(node, "lane"), item.lane ?? "–");
  tell(part(node, "attempts"), count(item.attempts));
  tell(part(node, "latency"), milliseconds(item.latency_ms || null));
  tell(part(node, "cost"), item.cost_usd == null ? "–" : money(item.cost_usd));
}

/** The fields in a line, but the id, which has a column of its own. */
function fieldsOf({ id, fields }) {
  const told = Object.entries(fields).filter(([, value]) => String(value) !== id);
  return told.map(([name, value]) => `${name}: ${plain(value)}`).join(" · ");
}
