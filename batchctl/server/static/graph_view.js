/* The graph of dependsOn and chains, with the jobs that have not been created yet. */

import { h } from "./render.js";
import { count, counted } from "./format.js";
import { address, replaceParameters } from "./router.js";
import { groupOf, phaseLabel } from "./phases.js";
import { choice, empty, jobLink, searchField, table } from "./parts.js";
import { layeredLayout } from "./graph_layout.js";
import { graphDrawing, showNode } from "./graph_drawing.js";

const MOST_DRAWN = 300; // jobs; more are drawn only if the reader asks for it
const ZOOMS = [0.25, 0.35, 0.5, 0.7, 0.85, 1, 1.25, 1.5];

export function graphView(app, route) {
  const asked = { job: route.parameters.get("job") ?? "", form: route.parameters.get("form") ?? "drawing" };
  const look = { zoom: 1, fitted: false, chosen: asked.job || null, all: false, q: "" };
  let graph = null;
  let drawn = { of: null, layout: null };

  const load = async () => {
    graph = await app.source.get("graph", { job: asked.job });
  };

  function ask(change) {
    Object.assign(asked, change);
    Object.assign(look, { fitted: false, chosen: change.job || null });
    replaceParameters(["graph"], { ...asked, form: asked.form === "drawing" ? "" : asked.form });
    app.reload();
  }

  function set(change) {
    Object.assign(look, change);
    app.render();
  }

  /** Phases move often, the places of jobs seldom: the layout is made once for each set of jobs and edges. */
  function layout() {
    const of = JSON.stringify([graph.nodes.map((node) => [node.job, node.rank]), graph.edges]);
    if (drawn.of !== of) drawn = { of, layout: layeredLayout(graph.nodes, graph.edges) };
    const nodes = new Map(graph.nodes.map((node) => [node.job, node]));
    return { ...drawn.layout, nodes: drawn.layout.nodes.map((node) => ({ ...node, ...nodes.get(node.job) })) };
  }

  const render = () => {
    const large = graph.nodes.length > MOST_DRAWN && !look.all;
    return [
      h(
        "div",
        { class: "view-head" },
        h("h1", null, asked.job ? ["Graph of ", h("span", { class: "mono" }, asked.job)] : "Graph"),
        h(
          "div",
          { class: "view-tools" },
          asked.job
            ? h("button", { class: "button", type: "button", on: { click: () => ask({ job: "" }) } }, "All jobs")
            : null,
          choice(
            "Form",
            [
              ["drawing", "Drawing"],
              ["table", "Table"],
            ],
            asked.form,
            (form) => ask({ form, job: asked.job }),
          ),
        ),
      ),
      !graph.nodes.length
        ? empty("No job depends on another one", [h("code", null, "dependsOn"), " and chains of rows are drawn here."])
        : null,
      graph.nodes.length && asked.form === "table" ? graphTable(graph) : null,
      graph.nodes.length && asked.form === "drawing"
        ? large
          ? tooLarge(graph, look, set, ask)
          : drawing(layout(), look, set)
        : null,
      h(
        "p",
        { class: "pager soft small" },
        graph.alone
          ? `${counted(graph.alone, "job")} without dependencies ${graph.alone === 1 ? "is" : "are"} not shown. `
          : null,
        graph.truncated ? "The graph is larger than what is shown." : null,
      ),
    ];
  };

  return { title: asked.job ? `Graph of ${asked.job}` : "Graph", load, render };
}

function drawing(layout, look, set) {
  if (!look.fitted) {
    Object.assign(look, { fitted: true, zoom: fitting(layout) });
    requestAnimationFrame(() => showNode(look.chosen ?? firstToSee(layout.nodes)));
  }
  const step = (by) => set({ zoom: ZOOMS[Math.min(Math.max(nearestZoom(look.zoom) + by, 0), ZOOMS.length - 1)] });
  const wheel = (event) => {
    if (!event.ctrlKey) return;
    event.preventDefault();
    step(event.deltaY < 0 ? 1 : -1);
  };
  const choose = (name) => name !== look.chosen && set({ chosen: name });
  return h(
    "section",
    { class: "sheet graph-sheet", "aria-label": "Drawing" },
    h(
      "div",
      { class: "graph-tools" },
      graphLegend(),
      h(
        "div",
        { class: "view-tools" },
        h("button", { class: "button", type: "button", "aria-label": "Smaller", on: { click: () => step(-1) } }, "−"),
        h("span", { class: "zoom" }, `${Math.round(100 * look.zoom)}%`),
        h("button", { class: "button", type: "button", "aria-label": "Larger", on: { click: () => step(1) } }, "+"),
        h("button", { class: "button", type: "button", on: { click: () => set({ zoom: fitting(layout) }) } }, "Fit"),
      ),
    ),
    h(
      "div",
      { class: "graph-scroll", tabindex: "0", role: "group", "aria-label": "Drawing of the graph", on: { wheel } },
      graphDrawing(layout, look.zoom, look.chosen, choose),
    ),
  );
}

/** Where a reader begins: at a job that went wrong, else at the beginning. */
function firstToSee(nodes) {
  const wrong = nodes.find((node) => groupOf(node.phase) === "bad");
  return (wrong ?? [...nodes].sort((one, other) => one.rank - other.rank || one.y - other.y)[0]).job;
}

/** The zoom at which the drawing fits the width of the page, within what can be read. */
function fitting(layout) {
  const width = (document.getElementById("main")?.clientWidth ?? 1200) - 90;
  return Math.min(1, Math.max(0.7, width / layout.width));
}

function nearestZoom(zoom) {
  let best = 0;
  ZOOMS.forEach((one, at) => {
    if (Math.abs(one - zoom) < Math.abs(ZOOMS[best] - zoom)) best = at;
  });
  return best;
}

function graphLegend() {
  const line = (name) =>
    h(
      "svg",
      { class: "legend-line", viewBox: "0 0 28 8", "aria-hidden": "true" },
      h("path", { class: `edge is-${name}`, d: "M0 4h28" }),
    );
  return h(
    "ul",
    { class: "legend" },
    h("li", null, line("rows"), "passes its answers on"),
    h("li", null, line("order"), "has to end first"),
    h("li", null, h("span", { class: "swatch is-unborn-swatch", "aria-hidden": "true" }), "not created yet"),
  );
}

function tooLarge(graph, look, set, ask) {
  const words = look.q.toLowerCase();
  const found = graph.nodes.filter((node) => node.job.toLowerCase().includes(words)).slice(0, 12);
  return h(
    "section",
    { class: "sheet", "aria-label": "Choose a job" },
    h(
      "p",
      null,
      `${counted(graph.nodes.length, "job")} depend on each other: too many for one drawing. Choose a job to see what it needs and what needs it.`,
    ),
    h(
      "div",
      { class: "view-tools after" },
      searchField("Search jobs", look.q, (event) => set({ q: event.target.value })),
      h("button", { class: "button", type: "button", on: { click: () => set({ all: true }) } }, "Draw all of them"),
    ),
    h(
      "ul",
      { class: "found" },
      found.map((node) =>
        h(
          "li",
          { key: node.job },
          h(
            "a",
            {
              class: "job",
              href: address(["graph"], { job: node.job }),
              on: {
                click: (event) => {
                  event.preventDefault();
                  ask({ job: node.job });
                },
              },
            },
            node.job,
          ),
          phaseLabel(node.phase),
        ),
      ),
    ),
    found.length ? null : h("p", { class: "soft" }, "No job matches."),
  );
}

function graphTable(graph) {
  const before = groupBy(graph.edges, "to", "from");
  const after = groupBy(graph.edges, "from", "to");
  const columns = [{ title: "Job" }, { title: "Phase" }, { title: "Depends on" }, { title: "Needed by" }];
  const names = (list) => (list ?? []).map((name, at) => [at ? ", " : null, jobLink(name)]);
  const rows = [...graph.nodes]
    .sort((one, other) => one.rank - other.rank || (one.job < other.job ? -1 : 1))
    .map((node) => ({
      key: node.job,
      cells: [
        jobLink(node.job),
        [phaseLabel(node.phase), node.born ? null : h("span", { class: "provider" }, "not created yet")],
        names(before.get(node.job)),
        names(after.get(node.job)),
      ],
    }));
  return h(
    "section",
    { class: "sheet", "aria-label": "Table" },
    table("Dependencies", columns, rows),
    h("p", { class: "soft small" }, `${count(graph.edges.length)} dependencies`),
  );
}

function groupBy(edges, key, value) {
  const groups = new Map();
  for (const edge of edges) groups.set(edge[key], [...(groups.get(edge[key]) ?? []), edge[value]]);
  return groups;
}
