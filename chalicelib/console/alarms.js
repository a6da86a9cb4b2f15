/* The alarms: a lamp on every page, a list, and what changed lately. Knows the alarms' API and no page. */

import { read } from "./api.js";
import { modal } from "./dialog.js";
import { h, keyed, mark, write } from "./dom.js";
import { dateTime, many, timeOfDay, words } from "./format.js";

const EVERY_MS = 5_000;
const HISTORY_MS = 3 * 3_600_000;
const ORDER = { ALARM: 0, INSUFFICIENT_DATA: 1, OK: 2 };
const NAMES = { ALARM: "In alarm", OK: "OK", INSUFFICIENT_DATA: "No data yet" };

/** Watches the alarms for the whole page: {node, items, watch(listener) -> end, stop}. */
export function watchAlarms(context) {
  const listeners = new Set();
  const dot = h("span", { class: "lamp", "aria-hidden": "true" });
  const text = h("span", {}, "Alarms");
  const node = h("button", { type: "button", class: "lamp-button", onclick: () => panel(store) }, dot, text);
  const store = {
    node,
    items: [],
    known: false,
    watch(listener) {
      listeners.add(listener);
      if (store.known) listener(store.items);
      return () => listeners.delete(listener);
    },
  };
  const job = context.clock.add(EVERY_MS, async (signal) => {
    try {
      const { items } = await read("ops/alarms", {}, signal);
      show(items);
    } catch (error) {
      if (!signal.aborted) unknown(error);
    }
  });

  function show(items) {
    store.items = [...items].sort((a, b) => ORDER[a.state] - ORDER[b.state] || a.name.localeCompare(b.name));
    store.known = true;
    const burning = items.filter((each) => each.state === "ALARM");
    if (store.burning !== undefined && burning.length !== store.burning) context.say(sentence(burning.length));
    store.burning = burning.length;
    write(text, burning.length ? `${burning.length} in alarm` : "No alarm");
    mark(node, "data-state", burning.length ? "ALARM" : "OK");
    for (const listener of listeners) listener(store.items);
  }

  function unknown(error) {
    write(text, "Alarms unknown");
    mark(node, "data-state", "UNKNOWN");
    mark(node, "title", error.message);
  }

  return Object.assign(store, { now: job.now });
}

const sentence = (burning) => (burning ? `${many(burning, "alarm")} in alarm.` : "No alarm any more.");

/** Fills a list with alarms, those that burn first. */
export function alarmList(list, items) {
  keyed(list, items, (each) => each.name, row, (node, each) => {
    mark(node, "data-state", each.state);
    write(node.querySelector(".state"), NAMES[each.state] ?? each.state);
    write(node.querySelector(".since"), each.since ? `since ${timeOfDay(each.since)}` : "");
    mark(node, "title", each.reason);
  });
}

/* Every alarm's name begins with the service and its stage: once is enough on a screen. */
const shortName = (name) => name.replace(/^onsale-[a-z0-9]+-/, "");

function row(each) {
  return h(
    "li",
    {},
    h("span", { class: "lamp", "aria-hidden": "true" }),
    h("span", { class: "alarm-name", title: each.name }, shortName(each.name), each.composite && h("small", { class: "dim" }, " composite")),
    h("span", { class: "state" }),
    h("span", { class: "since dim" }),
  );
}

function panel(store) {
  const list = h("ul", { class: "alarms" });
  const details = h("div", {});
  const history = h("ol", { class: "history" }, h("li", { class: "dim" }, "Reading …"));
  const end = store.watch((items) => {
    alarmList(list, items);
    details.replaceChildren(...items.filter((each) => each.state === "ALARM").map(detail));
  });
  const none = store.items.length ? null : h("p", { class: "dim" }, "There are no alarms, or they cannot be read at the moment.");
  const node = modal("Alarms", details, list, none, h("h3", {}, "Changes of the last three hours"), history);
  node.addEventListener("close", end);
  fillHistory(history);
}

function detail(each) {
  return h("div", { class: "notice error" }, h("div", {}, h("strong", {}, each.name), h("p", {}, each.description), h("p", { class: "dim" }, each.reason)));
}

async function fillHistory(list) {
  const now = Date.now();
  try {
    const query = { startsAt: new Date(now - HISTORY_MS).toISOString(), endsAt: new Date(now).toISOString() };
    const { items } = await read("ops/alarms/history", query);
    const newest = [...items].sort((a, b) => Date.parse(b.at) - Date.parse(a.at));
    list.replaceChildren(...(newest.length ? newest.map(change) : [h("li", { class: "dim" }, "None.")]));
  } catch (error) {
    list.replaceChildren(h("li", {}, error.message));
  }
}

function change({ at, name, before, after, reason }) {
  return h("li", { title: reason }, h("time", { datetime: at }, dateTime(at)), " ", h("strong", {}, shortName(name)), ` ${words(NAMES[before] ?? before)} → ${NAMES[after] ?? after}`);
}
