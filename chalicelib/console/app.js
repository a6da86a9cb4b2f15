/* The frame around the pages: the bar on top, which page is shown, who is there. A page is a module with
   `open(root, context)` that returns {refresh, close}; one is open at a time, and closing it ends all it began. */

import { watchAlarms } from "./alarms.js";
import { Clock } from "./clock.js";
import * as dashboard from "./dashboard.js";
import * as deadLetters from "./dead-letters.js";
import { h, mark, write } from "./dom.js";
import { timeOfDay } from "./format.js";
import { Identity } from "./identity.js";
import { listenToKeys } from "./keyboard.js";
import * as log from "./log.js";
import * as order from "./order.js";
import * as queue from "./queue.js";
import * as sale from "./sale.js";
import * as theme from "./theme.js";

const PAGES = [
  { name: "dashboard", title: "Dashboard", key: "d", open: dashboard.open },
  { name: "sale", title: "Sale", key: "s", open: sale.open },
  { name: "queue", title: "Queue", key: "q", open: queue.open },
  { name: "order", title: "Order", key: "o", open: order.open },
  { name: "dead-letters", title: "Dead letters", key: "x", open: deadLetters.open },
  { name: "log", title: "Log", key: "l", open: log.open },
];

const bar = document.getElementById("bar");
const main = document.getElementById("main");
const said = document.getElementById("said");
const clock = new Clock();
const updated = h("span", { class: "updated dim" });
const identity = new Identity({ clock, changed: () => (context.alarms.now(), show()) });
let current = null;

/* What every page is given. */
const context = {
  clock,
  query: new URLSearchParams(),
  rest: [],
  say: (text) => write(said, text),
  updated: (moment) => write(updated, `Updated ${timeOfDay(moment)}`),
  stage: () => identity.stage,
  mayChange: () => identity.mayChange,
  maySwitchSales: () => identity.maySwitchSales,
  unknown: () => identity.ask(),
  remember,
  guarded,
};
context.alarms = watchAlarms(context);

function start() {
  theme.apply();
  const links = PAGES.map((page) => h("a", { href: `#/${page.name}`, "data-page": page.name }, page.title));
  const nav = h("nav", { "aria-label": "Pages" }, links);
  const shade = h("button", { type: "button", class: "quiet", onclick: () => write(shade, shadeName(theme.next())) }, shadeName(theme.chosen()));
  bar.append(h("a", { class: "brand", href: "#/dashboard" }, "Onsale"), identity.stageNode, nav, h("div", { class: "bar-end" }, updated, context.alarms.node, identity.node, shade, keys()));
  addEventListener("hashchange", show);
  show();
}

function keys() {
  const help = listenToKeys(PAGES, { go: (name) => (location.hash = `#/${name}`), refresh: () => current?.refresh?.() });
  return h("button", { type: "button", class: "quiet", onclick: help, "aria-label": "Keys" }, "?");
}

function shadeName(choice) {
  return { auto: "Auto", light: "Light", dark: "Dark" }[choice];
}

/* Opens what the address says: #/page/rest?query. */
function show() {
  const [path, query = ""] = location.hash.replace(/^#\/?/, "").split("?");
  if (location.hash === "#main") return main.focus();
  const [name, ...rest] = path.split("/").map(decodeURIComponent);
  const page = PAGES.find((each) => each.name === name) ?? PAGES[0];
  current?.close();
  identity.leave();
  for (const dialog of document.querySelectorAll("dialog[open]")) dialog.close();
  context.query = new URLSearchParams(query);
  context.rest = rest.filter(Boolean);
  main.replaceChildren();
  write(updated, "");
  const root = h("div", { class: `page ${page.name}` });
  main.append(root);
  const first = current === null;
  current = page.open(root, context);
  identity.explain(root, context);
  document.title = `${page.title} · Onsale`;
  for (const link of bar.querySelectorAll("nav a")) mark(link, "aria-current", link.dataset.page === page.name ? "page" : null);
  if (!first) root.querySelector("h1")?.focus({ preventScroll: true });
  return undefined;
}

/* Puts values into the address without opening the page anew; null takes one away. */
function remember(values) {
  for (const [name, value] of Object.entries(values)) {
    if (value === null || value === "") context.query.delete(name);
    else context.query.set(name, value);
  }
  const query = context.query.toString();
  history.replaceState(null, "", `${location.hash.split("?")[0] || "#/dashboard"}${query ? `?${query}` : ""}`);
}

/* A switch: a button that those without the role see and cannot press. */
function guarded(button, may = () => identity.mayChange) {
  const follow = () => {
    button.disabled = !may() || button.dataset.off === "true";
    mark(button, "title", may() ? null : identity.why());
  };
  identity.watch(follow);
  follow();
  button.off = (off) => {
    button.dataset.off = String(off);
    follow();
  };
  return button;
}

start();
