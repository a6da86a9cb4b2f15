/* Keys: g and a letter goes to a page, r reads again, / searches, ? helps. They can be turned off, and are off
   while somebody types or a dialog is open. */

import { modal } from "./dialog.js";
import { h } from "./dom.js";

const SETTING = "onsale.keys";
const SEQUENCE_MS = 1_200;

const wanted = () => localStorage.getItem(SETTING) !== "off";

/** Listens; returns what shows the help. */
export function listenToKeys(pages, { go, refresh }) {
  let goUntil = 0;
  addEventListener("keydown", (event) => {
    if (!wanted() || event.ctrlKey || event.metaKey || event.altKey || busy(event.target)) return;
    const page = performance.now() < goUntil && pages.find((each) => each.key === event.key);
    goUntil = 0;
    if (page) go(page.name);
    else if (event.key === "g") goUntil = performance.now() + SEQUENCE_MS;
    else if (event.key === "r") refresh();
    else if (event.key === "?") help(pages);
    else if (event.key === "/") go("order");
    else return;
    event.preventDefault();
  });
  return () => help(pages);
}

function busy(target) {
  return document.querySelector("dialog[open]") !== null || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName);
}

function help(pages) {
  const box = h("input", { type: "checkbox", onchange: () => localStorage.setItem(SETTING, box.checked ? "on" : "off") });
  box.checked = wanted();
  const rows = [...pages.map((page) => [`g ${page.key}`, page.title]), ["/", "Search an order"], ["r", "Read again now"], ["?", "This help"], ["Esc", "Close a dialog"]];
  const list = rows.map(([keys, what]) => [h("dt", {}, keys.split(" ").map((key) => h("kbd", {}, key))), h("dd", {}, what)]);
  modal("Keys", h("dl", { class: "keys" }, list), h("label", { class: "check" }, box, " Use these keys"));
}
