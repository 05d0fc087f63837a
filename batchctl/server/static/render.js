/*
 * Elements as values, and their way into the document.
 *
 * A view describes all of what it shows with `h`; `patch` changes the document where it differs. So a live update keeps
 * focus, scroll position, open details and what is typed. No markup is ever parsed: every text becomes a text node.
 */

const SVG = "http://www.w3.org/2000/svg";
const seen = new WeakMap();

/**
 * The description of an element. Children: descriptions, texts, numbers, lists of them; null and false are left out.
 * Properties: `key` (identity among siblings), `on` (handlers by event), `style` (values by CSS property), `initial`
 * (attributes that only a new element gets, because the reader changes them), everything else is an attribute.
 */
export function h(tag, props, ...children) {
  return { tag, props: props ?? {}, children: children.flat(Infinity).filter(isShown), key: props?.key };
}

/** Make the children of `parent` those that are described. */
export function patch(parent, ...described) {
  const focused = document.activeElement;
  patchChildren(parent, described.flat(Infinity).filter(isShown), parent.namespaceURI === SVG);
  if (focused && focused !== document.activeElement && focused.isConnected) focused.focus({ preventScroll: true });
}

function isShown(child) {
  return child !== null && child !== undefined && child !== false && child !== true;
}

function patchChildren(parent, described, inSvg) {
  const keyed = new Map();
  const loose = [];
  for (const node of parent.childNodes) {
    const key = seen.get(node)?.key;
    if (key === undefined) loose.push(node);
    else keyed.set(key, node);
  }
  let place = parent.firstChild;
  for (const child of described) {
    const found = child.key === undefined ? takeLoose(loose, child) : takeKeyed(keyed, child);
    const node = found ?? create(child, inSvg);
    if (found) update(node, child, inSvg);
    if (node === place) place = place.nextSibling;
    else parent.insertBefore(node, place);
  }
  for (const node of [...loose, ...keyed.values()]) node.remove();
}

function takeKeyed(keyed, child) {
  const node = keyed.get(child.key);
  if (!node || seen.get(node).tag !== child.tag) return null;
  keyed.delete(child.key);
  return node;
}

/** The next node without a key that fits; those before it are gone from the description. */
function takeLoose(loose, child) {
  const fits = (node) => (isText(child) ? node.nodeType === Node.TEXT_NODE : seen.get(node)?.tag === child.tag);
  const at = loose.findIndex(fits);
  if (at < 0) return null;
  return loose.splice(at, 1)[0];
}

function isText(child) {
  return typeof child !== "object";
}

function create(child, inSvg) {
  if (isText(child)) return document.createTextNode(String(child));
  const svg = inSvg || child.tag === "svg";
  const node = svg ? document.createElementNS(SVG, child.tag) : document.createElement(child.tag);
  for (const [name, value] of Object.entries(child.props.initial ?? {})) setAttribute(node, name, value);
  seen.set(node, { tag: child.tag, key: child.key, props: {} });
  update(node, child, inSvg);
  return node;
}

function update(node, child, inSvg) {
  if (isText(child)) {
    if (node.data !== String(child)) node.data = String(child);
    return;
  }
  const before = seen.get(node).props;
  seen.set(node, { tag: child.tag, key: child.key, props: child.props });
  for (const name of Object.keys(before)) if (!(name in child.props)) setProperty(node, name, undefined, before[name]);
  patchChildren(node, child.children, (inSvg || child.tag === "svg") && child.tag !== "foreignObject");
  for (const [name, value] of Object.entries(child.props)) setProperty(node, name, value, before[name]);
}

function setProperty(node, name, value, before) {
  if (name === "key" || name === "initial") return;
  if (name === "on") setHandlers(node, value ?? {}, before ?? {});
  else if (name === "style") setStyle(node, value ?? {}, before ?? {});
  else if (name === "value" && node.tagName !== "LI") setValue(node, value);
  else if (name === "checked" || name === "selected") node[name] = Boolean(value);
  else if (value !== before) setAttribute(node, name, value);
}

/** What a reader types in a field is not overwritten while the field has the focus. */
function setValue(node, value) {
  if (node.value !== value && !(node === document.activeElement && node.tagName === "INPUT")) node.value = value ?? "";
}

function setAttribute(node, name, value) {
  if (value === undefined || value === null || value === false) node.removeAttribute(name);
  else node.setAttribute(name, value === true ? "" : String(value));
}

function setHandlers(node, handlers, before) {
  for (const type of Object.keys({ ...before, ...handlers })) {
    if (before[type] === handlers[type]) continue;
    if (before[type]) node.removeEventListener(type, before[type]);
    if (handlers[type]) node.addEventListener(type, handlers[type]);
  }
}

function setStyle(node, style, before) {
  for (const name of Object.keys({ ...before, ...style })) {
    if (before[name] !== style[name]) node.style.setProperty(name, style[name] ?? "");
  }
}
