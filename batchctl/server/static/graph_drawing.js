/* The drawing of the graph: jobs as boxes that are links, edges as curves, arrow keys along both. */

import { h } from "./render.js";
import { rowsWords } from "./format.js";
import { jobAddress } from "./router.js";
import { PHASES, signParts } from "./phases.js";
import { NODE_HEIGHT, NODE_WIDTH, edgePath } from "./graph_layout.js";

const NAME_LENGTH = 22; // characters that fit beside the sign

/**
 * `layout` as `layeredLayout` gives it. `chosen` is the job in focus: what it needs and what needs it stays bright.
 * `choose` gets the name of the job that the reader goes to, or null.
 */
export function graphDrawing(layout, scale, chosen, choose) {
  const near = chosen ? connectedWith(layout.edges, chosen) : null;
  const first = chosen ?? layout.nodes[0]?.job;
  const moved = (event, node) => {
    const next = neighbour(layout, node, event.key);
    if (!next) return;
    event.preventDefault();
    choose(next.job);
    requestAnimationFrame(() => focusNode(next.job));
  };
  return h(
    "svg",
    {
      class: "graph",
      role: "group",
      "aria-label": "Graph of jobs. Arrow keys go from job to job.",
      viewBox: `0 0 ${layout.width} ${layout.height}`,
      width: layout.width * scale,
      height: layout.height * scale,
    },
    h(
      "defs",
      null,
      h(
        "marker",
        {
          id: "arrow",
          viewBox: "0 0 8 8",
          refX: 7,
          refY: 4,
          markerWidth: 9,
          markerHeight: 9,
          markerUnits: "userSpaceOnUse",
          orient: "auto",
        },
        h("path", { class: "edge-head", d: "M0.5 0.5L7 4L0.5 7.5" }),
      ),
    ),
    layout.edges.map((edge) =>
      h("path", {
        key: `${edge.from} ${edge.to}`,
        class: `edge is-${edge.kind === "rows" ? "rows" : "order"}${near && !(near.has(edge.from) && near.has(edge.to)) ? " is-far" : ""}`,
        d: edgePath(edge.points),
        "marker-end": "url(#arrow)",
      }),
    ),
    layout.nodes.map((node) =>
      box(node, { first: node.job === first, far: near && !near.has(node.job) }, layout, moved, choose),
    ),
  );
}

function box(node, { first, far }, layout, moved, choose) {
  const { group, sign } = PHASES[node.phase] ?? PHASES.Unknown;
  return h(
    "a",
    {
      key: node.job,
      class: `node is-${group}${node.born ? "" : " is-unborn"}${far ? " is-far" : ""}`,
      href: jobAddress(node.job),
      tabindex: first ? "0" : "-1",
      "data-job": node.job,
      "aria-label": nodeWords(node, layout.edges),
      transform: `translate(${Math.round(node.x)} ${Math.round(node.y)})`,
      on: {
        keydown: (event) => moved(event, node),
        focus: () => choose(node.job),
        mouseenter: () => choose(node.job),
        mouseleave: () => choose(null),
        blur: () => choose(null),
      },
    },
    h("title", null, nodeWords(node, layout.edges)),
    h("rect", { class: "node-box", width: NODE_WIDTH, height: NODE_HEIGHT, rx: 8 }),
    h("g", { class: "sign", transform: "translate(10 8)" }, signParts(sign)),
    h("text", { class: "node-name", x: 33, y: 20 }, shortName(node.job)),
    h("text", { class: "node-note", x: 33, y: 36 }, note(node)),
    node.rows?.total && node.rows.ok !== null
      ? h("rect", {
          class: "node-done",
          x: 0,
          y: NODE_HEIGHT - 3,
          width: (NODE_WIDTH * node.rows.ok) / node.rows.total,
          height: 3,
        })
      : null,
  );
}

function note(node) {
  if (!node.born) return `${node.phase}, not created yet`;
  const rows = node.rows?.total && node.rows.ok !== null ? ` ${node.rows.ok}/${node.rows.total}` : "";
  return `${node.phase}${rows}`;
}

/** The beginning and the end of a long name, because names of one group differ at their end. */
function shortName(name) {
  if (name.length <= NAME_LENGTH) return name;
  return `${name.slice(0, NAME_LENGTH - 9)}…${name.slice(-8)}`;
}

function nodeWords(node, edges) {
  const before = edges.filter((edge) => edge.to === node.job).map((edge) => edge.from);
  const words = [node.job, node.born ? node.phase : `${node.phase}, not created yet`];
  if (rowsWords(node.rows)) words.push(rowsWords(node.rows));
  if (before.length)
    words.push(
      `depends on ${before.slice(0, 5).join(", ")}${before.length > 5 ? ` and ${before.length - 5} more` : ""}`,
    );
  return words.join(", ");
}

/** All that a job needs, all that needs it, and itself. */
function connectedWith(edges, name) {
  const found = new Set([name]);
  for (const [near, far] of [
    ["from", "to"],
    ["to", "from"],
  ]) {
    const side = new Set([name]);
    for (let before = 0; before < side.size;) {
      before = side.size;
      for (const edge of edges) if (side.has(edge[near])) side.add(edge[far]);
    }
    for (const one of side) found.add(one);
  }
  return found;
}

/** The job that an arrow key goes to: along an edge, or up and down in the column. */
function neighbour(layout, node, key) {
  const named = (name) => layout.nodes.find((one) => one.job === name);
  const nearest = (names) =>
    names.map(named).sort((one, other) => Math.abs(one.y - node.y) - Math.abs(other.y - node.y))[0];
  if (key === "ArrowRight")
    return nearest(layout.edges.filter((edge) => edge.from === node.job).map((edge) => edge.to));
  if (key === "ArrowLeft") return nearest(layout.edges.filter((edge) => edge.to === node.job).map((edge) => edge.from));
  const column = layout.nodes.filter((one) => one.x === node.x).sort((one, other) => one.y - other.y);
  const step = { ArrowDown: 1, ArrowUp: -1 }[key];
  return step ? column[column.indexOf(node) + step] : null;
}

function focusNode(name) {
  nodeOf(name)?.focus();
}

/** Scroll the drawing, and nothing else, until the job is in its middle. */
export function showNode(name) {
  const node = nodeOf(name);
  const scroll = node?.closest(".graph-scroll");
  if (!scroll) return;
  const [inner, outer] = [node.getBoundingClientRect(), scroll.getBoundingClientRect()];
  scroll.scrollLeft += inner.left - outer.left - (outer.width - inner.width) / 2;
  scroll.scrollTop += inner.top - outer.top - (outer.height - inner.height) / 2;
}

function nodeOf(name) {
  return [...document.querySelectorAll(".node")].find((node) => node.dataset.job === name);
}
