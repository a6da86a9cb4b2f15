/* Numbers and times as people read them. Pure: values in, text out. */

const WHOLE = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });
const FINE = new Intl.NumberFormat("en", { maximumFractionDigits: 1, minimumFractionDigits: 1 });
const SHORT = new Intl.NumberFormat("en", { notation: "compact", maximumFractionDigits: 1 });
const TIME = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", second: "2-digit" });
const DAY = new Intl.DateTimeFormat("sv-SE", { year: "numeric", month: "2-digit", day: "2-digit" });

export const NONE = "–";

/** 12,345; a dash for nothing. */
export const count = (value) => (known(value) ? WHOLE.format(value) : NONE);

/** Whole numbers as such, small ones with one digit more: 0.4, 12, 1,234. */
export function figure(value) {
  if (!known(value)) return NONE;
  if (Number.isInteger(value) || Math.abs(value) >= 100) return WHOLE.format(value);
  return Math.abs(value) < 0.1 ? value.toPrecision(1) : FINE.format(value);
}

/** 12.3K, for an axis. */
export const short = (value) => (Math.abs(value) < 10_000 ? figure(value) : SHORT.format(value));

/** Always one digit after the point, so that it does not jump. */
export const rate = (value) => (known(value) ? FINE.format(value) : NONE);

/** 61.2 % of a part of a whole. */
export const share = (part, whole) => (whole > 0 ? `${FINE.format((100 * part) / whole)} %` : NONE);

/** 4.2 s, 2 m 05 s, 1 h 04 m, 3 d 02 h. */
export function duration(seconds) {
  if (!known(seconds)) return NONE;
  if (seconds < 60) return `${FINE.format(seconds)} s`;
  const whole = Math.round(seconds);
  if (whole < 3600) return pair(whole, 60, "m", 1, "s");
  if (whole < 86_400) return pair(whole, 3600, "h", 60, "m");
  return pair(whole, 86_400, "d", 3600, "h");
}

function pair(seconds, large, largeName, small, smallName) {
  const rest = Math.floor((seconds % large) / small);
  return `${Math.floor(seconds / large)} ${largeName} ${String(rest).padStart(2, "0")} ${smallName}`;
}

/** 21:04:05, in the reader's own time zone. */
export const timeOfDay = (moment) => (moment ? TIME.format(new Date(moment)) : NONE);

/** 2026-11-22 21:04:05. */
export const dateTime = (moment) =>
  moment ? `${DAY.format(new Date(moment))} ${TIME.format(new Date(moment))}` : NONE;

/** 21:04:05.123: a time line needs the milliseconds. */
export function exactTime(moment) {
  if (!moment) return NONE;
  const at = new Date(moment);
  return `${dateTime(at)}.${String(at.getMilliseconds()).padStart(3, "0")}`;
}

/** The zone that times are shown in, as an offset: UTC+01:00. */
export function zone(now = new Date()) {
  const minutes = -now.getTimezoneOffset();
  const size = Math.abs(minutes);
  const clock = [Math.floor(size / 60), size % 60].map((part) => String(part).padStart(2, "0")).join(":");
  return minutes === 0 ? "UTC" : `UTC${minutes < 0 ? "−" : "+"}${clock}`;
}

/** sold-out as "Sold out". */
export function words(code) {
  const text = String(code ?? NONE).replaceAll(/[-_]/g, " ");
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** "1 order", "2 orders". */
export const many = (number, noun) => `${count(number)} ${noun}${number === 1 ? "" : "s"}`;

function known(value) {
  return typeof value === "number" && Number.isFinite(value);
}
