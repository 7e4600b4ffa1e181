/**
 * The looks at one run as they come: over server-sent events, or, where these do not get through,
 * fetched one by one. Whatever breaks is tried again until `close`.
 *
 * While the page is hidden nothing is open: a browser allows six connections to one server, and
 * what nobody sees need not be read.
 */

import { Away, get, runPath } from "./api.js";

const WAITS_MS = [500, 1000, 2000, 5000];
const FETCHES_MS = 2000; // between looks without events
const EVENTS_AGAIN = 15; // so many looks later events are tried again
const SILENCE_MS = 20_000; // the server may have nothing to tell; or be no more

/** The states of a link: "opening" | "live" | "fetching" | "lost" | "unreadable" | "gone". */
export class Feed {
  #name;
  #take;
  #tell;
  #after = () => 0;
  #source = null;
  #timer = 0;
  #failures = 0;
  #fetches = 0;
  #isClosed = false;
  #giveUp = new AbortController();

  /** `take(look)` gets every look, `tell(state, words)` how the link is, `after()` the last point. */
  constructor(name, { take, tell, after }) {
    this.#name = name;
    this.#take = take;
    this.#tell = tell;
    this.#after = after;
    document.addEventListener("visibilitychange", this.#seen);
    this.#tell("opening");
    this.#open();
  }

  close() {
    this.#isClosed = true;
    this.#giveUp.abort();
    document.removeEventListener("visibilitychange", this.#seen);
    this.#shut();
  }

  #seen = () => {
    this.#shut();
    if (document.visibilityState === "visible") this.#open();
  };

  #shut() {
    clearTimeout(this.#timer);
    this.#source?.close();
    this.#source = null;
  }

  #open() {
    const source = new EventSource(`${runPath(this.#name)}/events?after=${this.#after()}`);
    this.#source = source;
    source.addEventListener("open", () => this.#listen());
    source.addEventListener("look", (event) => {
      this.#arrived("live", JSON.parse(event.data));
      this.#listen();
    });
    source.addEventListener("problem", (event) => {
      this.#tell("unreadable", JSON.parse(event.data).error);
      this.#listen();
    });
    source.addEventListener("gone", (event) => this.#gone(JSON.parse(event.data).error));
    source.addEventListener("error", () => this.#broken());
  }

  #arrived(state, look) {
    this.#failures = 0;
    this.#tell(state);
    this.#take(look);
  }

  #listen() {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#isAlive(), SILENCE_MS);
  }

  /** Nothing came for long: does the server still answer? */
  async #isAlive() {
    try {
      await get("/api/runs", { signal: this.#giveUp.signal });
      if (!this.#isClosed && this.#source) this.#listen();
    } catch {
      if (!this.#isClosed) this.#broken();
    }
  }

  #gone(words) {
    this.#shut();
    this.#tell("gone", words);
    this.#timer = setTimeout(() => this.#open(), WAITS_MS.at(-1)); // it may be put back
  }

  /** Events end: perhaps only events do. */
  #broken() {
    this.#shut();
    this.#failures += 1;
    if (this.#failures === 1) this.#timer = setTimeout(() => this.#open(), WAITS_MS[0]);
    else void this.#fetch();
  }

  async #fetch() {
    try {
      const look = await get(`${runPath(this.#name)}?after=${this.#after()}`, { signal: this.#giveUp.signal });
      if (this.#isClosed) return;
      this.#arrived("fetching", look);
      this.#failures = 1;
      this.#fetches += 1;
      const isTurn = this.#fetches % EVENTS_AGAIN === 1;
      this.#timer = setTimeout(() => (isTurn ? this.#open() : this.#fetch()), FETCHES_MS);
    } catch (error) {
      if (this.#isClosed) return;
      if (error instanceof Away) this.#lost();
      else this.#gone(error.message);
    }
  }

  #lost() {
    this.#tell("lost");
    const wait = WAITS_MS[Math.min(this.#failures, WAITS_MS.length) - 1];
    this.#failures += 1;
    this.#timer = setTimeout(() => this.#fetch(), wait);
  }
}
