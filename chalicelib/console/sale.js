/* One event's sale, live: what is sold, whether it adds up, how long it will last, and the three switches. */

import { read, withQuery } from "./api.js";
import { Chart, library } from "./chart.js";
import { h, keyed, mark, write } from "./dom.js";
import { count, duration, rate, share, timeOfDay, words } from "./format.js";
import { empty, live, tile } from "./live.js";
import { eventPicker } from "./sale-picker.js";
import { saleSwitches } from "./sale-switches.js";
import { colour } from "./theme.js";

const EVERY_MS = 1_000;
const SAY_EVERY_MS = 15_000;
const WINDOWS = [
  ["60", "1 m"],
  ["300", "5 m"],
  ["900", "15 m"],
  ["3600", "1 h"],
  ["sale", "Whole sale"],
];
const MOST_SECONDS = 18_000;
const AFTER_MS = 3_000;
const PARTS = ["sold", "reserved", "pending", "available"];

/** Opens the page in `root`; `rest` may hold the event's id. Returns what closes it. */
export function open(root, context) {
  const state = { eventId: null, seconds: context.query.get("window") ?? "300", view: null };
  const picker = eventPicker(context, Number(context.rest[0]) || null, (id, byHand) => choose(id, byHand));
  const status = h("span", { class: "status", role: "status" });
  const switches = saleSwitches(context, state, () => sale?.now());
  root.append(h("div", { class: "page-head" }, h("h1", { tabindex: -1 }, "Sale"), picker.node, status, h("div", { class: "controls" }, switches.node)));
  const place = h("div", {});
  root.append(place);
  let sale = null;
  let drawn = null;

  function choose(id, byHand) {
    sale?.stop();
    drawn?.close();
    place.replaceChildren();
    state.eventId = id;
    state.view = null;
    switches.show();
    if (byHand) history.replaceState(null, "", withQuery(`#/sale/${id}`, Object.fromEntries(context.query)));
    if (id === null) place.append(empty("No event yet", "Make one with POST /events, or start a rush: make rush."));
    else watch(id);
  }

  function watch(id) {
    drawn = board(context, state, () => sale.now());
    sale = live(context, place, {
      everyMs: EVERY_MS,
      read: (signal) => read(`ops/events/${id}/sale`, frameOf(state), signal),
      draw: (view, body) => {
        if (!drawn.node.isConnected) body.append(drawn.node);
        state.view = view;
        write(status, words(view.status));
        mark(status, "data-status", view.status);
        switches.show();
        drawn.show(view);
      },
    });
  }

  return {
    refresh: () => sale?.now(),
    close() {
      picker.job.stop();
      sale?.stop();
      drawn?.close();
    },
  };
}

/* Which time the curve shows: the last seconds, or from the first order to a little after the last ticket. */
function frameOf({ seconds, view }) {
  if (seconds !== "sale") return { seconds };
  if (!view?.acceptedAt) return { seconds: MOST_SECONDS };
  const asOf = Date.parse(view.asOf);
  const ends = view.soldOutAt ? Math.min(asOf, Date.parse(view.soldOutAt) + AFTER_MS) : asOf;
  const whole = Math.ceil((ends - Date.parse(view.acceptedAt) + AFTER_MS) / 1000);
  return { seconds: Math.min(Math.max(whole, 10), MOST_SECONDS), endsAt: new Date(ends).toISOString() };
}

function board(context, state, again) {
  const tiles = { sold: tile("Sold", { wide: true }), attempts: tile("Attempts a second"), ends: tile("Time to sell-out"), buyers: tile("Buyers") };
  const balance = capacityBar();
  const curve = sellCurve(context, state, again);
  const refused = codes("Refused at the door", "Nobody was refused.");
  const rejected = codes("Rejected in the ledger", "Nothing was rejected.");
  const node = h(
    "div",
    { class: "sale-board" },
    h("h2", { class: "event-name" }),
    h("div", { class: "tiles" }, tiles.sold.node, tiles.attempts.node, tiles.ends.node, tiles.buyers.node),
    balance.node,
    curve.node,
    h("div", { class: "pair" }, refused.node, rejected.node),
  );
  let saidAt = 0;
  return {
    node,
    close: () => curve.close(),
    show(view) {
      write(node.querySelector(".event-name"), view.name);
      tiles.sold.set(count(view.sold), `${share(view.sold, view.capacity)} of ${count(view.capacity)}`);
      tiles.attempts.set(rate(view.attemptsPerSecond), `${rate(soldNow(view))} tickets a second sold`);
      tiles.ends.set(...ending(view));
      tiles.buyers.set(count(view.buyers), view.acceptedAt ? `first order at ${timeOfDay(view.acceptedAt)}` : "no order yet");
      balance.show(view);
      curve.show(view);
      refused.show(view.refused);
      rejected.show(view.rejected);
      if (performance.now() - saidAt > SAY_EVERY_MS) {
        saidAt = performance.now();
        context.say(`${count(view.sold)} of ${count(view.capacity)} sold, gap ${view.gap}.`);
      }
    },
  };
}

/* Tickets decided in the last full seconds, a second. */
function soldNow({ curve }) {
  const last = curve.sold.slice(-6, -1);
  return last.length ? last.reduce((sum, each) => sum + each, 0) / (last.length * curve.bucketSeconds) : 0;
}

function ending(view) {
  if (view.soldOutAt) return [duration(view.timeToSellOutSeconds), `sold out at ${timeOfDay(view.soldOutAt)}`, "good"];
  if (view.forecast?.soldOutAt) {
    const left = (Date.parse(view.forecast.soldOutAt) - Date.parse(view.asOf)) / 1000;
    return [duration(Math.max(0, left)), `left, at ${rate(view.forecast.ticketsPerSecond)} tickets a second`];
  }
  return ["–", "no forecast while nothing sells"];
}

function capacityBar() {
  const bar = h("div", { class: "capacity", role: "img" }, PARTS.map((part) => h("span", { class: part })));
  const terms = PARTS.map((part) => h("li", {}, h("span", { class: `swatch ${part}`, "aria-hidden": "true" }), h("span", { class: "number" }), part));
  const whole = h("strong", { class: "number" });
  const gap = h("span", { class: "gap" });
  const node = h("section", { class: "card balance", "aria-label": "Where every ticket is" }, bar, h("div", { class: "sum" }, h("span", {}, whole, " capacity ="), h("ul", {}, terms), gap));
  return {
    node,
    show(view) {
      write(whole, count(view.capacity));
      PARTS.forEach((part, at) => {
        bar.children[at].style.flexGrow = Math.max(0, view[part]);
        write(terms[at].querySelector(".number"), count(view[part]));
      });
      write(gap, view.gap === 0 ? "Gap 0: every ticket is accounted for" : `Gap ${count(view.gap)}: look at the reconciler`);
      mark(gap, "data-state", view.gap === 0 ? "good" : "bad");
      mark(bar, "aria-label", PARTS.map((part) => `${view[part]} ${part}`).join(", "));
    },
  };
}

function sellCurve(context, state, again) {
  const plot = h("div", { class: "plot curve" });
  const rows = WINDOWS.map(([seconds, name]) => h("button", { type: "button", "data-seconds": seconds, onclick: () => take(seconds) }, name));
  const node = h(
    "section",
    { class: "card", "aria-label": "Sell curve" },
    h("header", {}, h("h2", {}, "Sell curve"), h("span", { class: "dim" }, "tickets sold, and sold a second"), h("div", { class: "segments", role: "group", "aria-label": "Window" }, rows)),
    plot,
  );
  const chart = new Chart(plot);
  const take = (seconds) => {
    state.seconds = seconds;
    context.remember({ window: seconds });
    show();
    again();
  };
  const show = () => rows.forEach((row) => mark(row, "aria-pressed", String(row.dataset.seconds === state.seconds)));
  show();
  library().then((found) => found ?? plot.replaceChildren(h("p", { class: "dim" }, "The charting library is not installed; the numbers above are live.")));
  return {
    node,
    close: () => chart.close(),
    show(view) {
      chart.draw(curveModel(view));
      mark(plot, "role", "img");
      mark(plot, "aria-label", `Sell curve: ${count(view.sold)} of ${count(view.capacity)} tickets sold`);
    },
  };
}

function curveModel({ curve, capacity, soldOutAt }) {
  const start = Date.parse(curve.startsAt);
  const step = curve.bucketSeconds * 1000;
  let sum = curve.soldBefore;
  const total = curve.sold.map((sold, at) => [start + (at + 1) * step, (sum += sold)]);
  const each = curve.sold.map((sold, at) => [start + (at + 0.5) * step, sold / curve.bucketSeconds]);
  return {
    kind: "lines",
    startMs: start,
    endMs: start + curve.sold.length * step,
    periodMs: step,
    axes: [{ label: "Sold", max: (range) => Math.max(capacity, range.max), whole: true }, { label: "a second", whole: true, max: (range) => Math.max(4, range.max * 2) }],
    series: [
      { id: "each", name: "Sold a second", color: colour(1), axis: 1, form: "bar", points: each },
      { id: "total", name: "Sold", color: colour(0), axis: 0, form: "area", width: 2.5, points: [[start, curve.soldBefore], ...total] },
    ],
    marks: [{ value: capacity, label: `capacity ${count(capacity)}`, axis: 0, fill: "none" }],
    moments: soldOutAt ? [{ at: Date.parse(soldOutAt), label: "" }] : [],
  };
}

function codes(title, none) {
  const list = h("ul", { class: "rows" });
  const nothing = h("p", { class: "dim" }, none);
  const node = h("section", { class: "card" }, h("header", {}, h("h2", {}, title)), nothing, list);
  const make = () => h("li", {}, h("span", { class: "name" }), h("span", { class: "bar", "aria-hidden": "true" }, h("span")), h("span", { class: "number" }));
  return {
    node,
    show(items) {
      nothing.hidden = items.length > 0;
      const most = Math.max(...items.map((each) => each.count), 1);
      keyed(list, items, (each) => each.code, make, (row, each) => {
        write(row.querySelector(".name"), words(each.code));
        write(row.querySelector(".number"), count(each.count));
        row.querySelector(".bar > span").style.width = `${(100 * each.count) / most}%`;
      });
    },
  };
}
