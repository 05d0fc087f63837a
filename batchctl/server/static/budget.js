/* Money and tokens against their limits, as bars with words. */

import { h } from "./render.js";

/**
 * Spent money, and what is still expected, against the budget; without a budget against the highest estimate. The text
 * beside it says the same.
 */
export function moneyMeter({ cost, budget }) {
  const spent = Number(cost?.actual?.money ?? budget?.spent ?? 0);
  const expected = Math.max(spent, Number(cost?.estimate?.high ?? 0));
  const limit = Number(budget?.limit ?? 0) || expected;
  if (!limit) return null;
  const whole = Math.max(limit, expected);
  return h(
    "span",
    { class: "meter", "aria-hidden": "true" },
    h("span", { class: "meter-part meter-expected", style: { width: `${(100 * expected) / whole}%` } }),
    h("span", {
      class: `meter-part is-${spent > limit ? "bad" : spent > 0.8 * limit ? "held" : "going"}`,
      style: { width: `${(100 * spent) / whole}%` },
    }),
    limit < whole ? h("span", { class: "meter-limit", style: { left: `${(100 * limit) / whole}%` } }) : null,
  );
}
