/* What a job or the stack costs: the estimate before, the tokens and the money after. Unknown stays unknown. */

import { h } from "./render.js";
import { count, counted, money, moneyRange } from "./format.js";
import { section } from "./parts.js";

const BASES = {
  bytes: "from the bytes",
  learned: "from earlier jobs",
  countTokens: "counted on a sample",
  counted: "counted",
  job: "from its answers",
  model: "from answers of its model",
  none: "",
};
const KINDS = [
  ["input", "Input"],
  ["cached", "Cached input"],
  ["output", "Output"],
  ["thoughts", "Thoughts"],
];

/** The section of one job; null without any figures. */
export function costSection(cost) {
  return cost ? section("Cost", null, costTable(cost)) : null;
}

/** What all jobs are expected to cost, and the jobs that this leaves out, in words. */
export function expectedOfAll({ estimate }) {
  const note = estimate?.unknown ? `without ${counted(estimate.unknown, "job")} of unknown cost` : null;
  return [moneyRange(estimate), note];
}

/** The jobs that the money spent does not have, in words; null if it has all of them, or is not known at all. */
export function spentWithout({ actual, unknown }) {
  return actual?.money && unknown?.actual ? `without ${counted(unknown.actual, "job")} of unknown cost` : null;
}

/** Estimated and counted tokens and money, as a table. `expected`: as of `expectedOfAll`, for all jobs. */
export function costTable(cost, expected) {
  const rows = [...estimateRows(cost, expected), ...actualRows(cost)];
  return h(
    "table",
    { class: "plain" },
    h("caption", { class: "unseen" }, "Cost"),
    h(
      "tbody",
      null,
      rows.map(([name, value, note]) =>
        h(
          "tr",
          { key: name },
          h("th", { scope: "row" }, name),
          h("td", { class: "number" }, value, note ? h("span", { class: "provider" }, note) : null),
        ),
      ),
    ),
  );
}

function estimateRows({ tokens, estimate }, expected) {
  const [words, note] = expected ?? [moneyRange(estimate), estimate?.day ? `prices of ${estimate.day}` : null];
  return [
    ["Estimate", words, note],
    ["Input", tokens.input === null ? "unknown" : `${count(tokens.input)} tokens`, BASES[tokens.inputBasis]],
    ["Output", outputWords(tokens), BASES[tokens.outputBasis]],
  ];
}

function outputWords({ outputLow: low, outputHigh: high, outputBasis: basis }) {
  if (basis === "none") return "none";
  if (low === null && high === null) return "unknown";
  if (high === null) return `from ${count(low)} tokens`;
  if (low === null) return `up to ${count(high)} tokens`;
  return low === high ? `${count(low)} tokens` : `${count(low)}–${count(high)} tokens`;
}

function actualRows({ actual, error, estimate, unknown }) {
  if (!actual) return [["Actual", "not known yet", null]];
  const counts = KINDS.filter(([kind]) => actual.tokens?.[kind]).map(([kind, name]) => [
    `${name}, counted`,
    `${count(actual.tokens[kind])} tokens`,
    null,
  ]);
  const answers = actual.uncounted ? `without ${counted(actual.uncounted, "answer")}` : null;
  const left = spentWithout({ actual, unknown }) ?? answers;
  const off = error ? [["Actual less estimate", money(error, estimate?.currency), null]] : [];
  return [["Actual", money(actual.money, actual.currency), left], ...counts, ...off];
}
