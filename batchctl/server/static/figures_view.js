/* Rows by verdict over time, tokens and money against the budget, and the figures of each model. */

import { h } from "./render.js";
import { count, money } from "./format.js";
import { address } from "./router.js";
import { PHASES, groupOf } from "./phases.js";
import { bar, empty, rowsText, section, table, verdictTable } from "./parts.js";
import { verdictChart } from "./verdict_chart.js";
import { costTable, expectedOfAll, spentWithout } from "./costs.js";
import { budgetUses, moneyMeter } from "./budget.js";
import { serverNow } from "./clock.js";

export function figuresView(app) {
  let history = null;
  const load = async () => {
    history = await app.source.get("rows-over-time");
  };
  const render = () => {
    const { summary } = app;
    return [
      h("div", { class: "view-head" }, h("h1", null, "Figures")),
      h(
        "div",
        { class: "columns" },
        h("div", { class: "column" }, overTime(history), models(summary)),
        h("div", { class: "column is-side" }, budgetSection(summary), verdicts(summary), limits(summary)),
      ),
    ];
  };
  return { title: "Figures", load, render };
}

function overTime(history) {
  const title = "Rows by verdict over time";
  if (!history.points.length)
    return section(title, null, empty("No results yet", "The chart begins when the first results are collected."));
  return section(title, null, verdictChart(history, serverNow()));
}

function models(summary) {
  const columns = [
    { title: "Model" },
    { title: "Jobs", number: true },
    { title: "Phases" },
    { title: "Rows", number: true },
  ];
  const rows = summary.models.map((one) => ({
    key: `${one.provider}-${one.model}`,
    cells: [
      [h("a", { href: address([], { model: one.model }) }, one.model), h("span", { class: "provider" }, one.provider)],
      count(one.jobs),
      phases(one.phases, one.jobs),
      rowsText(one.rows),
    ],
  }));
  return section("Models", null, rows.length ? table("Figures of each model", columns, rows) : empty("No jobs yet"));
}

function phases(counts, jobs) {
  const present = Object.keys(PHASES).filter((phase) => counts[phase]);
  return h(
    "div",
    { class: "model-phases" },
    bar(
      present.map((phase) => ({
        key: phase,
        group: groupOf(phase),
        value: counts[phase],
        title: `${counts[phase]} ${phase}`,
      })),
      jobs,
    ),
    h("span", { class: "soft small" }, present.map((phase) => `${count(counts[phase])} ${phase}`).join(", ")),
  );
}

function budgetSection(summary) {
  const { cost, budget, tokens } = summary;
  const lines = [
    ["Tokens counted", tokens === null ? "none yet" : count(tokens)],
    ["Spent", money(cost?.actual?.money, cost?.actual?.currency), cost && spentWithout(cost)],
    ["Estimate of all jobs", ...expectedOfAll(summary)],
    budget ? null : ["Budget", "none"],
  ];
  return section(
    "Tokens and money",
    null,
    budgetUses(budget) ?? moneyMeter(summary),
    h(
      "dl",
      { class: "lines after" },
      lines
        .filter(Boolean)
        .map(([name, value, note]) =>
          h(
            "div",
            { key: name },
            h("dt", null, name),
            h("dd", { class: "number" }, value, note ? h("span", { class: "provider" }, note) : null),
          ),
        ),
    ),
    cost ? h("details", { class: "after", key: "more" }, h("summary", null, "In detail"), costTable(cost, expectedOfAll(summary))) : null,
  );
}

function verdicts({ rows }) {
  if (!rows.verdicts || !Object.keys(rows.verdicts).length) return null;
  return section("Verdicts", null, verdictTable(rows.verdicts));
}

function limits({ limits: set }) {
  if (!set) return null;
  const lines = [
    ["Active jobs", set.active],
    ["Enqueued tokens", set.enqueuedTokens],
    ["Creates in a run", set.maxCreate],
    ["Replacements in a run", set.maxReplace],
    ["Removals in a run", set.maxDelete],
  ];
  const known = lines.filter(([, value]) => value !== null && value !== undefined);
  return known.length
    ? section(
        "Limits",
        null,
        h(
          "dl",
          { class: "lines" },
          known.map(([name, value]) =>
            h("div", { key: name }, h("dt", null, name), h("dd", { class: "number" }, count(value))),
          ),
        ),
      )
    : null;
}
