/* Pause, resume and close a sale: each asks first. Knows the verbs and what they mean for buyers, and no figure. */

import { post, withQuery } from "./api.js";
import { ask } from "./dialog.js";
import { h } from "./dom.js";

/** The switches of the event that `state` names: {node, show}; `again()` is called after one was thrown. */
export function saleSwitches(context, state, again) {
  const press = (verb, told, options = {}) => () =>
    ask({
      title: `${verb} the sale of event ${state.eventId}?`,
      verb: `${verb} the sale`,
      ...told,
      ...options,
      act: async (reason) => {
        await post(withQuery(`events/${state.eventId}/${verb.toLowerCase()}`, { reason }));
        context.say(`The sale of event ${state.eventId}: ${verb.toLowerCase()} was done.`);
        again();
      },
    });
  const may = () => context.maySwitchSales();
  const make = (verb, told, options, look) => context.guarded(h("button", { type: "button", class: look, onclick: press(verb, told, options) }, verb), may);
  const pause = make("Pause", { text: "New orders hear 409 sale-paused until it is resumed. Orders that were accepted are finished." }, {}, "");
  const resume = make("Resume", { text: "Orders are taken again at once." }, {}, "");
  const close = make("Close", { text: "It cannot be opened again. New orders hear 409 sale-closed; orders that were accepted are finished." }, { danger: true, reason: "required", word: "close" }, "danger-quiet");
  return {
    node: [pause, resume, close],
    show() {
      const status = state.view?.status;
      pause.off(!["on-sale", "sold-out", "scheduled"].includes(status));
      resume.off(status !== "paused");
      close.off(!status || status === "closed");
    },
  };
}
