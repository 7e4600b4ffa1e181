/**
 * The looks at one run as they come: over server-sent events, or, where these do not get through,
 * fetched one by one. Whatever breaks is tried again until `close`.
 *
 * While the page is hidden nothing is open, for a browser allows six connections to one server; a
 * look now and then keeps its title true.
 */

import { Away, get, runPath } from "./api.js";

const WAITS_MS = [500, 1000, 2000, 5000];
const FETCHES_MS = 2000; // between looks without events
const EVENTS_AGAIN = 15; // so many looks later events are tried again
const SILENCE_MS = 35_000; // it says every 15 s that it is there; a connection may die unnoticed
const ASIDE_MS = 20_000; // between looks that only the title tells
const NOT_FOUND = 404;

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
    document.removeEventListener("visibilitychange", this.#seen);
    this.#shut();
  }

  #seen = () => {
    this.#shut();
    if (document.hidden) this.#soon(() => this.#fetch());
    else this.#open();
  };

  /** End whatever goes on: there is one way to the server at a time. */
  #shut() {
    clearTimeout(this.#timer);
    this.#giveUp.abort();
    this.#giveUp = new AbortController();
    this.#source?.close();
    this.#source = null;
  }

  #soon(call, ms = 0) {
    this.#timer = setTimeout(call, document.hidden ? ASIDE_MS : ms);
  }

  #open() {
    if (document.hidden) return void this.#fetch();
    this.#listen(); // it may never open, either
    const source = new EventSource(`${runPath(this.#name)}/events?after=${this.#after()}`);
    this.#source = source;
    for (const sign of ["open", "beat"]) source.addEventListener(sign, () => this.#listen());
    source.addEventListener("look", (event) => {
      this.#listen();
      this.#arrived("live", JSON.parse(event.data)); // at which it may be closed
    });
    source.addEventListener("problem", (event) => {
      this.#tell("unreadable", JSON.parse(event.data).error);
      this.#listen();
    });
    source.addEventListener("gone", (event) => {
      this.#shut();
      this.#gone(JSON.parse(event.data).error);
    });
    source.addEventListener("error", () => this.#broken());
  }

  #arrived(state, look) {
    this.#failures = 0;
    this.#tell(state);
    this.#take(look);
  }

  #listen() {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#broken(), SILENCE_MS);
  }

  #gone(words) {
    this.#tell("gone", words);
    this.#soon(() => this.#fetch(), WAITS_MS.at(-1)); // it may be put back
  }

  /** Events end: perhaps only events do. */
  #broken() {
    this.#shut();
    this.#failures += 1;
    if (this.#failures === 1) this.#soon(() => this.#open(), WAITS_MS[0]);
    else void this.#fetch();
  }

  async #fetch() {
    const { signal } = this.#giveUp;
    try {
      const look = await get(`${runPath(this.#name)}?after=${this.#after()}`, { signal });
      if (signal.aborted) return;
      this.#arrived("fetching", look);
      if (signal.aborted) return;
      this.#failures = 1;
      this.#fetches += 1;
      const isTurn = this.#fetches % EVENTS_AGAIN === 1;
      this.#soon(() => (isTurn ? this.#open() : this.#fetch()), FETCHES_MS);
    } catch (error) {
      if (signal.aborted) return;
      if (error.status === NOT_FOUND) this.#gone(error.message);
      else this.#failed(error);
    }
  }

  #failed(error) {
    if (error instanceof Away) this.#tell("lost");
    else this.#tell("unreadable", error.message);
    const wait = WAITS_MS[Math.min(this.#failures, WAITS_MS.length - 1)];
    this.#failures += 1;
    this.#soon(() => this.#fetch(), wait);
  }
}
