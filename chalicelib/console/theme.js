/* Light or dark: the reader's system decides until they do. Canvas cannot read a style sheet, so the colours of
   charts are here; each stands out 3:1 from its background. */

const KEY = "onsale.theme";
const ORDER = ["auto", "light", "dark"];
const system = matchMedia("(prefers-color-scheme: dark)");
const listeners = new Set();

const LIGHT = ["#1f77b4", "#c75300", "#2b8a3e", "#c0272d", "#7b52ab", "#8c564b", "#b8448f", "#5f6b7a", "#7d7e00", "#0b7f8d"];
const DARK = ["#5aa9e6", "#ff9f4a", "#5fca6b", "#ff7b7b", "#b796e8", "#c9a08f", "#ef8fd0", "#aab4c0", "#d4d54a", "#45cfe0"];

system.addEventListener("change", () => tell());

/** auto, light or dark, as chosen. */
export const chosen = () => localStorage.getItem(KEY) ?? "auto";

/** Whether the page is dark at the moment. */
export const isDark = () => (chosen() === "auto" ? system.matches : chosen() === "dark");

/** Takes the next of auto, light, dark; returns it. */
export function next() {
  const following = ORDER[(ORDER.indexOf(chosen()) + 1) % ORDER.length];
  localStorage.setItem(KEY, following);
  apply();
  tell();
  return following;
}

/** Brings the choice onto the page. */
export function apply() {
  document.documentElement.dataset.theme = chosen();
}

/** Calls `listener` when light turns dark or back; returns what ends that. */
export function whenChanged(listener) {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** The colour of the series at a place. */
export const colour = (at) => (isDark() ? DARK : LIGHT)[at % LIGHT.length];

/** What a chart is drawn with besides its series. */
export const ink = () =>
  isDark()
    ? { text: "#a9b4c0", strong: "#ebebf0", line: "#2c3642", card: "#161d26", bad: "#ff7b7b", good: "#5fca6b" }
    : { text: "#545b66", strong: "#0f141a", line: "#e4e6ea", card: "#ffffff", bad: "#c0272d", good: "#2b8a3e" };

function tell() {
  for (const listener of listeners) listener();
}
