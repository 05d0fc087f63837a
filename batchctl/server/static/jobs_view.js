/* All jobs: what needs attention first, figures of the stack, and a table with filter, search and pages. */

import { h } from "./render.js";
import { count, counted } from "./format.js";
import { address, replaceParameters } from "./router.js";
import { PHASES, phaseSign, groupOf } from "./phases.js";
import { empty, notice, searchField, bar } from "./parts.js";
import { jobTable } from "./jobs_table.js";
import { tiles } from "./tiles.js";

const PAGE = 100;
const RETIRES_SOON = 60; // days before a model is shut down
const TYPING_PAUSE = 150; // milliseconds between the last key and the search

export function jobsView(app, route) {
  const asked = {
    q: route.parameters.get("q") ?? "",
    phase: route.parameters.getAll("phase"),
    model: route.parameters.get("model") ?? "",
    sort: route.parameters.get("sort") ?? "attention",
  };
  const pages = [null]; // the cursors of the pages up to this one
  let jobs = null;
  let pause = null;

  const load = async () => {
    jobs = await app.source.get("jobs", { ...asked, cursor: pages.at(-1), limit: PAGE });
  };

  /** Another filter begins at the first page. */
  function ask(change) {
    Object.assign(asked, change);
    pages.splice(1);
    replaceParameters([], { ...asked, sort: asked.sort === "attention" ? "" : asked.sort });
    app.reload();
  }

  function typed(event) {
    const q = event.target.value;
    clearTimeout(pause);
    pause = setTimeout(() => ask({ q }), TYPING_PAUSE);
  }

  function turn(forward) {
    if (forward) pages.push(jobs.next);
    else pages.pop();
    app.reload().then(() => document.getElementById("jobs").scrollIntoView());
  }

  function togglePhase(phase) {
    ask({ phase: asked.phase.includes(phase) ? asked.phase.filter((one) => one !== phase) : [...asked.phase, phase] });
  }

  const render = () => [
    heading(app.summary),
    warnings(app.summary),
    tiles(app.summary),
    h(
      "section",
      { class: "jobs", id: "jobs", "aria-label": "All jobs" },
      phaseBar(jobs.phases),
      h(
        "div",
        { class: "filters" },
        searchField("Search jobs", asked.q, typed),
        modelChoice(app.summary, asked.model, (event) => ask({ model: event.target.value })),
        sortChoice(asked.sort, (event) => ask({ sort: event.target.value })),
      ),
      chips(jobs.phases, app.summary, asked.phase, togglePhase),
      jobs.items.length
        ? jobTable(jobs.items, asked.sort, (sort) => ask({ sort }), !asked.q)
        : nothing(app.summary, () => ask({ q: "", phase: [], model: "" })),
      pager(jobs, pages.length, turn),
    ),
  ];

  return { title: "Jobs", load, render };
}

function heading(summary) {
  const attention = summary.needsAttention;
  const words = attention
    ? `${count(attention)} of ${counted(summary.jobs, "job")} need${attention === 1 ? "s" : ""} attention`
    : summary.jobs
      ? `${counted(summary.jobs, "job")}, all well`
      : "No jobs yet";
  return h("h1", null, words);
}

/** What holds for the whole stack and is wrong or out of date. */
function warnings(summary) {
  const recorded =
    summary.source === "state"
      ? notice(
          "waiting",
          "Phases are those of the last record. ",
          h(
            "span",
            { class: "soft" },
            "No API was asked; ",
            h("code", null, "batchctl watch --serve"),
            " shows jobs as they move.",
          ),
        )
      : null;
  const problems = summary.problems.map((problem) =>
    notice("bad", h("strong", null, problem.account), " ", problem.message),
  );
  const drift = summary.drift.map((one) =>
    notice(
      "held",
      h("strong", null, `${one.kind}: `),
      h("a", { href: address(["jobs", one.job]) }, one.job),
      " ",
      one.detail,
    ),
  );
  const retiring = (summary.retirements ?? []).filter((one) => one.days <= RETIRES_SOON).map(retirement);
  const shown = [recorded, ...problems, ...drift, ...retiring].filter(Boolean);
  return shown.length ? h("div", { class: "notices" }, shown) : null;
}

/** A model that is shut down soon, and the way to its jobs. */
function retirement({ model, date, days, jobs, source }) {
  const when = days < 0 ? `was shut down on ${date}` : `is shut down on ${date}, in ${counted(days, "day")}`;
  return notice(
    days < 0 ? "bad" : "held",
    h("strong", null, model),
    ` ${when}: `,
    h("a", { href: address([], { model }) }, counted(jobs.length, "job")),
    h("span", { class: "soft" }, ` (${source})`),
  );
}

function phaseBar(phases) {
  const parts = Object.keys(PHASES).map((phase) => ({
    key: phase,
    group: groupOf(phase),
    value: phases[phase] ?? 0,
    title: `${phases[phase]} ${phase}`,
  }));
  const total = parts.reduce((sum, part) => sum + part.value, 0);
  return h("div", { class: "phase-bar" }, bar(parts, total));
}

/** A button for each phase that some job is in. Pressed ones filter. */
function chips(phases, summary, pressed, toggle) {
  const shown = Object.keys(PHASES).filter(
    (phase) => phases[phase] || summary.phases[phase] || pressed.includes(phase),
  );
  const attention = h(
    "button",
    {
      key: "attention",
      class: "chip is-bad",
      type: "button",
      "aria-pressed": String(pressed.includes("attention")),
      on: { click: () => toggle("attention") },
    },
    "Needs attention",
  );
  return h(
    "div",
    { class: "chips", role: "group", "aria-label": "Filter by phase" },
    summary.needsAttention ? attention : null,
    shown.map((phase) =>
      h(
        "button",
        {
          key: phase,
          class: `chip is-${groupOf(phase)}`,
          type: "button",
          "aria-pressed": String(pressed.includes(phase)),
          on: { click: () => toggle(phase) },
        },
        phaseSign(phase),
        phase,
        h("span", { class: "chip-count" }, count(phases[phase] ?? 0)),
      ),
    ),
  );
}

function modelChoice(summary, chosen, choose) {
  const names = [...new Set(summary.models.map((model) => model.model))].sort();
  if (names.length < 2) return null;
  return h(
    "select",
    { class: "field", "aria-label": "Model", on: { change: choose } },
    h("option", { value: "", selected: !chosen }, "All models"),
    names.map((name) => h("option", { key: name, value: name, selected: name === chosen }, name)),
  );
}

const SORTINGS = [
  ["attention", "What matters first"],
  ["job", "Name"],
  ["phase", "Phase"],
  ["model", "Model"],
  ["-rows", "Most rows"],
  ["-created", "Newest"],
  ["created", "Oldest"],
  ["end", "First to end"],
  ["-cost", "Most expensive"],
];

function sortChoice(chosen, choose) {
  const known = SORTINGS.some(([value]) => value === chosen);
  return h(
    "select",
    { class: "field", "aria-label": "Order", on: { change: choose } },
    known ? null : h("option", { value: chosen, selected: true }, `By ${chosen.replace("-", "")}`),
    SORTINGS.map(([value, name]) => h("option", { key: value, value, selected: value === chosen }, name)),
  );
}

function nothing(summary, clear) {
  if (!summary.jobs)
    return empty("The stack has no jobs", ["Write a manifest and run ", h("code", null, "batchctl apply"), "."]);
  return h(
    "div",
    { class: "empty" },
    h("p", { class: "empty-title" }, "No job matches"),
    h("p", null, h("button", { class: "button", type: "button", on: { click: clear } }, "Show all jobs")),
  );
}

function pager(jobs, number, turn) {
  if (number === 1 && !jobs.next)
    return h(
      "p",
      { class: "pager soft small" },
      jobs.matched === jobs.total
        ? counted(jobs.total, "job")
        : `${count(jobs.matched)} of ${counted(jobs.total, "job")}`,
    );
  const first = (number - 1) * PAGE + 1;
  return h(
    "nav",
    { class: "pager", "aria-label": "Pages" },
    h(
      "button",
      { class: "button", type: "button", disabled: number === 1, on: { click: () => turn(false) } },
      "Previous",
    ),
    h("span", null, `${count(first)}–${count(first + jobs.items.length - 1)} of ${count(jobs.matched)}`),
    h("button", { class: "button", type: "button", disabled: !jobs.next, on: { click: () => turn(true) } }, "Next"),
  );
}
