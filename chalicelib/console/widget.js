/* One widget of a dashboard as a card: its title, its plot, its legend. Knows CloudWatch's views; asks nobody. */

import { alarmList } from "./alarms.js";
import { Chart, library } from "./chart.js";
import { h, keyed, mark, write } from "./dom.js";
import { figure, NONE } from "./format.js";
import { markdown } from "./markdown.js";
import { colour } from "./theme.js";
import { alarmNames, axesOf, marksOf, momentsOf, seriesOf, viewOf } from "./widgets.js";


const sum = (values) => values.reduce((all, each) => all + each, 0);
const TOGETHER = {
  Sum: sum,
  SampleCount: sum,
  Maximum: (values) => Math.max(...values),
  Minimum: (values) => Math.min(...values),
};

/** Makes the card of a widget: {node, queries(asked), show(results, range), alarms(items), close()}. */
export function card(widget, prefix) {
  if (widget.type === "text") return still(h("article", { class: "card widget text" }, markdown(widget.properties.markdown ?? "")));
  if (widget.type === "alarm") return alarmCard(widget.properties);
  if (widget.type === "metric") return metricCard(widget, prefix);
  return still(h("article", { class: "card widget" }, h("p", { class: "dim" }, `Widgets of type ${widget.type} are shown in CloudWatch only.`)));
}

function still(node) {
  return { node, queries: () => [], show() {}, alarms() {}, close() {} };
}

function alarmCard({ title = "Alarms", ...properties }) {
  const names = alarmNames(properties);
  const list = h("ul", { class: "alarms" });
  const node = h("article", { class: "card widget" }, h("h2", {}, title), h("div", { class: "scroll", tabindex: 0, role: "group", "aria-label": title }, list));
  return {
    ...still(node),
    alarms: (items) => alarmList(list, names.length ? items.filter((each) => names.includes(each.name)) : items),
  };
}

function metricCard(widget, prefix) {
  const { properties } = widget;
  const view = viewOf(properties);
  const hidden = new Set();
  const period = h("span", { class: "dim period" });
  const plot = h("div", { class: `plot ${view}` });
  const legend = h("ul", { class: "legend" });
  const head = h("header", {}, h("h2", { title: properties.title }, properties.title ?? "Untitled"), period);
  const node = h("article", { class: "card widget" }, head, plot, legend);
  const draw = (views[view] ?? views.timeSeries)(plot, legend, properties, hidden, () => last && show(...last));
  let series = [];
  let last = null;

  function show(results, range) {
    last = [results, range];
    const filled = series.map((each, at) => ({ ...each, ...results.get(each.id), color: each.color ?? colour(at) }));
    const nothing = filled.every((each) => each.values.length === 0);
    mark(node, "data-empty", nothing);
    draw.show(filled, range);
  }

  return {
    node,
    queries(asked) {
      const read = seriesOf(widget, prefix, asked);
      series = read.series;
      write(period, periodText(series, read.skipped));
      return series;
    },
    show,
    alarms() {},
    close: () => draw.close?.(),
  };
}

function periodText(series, skipped) {
  const periods = [...new Set(series.map((each) => each.periodSeconds))].sort((a, b) => a - b);
  const shown = periods.map((period) => (period % 60 ? `${period} s` : `${period / 60} min`)).join(", ");
  return skipped ? `${shown} · metric math in CloudWatch only` : shown;
}

const views = {
  timeSeries: (plot, legend, properties, hidden, again) => overTime(plot, legend, properties, hidden, again, "line"),
  stacked: (plot, legend, properties, hidden, again) => overTime(plot, legend, properties, hidden, again, "area"),
  bar: (plot, legend, properties) => bars(plot, legend, properties),
  table: (plot, legend, properties) => bars(plot, legend, properties),
  pie: (plot, legend, properties) => bars(plot, legend, properties),
  singleValue: (plot, legend, properties) => singles(plot, legend, properties),
  gauge: (plot, legend, properties) => dial(plot, legend, properties),
};

function overTime(plot, legend, properties, hidden, again, form) {
  const chart = new Chart(plot, { group: "dashboard" });
  const stacked = form === "area";
  const bare = without(plot);
  return {
    close: () => chart.close(),
    show(filled, range) {
      const drawn = filled.filter((each) => !hidden.has(each.id));
      const periodMs = Math.max(...filled.map((each) => each.periodSeconds), 1) * 1000;
      const points = stacked ? aligned(drawn, periodMs) : drawn.map(pointsOf);
      chart.draw({
        kind: "lines",
        ...range,
        periodMs,
        series: drawn.map((each, at) => ({ ...each, points: points[at], form, stack: stacked ? `axis${each.axis}` : null })),
        axes: axesOf(properties),
        marks: marksOf(properties),
        moments: momentsOf(properties),
      });
      legendOf(legend, filled, hidden, again, properties.legend?.position === "hidden");
      describe(plot, properties.title, filled);
      bare(filled);
    },
  };
}

function pointsOf({ times, values }) {
  return times.map((at, place) => [at * 1000, values[place]]);
}

/* Areas on top of each other need the same moments in each; what was not measured adds nothing. */
function aligned(series, periodMs) {
  const measured = [...new Set(series.flatMap((each) => each.times))].sort((a, b) => a - b);
  const times = measured.flatMap((at, place) => withBreak(measured[place - 1], at, periodMs / 1000));
  return series.map((each) => {
    const known = new Map(each.times.map((at, place) => [at, each.values[place]]));
    return times.map((at) => [at * 1000, known.get(at) ?? 0]);
  });
}

/* Where nothing was measured an area falls to zero at once, and rises at once. */
function withBreak(before, at, period) {
  return before !== undefined && at - before > period * 1.5 ? [before + period, at - period, at] : [at];
}

/* Says the numbers where the charting library is missing. */
function without(plot) {
  let table = null;
  return async (filled) => {
    if (await library()) return;
    if (!table) plot.replaceChildren((table = h("ul", { class: "rows" })));
    rows(table, filled);
  };
}

function legendOf(list, filled, hidden, again, none) {
  if (none) return;
  keyed(list, filled, (each) => each.id, (each) => legendEntry(each, hidden, again), updateLegend);
}

function legendEntry(each, hidden, again) {
  const swatch = h("span", { class: "swatch", "aria-hidden": "true" });
  const button = h("button", { type: "button", "aria-pressed": "true" }, swatch, h("span", {}, each.name), h("span", { class: "latest" }));
  button.addEventListener("click", () => {
    if (!hidden.delete(each.id)) hidden.add(each.id);
    mark(button, "aria-pressed", String(!hidden.has(each.id)));
    again();
  });
  return h("li", {}, button);
}

function updateLegend(node, each) {
  node.querySelector(".swatch").style.backgroundColor = each.color;
  write(node.querySelector(".latest"), latestText(each));
}

function bars(plot) {
  const list = h("ul", { class: "rows" });
  plot.append(list);
  return { show: (filled) => rows(list, filled) };
}

function rows(list, filled) {
  const most = Math.max(...filled.map((each) => latest(each) ?? 0), 0);
  keyed(list, filled, (each) => each.id, barRow, (node, each) => {
    write(node.querySelector(".name"), each.name);
    write(node.querySelector(".number"), latestText(each));
    const bar = node.querySelector(".bar > span");
    bar.style.width = `${most ? (100 * (latest(each) ?? 0)) / most : 0}%`;
    bar.style.backgroundColor = each.color;
  });
}

function barRow() {
  const bar = h("span", { class: "bar", "aria-hidden": "true" }, h("span"));
  return h("li", {}, h("span", { class: "name" }), bar, h("span", { class: "number" }));
}

function singles(plot) {
  const list = h("ul", { class: "singles" });
  plot.append(list);
  const make = () => h("li", {}, h("span", { class: "value" }), h("span", { class: "name" }, h("span", { class: "swatch", "aria-hidden": "true" }), h("span", { class: "label" })));
  return {
    show: (filled) =>
      keyed(list, filled, (each) => each.id, make, (node, each) => {
        write(node.querySelector(".value"), latestText(each));
        write(node.querySelector(".label"), each.name);
        node.querySelector(".swatch").style.backgroundColor = each.color;
      }),
  };
}

function dial(plot, legend, properties) {
  const place = h("div", { class: "dial" });
  const value = h("span", { class: "value" });
  const name = h("span", { class: "name" });
  plot.append(place, h("div", { class: "reading" }, value, name));
  const chart = new Chart(place);
  const [{ min, max }] = axesOf(properties);
  return {
    close: () => chart.close(),
    show([each]) {
      if (!each) return;
      write(value, latestText(each));
      write(name, each.name);
      chart.draw({ kind: "gauge", value: latest(each), min: min ?? 0, max: max ?? 100, color: each.color, marks: marksOf(properties) });
    },
  };
}

/* The last value; where a widget wants one for the whole range, its periods together, as far as its statistic allows. */
function latest({ values, whole, stat }) {
  if (values.length === 0) return null;
  return whole && TOGETHER[stat] ? TOGETHER[stat](values) : values.at(-1);
}

const latestText = (each) => (latest(each) === null ? NONE : figure(latest(each)));

function describe(plot, title, filled) {
  mark(plot, "role", "img");
  mark(plot, "aria-label", `${title ?? "Chart"}: ${filled.map((each) => `${each.name} ${latestText(each)}`).join(", ")}`);
}
