/* Which event is looked at: a list that knows new events, newest first. Unless somebody chose, it follows the
   newest, so that a sale that begins is on the page by itself. */

import { read } from "./api.js";
import { h, keyed } from "./dom.js";

const PAGE = 100;
const MOST_PAGES = 20;
const EVERY_MS = 2_000;

/** The control: {node, job}. `pick(eventId, byHand)` is called when the event is another one. */
export function eventPicker(context, chosen, pick) {
  const select = h("select", { "aria-label": "Event", class: "picker" });
  const events = new Map();
  let after = null;
  let current = null;
  let byHand = chosen !== null;

  select.addEventListener("change", () => {
    byHand = select.value !== "newest";
    take(byHand ? Number(select.value) : newest());
  });

  async function readOn(signal) {
    for (let page = 0; page < MOST_PAGES; page += 1) {
      const { items, nextCursor } = await read("events", { limit: PAGE, cursor: after }, signal);
      for (const event of items) events.set(event.id, event);
      if (!nextCursor) return;
      after = nextCursor;
    }
  }

  function show() {
    const sorted = [...events.values()].sort((a, b) => b.id - a.id);
    const rows = [{ id: "newest", name: "Newest event" }, ...sorted];
    keyed(select, rows, (event) => event.id, (event) => h("option", { value: event.id }, event.id === "newest" ? event.name : `${event.id} · ${event.name}`));
    if (byHand && current === null) take(chosen);
    else if (!byHand) take(newest());
    select.value = byHand ? String(current) : "newest";
  }

  const newest = () => (events.size ? Math.max(...events.keys()) : null);

  function take(id) {
    if (id === current) return;
    current = id;
    pick(id, byHand);
  }

  const job = context.clock.add(EVERY_MS, async (signal) => {
    try {
      await readOn(signal);
    } catch (error) {
      // the page's own reading says what is wrong; an event chosen by hand needs no list
      if (signal.aborted) return;
      if (error.status === 401) context.unknown(error);
    }
    show();
  });
  if (chosen !== null) queueMicrotask(() => current === null && take(chosen));
  return { node: select, job, event: (id) => events.get(id), none: () => events.size === 0 };
}
