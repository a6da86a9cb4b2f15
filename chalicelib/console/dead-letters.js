/* Messages that could not be handled: the list, what each holds, and why it failed. What is done with them is in
   dead-letter-verbs.js. */

import { read } from "./api.js";
import { modal } from "./dialog.js";
import { h, write } from "./dom.js";
import { count, dateTime, exactTime, many, words } from "./format.js";
import { empty, live, notice } from "./live.js";
import { verbs } from "./dead-letter-verbs.js";

const EVERY_MS = 3_000;
const LIMIT = 50;
const STATES = ["dead", "failing", "redriven", "deleted"];
const FIELDS = [
  ["eventId", "Event", "number"],
  ["userId", "Buyer", "text"],
  ["reason", "Reason", "text"],
];

/** Opens the page in `root`; the address holds the filters. Returns what closes it. */
export function open(root, context) {
  const state = { cursors: [], selected: new Set(), page: null, filter: fromAddress(context.query) };
  const total = h("span", { class: "dim number" });
  const list = letterTable(state, {
    opened: (letter) => inspect(context, letter),
    chosen: () => tools.show(),
    turned: () => job.now(),
  });
  const tools = verbs(context, state, () => job.now());
  const place = h("div", {});
  root.append(h("div", { class: "page-head" }, h("h1", { tabindex: -1 }, "Dead letters"), total), filterForm(state, filtered), tools.node, place);
  const job = live(context, place, {
    everyMs: EVERY_MS,
    read: (signal) => read("ops/dead-letters", { ...state.filter, cursor: state.cursors.at(-1), limit: LIMIT }, signal),
    draw(page, body) {
      if (!list.node.isConnected) body.append(list.node);
      state.page = page;
      write(total, many(page.total, "letter"));
      list.show(page);
      tools.show();
    },
  });

  function filtered(filter) {
    state.filter = filter;
    state.cursors = [];
    state.selected.clear();
    context.remember({ eventId: null, userId: null, reason: null, state: filter.state ?? "any", ...filter });
    job.now();
  }

  return {
    refresh: () => job.now(),
    close() {
      job.stop();
      tools.close();
    },
  };
}

function fromAddress(query) {
  const given = [...FIELDS.map(([name]) => name)].map((name) => [name, query.get(name) || undefined]);
  const state = query.get("state") ?? "dead";
  return { ...Object.fromEntries(given), state: STATES.includes(state) ? state : undefined };
}

function filterForm(state, filtered) {
  const fields = FIELDS.map(([name, label, type]) => {
    const input = h("input", { type, name, maxlength: 128, min: type === "number" ? 1 : null, autocomplete: "off", value: state.filter[name] });
    return h("label", { class: "field" }, h("span", {}, label), input);
  });
  const which = h("select", { name: "state" }, h("option", { value: "" }, "Any state"), STATES.map((each) => h("option", { value: each }, words(each))));
  which.value = state.filter.state ?? "";
  const form = h("form", { class: "filters card" }, h("label", { class: "field" }, h("span", {}, "State"), which), fields);
  form.append(h("button", { type: "submit", class: "primary" }, "Filter"), h("button", { type: "button", onclick: clear }, "Clear"));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const given = [...new FormData(form)].map(([name, value]) => [name, value.trim() || undefined]);
    filtered(Object.fromEntries(given));
  });
  which.addEventListener("change", () => form.requestSubmit());
  function clear() {
    for (const input of form.querySelectorAll("input")) input.value = "";
    which.value = "dead";
    form.requestSubmit();
  }
  return form;
}

function letterTable(state, { opened, chosen, turned }) {
  const all = h("input", { type: "checkbox", "aria-label": "Select all on this page" });
  const body = h("tbody");
  const head = ["State", "Reason", "Buyer", "Event", "Failures", "Moved aside", "Message"].map((name) => h("th", { scope: "col" }, name));
  const nothing = h("div", {});
  const scroll = h("div", { class: "card table", tabindex: 0, role: "region", "aria-label": "Dead letters" }, h("table", {}, h("thead", {}, h("tr", {}, h("td", {}, all), head)), body));
  const back = h("button", { type: "button", onclick: () => (state.cursors.pop(), turned()) }, "Previous");
  const on = h("button", { type: "button", onclick: () => (state.cursors.push(state.page.nextCursor), turned()) }, "Next");
  const node = h("div", {}, nothing, scroll, h("div", { class: "pages" }, back, on));
  let drawn = "";
  all.addEventListener("change", () => {
    for (const box of body.querySelectorAll("input")) {
      box.checked = all.checked;
      select(state, box.value, box.checked);
    }
    chosen();
  });

  return {
    node,
    show(page) {
      const text = JSON.stringify(page.items);
      back.disabled = state.cursors.length === 0;
      on.disabled = !page.nextCursor;
      scroll.hidden = page.items.length === 0;
      nothing.replaceChildren(...(page.items.length ? [] : [none(state.filter)]));
      if (text === drawn && state.selected.size >= body.querySelectorAll(":checked").length) return;
      drawn = text;
      const focused = document.activeElement?.dataset?.focus;
      body.replaceChildren(...page.items.map((letter) => row(letter, state, opened, chosen)));
      if (focused) body.querySelector(`[data-focus="${CSS.escape(focused)}"]`)?.focus();
      all.checked = false;
    },
  };
}

function none(filter) {
  const any = Object.entries(filter).some(([name, value]) => value && name !== "state");
  if (any) return empty("Nothing matches", "No letter fits these filters.");
  return empty("No dead letters", "Every message that came was handled.");
}

function select(state, id, on) {
  if (on) state.selected.add(id);
  else state.selected.delete(id);
}

function row(letter, state, opened, chosen) {
  const id = letter.messageId;
  const box = h("input", { type: "checkbox", value: id, "aria-label": `Select ${id}`, "data-focus": `box ${id}` });
  box.checked = state.selected.has(id);
  box.addEventListener("change", () => (select(state, id, box.checked), chosen()));
  return h(
    "tr",
    {},
    h("td", {}, box),
    h("td", {}, h("span", { class: "status", "data-status": letter.state }, words(letter.state))),
    h("td", { class: "reason" }, letter.reason),
    h("td", {}, letter.userId ?? "–"),
    h("td", {}, letter.eventId ? h("a", { href: `#/sale/${letter.eventId}` }, letter.eventId) : "–"),
    h("td", { class: "number" }, count(letter.failures)),
    h("td", { class: "number" }, dateTime(letter.movedAt)),
    h("td", {}, h("button", { type: "button", class: "link mono", "data-focus": `open ${id}`, onclick: () => opened(letter) }, id)),
  );
}

function inspect(context, letter) {
  const place = h("div", { "aria-busy": "true" }, h("div", { class: "skeleton short", "aria-hidden": "true" }));
  const node = modal(`Message ${letter.messageId}`, place);
  node.classList.add("large");
  const job = context.clock.add(0, async (signal) => {
    try {
      place.replaceChildren(...detail(await read(`ops/dead-letters/${encodeURIComponent(letter.messageId)}`, {}, signal)));
    } catch (error) {
      if (!signal.aborted) place.replaceChildren(notice(error, null, () => job.now()));
    }
    place.removeAttribute("aria-busy");
  });
  node.addEventListener("close", () => job.stop());
}

function detail(letter) {
  const facts = [
    ["State", words(letter.state)],
    ["A replay now", `${words(letter.replay?.verdict ?? "unknown")}. ${letter.replay?.detail ?? ""}`],
    ["Reason", letter.reason],
    ["Buyer", letter.userId ?? "–"],
    ["Order", letter.orderId ? h("a", { href: `#/order/${letter.orderId}`, class: "mono" }, letter.orderId) : "–"],
    ["Deliveries", count(letter.receiveCount)],
    ["First failed", dateTime(letter.recordedAt)],
    ["Moved aside", dateTime(letter.movedAt)],
  ];
  const attempts = letter.attempts.map((each) => h("li", {}, h("time", { class: "number" }, exactTime(each.failedAt)), ` delivery ${each.receiveCount}: `, h("span", { class: "reason" }, each.reason)));
  return [
    h("dl", { class: "facts" }, facts.map(([name, value]) => [h("dt", {}, name), h("dd", {}, value)])),
    h("h3", {}, "Attempts"),
    attempts.length ? h("ol", { class: "history" }, attempts) : h("p", { class: "dim" }, "No attempt was recorded."),
    h("h3", {}, "Body"),
    h("pre", { tabindex: 0, role: "region", "aria-label": "Body" }, pretty(letter.body)),
  ];
}

function pretty(text) {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text ?? "";
  }
}
