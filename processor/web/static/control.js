/** Orders to a run that works: each is sent, and its answer waited for in what comes of the run. */

import { post, runPath } from "./api.js";
import { find, mark, show, tell } from "./dom.js";
import { count, counted, money } from "./format.js";
import { answerOf } from "./lists.js";

const NUMBER = /^[1-9][0-9]{0,9}$/;

export class Control {
  #look = null;
  #asked = null; // the number of the order that is waited for

  constructor() {
    find("pause").addEventListener("click", () => this.togglePause());
    find("drain").addEventListener("click", () => this.#drain());
    find("requeue").addEventListener("click", () => this.sendAgain());
    find("adjust").addEventListener("click", () => this.#unfold(find("knobs").hidden));
    for (const form of find("knobs").querySelectorAll("form")) {
      form.addEventListener("submit", (event) => this.#knob(event, form));
    }
  }

  render(look) {
    const isOther = this.#look?.name !== look.name;
    this.#look = look;
    if (isOther) this.#reset();
    show(find("control"), look.running);
    if (!look.running) this.#unfold(false);
    const isPaused = look.state === "paused";
    tell(find("pause"), isPaused ? "Go on" : "Pause");
    mark(find("pause"), "data-order", isPaused ? "resume" : "pause");
    show(find("requeue"), look.faults.some((fault) => fault.retryable));
    this.#hints(look.now);
    this.#answered(look.orders.find((order) => order.number === this.#asked));
  }

  togglePause() {
    if (this.#look?.running) void this.#order(find("pause").dataset.order);
  }

  /** Failed items, all or of one cause, are paid for once more: only when somebody says so. */
  async sendAgain(code) {
    const { name, stats, faults } = this.#look;
    // Without a cause: those that asking again may mend.
    const chosen = faults.filter((fault) => (code ? fault.code === code : fault.retryable));
    const items = chosen.reduce((sum, fault) => sum + fault.count, 0);
    const finished = stats.succeeded + stats.failed;
    const cost = stats.cost_usd == null || !finished ? null : (items * stats.cost_usd) / finished;
    const told = cost == null ? "What that costs is not known." : `That may cost about ${money(cost)}, at what items have cost so far.`;
    const which = code ? ` with ${code}` : "";
    const isSure = await sure(`Send ${counted(items, "failed item")}${which} again?`, told, "Send again");
    if (isSure) void this.#order(code ? `requeue ${code}` : "requeue", name);
  }

  async #drain() {
    const { name } = this.#look;
    const told = "Calls in flight finish and are recorded, nothing new is sent, and the run ends. The same command goes on with it later.";
    if (await sure("Drain the run?", told, "Drain")) void this.#order("drain", name);
  }

  /** `name`: the run's, as it was when somebody was asked; the page may show another by now. */
  async #order(words, name = this.#look.name) {
    tell(find("said"), `Asked: ${words} …`);
    try {
      const { number } = await post(`${runPath(name)}/control`, { order: words });
      if (name !== this.#look.name) return;
      this.#asked = number;
      this.#answered(this.#look.orders.find((order) => order.number === number));
    } catch (error) {
      tell(find("said"), `Not done: ${error.message}`);
    }
  }

  #answered(order) {
    if (!order || order.taken_at == null) return;
    tell(find("said"), `${order.words}: ${answerOf(order)}`);
    this.#asked = null;
  }

  #knob(event, form) {
    event.preventDefault();
    const input = form.querySelector("input");
    const { order, none } = form.dataset;
    const value = input.value.trim().replaceAll(",", "");
    const isRight = value === none || NUMBER.test(value);
    mark(input, "aria-invalid", isRight ? null : "true");
    if (isRight) void this.#order(`${order} ${value}`);
    else tell(find("said"), `${form.querySelector("label").textContent}: a whole number, or ${none}`);
  }

  #hints(now) {
    for (const form of find("knobs").querySelectorAll("form")) {
      const value = now?.[form.dataset.order];
      mark(form.querySelector("input"), "placeholder", value == null ? form.dataset.none : count(value));
    }
  }

  #unfold(isOpen) {
    show(find("knobs"), isOpen);
    mark(find("adjust"), "aria-expanded", isOpen);
  }

  #reset() {
    this.#asked = null;
    this.#unfold(false);
    tell(find("said"), "");
    for (const input of find("knobs").querySelectorAll("input")) input.value = "";
  }
}

/** Ask; true when the answer is yes. */
function sure(title, text, yes) {
  const dialog = find("ask");
  tell(find("ask-title"), title);
  tell(find("ask-text"), text);
  tell(find("ask-yes"), yes);
  dialog.returnValue = "no";
  dialog.showModal();
  find("ask-no").focus();
  return new Promise((answer) => {
    dialog.addEventListener("close", () => answer(dialog.returnValue === "yes"), { once: true });
  });
}
