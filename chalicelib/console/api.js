/* Speaks to the service: relative addresses, the token, problems as errors, and a limit on waiting.
   Knows HTTP and nothing of what the answers are about. */

const BASE = new URL(".", document.baseURI);
const TOKEN = "onsale.token";
const PATIENCE_MS = 15_000;

/** An answer that is not a success: RFC 9457's fields, and the request's id for the log. */
export class Problem extends Error {
  constructor(status, told, requestId) {
    super(told.detail ?? told.title ?? `The service answered ${status}.`);
    this.status = status;
    this.title = told.title ?? "No answer";
    this.code = told.code ?? "no-answer";
    this.fields = told.errors ?? [];
    this.requestId = requestId;
  }
}

/** The bearer token of this tab; it is kept for the session and is never part of an address. */
export const token = {
  read: () => sessionStorage.getItem(TOKEN) ?? "",
  keep: (text) => sessionStorage.setItem(TOKEN, text.trim().replace(/^Bearer\s+/i, "")),
  forget: () => sessionStorage.removeItem(TOKEN),
};

/** Reads `path` (without a slash in front). Undefined, null and "" stay out of the query. */
export const read = (path, query = {}, signal = undefined) => send("GET", withQuery(path, query), undefined, signal);

/** Posts a JSON body, or none. */
export const post = (path, body = undefined, signal = undefined) => send("POST", path, body, signal);

/** A path with the query parameters that have a value. */
export function withQuery(path, query) {
  const given = Object.entries(query).filter(([, value]) => value !== undefined && value !== null && value !== "");
  return given.length ? `${path}?${new URLSearchParams(given)}` : path;
}

async function send(method, path, body, signal) {
  const patience = limited(signal);
  try {
    const answer = await fetch(new URL(path, BASE), {
      method,
      headers: headersFor(body),
      body: body === undefined ? undefined : JSON.stringify(body),
      signal: patience.signal,
      cache: "no-store",
    });
    if (answer.ok) return await answer.json();
    throw new Problem(answer.status, await problemOf(answer), answer.headers.get("X-Request-Id"));
  } catch (error) {
    if (signal?.aborted || error instanceof Problem) throw error;
    throw new Problem(0, { detail: "The service does not answer. Is it running?" });
  } finally {
    patience.end();
  }
}

/* A signal that is aborted with `signal`, or when patience ends. AbortSignal.timeout would keep what waits for it, a
   whole page that was left, until its time is up. */
function limited(signal) {
  const stop = new AbortController();
  const abort = () => stop.abort();
  const timer = setTimeout(abort, PATIENCE_MS);
  if (signal?.aborted) abort();
  signal?.addEventListener("abort", abort);
  return {
    signal: stop.signal,
    end() {
      clearTimeout(timer);
      signal?.removeEventListener("abort", abort);
    },
  };
}

function headersFor(body) {
  const headers = body === undefined ? {} : { "Content-Type": "application/json" };
  if (token.read()) headers.Authorization = `Bearer ${token.read()}`;
  return headers;
}

/* A gateway in between may answer with something else than a problem. */
async function problemOf(answer) {
  try {
    return await answer.json();
  } catch {
    return {};
  }
}
