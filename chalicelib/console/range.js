/* The time range and how often it is read anew, as CloudWatch's users know them. The choice stands in the
   address, so that a link shows what its sender saw. */

import { h, mark } from "./dom.js";
import { buttons, modal } from "./dialog.js";
import { zone } from "./format.js";

export const RANGES = [
  { name: "5m", seconds: 300 },
  { name: "15m", seconds: 900 },
  { name: "1h", seconds: 3600 },
  { name: "3h", seconds: 10_800 },
];
export const REFRESHES = [
  { name: "Off", ms: 0 },
  { name: "2 s", ms: 2_000 },
  { name: "10 s", ms: 10_000 },
  { name: "1 min", ms: 60_000 },
];
const DEFAULT_MS = 2_000;

/* The periods that CloudWatch takes, and how many points of a line an eye can tell apart. */
const PERIODS = [1, 5, 10, 30, 60, 300, 900, 3600, 21_600, 86_400];
const POINTS = 360;
const MOST_POINTS = 1_440;
const MINUTE = 60;

/** The shortest period that keeps a range of so many seconds readable. */
export const periodFor = (seconds) => PERIODS.find((period) => seconds / period <= POINTS) ?? PERIODS.at(-1);

/**
 * The period of one metric over so many seconds.
 *
 * `wanted` is the widget's own, for a dashboard that says "inherit"; it is made longer only where a line would have
 * more points than CloudWatch sends. AWS keeps its own metrics by the minute; the local stack keeps all by the second.
 */
export function metricPeriod(seconds, namespace, stage, wanted) {
  const longEnough = PERIODS.find((period) => seconds / period <= MOST_POINTS) ?? PERIODS.at(-1);
  const period = wanted ? Math.max(wanted, longEnough) : periodFor(seconds);
  return stage !== "local" && namespace.startsWith("AWS/") ? Math.max(period, MINUTE) : period;
}

/** The range that a dashboard begins with: its `start`, as in "-PT15M"; the nearest that can be chosen. */
export function startRange(start) {
  const [, hours, minutes] = /^-PT(?:(\d+)H)?(?:(\d+)M)?$/.exec(start ?? "") ?? [];
  const seconds = 3600 * Number(hours ?? 0) + 60 * Number(minutes ?? 0);
  return RANGES.find((range) => range.seconds >= seconds) ?? RANGES.at(-1);
}

/** What is asked for now: both ends in milliseconds, on whole periods. */
export function span(choice, now = Date.now()) {
  if (choice.from) return { startMs: choice.from, endMs: choice.to, seconds: (choice.to - choice.from) / 1000 };
  return { startMs: now - choice.seconds * 1000, endMs: now, seconds: choice.seconds };
}

/** Reads the choice from the address. */
export function chosenRange(query) {
  const from = Date.parse(query.get("from") ?? "");
  const to = Date.parse(query.get("to") ?? "");
  if (from < to) return { name: "custom", from, to };
  return RANGES.find((range) => range.name === query.get("range")) ?? RANGES[0];
}

/** Reads how often from the address, in milliseconds. */
export function chosenRefresh(query) {
  const given = Number(query.get("refresh"));
  const known = REFRESHES.some((each) => each.ms === given * 1000);
  return query.has("refresh") && known ? given * 1000 : DEFAULT_MS;
}

/** The two controls. `changed({range, refreshMs})` is called with every new choice. */
export function rangeControls(context, changed, { now }) {
  const state = { range: chosenRange(context.query), refreshMs: chosenRefresh(context.query) };
  const set = (change) => {
    Object.assign(state, change);
    remember(context, state);
    show();
    changed(state);
  };
  const ranges = RANGES.map((range) => choice(range.name, () => set({ range })));
  const custom = choice("Custom", () => askForRange(state.range, (range) => set({ range, refreshMs: 0 })));
  const refresh = h("select", { "aria-label": "Refresh", onchange: () => set({ refreshMs: Number(refresh.value) }) });
  refresh.append(...REFRESHES.map((each) => h("option", { value: each.ms }, each.name)));
  const again = h("button", { type: "button", onclick: now, title: "Read again now (r)" }, "Refresh");

  function show() {
    ranges.forEach((button, at) => mark(button, "aria-pressed", String(RANGES[at].name === state.range.name)));
    mark(custom, "aria-pressed", String(state.range.name === "custom"));
    refresh.value = String(state.refreshMs);
  }
  show();
  const group = h("div", { class: "segments", role: "group", "aria-label": "Time range" }, ranges, custom);
  const begin = (start) => {
    if (!context.query.has("range") && !context.query.has("from")) state.range = startRange(start);
    show();
  };
  return { state, begin, node: h("div", { class: "controls" }, group, h("span", { class: "joined" }, again, refresh)) };
}

function choice(name, onclick) {
  return h("button", { type: "button", onclick }, name);
}

function remember(context, { range, refreshMs }) {
  const when = range.from
    ? { from: new Date(range.from).toISOString(), to: new Date(range.to).toISOString(), range: null }
    : { from: null, to: null, range: range.name };
  context.remember({ ...when, refresh: refreshMs / 1000 });
}

function askForRange(current, take) {
  const { startMs, endMs } = span(current.seconds || current.from ? current : RANGES[2]);
  const from = moment("From", startMs);
  const to = moment("To", endMs);
  const failure = h("p", { class: "failure", role: "alert" });
  const cancel = h("button", { type: "button", onclick: () => node.close() }, "Cancel");
  const form = h("form", { method: "dialog" }, from.node, to.node, failure);
  form.append(buttons(cancel, h("button", { type: "submit", class: "primary" }, "Show")));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    if (!(from.ms() < to.ms())) failure.textContent = "The end must be after the beginning.";
    else {
      take({ name: "custom", from: from.ms(), to: to.ms() });
      node.close();
    }
  });
  const node = modal("Time range", form);
}

function moment(name, ms) {
  const input = h("input", { type: "datetime-local", step: 1, required: true });
  const offsetMs = new Date(ms).getTimezoneOffset() * 60_000;
  input.value = new Date(ms - offsetMs).toISOString().slice(0, 19);
  const label = h("label", { class: "field" }, h("span", {}, name, " ", h("small", { class: "dim" }, zone())), input);
  return { node: label, ms: () => Date.parse(input.value) };
}
