/** The top of a run: what it is, how it stands, how far it is. */

import { copyButton, find, make, mark, part, show, sync, tell } from "./dom.js";
import { age, bytes, compact, count, counted, duration, milliseconds, moment, money, rate, seconds, share } from "./format.js";

const SPECIAL = new Set(["paused", "stopping"]);
const MARKS = { done: "✓ ", stopped: "✕ ", paused: "‖ " };
const DAY_S = 86_400;
const THEN = ", then the same command";
const NEXT = { done: "What there is to do", away: "Work is at the provider", stopped: "Nothing works on this run" };
const FORECASTS = { yes: "will be made", perhaps: "may be made", no: "will hardly be made" };

const figures = new Map(Array.from(document.querySelectorAll("[data-figure]"), (node) => [node.dataset.figure, node]));

const figure = (name, text) => tell(figures.get(name), text);

export function render(look) {
  const { stats } = look;
  masthead(look);
  resume(look);
  progress(look);
  lanes(stats);
  tiles(look);
  targets(look.targets);
  now(look);
  tell(find("folder"), `${look.folder} · run ${stats.run_id}`);
}

/** What a tab tells of a page that nobody sees. */
export function title(look) {
  const { total, pending } = look.stats;
  const done = total ? Math.floor((100 * (total - pending)) / total) : 0;
  document.title = `${MARKS[kind(look)] ?? ""}${done} % · ${look.name}`;
}

function masthead(look) {
  const { stats, state } = look;
  tell(find("name"), look.name);
  tell(find("state"), capital(state));
  mark(find("state"), "data-state", kind(look));
  tell(find("state-since"), since(look));
  tell(find("about"), [stats.task, stats.model, stats.provider].filter(Boolean).join(" · "));
}

export const capital = (text) => text.charAt(0).toUpperCase() + text.slice(1);

/** How a state is painted. */
export function kind({ state, running: isRunning }) {
  if (isRunning) return SPECIAL.has(state) ? state : "running";
  if (state === "done") return "done";
  return state.includes("at the provider") ? "away" : "stopped";
}

function since({ stats, running: isRunning }) {
  const active = `${duration(stats.elapsed_s)} of work`;
  if (!stats.started_at) return "";
  const end = !isRunning && stats.finished_at ? ` to ${moment(stats.finished_at)}` : "";
  return `${end ? "from" : "since"} ${moment(stats.started_at)}${end} · ${active}`;
}

/** What to type when nothing works on it. */
function resume(look) {
  const steps = look.running ? [] : look.next_steps;
  show(find("resume"), steps.length > 0);
  const { stopped } = look.stats;
  mark(find("resume"), "data-state", kind(look));
  const why = stopped ? `${stopped.code}: ${stopped.message ?? ""}` : NEXT[kind(look)];
  tell(find("resume-title"), why);
  sync(find("steps"), steps, (step) => step, (step) => stepOf(step, look.command), () => {});
}

/** "words: command", or "words: command, then the same command"; the command to be copied. */
function stepOf(step, own) {
  const cut = own && step.endsWith(`: ${own}`) ? step.length - own.length - 2 : step.indexOf(": ");
  const [words, told] = cut < 0 ? ["", step] : [step.slice(0, cut), step.slice(cut + 2)];
  const command = told.endsWith(THEN) ? told.slice(0, -THEN.length) : told;
  const then = command !== told && make("small", {}, THEN.slice(2));
  return make("li", {}, words && make("span", {}, capital(words)), make("code", {}, command), copyButton(command, "the command"), then);
}

function progress(look) {
  const { stats } = look;
  const away = stats.lanes.batch?.at_provider ?? 0;
  const finished = stats.total - stats.pending;
  figure("finished", count(finished));
  figure("total", count(stats.total));
  figure("share", share(stats.total ? finished / stats.total : null));
  figure("succeeded", count(stats.succeeded));
  figure("failed", count(stats.failed));
  figure("at_provider", count(away));
  figure("pending", count(stats.pending - away));
  figure("skipped", count(stats.skipped));
  show(find("away-legend"), away > 0);
  show(find("skipped-legend"), stats.skipped > 0);
  const bar = find("bar");
  mark(bar, "aria-valuemax", stats.total);
  mark(bar, "aria-valuenow", finished);
  mark(bar, "aria-valuetext", `${count(finished)} of ${count(stats.total)}, ${count(stats.failed)} failed`);
  const parts = [stats.succeeded, stats.failed, away];
  Array.from(bar.children).forEach((node, index) => widen(node, parts[index], stats.total));
  tell(find("chunks"), chunks(look));
}

function chunks({ stats, open_chunks: open }) {
  const complete = `${count(stats.chunks_complete)} of ${counted(stats.chunks, "chunk")} complete`;
  if (!open.length) return complete;
  const begun = open.map((chunk) => `${chunk.number} (${count(chunk.succeeded + chunk.failed)} of ${count(chunk.items)})`);
  return `${complete} · begun: ${begun.join(", ")}`;
}

/** So that one of a million is seen, too. */
function widen(node, value, total) {
  node.style.width = value && total ? `max(2px, ${(100 * value) / total}%)` : "0";
}

/** Lanes of a run that uses more than one. */
function lanes(stats) {
  const used = Object.entries(stats.lanes).filter(([, lane]) => lane.requests_sent || lane.at_provider);
  const shown = used.length > 1 || used.some(([name]) => name !== "direct") ? used : [];
  sync(
    find("lanes"), shown, ([name]) => name,
    ([name]) => make("div", {}, make("dt", {}, name), make("dd", {}, make("span", { "data-part": "told" }), make("span", { class: "soft", "data-part": "more" }))),
    (node, [, lane]) => {
      tell(part(node, "told"), `${count(lane.succeeded + lane.failed)} finished`);
      tell(part(node, "more"), laneMore(lane));
    },
  );
}

function laneMore(lane) {
  const parts = [`${count(lane.failed)} failed`];
  if (lane.at_provider) parts.push(`${count(lane.at_provider)} at the provider`);
  parts.push(lane.cost_usd == null ? "cost unknown" : money(lane.cost_usd));
  return parts.join(" · ");
}

function tiles(look) {
  const { stats, speed } = look;
  const { latency_ms: latency } = stats;
  figure("per_s", look.running ? rate(speed.per_s) : rate(stats.throughput_per_s));
  figure("mean_rate", look.running ? `${rate(stats.throughput_per_s)} on average` : "on average");
  figure("eta", look.running ? duration(speed.eta_s) : duration(null));
  figure("eta_at", look.running ? doneAt(look.at, speed.eta_s) : stats.pending ? `${counted(stats.pending, "item")} pending` : "nothing is pending");
  figure("success_rate", share(stats.success_rate));
  figure("checks", Object.entries(stats.checks).map(([name, value]) => `${compact(value)} ${name}`).join(" · "));
  figure("p50", milliseconds(latency.p50));
  figure("p95", latency.p50 == null ? "batches have none" : `p95 ${milliseconds(latency.p95)} · p99 ${milliseconds(latency.p99)}`);
  figure("requests_sent", count(stats.requests_sent));
  figure("retries", `${counted(stats.retries, "retry", "retries")} · ${count(stats.rate_limited)} rate limited`);
  figure("cost", money(stats.cost_usd));
  figure("cost_bounds", costBounds(look));
}

const doneAt = (now, s) => (s == null || s > 30 * DAY_S ? "" : `done at ${moment(now + s)}`);

function costBounds({ stats, planned }) {
  const parts = [];
  if (stats.budget_usd != null) parts.push(`of ${money(stats.budget_usd)} budget`);
  if (planned?.usd != null) parts.push(`plan ${money(planned.usd)}`);
  if (stats.provider === "sandbox") parts.push("list price, not charged");
  if (!parts.length) parts.push(`${compact(stats.tokens.prompt)} tokens in · ${compact(stats.tokens.completion)} out`);
  return parts.join(" · ");
}

function targets(all) {
  sync(
    find("targets"), all, (target) => target.name,
    (target) => make("li", {}, make("span", { class: "mark", "aria-hidden": "true" }), make("span", {}, target.name), make("b", { "data-part": "value" }), make("span", { class: "soft", "data-part": "met" })),
    (node, target) => {
      mark(node, "data-met", target.met ?? "unknown");
      tell(part(node, "value"), targetValue(target));
      tell(part(node, "met"), target.met == null ? "not known yet" : target.met ? "met" : "missed");
    },
  );
}

const targetValue = ({ value, unit }) => (unit === "ms" ? milliseconds(value) : share(value));

/** What the start says of itself. */
function now(look) {
  const told = look.now;
  const pairs = told && look.running ? working(told) : [];
  const { stats } = look;
  pairs.push(["Tokens", `${compact(stats.tokens.prompt)} in · ${compact(stats.tokens.completion)} out · ${compact(stats.tokens.cached)} cached`]);
  if (stats.deadline) pairs.push(["Deadline", deadline(stats.deadline)]);
  if (stats.decision) pairs.push(["Decided", stats.decision.reason]);
  if (stats.route?.reason) pairs.push(["Route", `${stats.route.lane}: ${stats.route.reason}`]);
  if (stats.all_direct_usd != null && stats.lanes.batch?.requests_sent) pairs.push(["All directly", money(stats.all_direct_usd)]);
  tell(find("machine-told"), `${duration(stats.cpu_s)} of CPU · ${count(stats.peak_rss_mb)} MB at most · ${bytes(stats.bytes_sent)} sent · ${bytes(stats.bytes_received)} received`);
  sync(
    find("now"), pairs, ([name]) => name,
    ([name]) => make("div", {}, make("dt", {}, name), make("dd")),
    (node, [, text]) => tell(node.lastChild, text),
  );
}

function working(told) {
  const pairs = [["In flight", `${count(told.in_flight)}${told.window == null ? "" : ` of ${count(told.window)} that may be`}`]];
  if (told.waiting) pairs.push(["Wait for their time", counted(told.waiting, "item")]);
  if (told.held_s > 0) pairs.push(["Held", `nothing is sent for ${duration(told.held_s)}`]);
  const limits = [];
  if (told.requests_per_min != null) limits.push(`${compact(told.requests_per_min)} requests`);
  if (told.tokens_per_min != null) limits.push(`${compact(told.tokens_per_min)} tokens`);
  if (limits.length) pairs.push(["Limits a minute", limits.join(" · ")]);
  const ceilings = [["concurrency", told.concurrency], ["rpm", told.rpm], ["tpm", told.tpm]].filter(([, value]) => value != null);
  if (ceilings.length) pairs.push(["Ceilings", ceilings.map(([name, value]) => `${name} ${count(value)}`).join(" · ")]);
  return pairs;
}

function deadline({ at, made, forecast }) {
  const left = seconds(at) - Date.now() / 1000;
  if (made != null) return `${moment(at)} · ${made ? "made" : "missed"}`;
  const parts = [moment(at), left > 0 ? `in ${duration(left)}` : `${age(at)} ago`, FORECASTS[forecast]];
  return parts.filter(Boolean).join(" · ");
}
