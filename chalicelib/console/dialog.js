/* Questions before something is done. <dialog> keeps the focus inside and gives it back. Knows no verb. */

import { freshId, h } from "./dom.js";

const REASON_MAX = 500;

/**
 * Asks before something is done.
 *
 * `reason` is "optional", "required" or "none"; `word` is what must be typed for what cannot be undone.
 * `act(reason)` does it: while it runs the dialog waits, when it fails the dialog says so and stays.
 */
export function ask({ title, text, verb, danger = false, reason = "optional", word = null, act }) {
  const parts = { reason: reason === "none" ? null : reasonField(reason), word: word ? wordField(word) : null };
  const failure = h("p", { class: "failure", role: "alert" });
  const confirm = h("button", { type: "submit", class: danger ? "danger" : "primary" }, verb);
  const form = h("form", { method: "dialog" }, parts.reason?.node, parts.word?.node, failure);
  form.append(buttons(h("button", { type: "button", onclick: () => node.close() }, "Cancel"), confirm));
  const node = modal(title, [].concat(text).map((line) => h("p", {}, line)), form);
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    confirm.disabled = true;
    try {
      await act(parts.reason?.input.value.trim() ?? "");
      node.close();
    } catch (error) {
      failure.textContent = error.message;
      confirm.disabled = false;
    }
  });
  (parts.reason?.input ?? parts.word?.input ?? confirm).focus();
  return node;
}

/** Shows a dialog with a title; it is gone from the page when it is closed. */
export function modal(title, ...content) {
  const id = freshId("dialog");
  const close = h("button", { type: "button", class: "quiet close", "aria-label": "Close", onclick: () => node.close() }, "×");
  const head = h("header", {}, h("h2", { id }, title), close);
  const node = h("dialog", { "aria-labelledby": id }, head, h("div", { class: "content" }, ...content));
  node.addEventListener("close", () => node.remove());
  node.addEventListener("click", (event) => event.target === node && node.close());
  document.body.append(node);
  node.showModal();
  return node;
}

/** A row of buttons at the end of a form. */
export const buttons = (...nodes) => h("div", { class: "buttons" }, ...nodes);

function reasonField(reason) {
  const required = reason === "required";
  const input = h("textarea", { rows: 2, maxlength: REASON_MAX, required, name: "reason" });
  const name = h("span", {}, "Reason ", h("small", { class: "dim" }, required ? "required, kept in the log" : "optional, kept in the log"));
  return { input, node: h("label", { class: "field" }, name, input) };
}

function wordField(word) {
  const pattern = word.replaceAll(/[^\w]/g, "\\$&");
  const input = h("input", { type: "text", required: true, pattern, autocomplete: "off", name: "word", title: `Type ${word}` });
  return { input, node: h("label", { class: "field" }, h("span", {}, "Type ", h("strong", {}, word), " to confirm"), input) };
}
