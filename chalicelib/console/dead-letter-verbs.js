/* What can be done with dead letters: ask what a replay would do, redrive, delete. Each verb works on the selected,
   the filtered, or all of them. A redrive is asked for again until it is done, with its progress on the page. */

import { post } from "./api.js";
import { ask, modal } from "./dialog.js";
import { h, write } from "./dom.js";
import { count, many, words } from "./format.js";

const DELETE_AT_ONCE = 100;
const REDRIVE_AT_ONCE = 500;
const VERDICTS = {
  valid: "would be sold",
  "already-applied": "is decided already; a replay changes nothing",
  "sold-out": "would be rejected: sold out",
  "hold-expired": "is reserved no more",
  "would-be-rejected": "would be rejected",
  undecodable: "cannot be read; only deleting helps",
};

/** The row of verbs: {node, show, close}; `again()` is called when the list should be read anew. */
export function verbs(context, state, again) {
  const scope = h("select", { "aria-label": "Which letters" });
  const options = ["selected", "filtered", "all"].map((value) => h("option", { value }));
  scope.append(...options);
  const progress = progressLine();
  const button = (name, look, press) => h("button", { type: "button", class: look, onclick: press }, name);
  const dry = button("Dry run", "", () => dryRun(selection()));
  const redrive = context.guarded(button("Redrive", "primary", () => askRedrive(selection())));
  const remove = context.guarded(button("Delete", "danger-quiet", () => askDelete()));
  const node = h("div", { class: "verbs" }, scope, dry, redrive, remove, progress.node);
  let closed = false;
  let touched = false;
  scope.addEventListener("change", () => ((touched = true), show()));

  function show() {
    const filtered = Object.entries(state.filter).some(([name, value]) => value && name !== "state");
    write(options[0], `${count(state.selected.size)} selected`);
    write(options[1], "All that match the filter");
    write(options[2], "All dead letters");
    options[1].hidden = options[1].disabled = !filtered;
    if (!touched || (options[1].disabled && scope.value === "filtered")) scope.value = "selected";
    const nothing = scope.value === "selected" && state.selected.size === 0;
    dry.disabled = nothing;
    redrive.off(nothing);
    remove.off(state.selected.size === 0 || scope.value !== "selected");
  }

  function selection() {
    if (scope.value === "all") return { all: true };
    if (scope.value === "selected") return { messageIds: [...state.selected].slice(0, REDRIVE_AT_ONCE) };
    const { eventId, userId, reason } = state.filter;
    return { filter: { eventId: eventId ? Number(eventId) : undefined, userId, reason } };
  }

  function askRedrive(which) {
    ask({
      title: `Redrive ${named(scope, state)}?`,
      text: "Each goes to the order queue again and is decided like a new message: what is decided already changes nothing.",
      verb: "Redrive",
      act: async (reason) => {
        const first = await post("ops/dead-letters/redrive", { ...which, ...(reason && { reason }) });
        goOn(which, reason, first);
      },
    });
  }

  async function goOn(which, reason, first) {
    let told = first;
    let moved = first.moved;
    progress.show(moved, told);
    try {
      while (!told.done && !closed && (told.moved > 0 || told.via === "move-task")) {
        if (told.moved === 0) await pause(1000);
        told = await post("ops/dead-letters/redrive", { ...which, ...(reason && { reason }) });
        moved += told.moved;
        progress.show(moved, told);
      }
      context.say(`${many(moved, "letter")} redriven.`);
    } catch (error) {
      progress.fail(error);
    }
    state.selected.clear();
    again();
    show();
  }

  function askDelete() {
    const messageIds = [...state.selected].slice(0, DELETE_AT_ONCE);
    ask({
      title: `Delete ${many(messageIds.length, "letter")}?`,
      text: "They cannot be brought back. An order that can be read and is undecided is cancelled, so that its buyer has an answer.",
      verb: "Delete",
      danger: true,
      reason: "required",
      act: async (reason) => {
        const { deleted, left } = await post("ops/dead-letters/delete", { messageIds, reason });
        progress.say(`${many(deleted, "letter")} deleted${left ? `, ${count(left)} left` : ""}.`);
        state.selected.clear();
        again();
        show();
      },
    });
  }

  show();
  return { node, show, close: () => (closed = true) };
}

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

function named(scope, state) {
  return { all: "all dead letters", filtered: "all that match the filter", selected: many(state.selected.size, "letter") }[scope.value];
}

function progressLine() {
  const bar = h("progress", { max: 1, "aria-label": "Redrive" });
  const text = h("span", { class: "number" });
  const node = h("div", { class: "progress", role: "status", hidden: true }, bar, text);
  const say = (words_) => {
    node.hidden = false;
    write(text, words_);
  };
  return {
    node,
    say(words_) {
      bar.hidden = true;
      say(words_);
    },
    fail: (error) => say(`Stopped: ${error.message}`),
    show(moved, { left, done }) {
      bar.hidden = done;
      bar.value = moved + left > 0 ? moved / (moved + left) : 1;
      say(done ? `${many(moved, "letter")} redriven.` : `${count(moved)} redriven, ${count(left)} left …`);
    },
  };
}

async function dryRun(which) {
  const place = h("div", { "aria-busy": "true" }, h("div", { class: "skeleton short", "aria-hidden": "true" }));
  const node = modal("Dry run", h("p", { class: "dim" }, "What a replay would do at this moment. Nothing is changed."), place);
  node.classList.add("large");
  try {
    place.replaceChildren(...report(await post("ops/dead-letters/dry-run", which)));
  } catch (error) {
    place.replaceChildren(h("p", { class: "failure", role: "alert" }, error.message));
  }
  place.removeAttribute("aria-busy");
}

function report({ items, totals, truncated }) {
  const sums = Object.entries(totals).filter(([, number]) => number > 0);
  const list = sums.map(([verdict, number]) => h("li", {}, h("strong", { class: "number" }, count(number)), h("span", { class: "status", "data-status": verdict }, words(verdict)), h("span", { class: "dim" }, VERDICTS[verdict] ?? "")));
  const head = ["Verdict", "Order", "Detail", "Message"].map((name) => h("th", { scope: "col" }, name));
  const rows = items.map((each) =>
    h(
      "tr",
      {},
      h("td", {}, h("span", { class: "status", "data-status": each.verdict }, words(each.verdict))),
      h("td", { class: "mono" }, each.orderId ?? "–"),
      h("td", {}, each.detail),
      h("td", { class: "mono" }, each.messageId),
    ),
  );
  return [
    h("ul", { class: "verdicts" }, list.length ? list : h("li", {}, "There is nothing to replay.")),
    h("p", { class: "dim", hidden: !truncated }, "Only the first of them are listed."),
    h("div", { class: "table", tabindex: 0, role: "region", "aria-label": "Verdicts" }, h("table", {}, h("thead", {}, h("tr", {}, head)), h("tbody", {}, rows))),
  ];
}
