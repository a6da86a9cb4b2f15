/* Reads a CloudWatch dashboard body: the short forms of its metric arrays, its views, axes and annotations, as
   AWS's "Dashboard body structure and syntax" describes them. Pure: it draws nothing and fetches nothing. */

import { metricPeriod } from "./range.js";

const DEFAULT_STAT = "Average";
const DEFAULT_PERIOD = 300;
const GRID_COLUMNS = 24;

/**
 * Writes out `metrics` of a widget: one entry a metric, {namespace, metric, dimensions, …options}.
 *
 * "." stands for what the array before has in its place, "..." for all that comes before the rest. Entries of
 * metric math, and those that are not visible, are left out and counted.
 */
export function expand(metrics = []) {
  const found = [];
  let before = [];
  let skipped = 0;
  for (const row of metrics) {
    const options = isOptions(row.at(-1)) ? row.at(-1) : {};
    const words = filled(isOptions(row.at(-1)) ? row.slice(0, -1) : row, before);
    if (options.expression) skipped += 1;
    else {
      before = words;
      if (options.visible !== false) found.push(entry(words, options));
    }
  }
  return { entries: found, skipped };
}

function isOptions(last) {
  return typeof last === "object" && last !== null;
}

function filled(words, before) {
  if (words[0] === "...") {
    const rest = words.slice(1);
    return [...before.slice(0, before.length - rest.length), ...filledDots(rest, before.slice(before.length - rest.length))];
  }
  return filledDots(words, before);
}

function filledDots(words, before) {
  return words.map((word, at) => (word === "." ? before[at] : word));
}

function entry([namespace, metric, ...rest], options) {
  const dimensions = {};
  for (let at = 0; at + 1 < rest.length; at += 2) dimensions[rest[at]] = rest[at + 1];
  return { ...options, namespace, metric, dimensions };
}

/** Where a widget stands on the grid, in columns and rows from 1; what lies outside is brought in. */
export function placeOf(widget, at) {
  const width = Math.min(Math.max(widget.width ?? 6, 1), GRID_COLUMNS);
  const column = Math.min(Math.max(widget.x ?? 0, 0), GRID_COLUMNS - width) + 1;
  const height = Math.max(widget.height ?? 6, 1);
  return { column, width, row: (widget.y ?? at * height) + 1, height };
}

/** The view of a metric widget: timeSeries, stacked, singleValue, gauge, bar or table. */
export function viewOf(properties) {
  const view = properties.view ?? "timeSeries";
  return view === "timeSeries" && properties.stacked ? "stacked" : view;
}

/**
 * What a widget shows: its series, each with the query that fills it. `prefix` keeps ids apart.
 *
 * `asked` is {seconds, stage, inherit}: how long a time, on which stage, and whether widgets keep their own period.
 */
export function seriesOf(widget, prefix, asked) {
  const { properties } = widget;
  const { entries, skipped } = expand(properties.metrics);
  const series = entries.map((each, at) => {
    const stat = each.stat ?? properties.stat ?? DEFAULT_STAT;
    const periodSeconds = periodOf(each, properties, asked);
    return {
      id: `${prefix}m${at}`,
      name: each.label ?? nameOf(each, entries, stat),
      stat,
      color: each.color ?? null,
      axis: each.yAxis === "right" ? 1 : 0,
      whole: properties.setPeriodToTimeRange === true,
      namespace: each.namespace,
      metric: each.metric,
      dimensions: each.dimensions,
      periodSeconds,
    };
  });
  return { series, skipped };
}

function periodOf(each, properties, { seconds: rangeSeconds, stage, inherit }) {
  const wanted = each.period ?? properties.period;
  const whole = properties.setPeriodToTimeRange;
  if (whole) return Math.max(60, Math.ceil(rangeSeconds / 60) * 60);
  const single = ["singleValue", "gauge"].includes(viewOf(properties));
  if (single && wanted) return wanted;
  return metricPeriod(rangeSeconds, each.namespace, stage, inherit ? (wanted ?? DEFAULT_PERIOD) : null);
}

function nameOf(each, entries, stat) {
  const others = entries.filter((other) => other.metric === each.metric);
  if (others.length === 1) return each.metric;
  const values = Object.values(each.dimensions);
  const differs = others.some((other) => Object.values(other.dimensions).join() !== values.join());
  return `${each.metric} ${differs ? values.at(-1) : stat}`;
}

/** The query of one series, as POST /ops/metrics takes it. */
export const queryOf = ({ id, namespace, metric, dimensions, stat, periodSeconds }) => ({
  id,
  namespace,
  metric,
  dimensions,
  stat,
  periodSeconds,
});

/** Cuts queries into calls of at most a hundred. */
export function batches(queries, most = 100) {
  const parts = [];
  for (let at = 0; at < queries.length; at += most) parts.push(queries.slice(at, at + most));
  return parts;
}

/** The axes of a widget: [left, right] with min, max and label; null where CloudWatch chooses. */
export function axesOf({ yAxis = {} }) {
  return [yAxis.left, yAxis.right].map((side) => ({
    min: side?.min ?? null,
    max: side?.max ?? null,
    label: side?.label ?? "",
  }));
}

/** Horizontal annotations, a band (an array of two) as its lower line that is filled up to the upper. */
export function marksOf({ annotations = {} }) {
  return (annotations.horizontal ?? []).filter((each) => [].concat(each)[0].visible !== false).map(markOf);
}

function markOf(given) {
  const [first, second] = [].concat(given);
  return {
    value: first.value,
    upTo: second?.value ?? null,
    label: first.label ?? "",
    color: first.color ?? null,
    fill: second ? "band" : (first.fill ?? "none"),
    axis: first.yAxis === "right" ? 1 : 0,
  };
}

/** Vertical annotations: moments that mattered. */
export const momentsOf = ({ annotations = {} }) =>
  (annotations.vertical ?? [])
    .map((each) => [].concat(each)[0])
    .map((each) => ({ at: Date.parse(each.value), label: each.label ?? "", color: each.color ?? null }));

/** The names of the alarms of an alarm widget, from their ARNs; none are all. */
export const alarmNames = ({ alarms = [] }) => alarms.map((arn) => arn.split(":alarm:").at(-1));
