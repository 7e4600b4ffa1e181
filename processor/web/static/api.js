/** The server's routes. Every answer is JSON; what is wrong comes as an `Error` with its words. */

const LONGEST_MS = 15_000;
const token = document.querySelector('meta[name="token"]').content;

export class Away extends Error {} // the server did not answer

export const runPath = (name) => `/api/runs/${encodeURIComponent(name)}`;

export const get = (path, { signal } = {}) => answerOf(path, { signal });

export function post(path, body) {
  return answerOf(path, {
    method: "POST",
    headers: { "Content-Type": "application/json", "X-Token": token },
    body: JSON.stringify(body),
  });
}

async function answerOf(path, options) {
  const late = AbortSignal.timeout(LONGEST_MS);
  const signal = options.signal ? AbortSignal.any([options.signal, late]) : late;
  let answer;
  try {
    answer = await fetch(path, { ...options, signal, redirect: "error", cache: "no-store" });
  } catch (error) {
    if (options.signal?.aborted) throw error; // its caller gave up, not the server
    throw new Away("the server does not answer");
  }
  const told = await answer.json().catch(() => null);
  if (!answer.ok) throw new Error(told?.error ?? `the server says ${answer.status}`);
  return told;
}
