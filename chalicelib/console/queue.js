/* The queue and its worker: how much waits, how fast it is done, and the switch that stops and starts it. */

import { post, read } from "./api.js";
import { Chart } from "./chart.js";
import { ask } from "./dialog.js";
import { h, mark, write } from "./dom.js";
import { count, duration, figure, words } from "./format.js";
import { live, tile } from "./live.js";
import { periodFor } from "./range.js";
import { colour } from "./theme.js";

const EVERY_MS = 1_000;
const HISTORY_EVERY_MS = 5_000;
const HISTORY_SECONDS = 900;
const HISTORY = [
  ["QueueDepth", "Waiting", 0],
  ["QueueInFlight", "In flight", 0],
  ["OldestAge", "Oldest, seconds", 1],
];

/** Opens the page in `root`; returns what closes it. */
export function open(root, context) {
  const head = h("div", { class: "page-head" }, h("h1", { tabindex: -1 }, "Queue"));
  const place = h("div", {});
  root.append(head, place);
  const tiles = [tile("Waiting", { wide: true }), tile("In flight"), tile("Delayed"), tile("Dead"), tile("Oldest waits"), tile("Done a minute")];
  const worker = fulfilment(context, () => job.now());
  const past = history_(context);
  const job = live(context, place, {
    everyMs: EVERY_MS,
    read: (signal) => read("ops/queue", {}, signal),
    draw(view, body) {
      if (!worker.node.isConnected) body.append(h("div", { class: "tiles six" }, tiles.map((each) => each.node)), worker.node, past.node);
      show(tiles, view);
      worker.show(view.fulfilment);
    },
  });
  return {
    refresh: () => job.now(),
    close() {
      job.stop();
      past.close();
    },
  };
}

function show([waiting, inFlight, delayed, dead, oldest, done], view) {
  waiting.set(count(view.waiting), "not yet handed over");
  inFlight.set(count(view.inFlight), "being decided");
  delayed.set(count(view.delayed), "come back later");
  dead.set(count(view.dead), view.dead ? "see Dead letters" : "none", view.dead ? "bad" : "");
  oldest.set(duration(view.oldestAgeSeconds), "accepted and undecided");
  done.set(view.donePerMinute === null ? "–" : count(Math.round(view.donePerMinute)), "orders decided");
}

function fulfilment(context, again) {
  const state = h("span", { class: "status", role: "status" });
  const facts = h("dl", { class: "facts" });
  const pause = switchButton(context, "Pause", "Orders are still accepted and wait on the queue; none is decided until it is resumed.", again);
  const resume = switchButton(context, "Resume", "The worker takes what waits, at once.", again);
  const node = h("section", { class: "card fulfilment" }, h("header", {}, h("h2", {}, "Fulfilment"), state, h("div", { class: "controls" }, pause, resume)), facts);
  return {
    node,
    show(view) {
      write(state, words(view.state.toLowerCase()));
      mark(state, "data-status", view.state === "Enabled" ? "on-sale" : view.state === "Disabled" ? "paused" : "scheduled");
      pause.off(view.state !== "Enabled");
      resume.off(view.state !== "Disabled");
      const most = view.maximumConcurrency === null ? "no limit set" : count(view.maximumConcurrency);
      list(facts, [["Batch size", count(view.batchSize)], ["Batch window", duration(view.windowSeconds)], ["Workers at a time", most]]);
    },
  };
}

function switchButton(context, verb, text, again) {
  const press = () =>
    ask({
      title: `${verb} fulfilment?`,
      text,
      verb: `${verb} fulfilment`,
      act: async (reason) => {
        await post(`ops/fulfilment/${verb.toLowerCase()}`, reason ? { reason } : {});
        context.say(`Fulfilment: ${verb.toLowerCase()} was done.`);
        again();
      },
    });
  return context.guarded(h("button", { type: "button", onclick: press }, verb));
}

function list(node, pairs) {
  if (node.children.length === 0) node.append(...pairs.flatMap(([name]) => [h("dt", {}, name), h("dd", {})]));
  pairs.forEach(([, value], at) => write(node.children[2 * at + 1], value));
}

/* The last quarter of an hour, from the same metrics as the dashboard. */
function history_(context) {
  const plot = h("div", { class: "plot curve", role: "img", "aria-label": "Queue, last 15 minutes" });
  const note = h("span", { class: "dim" }, "last 15 minutes");
  const names = h("ul", { class: "legend still" }, HISTORY.map(([, name], at) => h("li", {}, swatch(at), name, h("span", { class: "latest" }))));
  const node = h("section", { class: "card" }, h("header", {}, h("h2", {}, "How it went"), note), plot, names);
  const chart = new Chart(plot);
  const job = context.clock.add(HISTORY_EVERY_MS, async (signal) => {
    try {
      const endMs = Date.now();
      const startMs = endMs - HISTORY_SECONDS * 1000;
      const { results } = await post("ops/metrics", question(startMs, endMs, context.stage()), signal);
      chart.draw(model(startMs, endMs, results));
      results.forEach((each) => write(names.children[Number(each.id.slice(1))].querySelector(".latest"), figure(each.values.at(-1))));
      write(note, "last 15 minutes");
    } catch (error) {
      if (!signal.aborted) write(note, error.message);
    }
  });
  return { node, close: () => (job.stop(), chart.close()) };
}

function swatch(at) {
  const node = h("span", { class: "swatch", "aria-hidden": "true" });
  node.style.backgroundColor = colour(at);
  return node;
}

function question(startMs, endMs, stage) {
  return {
    startsAt: new Date(startMs).toISOString(),
    endsAt: new Date(endMs).toISOString(),
    queries: HISTORY.map(([metric], at) => ({ id: `h${at}`, namespace: "Onsale", metric, dimensions: { Stage: stage }, stat: "Maximum", periodSeconds: periodFor(HISTORY_SECONDS) })),
  };
}

function model(startMs, endMs, results) {
  const found = new Map(results.map((each) => [each.id, each]));
  return {
    kind: "lines",
    startMs,
    endMs,
    periodMs: periodFor(HISTORY_SECONDS) * 1000,
    axes: [{ label: "Messages", whole: true }, { label: "Seconds" }],
    series: HISTORY.map(([, name, axis], at) => {
      const { times, values } = found.get(`h${at}`) ?? { times: [], values: [] };
      return { id: `h${at}`, name, color: colour(at), axis, form: "line", points: times.map((time, place) => [time * 1000, values[place]]) };
    }),
  };
}
