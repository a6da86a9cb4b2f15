/* Builds and changes elements. Text is always textContent: nothing here reads markup, so no answer of the
   service can become a script. Knows nothing of the service. */

/** Makes an element: attributes by name, `on…` as listeners; null and false leave an attribute or child out. */
export function h(tag, attributes, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes ?? {})) apply(node, name, value);
  node.append(...children.flat(2).filter((child) => child !== null && child !== undefined && child !== false));
  return node;
}

function apply(node, name, value) {
  if (value === null || value === undefined || value === false) return;
  if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
  else if (name === "class") node.className = value;
  else node.setAttribute(name, value === true ? "" : String(value));
}

/** Writes text only where it differs: a number that stays costs no layout. */
export function write(node, text) {
  const wanted = String(text);
  if (node.textContent !== wanted) node.textContent = wanted;
}

/** Sets or takes away an attribute, only where it differs. */
export function mark(node, name, value) {
  if (value === null || value === undefined || value === false) node.removeAttribute(name);
  else if (node.getAttribute(name) !== String(value)) node.setAttribute(name, value === true ? "" : value);
}

/** Makes the children of `parent` those of `items`, by key: what stays keeps its node, and so its focus. */
export function keyed(parent, items, key, make, update) {
  const kept = new Map([...parent.children].map((node) => [node.dataset.key, node]));
  const wanted = items.map((item) => {
    const name = String(key(item));
    const node = kept.get(name) ?? make(item);
    node.dataset.key = name;
    update?.(node, item);
    return node;
  });
  const same = wanted.length === parent.children.length && wanted.every((node, at) => parent.children[at] === node);
  if (!same) parent.replaceChildren(...wanted);
}

let lastId = 0;

/** An id that no other element has. */
export function freshId(prefix) {
  lastId += 1;
  return `${prefix}-${lastId}`;
}
