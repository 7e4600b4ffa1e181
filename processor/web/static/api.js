/** The server's routes. Every answer is JSON; what is wrong comes as an error with its words. */

const LONGEST_MS = 15_000;
const FORBIDDEN = 403;
let token = document.querySelector('meta[name="token"]').content;

export class Away extends Error {} // the server did not answer

/** The server answered, with a status and words of its own. */
export class Refused extends Error {
  constructor(status, words) {
    super(words);
    this.status = status;
  }
}

export const runPath = (name) => `/api/runs/${encodeURIComponent(name)}`;

export const get = (path, { signal } = {}) => answerOf(path, { signal });

export async function post(path, body) {
  try {
    return await posted(path, body);
  } catch (error) {
    if (error.status !== FORBIDDEN) throw error;
    token = await newToken(); // the server was started anew since this page was read
    return posted(path, body);
  }
}

async function newToken() {
  const answer = await fetch("/", { signal: AbortSignal.timeout(LONGEST_MS), cache: "no-store" });
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  return page.querySelector('meta[name="token"]')?.content ?? "";
}

function posted(path, body) {
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
  if (!answer.ok) throw new Refused(answer.status, told?.error ?? `the server says ${answer.status}`);
  return told;
}
