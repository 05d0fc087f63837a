/* The pending plan: what apply or watch would do now, what it buys, and what a guard refuses. */

import { h } from "./render.js";
import { bytes, count, counted, moneyRange } from "./format.js";
import { choice, command, empty, jobLink, notice, section, table } from "./parts.js";
import { changeList } from "./changes.js";

/** The signs of `batchctl plan`, and the colour of each. */
const ACTIONS = {
  create: ["+", "good"],
  retry: ["+", "good"],
  replace: ["-/+", "held"],
  update: ["~", "going"],
  cancel: ["-", "bad"],
  delete: ["-", "bad"],
  forget: ["-", "ended"],
  adopt: ["<=", "going"],
  collect: ["<=", "going"],
  reuse: ["<=", "going"],
  wait: [".", "waiting"],
  none: ["=", "ended"],
};
const MOST_ACTIONS = 1000;

export function planView(app) {
  let document = null;
  let all = false;
  const load = async () => {
    document = await app.source.get("plan", { all: all ? "true" : null, limit: MOST_ACTIONS });
  };
  function show(every) {
    all = every;
    app.reload();
  }
  const render = () => {
    const { plan, items, next } = document;
    return [
      h(
        "div",
        { class: "view-head" },
        h("h1", null, headline(plan.summary)),
        h(
          "div",
          { class: "view-tools" },
          choice(
            "Jobs",
            [
              [false, "Actions"],
              [true, "Every job"],
            ],
            all,
            show,
          ),
        ),
      ),
      summaryLine(plan.summary),
      problems(plan),
      h(
        "div",
        { class: "columns" },
        h(
          "div",
          { class: "column" },
          items.length
            ? h("ul", { class: "sheet plan" }, items.map(actionItem))
            : section("Actions", null, empty("Nothing to do now", waitingWords(plan.summary))),
          next ? h("p", { class: "pager soft" }, `The first ${count(items.length)} jobs are shown.`) : null,
        ),
        h("div", { class: "column is-side" }, buys(plan), guards(plan.guards), nextSteps(plan)),
      ),
    ];
  };
  return { title: "Plan", load, render };
}

function doing(summary) {
  return Object.entries(summary).filter(([action, number]) => number && !["wait", "none"].includes(action));
}

function headline(summary) {
  const number = doing(summary).reduce((sum, [, some]) => sum + some, 0);
  return number ? `${counted(number, "action")} pending` : "Nothing to do now";
}

function waitingWords({ wait }) {
  return wait ? `${counted(wait, "job")} wait${wait === 1 ? "s" : ""}.` : "Manifests, record and remote jobs agree.";
}

function summaryLine(summary) {
  const shown = Object.entries(summary).filter(([, number]) => number);
  return h(
    "ul",
    { class: "plan-summary" },
    shown.map(([action, number]) =>
      h("li", { key: action, class: `is-${ACTIONS[action][1]}` }, sign(action), ` ${count(number)} ${action}`),
    ),
  );
}

function sign(action) {
  const [letter, group] = ACTIONS[action] ?? ["?", "odd"];
  return h("code", { class: `plan-sign is-${group}`, "aria-hidden": "true" }, letter);
}

function problems({ problems: found, renames }) {
  const shown = [
    ...found.map((one) => notice("bad", h("strong", null, one.account), " ", one.message)),
    ...renames.map((one) =>
      notice(
        "held",
        h("strong", null, "Likely renamed: "),
        h("code", null, one.from),
        " is now ",
        h("code", null, one.to),
      ),
    ),
  ];
  return shown.length ? h("div", { class: "notices" }, shown) : null;
}

function actionItem(action) {
  const [, group] = ACTIONS[action.action] ?? ["?", "odd"];
  return h(
    "li",
    { key: action.job, class: `plan-action is-${group}` },
    h(
      "p",
      { class: "plan-line" },
      sign(action.action),
      h("strong", { class: "toned" }, action.action),
      jobLink(action.job),
      action.guard ? guardMark(action.guard) : null,
    ),
    h("p", { class: "soft" }, action.reason),
    action.buys ? h("p", { class: "small" }, buysWords(action)) : null,
    action.changes.length ? changeList(action.changes) : null,
    action.trail?.length
      ? h(
          "details",
          { class: "trail", key: "trail" },
          h("summary", null, "Rules"),
          h(
            "ol",
            null,
            action.trail.map((rule) => h("li", { key: rule }, h("code", null, rule))),
          ),
        )
      : null,
  );
}

/** What waits for consent is not refused for good. */
function guardMark(guard) {
  if (guard === "ConsentNeeded") return h("span", { class: "is-held refused" }, "needs consent");
  return h("span", { class: "is-bad refused" }, `refused: ${guard}`);
}

function buysWords(action) {
  const size = [
    action.rows === null ? "rows unknown" : counted(action.rows, "row"),
    bytes(action.bytes),
    action.tokens === null ? null : `${action.tokensCounted ? "" : "about "}${count(action.tokens)} tokens`,
  ];
  const price = action.cost?.estimate ? moneyRange(action.cost.estimate) : null;
  return `${action.model} on ${action.provider}: ${[...size, price].filter(Boolean).join(", ")}`;
}

function buys({ total, cost }) {
  if (!total.jobs) return section("Buys", null, h("p", { class: "soft" }, "Nothing."));
  const columns = [
    { title: "Model" },
    { title: "Jobs", number: true },
    { title: "Rows", number: true },
    { title: "Tokens", number: true },
  ];
  const rows = total.models.map((one) => ({
    key: `${one.provider}-${one.model}`,
    cells: [[one.model, h("span", { class: "provider" }, one.provider)], ...sizes(one)],
  }));
  if (total.models.length > 1) rows.push({ key: "total", cells: [h("strong", null, "Together"), ...sizes(total)] });
  const price = h("p", { class: "after soft" }, `Price: ${moneyRange(cost?.estimate)}`);
  return section("Buys", null, table("What the plan buys", columns, rows), price);
}

/** Jobs, rows and tokens; with jobs of unknown size, what is known is the least. */
function sizes({ jobs, rows, tokens, unknown }) {
  if (unknown && unknown === jobs) return [count(jobs), "unknown", "unknown"];
  const least = unknown ? "from " : "";
  return [count(jobs), `${least}${count(rows)}`, unknown ? `${least}${count(tokens)}` : `~${count(tokens)}`];
}

function guards(found) {
  if (!found.length) return null;
  return section(
    "Refused by a guard",
    null,
    h(
      "ul",
      { class: "ways" },
      found.map((guard) =>
        h("li", { key: guard.code }, h("span", null, guard.message), guard.flag ? command(guard.flag) : null),
      ),
    ),
  );
}

function nextSteps({ digest, summary }) {
  if (!doing(summary).length) return null;
  return section(
    "Carry it out",
    null,
    h(
      "ul",
      { class: "ways" },
      h("li", null, command("batchctl apply"), h("span", { class: "soft small" }, "asks before it buys")),
      digest
        ? h(
            "li",
            null,
            command(`batchctl apply --yes --expect ${digest}`),
            h("span", { class: "soft small" }, "only if the plan is still this one"),
          )
        : null,
    ),
  );
}
