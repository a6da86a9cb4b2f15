/* The part of Markdown that text widgets use: headings, paragraphs, lists, rules, bold, code, links. Every word
   becomes a text node, so that a dashboard's body can say anything and do nothing. */

import { h } from "./dom.js";

const INLINE = /\*\*([^*]+)\*\*|`([^`]+)`|\[([^\]]+)\]\(([^)\s]+)\)|\*([^*\s][^*]*)\*/;
const SAFE_LINK = /^(https?:\/\/|#)/;

/** Turns Markdown into nodes. */
export function markdown(text) {
  const found = [];
  const top = Math.min(...[...String(text).matchAll(/^(#{1,6})\s/gm)].map((each) => each[1].length));
  let paragraph = [];
  let list = null;
  const close = () => {
    if (paragraph.length) found.push(h("p", {}, inline(paragraph.join(" "))));
    paragraph = [];
    list = null;
  };
  for (const line of String(text).split(/\r?\n/)) {
    const heading = /^(#{1,6})\s+(.*)$/.exec(line);
    const item = /^\s*(?:[-*+]|(\d+)\.)\s+(.*)$/.exec(line);
    if (heading || !line.trim() || /^(-{3,}|\*{3,})$/.test(line.trim())) {
      close();
      // the page has h1: whatever a text begins with is its second level
      if (heading) found.push(title(heading[1].length, top, heading[2]));
      else if (line.trim()) found.push(h("hr"));
    } else if (item) {
      if (paragraph.length) close();
      if (!list) found.push((list = h(item[1] ? "ol" : "ul")));
      list.append(h("li", {}, inline(item[2])));
    } else {
      list = null;
      paragraph.push(line.trim());
    }
  }
  close();
  return found;
}

function title(level, top, text) {
  return h(`h${Math.min(level - top + 2, 6)}`, { class: `md${level}` }, inline(text));
}

function inline(text) {
  const found = INLINE.exec(text);
  if (!found) return text ? [text] : [];
  const [all, bold, code, label, address, italic] = found;
  const before = text.slice(0, found.index);
  return [before, marked({ all, bold, code, label, address, italic }), ...inline(text.slice(found.index + all.length))];
}

function marked({ all, bold, code, label, address, italic }) {
  if (bold) return h("strong", {}, inline(bold));
  if (code) return h("code", {}, code);
  if (italic) return h("em", {}, inline(italic));
  if (!SAFE_LINK.test(address)) return all;
  return h("a", { href: address, rel: "noreferrer" }, label);
}
