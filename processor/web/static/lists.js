/** What went wrong, what is at the provider, what people ordered. */

import { find, make, mark, part, show, sync, tell, words } from "./dom.js";
import { age, count, counted, moment } from "./format.js";

const MOST_BATCHES = 30;
const MOST_ORDERS = 8;

/** `only(code)` and `again(code)` are what the buttons of a cause do. */
export function faults(look, { only, again }) {
  const most = Math.max(1, ...look.faults.map((fault) => fault.count));
  show(find("no-faults"), look.faults.length === 0);
  sync(
    find("faults"), look.faults, (fault) => fault.code, (fault) => faultOf(fault, { only, again }),
    (node, fault) => {
      tell(part(node, "count"), count(fault.count));
      tell(part(node, "means"), fault.means);
      words(part(node, "remedy"), fault.remedy);
      part(node, "bar").style.width = `${(100 * fault.count) / most}%`;
      tell(part(node, "example"), fault.example ? `${fault.example.id}: ${fault.example.message ?? ""}` : "");
      show(part(node, "again"), look.running);
    },
  );
}

function faultOf({ code }, { only, again }) {
  const list = make("button", { type: "button", class: "quiet" }, "Show items");
  list.addEventListener("click", () => only(code));
  const send = make("button", { type: "button", class: "quiet", "data-part": "again" }, "Send again…");
  send.addEventListener("click", () => again(code));
  return make(
    "li", {},
    make("div", { class: "row" }, make("code", {}, code), make("b", { "data-part": "count" })),
    make("div", { class: "thin", "aria-hidden": "true" }, make("i", { "data-part": "bar" })),
    make("p", { "data-part": "means" }), make("p", { class: "soft", "data-part": "remedy" }),
    make("p", { class: "quote", "data-part": "example" }),
    make("div", { class: "row" }, list, send),
  );
}

export function batches(look) {
  const all = look.batches; // those that are open come first
  show(find("batches-part"), all.length > 0);
  show(find("more-batches"), all.length > MOST_BATCHES);
  tell(find("more-batches"), `and ${counted(all.length - MOST_BATCHES, "more batch", "more batches")}`);
  sync(find("batches"), all.slice(0, MOST_BATCHES), (batch) => batch.id, batchOf, batchNow);
}

function batchOf(batch) {
  return make(
    "li", {},
    make("div", { class: "row" }, make("code", { title: batch.id }, batch.id), make("span", { class: "state", "data-part": "status" })),
    make("div", { class: "thin", "aria-hidden": "true" }, make("i", { class: "ok", "data-part": "done" }), make("i", { class: "fail", "data-part": "failed" })),
    make("div", { class: "row" }, make("span", { "data-part": "answered" }), make("span", { "data-part": "age" })),
    make("p", { class: "soft", "data-part": "told" }), make("p", { class: "bad", "data-part": "problem" }),
  );
}

const OVER = new Set(["settled", "dropped"]); // nothing more comes of it
const BATCH_KINDS = { completed: "done", failed: "stopped", expired: "stopped", cancelled: "over", cancelling: "stopping" };

function batchNow(node, batch) {
  const total = batch.total || batch.items || 0;
  const wide = (value) => (total ? `${(100 * (value ?? 0)) / total}%` : "0");
  tell(part(node, "status"), batch.status.replaceAll("_", " "));
  mark(part(node, "status"), "data-state", BATCH_KINDS[batch.status] ?? "running");
  part(node, "done").style.width = wide(batch.completed);
  part(node, "failed").style.width = wide(batch.failed);
  const answered = (batch.completed ?? 0) + (batch.failed ?? 0);
  const failed = batch.failed ? `, ${count(batch.failed)} failed` : "";
  tell(part(node, "answered"), `${count(answered)} of ${count(total)} answered${failed}`);
  const isOver = OVER.has(batch.state);
  tell(part(node, "age"), isOver || batch.created_at == null ? "" : `${age(batch.created_at)} old`);
  const seen = isOver ? "" : ` · looked at ${age(batch.seen_at)} ago`;
  tell(part(node, "told"), `shard ${batch.shard}, ${counted(batch.items, "item")}, ${batch.state}${seen}`);
  tell(part(node, "problem"), batch.problem ?? "");
  show(part(node, "problem"), Boolean(batch.problem));
}

export function orders(look) {
  const newest = [...look.orders].sort((one, other) => other.number - one.number).slice(0, MOST_ORDERS);
  show(find("orders-part"), newest.length > 0);
  sync(
    find("orders"), newest, (order) => order.number,
    () => make("li", {}, make("code", { "data-part": "words" }), make("span", { "data-part": "answer" }), make("span", { class: "soft", "data-part": "who" })),
    (node, order) => {
      tell(part(node, "words"), order.words);
      tell(part(node, "answer"), answerOf(order));
      tell(part(node, "who"), `${moment(order.at, { withSeconds: true })} · ${order.by}`);
      mark(node, "data-accepted", order.taken_at == null ? null : order.accepted);
    },
  );
}

export function answerOf(order) {
  if (order.taken_at == null) return "waits for the run";
  return order.answer || (order.accepted ? "done" : "refused");
}
