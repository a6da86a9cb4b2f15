/* What a chart looks like, as ECharts' option objects. Pure but for the colours of the moment. */

import { figure, short, timeOfDay } from "./format.js";
import { ink } from "./theme.js";

const FONT = 'system-ui, -apple-system, "Segoe UI", Roboto, sans-serif';
const GAP_PERIODS = 3;
const GAP_LEAST_MS = 15_000;
const FAR_ABOVE = 1e12;

/** Lines, areas and bars over time: {startMs, endMs, periodMs, series: [{id, name, color, points: [[ms, value]], axis,
   form: "line" | "area" | "bar", stack}], axes: [{label, min, max}] x 2, marks, moments}. */
export function lines(model, width) {
  const tone = ink();
  const axes = model.axes ?? [{}, {}];
  const right = model.series.some((each) => each.axis === 1);
  return {
    animation: false,
    textStyle: { fontFamily: FONT, color: tone.text },
    grid: { left: 4, right: right ? 4 : 24, top: axes.some((axis) => axis.label) ? 26 : 12, bottom: 2, containLabel: true },
    tooltip: tooltip(tone, model),
    axisPointer: { lineStyle: { color: tone.text, type: "solid" }, label: { show: false } },
    xAxis: timeAxis(model, tone, width),
    yAxis: axes.map((axis, at) => valueAxis(axis, at, at === 0 || right, tone)),
    series: series(model, tone),
  };
}

function timeAxis({ startMs, endMs }, tone, width) {
  const seconds = (endMs - startMs) / 1000;
  return {
    type: "time",
    min: startMs,
    max: endMs,
    splitNumber: Math.max(2, Math.round(width / 130)),
    axisLine: { lineStyle: { color: tone.line } },
    axisTick: { show: false },
    splitLine: { show: false },
    axisLabel: {
      color: tone.text,
      fontSize: 11,
      hideOverlap: true,
      formatter: (at) => (seconds <= 900 ? timeOfDay(at) : timeOfDay(at).slice(0, 5)),
    },
  };
}

function valueAxis(axis, at, show, tone) {
  return {
    id: `axis${at}`,
    type: "value",
    show,
    position: at === 0 ? "left" : "right",
    min: axis.min ?? ((range) => Math.min(0, range.min)),
    max: axis.max ?? null,
    minInterval: axis.whole ? 1 : null,
    name: axis.label ?? "",
    nameGap: 10,
    nameTextStyle: { color: tone.text, fontSize: 11, align: at === 0 ? "left" : "right", padding: [0, 0, 0, 0] },
    splitNumber: 3,
    splitLine: { show: at === 0, lineStyle: { color: tone.line } },
    axisLine: { show: false },
    axisLabel: { color: tone.text, fontSize: 11, formatter: short, showMaxLabel: typeof axis.max === "function" ? false : null },
  };
}

function series(model, tone) {
  const shown = model.series.filter((each) => !each.stack || each.points.some((point) => point[1]));
  const drawn = shown.flatMap((each) => [oneSeries(each, model.periodMs), ...dots(each, model.periodMs)]);
  const notes = annotations(model, tone);
  return notes ? [...drawn, notes.left, notes.right] : drawn;
}

function oneSeries(each, periodMs) {
  const points = each.form === "line" ? broken(each.points, periodMs) : each.points;
  return {
    id: each.id,
    name: each.name,
    type: each.form === "bar" ? "bar" : "line",
    yAxisIndex: each.axis ?? 0,
    stack: each.stack ?? null,
    stackStrategy: "all",
    data: points,
    color: each.color,
    step: each.step ?? false,
    showSymbol: false,
    symbol: "circle",
    lineStyle: { width: each.width ?? (each.stack ? 1 : 1.75) },
    areaStyle: each.form === "area" ? { opacity: each.stack ? 0.55 : 0.12 } : null,
    itemStyle: each.form === "bar" ? { opacity: 0.75 } : null,
    barCategoryGap: "10%",
    barMaxWidth: 48,
    emphasis: { disabled: true },
  };
}

/* A point with nothing near it on either side would be a line without a length. */
function dots(each, periodMs) {
  if (each.form !== "line") return [];
  const longest = longestGap(periodMs);
  const far = (a, b) => !a || !b || Math.abs(a[0] - b[0]) > longest;
  const alone = each.points.filter((point, at, all) => far(point, all[at - 1]) && far(point, all[at + 1]));
  const look = { type: "scatter", symbolSize: 5, color: each.color, silent: true, emphasis: { disabled: true } };
  return alone.length ? [{ ...look, id: `${each.id} dots`, name: each.name, yAxisIndex: each.axis ?? 0, data: alone }] : [];
}

const longestGap = (periodMs = 1000) => Math.max(GAP_PERIODS * periodMs, GAP_LEAST_MS);

/* A line ends where nothing was measured for a while, instead of running on as if it had been. */
function broken(points, periodMs) {
  const longest = longestGap(periodMs);
  const found = [];
  let before = null;
  for (const point of points) {
    if (before !== null && point[0] - before > longest) found.push([before + 1, null]);
    found.push(point);
    before = point[0];
  }
  return found;
}

function annotations({ marks = [], moments = [], axes = [] }, tone) {
  if (marks.length + moments.length === 0) return null;
  const side = (axis) => ({
    id: `notes${axis}`,
    type: "line",
    yAxisIndex: axis,
    data: [],
    silent: true,
    markLine: {
      silent: true,
      animation: false,
      symbol: "none",
      data: [
        ...marks.filter((each) => each.axis === axis).map((each) => lineMark(each, tone)),
        ...(axis === 0 ? moments.map((each) => momentMark(each, tone)) : []),
      ],
    },
    markArea: { silent: true, animation: false, data: marks.filter((each) => each.axis === axis).flatMap((each) => area(each, axes[axis], tone)) },
  });
  return { left: side(0), right: side(1) };
}

function lineMark({ value, label, color, axis }, tone) {
  return {
    yAxis: value,
    lineStyle: { color: color ?? tone.bad, type: "dashed", width: 1.25 },
    label: { formatter: label, position: axis === 1 ? "insideEndBottom" : "insideStartBottom", ...plate(tone) },
  };
}

function momentMark({ at, label, color }, tone) {
  return {
    xAxis: at,
    lineStyle: { color: color ?? tone.strong, type: "dashed", width: 1 },
    label: { formatter: label, position: "insideEndTop", rotate: 0, ...plate(tone) },
  };
}

/* A label keeps its own ground: it may stand on a line. */
function plate(tone) {
  return { color: tone.text, fontSize: 11, backgroundColor: tone.card, padding: [1, 4], borderRadius: 3 };
}

function area({ value, upTo, color, fill }, axis, tone) {
  if (fill === "none" || fill === undefined) return [];
  const style = { color: color ?? tone.bad, opacity: 0.1 };
  if (fill === "band") return [[{ yAxis: value, itemStyle: style }, { yAxis: upTo }]];
  if (fill === "below") return [[{ yAxis: axis?.min ?? 0, itemStyle: style }, { yAxis: value }]];
  return [[{ yAxis: value, itemStyle: style }, { yAxis: axis?.max ?? FAR_ABOVE }]];
}

/* richText: an HTML tooltip would need inline styles, which the page's policy forbids. */
function tooltip(tone, model) {
  const unit = new Map(model.series.map((each) => [each.id, each.unit ?? ""]));
  return {
    trigger: "axis",
    renderMode: "richText",
    confine: true,
    backgroundColor: tone.card,
    borderColor: tone.text,
    borderWidth: 1,
    padding: [8, 10],
    textStyle: { color: tone.strong, fontSize: 12, fontFamily: FONT },
    axisPointer: { type: "line", snap: true },
    formatter: (shown) => {
      const rows = shown.filter((each) => each.seriesType !== "scatter" && each.value?.[1] !== null && each.value?.[1] !== undefined);
      if (rows.length === 0) return "";
      const lines = rows.map((each) => `${each.marker} ${each.seriesName}  ${figure(each.value[1])}${unit.get(each.seriesId) ?? ""}`);
      return [timeOfDay(rows[0].value[0]), ...lines].join("\n");
    },
  };
}

/** One value between two ends: {name, value, min, max, marks}. Its text is the page's own. */
export function gauge({ value, min, max, marks = [], color }) {
  const tone = ink();
  const bands = marks.filter((each) => each.fill !== "none").map((each) => [(each.value - min) / (max - min), each.color ?? tone.bad]);
  return {
    animation: false,
    series: [
      {
        id: "gauge",
        type: "gauge",
        startAngle: 200,
        endAngle: -20,
        min,
        max,
        center: ["50%", "68%"],
        radius: "100%",
        silent: true,
        progress: { show: true, width: 14, itemStyle: { color } },
        axisLine: { lineStyle: { width: 14, color: [[1, tone.line]] } },
        pointer: { show: false },
        axisTick: { show: false },
        splitLine: { show: bands.length > 0, length: 0 },
        axisLabel: { show: true, distance: -14, color: tone.text, fontSize: 11, formatter: (at) => (at === min || at === max ? short(at) : "") },
        detail: { show: false },
        title: { show: false },
        data: [{ value: Math.min(Math.max(value ?? min, min), max) }],
      },
    ],
  };
}
