/* One order, wherever it is: found by its id, its buyer, the buyer's idempotency key or a message's id, and told
   from the beginning to now. */

import { read, withQuery } from "./api.js";
import { h, mark, write } from "./dom.js";
import { dateTime, duration, exactTime, words } from "./format.js";
import { empty, live, notice } from "./live.js";

const EVERY_MS = 2_000;
const BAD = ["attempt-failed", "dead-lettered", "deleted", "payment-refused"];
const GOOD = ["settled", "paid", "redriven"];

/** Opens the page in `root`; the address may hold an order's id, or `?q=`. Returns what closes it. */
export function open(root, context) {
  const input = h("input", { type: "search", name: "q", maxlength: 128, required: true, autocomplete: "off", spellcheck: "false", placeholder: "Order id, buyer, idempotency key or message id" });
  mark(input, "aria-label", "Order id, buyer, idempotency key or message id");
  const form = h("form", { class: "search", role: "search" }, input, h("button", { type: "submit", class: "primary" }, "Find"));
  const results = h("div", { class: "results" });
  const place = h("div", {});
  root.append(h("div", { class: "page-head" }, h("h1", { tabindex: -1 }, "Order")), form, results, place);
  let watching = null;
  let searching = null;

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    context.remember({ q: input.value.trim() });
    search(input.value.trim());
  });

  function search(q) {
    watching?.stop();
    searching?.stop();
    place.replaceChildren();
    results.replaceChildren(h("div", { class: "skeleton short", "aria-hidden": "true" }));
    searching = context.clock.add(0, async (signal) => {
      try {
        found(await read("ops/find", { q, eventId: context.query.get("eventId") }, signal), q);
      } catch (error) {
        if (signal.aborted) return;
        if (error.status === 401) context.unknown(error);
        results.replaceChildren(notice(error, null, () => search(q)));
      }
    });
  }

  function found({ items, truncated }, q) {
    if (items.length === 0) results.replaceChildren(empty("Nothing found", `No order, buyer, key or message is “${q}”. Names must be whole.`));
    else results.replaceChildren(table(items, truncated, watch));
    context.say(`${items.length} found.`);
    if (items.length === 1) watch(items[0].orderId);
  }

  function watch(orderId) {
    watching?.stop();
    place.replaceChildren();
    for (const row of results.querySelectorAll("tbody tr")) mark(row, "aria-current", row.dataset.order === orderId ? "true" : null);
    const told = timeline();
    watching = live(context, place, {
      everyMs: EVERY_MS,
      skeleton: "short",
      read: (signal) => read(`ops/orders/${encodeURIComponent(orderId)}/timeline`, {}, signal),
      draw(view, body) {
        if (!told.node.isConnected) body.append(told.node);
        told.show(view);
      },
    });
  }

  input.value = context.query.get("q") ?? context.rest[0] ?? "";
  if (context.rest[0]) watch(context.rest[0]);
  else if (input.value) search(input.value);
  else {
    results.append(empty("Which order?", "Gate, queue, dead letters and ledger are searched together. Whole names only."));
    input.focus();
  }
  return {
    refresh: () => watching?.now(),
    close() {
      watching?.stop();
      searching?.stop();
    },
  };
}

function table(items, truncated, pick) {
  const head = ["Order", "Buyer", "Event", "Status", "Accepted", "Found in", "By"].map((name) => h("th", { scope: "col" }, name));
  const rows = items.map((item) =>
    h(
      "tr",
      { "data-order": item.orderId },
      h("td", {}, h("button", { type: "button", class: "link mono", onclick: () => pick(item.orderId) }, item.orderId)),
      h("td", {}, item.userId ?? "–"),
      h("td", {}, h("a", { href: `#/sale/${item.eventId}` }, item.eventId)),
      h("td", {}, badge(item.status)),
      h("td", { class: "number" }, dateTime(item.acceptedAt)),
      h("td", {}, item.places.join(", ")),
      h("td", {}, words(item.matched)),
    ),
  );
  return h(
    "div",
    { class: "card table", tabindex: 0, role: "region", "aria-label": "Orders found" },
    h("table", {}, h("thead", {}, h("tr", {}, head)), h("tbody", {}, rows)),
    truncated && h("p", { class: "dim" }, "There are more; search by the order's id to be exact."),
  );
}

/** The status of an order as a badge. */
export function badge(status) {
  return h("span", { class: "status", "data-status": status ?? "unknown" }, words(status ?? "unknown"));
}

function timeline() {
  const title = h("h2", { class: "mono" });
  const status = h("span", { class: "status" });
  const who = h("p", { class: "dim" });
  const list = h("ol", { class: "timeline" });
  const node = h("section", { class: "card", "aria-label": "Time line" }, h("header", {}, title, status), who, list);
  return {
    node,
    show(view) {
      write(title, view.orderId);
      write(status, words(view.status));
      mark(status, "data-status", view.status);
      who.replaceChildren("Buyer ", link(view.userId, withQuery("#/order", { q: view.userId })), ", event ", link(view.eventId, `#/sale/${view.eventId}`));
      const entries = view.entries.map((each, at) => entry(each, sinceFirst(view.entries, at)));
      const same = list.children.length === entries.length && entries.every((each, at) => each.textContent === list.children[at].textContent);
      if (!same) list.replaceChildren(...entries);
    },
  };
}

const link = (text, href) => (text === null || text === undefined ? "unknown" : h("a", { href }, text));

function sinceFirst(entries, at) {
  const first = entries.find((each) => each.at);
  if (!entries[at].at || !first) return "";
  const seconds = (Date.parse(entries[at].at) - Date.parse(first.at)) / 1000;
  return seconds > 0 ? `+${seconds < 1 ? `${Math.round(seconds * 1000)} ms` : duration(seconds)}` : "";
}

function entry({ at, what, detail, source }, since) {
  const tone = BAD.includes(what) || detail === "rejected" ? "bad" : GOOD.includes(what) ? "good" : "";
  return h(
    "li",
    { "data-tone": tone },
    h("time", { datetime: at, class: "number" }, at ? exactTime(at) : "time not known"),
    h("span", { class: "since number dim" }, since),
    h("strong", {}, words(what)),
    h("span", {}, typeof detail === "object" && detail !== null ? JSON.stringify(detail) : (detail ?? "")),
    h("span", { class: "dim" }, source),
  );
}
