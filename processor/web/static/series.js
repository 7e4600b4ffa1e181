/**
 * The points of a run over time, as many as are worth keeping.
 *
 * A point is a row of figures. Times along the charts are active time: the seconds that points
 * cover, one after another, so that a night between two starts takes no room.
 */

export const MOST = 2000;

const LAST = new Set(["number", "at", "finished", "failed", "cost_usd", "window", "in_flight", "limit_per_s", "rss_mb", "at_provider"]);

export class Series {
  #columns = [];
  #at = new Map();
  #rows = [];

  get length() {
    return this.#rows.length;
  }

  /** The number of the newest point; 0 before the first. */
  get newest() {
    return this.#rows.length ? this.#rows.at(-1)[this.#at.get("number")] : 0;
  }

  clear() {
    this.#rows = [];
  }

  /** Add what is new; what is known already, or was thinned, is left alone. */
  add(columns, rows) {
    if (columns.join() !== this.#columns.join()) {
      this.#columns = columns;
      this.#at = new Map(columns.map((name, index) => [name, index]));
      this.#rows = [];
    }
    const number = this.#at.get("number");
    const newest = this.newest;
    for (const row of rows) if (row[number] > newest) this.#rows.push(row);
    while (this.#rows.length > MOST) this.#rows = this.#thinned(2);
  }

  /** At most so many rows, each of neighbours put together. */
  drawn(most) {
    return this.#rows.length > most ? this.#thinned(Math.ceil(this.#rows.length / most)) : this.#rows;
  }

  value(row, name) {
    return row[this.#at.get(name)] ?? null;
  }

  /** Neighbours put together; the newest stays as it is, for it tells what is known. */
  #thinned(by) {
    const rows = [];
    for (let first = 0; first < this.#rows.length - 1; first += by) {
      rows.push(this.#together(this.#rows.slice(first, Math.min(first + by, this.#rows.length - 1))));
    }
    if (this.#rows.length) rows.push(this.#rows.at(-1));
    return rows;
  }

  #together(rows) {
    if (rows.length === 1) return rows[0];
    const span = this.#at.get("span_s");
    return this.#columns.map((name, index) => {
      if (name === "span_s") return rows.reduce((sum, row) => sum + (row[span] ?? 0), 0);
      return LAST.has(name) ? rows.at(-1)[index] : mean(rows, index, span);
    });
  }
}

/** The mean of a column over time; null when no row knows it. */
function mean(rows, index, span) {
  let [sum, weight] = [0, 0];
  for (const row of rows) {
    if (row[index] == null) continue;
    const seconds = row[span] || 1e-6;
    sum += row[index] * seconds;
    weight += seconds;
  }
  return weight ? sum / weight : null;
}
