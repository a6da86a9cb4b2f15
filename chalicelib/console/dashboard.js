/* The first page: a CloudWatch dashboard body, drawn on CloudWatch's grid. One request a refresh reads every
   metric; the alarms come from the lamp's own watch. */

import { post, read } from "./api.js";
import { library } from "./chart.js";
import { h } from "./dom.js";
import { empty, live, notice } from "./live.js";
import { rangeControls, span } from "./range.js";
import { card } from "./widget.js";
import { batches, placeOf, queryOf } from "./widgets.js";

/** Opens the page in `root`; returns what closes it. */
export function open(root, context) {
  const cards = [];
  let metrics = null;
  const controls = rangeControls(context, () => metrics?.every(controls.state.refreshMs), { now: () => metrics?.now() });
  const place = h("div", {});
  const name = h("span", { class: "dim" });
  root.append(h("div", { class: "page-head" }, h("h1", { tabindex: -1 }, "Dashboard"), name, controls.node), place);
  sayWithoutCharts(place);
  const ends = [];
  const definition = live(context, place, {
    everyMs: 0,
    skeleton: "grid",
    read: (signal) => read("ops/dashboard", {}, signal),
    draw: (told, body) => build(told, body),
  });

  function build(told, body) {
    name.textContent = told.name;
    controls.begin(told.body.start);
    clear();
    const widgets = told.body.widgets ?? [];
    if (widgets.length === 0) body.replaceChildren(empty("An empty dashboard", "Its definition has no widget."));
    else body.replaceChildren(grid(widgets, cards));
    metrics = metricsJob(context, body, cards, { choice: controls.state, inherit: told.body.periodOverride === "inherit" });
    ends.push(context.alarms.watch((items) => cards.forEach((each) => each.alarms(items))), () => metrics.stop());
  }

  function clear() {
    ends.splice(0).forEach((end) => end());
    cards.splice(0).forEach((each) => each.close());
  }

  return {
    refresh: () => metrics?.now(),
    close() {
      definition.stop();
      clear();
    },
  };
}

function grid(widgets, cards) {
  const node = h("div", { class: "grid24" });
  for (const [at, widget] of inReadingOrder(widgets).entries()) {
    const made = card(widget, `w${at}`);
    const { column, width, row, height } = placeOf(widget, at);
    made.node.style.gridColumn = `${column} / span ${width}`;
    made.node.style.gridRow = `${row} / span ${height}`;
    made.node.style.setProperty("--rows", height);
    made.node.style.order = at;
    node.append(made.node);
    cards.push(made);
  }
  return node;
}

/* The keyboard, and a narrow screen, go through the widgets as the eye does: by row, then by column. */
function inReadingOrder(widgets) {
  return [...widgets].sort((a, b) => (a.y ?? 0) - (b.y ?? 0) || (a.x ?? 0) - (b.x ?? 0));
}

function metricsJob(context, body, cards, { choice, inherit }) {
  const trouble = h("div", { role: "status" });
  body.prepend(trouble);
  let goodAt = null;
  return context.clock.add(choice.refreshMs, async (signal) => {
    try {
      await fill(cards, choice.range, { stage: context.stage(), inherit }, signal);
      goodAt = new Date();
      context.updated(goodAt);
      body.classList.remove("stale");
      trouble.replaceChildren();
    } catch (error) {
      if (signal.aborted) return;
      if (error.status === 401) context.unknown(error);
      body.classList.toggle("stale", goodAt !== null);
      if (!trouble.firstChild) trouble.append(notice(error, goodAt, null));
    }
  });
}

async function fill(cards, choice, asked, signal) {
  const range = span(choice);
  const queries = cards.map((each) => each.queries({ ...asked, seconds: range.seconds }).map(queryOf));
  const when = { startsAt: new Date(range.startMs).toISOString(), endsAt: new Date(range.endMs).toISOString() };
  const calls = batches(queries.flat()).map((part) => post("ops/metrics", { ...when, queries: part }, signal));
  const answers = await Promise.all(calls);
  const results = new Map(answers.flatMap((answer) => answer.results).map((each) => [each.id, each]));
  const none = { times: [], values: [] };
  cards.forEach((each, at) => {
    if (queries[at].length) each.show({ get: (id) => results.get(id) ?? none }, range);
  });
}

async function sayWithoutCharts(place) {
  if (await library()) return;
  place.before(
    h("div", { class: "notice warning", role: "status" }, h("div", {}, h("strong", {}, "Numbers without charts"), h("p", {}, "The charting library is not installed (requirements-console.txt)."))),
  );
}
