/* The figures of the stack, in four boxes. What is not known says so. */

import { h } from "./render.js";
import { count, counted, duration, hour, money, short } from "./format.js";
import { countdown, serverNow } from "./clock.js";
import { address, jobAddress } from "./router.js";
import { rowsBar } from "./parts.js";
import { moneyMeter } from "./budget.js";
import { expectedOfAll } from "./costs.js";

const UNKNOWN = "unknown";

export function tiles(summary) {
  return h("div", { class: "tiles" }, rowsTile(summary), costTile(summary), endTile(summary), collectTile(summary));
}

function tile(name, href, figure, note, picture) {
  return h(
    "a",
    { class: "tile", href, key: name },
    h("span", { class: "tile-name" }, name),
    h("span", { class: figure === UNKNOWN ? "tile-figure is-unknown" : "tile-figure" }, figure),
    h("span", { class: "tile-note" }, note),
    picture,
  );
}

function rowsTile({ rows }) {
  const to = address(["figures"]);
  if (!rows.total) return tile("Rows", to, UNKNOWN, "not counted yet", null);
  if (rows.ok === null) return tile("Rows", to, count(rows.total), "no answers yet", rowsBar(rows));
  const missing = rows.verdicts?.NO_RESULT ?? 0;
  const bad = [
    rows.failed ? `${count(rows.failed)} failed` : null,
    missing ? `${count(missing)} without a result` : null,
  ].filter(Boolean);
  const failed = bad.length ? h("span", { class: "is-bad toned" }, bad.join(", ")) : "none failed";
  const figure = [count(rows.ok), h("span", { class: "of" }, ` of ${count(rows.total)} good`)];
  return tile("Rows", to, figure, failed, rowsBar(rows));
}

function costTile(summary) {
  const { cost, budget } = summary;
  const spent = cost?.actual?.money;
  if (!spent && !cost?.estimate && !budget?.money)
    return tile(
      "Tokens",
      address(["figures"]),
      summary.tokens === null ? "none yet" : short(summary.tokens),
      "money: unknown",
      null,
    );
  const use = budget?.money;
  if (use?.limit) {
    const limit = `of ${money(use.limit, use.unit)} in ${duration(budget.periodSeconds)}`;
    return tile("Budget", address(["figures"]), money(use.spent, use.unit), limit, moneyMeter(summary));
  }
  const figure = spent ? money(spent, cost.actual.currency) : "nothing yet";
  const note = ["estimate of all jobs:", ...expectedOfAll(summary)].filter(Boolean).join(" ");
  return tile("Spent", address(["figures"]), figure, note, moneyMeter(summary));
}

function endTile({ forecast, phases }) {
  const going = (phases.Active ?? 0) + (phases.Waiting ?? 0);
  if (!going) return tile("Ends", address(["timeline"]), "Ended", "nothing is under way", null);
  const end = forecast?.end;
  if (!end) return tile("Ends", address(["timeline"]), UNKNOWN, `${counted(going, "job")} to go`, null);
  return tile(
    "Ends",
    address(["timeline"]),
    hour(end.p50, serverNow()),
    end.p90 ? `9 in 10 by ${hour(end.p90, serverNow())}` : "at the latest: unknown",
    null,
  );
}

function collectTile({ collectBy, plan }) {
  if (collectBy?.length) {
    const first = collectBy[0];
    const more = collectBy.length > 1 ? ` and ${count(collectBy.length - 1)} more` : "";
    return tile("Collect within", jobAddress(first.job), countdown(first.time), `${first.job}${more}`, null);
  }
  const actions = plan
    ? Object.entries(plan.summary).filter(([action, number]) => number && !["none", "wait"].includes(action))
    : [];
  if (!plan) return tile("Plan", address(["plan"]), UNKNOWN, "not planned yet", null);
  const words = actions.map(([action, number]) => `${count(number)} ${action}`).join(", ");
  return tile(
    "Plan",
    address(["plan"]),
    actions.length
      ? counted(
          actions.reduce((sum, [, number]) => sum + number, 0),
          "action",
        )
      : "Nothing to do",
    words || "manifests and jobs agree",
    null,
  );
}
