/* Who did what, when, to what, and why: the audit log as the ledger keeps it. */

import { read } from "./api.js";
import { h } from "./dom.js";
import { dateTime, words } from "./format.js";
import { empty, live } from "./live.js";

const EVERY_MS = 5_000;
const LIMIT = 50;

/** Opens the page in `root`; returns what closes it. */
export function open(root, context) {
  const place = h("div", {});
  root.append(h("div", { class: "page-head" }, h("h1", { tabindex: -1 }, "Log"), h("span", { class: "dim" }, "every switch, redrive and deletion")), place);
  const cursors = [];
  let drawn = "";
  const job = live(context, place, {
    everyMs: EVERY_MS,
    read: (signal) => read("ops/log", { cursor: cursors.at(-1), limit: LIMIT }, signal),
    draw(page, body) {
      const text = JSON.stringify(page);
      if (text === drawn) return;
      drawn = text;
      if (page.items.length === 0 && cursors.length === 0) body.replaceChildren(empty("Nothing was done yet", "Switches, redrives and deletions will stand here, with their reasons."));
      else body.replaceChildren(table(page.items), pages(page.nextCursor));
    },
  });

  function pages(nextCursor) {
    const turn = (change) => () => (change(), job.now());
    const back = h("button", { type: "button", disabled: cursors.length === 0, onclick: turn(() => cursors.pop()) }, "Newer");
    const on = h("button", { type: "button", disabled: !nextCursor, onclick: turn(() => cursors.push(nextCursor)) }, "Older");
    return h("div", { class: "pages" }, back, on);
  }

  return { refresh: () => job.now(), close: () => job.stop() };
}

function table(items) {
  const head = ["When", "Who", "What", "To what", "Why", "More"].map((name) => h("th", { scope: "col" }, name));
  return h("div", { class: "card table", tabindex: 0, role: "region", "aria-label": "Log" }, h("table", {}, h("thead", {}, h("tr", {}, head)), h("tbody", {}, items.map(row))));
}

function row({ at, actor, action, target, reason, detail }) {
  const event = /^event (\d+)$/.exec(target ?? "");
  return h(
    "tr",
    {},
    h("td", { class: "number" }, dateTime(at)),
    h("td", {}, actor),
    h("td", {}, h("strong", {}, words(action))),
    h("td", {}, event ? h("a", { href: `#/sale/${event[1]}` }, target) : target),
    h("td", { class: "reason" }, reason || h("span", { class: "dim" }, "no reason given")),
    h("td", { class: "dim reason" }, more(detail)),
  );
}

function more(detail) {
  if (detail === null || detail === undefined) return "";
  if (typeof detail !== "object") return String(detail);
  return Object.entries(detail)
    .map(([name, value]) => `${name} ${typeof value === "object" ? JSON.stringify(value) : value}`)
    .join(", ");
}
