/** Figures as people read them; the same words as on the terminal. Unknown is a dash. */

const NONE = "–";
const whole = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });
const tenth = new Intl.NumberFormat("en", { minimumFractionDigits: 1, maximumFractionDigits: 1 });
const brief = new Intl.NumberFormat("en", { notation: "compact", maximumFractionDigits: 1 });

export const count = (value) => (value == null ? NONE : whole.format(value));

export const compact = (value) => (value == null ? NONE : value < 10_000 ? count(value) : brief.format(value));

export const counted = (value, one, many = `${one}s`) => `${count(value)} ${value === 1 ? one : many}`;

/** 0–1 as a percentage; never rounded up to 100 %. */
export function share(value) {
  if (value == null) return NONE;
  const text = (100 * value).toFixed(1);
  return `${text === "100.0" && value < 1 ? "99.9" : text} %`;
}

export const rate = (perS) => (perS == null ? NONE : `${tenth.format(perS)}/s`);

export function milliseconds(value) {
  if (value == null) return NONE;
  return value < 1000 ? `${value.toFixed(0)} ms` : `${tenth.format(value / 1000)} s`;
}

export function duration(seconds) {
  if (seconds == null) return NONE;
  if (seconds < 10) return `${seconds.toFixed(1)} s`;
  const s = Math.round(seconds);
  if (s < 60) return `${s} s`;
  if (s < 3600) return `${Math.floor(s / 60)} min ${two(s % 60)} s`;
  if (s < 172_800) return `${Math.floor(s / 3600)} h ${two(Math.floor((s % 3600) / 60))} min`;
  return `${Math.floor(s / 86_400)} d ${Math.floor((s % 86_400) / 3600)} h`;
}

const two = (value) => String(value).padStart(2, "0");

/** US dollars: cents, and as many digits more as it takes. */
export function money(usd) {
  if (usd == null) return "unknown";
  if (usd === 0) return "$0";
  const fixed = (digits) => `$${usd.toLocaleString("en", { minimumFractionDigits: digits, maximumFractionDigits: digits })}`;
  if (usd < 0.01) return fixed(6);
  return usd >= 100 || fixed(4).endsWith("00") ? fixed(2) : fixed(4);
}

export function bytes(value) {
  if (value == null) return NONE;
  const units = ["B", "kB", "MB", "GB", "TB"];
  let step = 0;
  while (value >= 1000 && step < units.length - 1) [value, step] = [value / 1000, step + 1];
  return `${value < 10 && step ? value.toFixed(1) : value.toFixed(0)} ${units[step]}`;
}

/** Seconds since 1970 of either form of the interface: a number, or ISO 8601. */
export function seconds(moment) {
  if (moment == null) return null;
  return typeof moment === "number" ? moment : Date.parse(moment) / 1000;
}

/** A time of day here; with its date when that is not today. */
export function moment(at, { withSeconds = false } = {}) {
  const s = seconds(at);
  if (s == null || Number.isNaN(s)) return NONE;
  const date = new Date(1000 * s);
  const clock = `${two(date.getHours())}:${two(date.getMinutes())}` + (withSeconds ? `:${two(date.getSeconds())}` : "");
  if (date.toDateString() === new Date().toDateString()) return clock;
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())} ${clock}`;
}

export const age = (at, nowS = Date.now() / 1000) => (at == null ? NONE : duration(Math.max(0, nowS - seconds(at))));

/** A value of a field as text. */
export function plain(value) {
  if (value == null) return NONE;
  return typeof value === "string" ? value : JSON.stringify(value);
}
