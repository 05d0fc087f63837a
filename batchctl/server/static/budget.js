/* Money and tokens against their limits, as bars with words. */

import { h } from "./render.js";
import { count, counted, duration, money } from "./format.js";

/**
 * A bar: what is spent, and what is expected beside it, of a whole; a mark where the limit is passed. The text beside it
 * says the same. Null if there is nothing to show.
 */
function meter(spent, expected, limit) {
  const whole = Math.max(limit ?? 0, expected, spent);
  if (!whole) return null;
  const share = (part) => `${(100 * part) / whole}%`;
  const group = limit && spent > limit ? "bad" : limit && spent > 0.8 * limit ? "held" : "going";
  return h(
    "span",
    { class: "meter", "aria-hidden": "true" },
    h("span", { class: "meter-part meter-expected", style: { width: share(Math.max(expected, spent)) } }),
    h("span", { class: `meter-part is-${group}`, style: { width: share(spent) } }),
    limit && limit < whole ? h("span", { class: "meter-limit", style: { left: share(limit) } }) : null,
  );
}

/** The stack's money: against its budget, else against the highest estimate. */
export function moneyMeter({ cost, budget, estimate }) {
  const use = budget?.money;
  if (use?.limit) return useMeter(use);
  return meter(Number(cost?.actual?.money ?? 0), Number(estimate?.high ?? 0), null);
}

function useMeter({ spent, planned, limit, perRun }) {
  const used = Number(spent ?? 0);
  return meter(used, used + Number(planned ?? 0), Number(limit ?? perRun));
}

/** Each limit of `limits.budget` and `limits.tokens` with its bar and its lines; null without such limits. */
export function budgetUses(budget) {
  const uses = [budget?.money, budget?.tokens].filter(Boolean);
  return uses.length
    ? uses.map((use) => h("div", { class: "use", key: use.unit }, useMeter(use), useLines(use, budget)))
    : null;
}

function useLines(use, { periodSeconds }) {
  const shown = (amount) =>
    use.unit === "tokens" ? (amount === null ? "unknown" : `${count(Number(amount))} tokens`) : money(amount, use.unit);
  const entries = [
    [
      `Used in ${duration(periodSeconds)}`,
      shown(use.spent),
      use.unknown ? `without ${counted(use.unknown, "attempt")}` : null,
    ],
    ["To be bought", shown(use.planned), use.unknownPlanned ? `without ${counted(use.unknownPlanned, "job")}` : null],
    ["Limit", use.limit === null ? "none" : shown(use.limit), null],
    ["Limit of a run", use.perRun === null ? null : shown(use.perRun), null],
  ].filter(([, value]) => value !== null);
  return h(
    "dl",
    { class: "lines" },
    entries.map(([name, value, note]) =>
      h(
        "div",
        { key: name },
        h("dt", null, name),
        h("dd", { class: "number" }, value, note ? h("span", { class: "provider" }, note) : null),
      ),
    ),
  );
}
