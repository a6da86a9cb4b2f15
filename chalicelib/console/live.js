/* What a part of a page looks like while it waits, when it fails, and when it is out of date: the same everywhere.
   Knows no page. */

import { h, mark, write } from "./dom.js";
import { timeOfDay } from "./format.js";

/**
 * Reads again and again and draws what comes.
 *
 * `read(signal)` fetches, `draw(data)` shows it in `body`. Until the first answer `body` is a skeleton; a failure
 * before it is an error with a way out, one after it leaves the last good figures on the page, greyed, with
 * their time. Returns the clock's job.
 */
export function live(context, place, { everyMs, read, draw, skeleton = "tall" }) {
  const waiting = h("div", { class: `skeleton ${skeleton}`, "aria-hidden": "true" });
  const trouble = h("div", { class: "trouble", role: "status" });
  const body = h("div", { class: "live", hidden: true });
  place.append(trouble, waiting, body);
  mark(place, "aria-busy", "true");
  let goodAt = null;
  let shown = null;

  const job = context.clock.add(everyMs, async (signal) => {
    try {
      const data = await read(signal);
      if (signal.aborted) return;
      draw(data, body);
      good();
    } catch (error) {
      if (!signal.aborted) bad(error);
    }
  });

  function good() {
    if (goodAt === null && performance.getEntriesByName("first-numbers").length === 0) performance.mark("first-numbers");
    goodAt = new Date();
    context.updated(goodAt);
    waiting.remove();
    body.hidden = false;
    body.classList.remove("stale");
    place.removeAttribute("aria-busy");
    if (shown) trouble.replaceChildren();
    shown = null;
  }

  function bad(error) {
    if (error.status === 401) context.unknown(error);
    waiting.remove();
    place.removeAttribute("aria-busy");
    body.classList.toggle("stale", goodAt !== null);
    if (shown?.message === error.message) return;
    shown = error;
    trouble.replaceChildren(notice(error, goodAt, () => job.now()));
  }

  return { ...job, body };
}

/** A failure in words: what, since when the figures stand still, and a button that tries again. */
export function notice(error, goodAt, again) {
  const title = goodAt ? `Standing still since ${timeOfDay(goodAt)}` : (error.title ?? "Something went wrong");
  const line = h("p", {}, error.message);
  if (error.requestId) line.append(h("span", { class: "dim" }, ` Request ${error.requestId}`));
  return h(
    "div",
    { class: `notice ${goodAt ? "warning" : "error"}` },
    h("div", {}, h("strong", {}, title), line, fieldList(error)),
    again && h("button", { type: "button", onclick: again }, "Try again"),
  );
}

function fieldList(error) {
  if (!(error.fields?.length > 1)) return null;
  return h("ul", {}, error.fields.map((each) => h("li", {}, `${each.field}: ${each.message}`)));
}

/** Nothing to show, said plainly. */
export function empty(title, why) {
  return h("div", { class: "empty" }, h("strong", {}, title), h("p", {}, why));
}

/** A big number with its name: readable from three metres. `set(value, note)` changes it in place. */
export function tile(name, { tone = "", wide = false } = {}) {
  const value = h("span", { class: "value" }, "–");
  const note = h("span", { class: "note" }, "\u00a0");
  const node = h("div", { class: `tile card ${wide ? "wide" : ""}`, "data-name": name }, h("span", { class: "name" }, name), value, note);
  mark(node, "data-tone", tone);
  return {
    node,
    set(text, under = "\u00a0", nowTone = tone) {
      write(value, text);
      write(note, under || "\u00a0");
      mark(node, "data-tone", nowTone || null);
    },
  };
}
