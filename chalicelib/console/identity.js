/* Who is there and what they may do, by GET /ops/me; in jwt mode, where a token is given. The service decides:
   this only spares people the press of a button that would be refused. */

import { read, token } from "./api.js";
import { buttons, modal } from "./dialog.js";
import { h, mark, write } from "./dom.js";

const SALE_ROLES = ["organiser", "operator"];

/** The one who looks at the page. */
export class Identity {
  #me = null;
  #error = null;
  #watching = new Set();
  #asking = null;

  /** `changed()` is called when somebody else is there than before. */
  constructor({ clock, changed }) {
    this.stageNode = h("span", { class: "stage" });
    this.node = h("button", { type: "button", class: "quiet who", onclick: () => this.#dialog() }, "…");
    this.changed = changed;
    this.job = clock.add(0, (signal) => this.#read(signal));
  }

  get stage() {
    return this.#me?.stage ?? "local";
  }

  get mayChange() {
    return this.#me?.mayChange === true;
  }

  get maySwitchSales() {
    return this.mayChange || (this.#me?.roles ?? []).some((role) => SALE_ROLES.includes(role));
  }

  /** Why switches are off, in a sentence. */
  why() {
    if (this.#error) return "It is not known who you are: switches are off.";
    const roles = this.#me?.roles?.join(", ") || "none";
    return `Read only: your roles (${roles}) may look and not change. Switches need the role operator.`;
  }

  /** Calls `follow` whenever the answer changes, until another page is opened. */
  watch(follow) {
    this.#watching.add(follow);
  }

  /** Forgets who watched: their page is left. */
  leave() {
    this.#watching.clear();
  }

  /** Says above a page that it is read only, and why. */
  explain(root) {
    const note = h("p", { class: "read-only", role: "note", hidden: true });
    root.prepend(note);
    const follow = () => {
      note.hidden = this.#me === null || this.mayChange;
      write(note, this.why());
    };
    this.watch(follow);
    follow();
  }

  /** Asks for a token, once at a time: an answer was 401. */
  ask() {
    if (!this.#asking) this.#dialog("This stage asks for a token.");
  }

  async #read(signal) {
    try {
      this.#me = await read("ops/me", {}, signal);
      this.#error = null;
    } catch (error) {
      if (signal.aborted) return;
      this.#me = null;
      this.#error = error;
      if (error.status === 401) this.ask();
    }
    this.#show();
  }

  #show() {
    write(this.stageNode, this.#me?.stage ?? "");
    write(this.node, this.#name());
    mark(this.node, "data-known", this.#me !== null);
    for (const follow of this.#watching) follow();
  }

  #name() {
    if (!this.#me) return this.#error?.status === 401 ? "Sign in" : "Who?";
    if (this.#me.authMode === "open") return "Open mode";
    return `${this.#me.subject} · ${this.#me.roles.join(", ")}`;
  }

  #dialog(reason = "") {
    if (this.#me?.authMode === "open") {
      modal("Who am I?", h("p", {}, "This stage is in open mode: everybody may do everything, and the log says “anybody”."));
      return;
    }
    const input = h("input", { type: "password", autocomplete: "off", spellcheck: "false", name: "token", required: true });
    const forget = h("button", { type: "button", onclick: () => this.#take("", node) }, "Forget the token");
    const form = h("form", { method: "dialog" }, h("label", { class: "field" }, h("span", {}, "Bearer token"), input));
    form.append(buttons(token.read() && forget, h("button", { type: "submit", class: "primary" }, "Use it")));
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#take(input.value, node);
    });
    const text = "It is kept in this tab until the tab is closed. Locally: python -m infra token --user oona --role operator";
    const refused = this.#error && token.read() ? h("p", { class: "failure", role: "alert" }, this.#error.message) : null;
    const node = modal("Who am I?", reason && h("p", {}, reason), this.#me && h("p", {}, `You are ${this.#name()}.`), refused, h("p", { class: "dim" }, text), form);
    this.#asking = node;
    node.addEventListener("close", () => (this.#asking = null));
    input.focus();
  }

  #take(text, node) {
    if (text) token.keep(text);
    else token.forget();
    node.close();
    this.job.now();
    this.changed();
  }
}
