/* The table of jobs. In the order of attention it has a part for each kind; on a narrow screen each job is a card. */

import { h } from "./render.js";
import { count, money, moneyRange, stateName } from "./format.js";
import { age, countdown, moment } from "./clock.js";
import { phaseLabel } from "./phases.js";
import { jobLink, rowsBar, rowsText } from "./parts.js";

const COLUMNS = [
  { name: "phase", title: "Phase" },
  { name: "job", title: "Job" },
  { name: "rows", title: "Rows", number: true, down: true },
  { name: "model", title: "Model" },
  { name: "created", title: "Age", number: true },
  { name: "end", title: "Ends", number: true },
  { name: "cost", title: "Cost", number: true, down: true },
];

const PARTS = [
  ["Needs attention", (job) => job.attention],
  ["Under way", (job) => ["Active", "Settling", "Cancelling", "Removing"].includes(job.phase)],
  ["Waiting", (job) => ["Waiting", "Blocked"].includes(job.phase)],
  ["Ended", () => true],
];

/** `choose` gets another order; `inParts` is whether the order of attention shows its parts. */
export function jobTable(jobs, sort, choose, inParts) {
  const providers = new Set(jobs.map((job) => job.provider)).size;
  const parts = sort === "attention" && inParts ? split(jobs) : [[null, jobs]];
  return h(
    "table",
    { class: "job-table" },
    h("caption", { class: "unseen" }, "Jobs"),
    h(
      "thead",
      null,
      h(
        "tr",
        null,
        COLUMNS.map((column) => heading(column, sort, choose)),
      ),
    ),
    parts.map(([title, members]) =>
      h(
        "tbody",
        { key: title ?? "all" },
        title
          ? h(
              "tr",
              { class: title === PARTS[0][0] ? "part is-bad" : "part", key: "part" },
              h("th", { colspan: COLUMNS.length, scope: "rowgroup" }, title),
            )
          : null,
        members.map((job) => jobRow(job, providers)),
      ),
    ),
  );
}

function split(jobs) {
  const parts = PARTS.map(([title]) => [title, []]);
  for (const job of jobs) parts[PARTS.findIndex(([, holds]) => holds(job))][1].push(job);
  return parts.filter(([, members]) => members.length);
}

function heading(column, sort, choose) {
  const sorted = sort.replace("-", "") === column.name;
  const down = sort.startsWith("-");
  const next = sorted ? (down ? column.name : `-${column.name}`) : column.down ? `-${column.name}` : column.name;
  const direction = sorted ? (down ? "descending" : "ascending") : null;
  return h(
    "th",
    { scope: "col", class: `col-${column.name}${column.number ? " number" : ""}`, "aria-sort": direction },
    h(
      "button",
      { class: "sort", type: "button", on: { click: () => choose(next) } },
      column.title,
      h("span", { class: "sort-sign", "aria-hidden": "true" }, sorted ? (down ? "↓" : "↑") : ""),
    ),
  );
}

function jobRow(job, providers) {
  return h(
    "tr",
    { key: job.job, class: job.attention ? "needs" : null },
    h("td", { class: "col-phase" }, phaseLabel(job.phase), stateNote(job)),
    h(
      "th",
      { scope: "row", class: "col-job" },
      jobLink(job.job),
      saysMore(job) ? h("span", { class: "why" }, job.reason) : null,
      deadlineNote(job),
    ),
    h("td", { class: "col-rows number" }, rowsText(job.rows), rowsBar(job.rows)),
    h("td", { class: "col-model" }, job.model, providers > 1 ? h("span", { class: "provider" }, job.provider) : null),
    h("td", { class: "col-created number", "data-title": "Age" }, job.createTime ? age(job.createTime) : "–"),
    h("td", { class: "col-end number", "data-title": "Ends" }, ends(job)),
    h("td", { class: "col-cost number", "data-title": "Cost" }, costs(job)),
  );
}

/** Whether the reason has more to say than the phase and the state beside it, as "running" has not. */
export function saysMore(job) {
  return job.reason && ![job.phase, stateName(job.state)].some((word) => word.toLowerCase() === job.reason);
}

/** The state of the API, where the phase does not say as much. */
function stateNote(job) {
  const state = job.phase === "Active" && job.state ? stateName(job.state).toLowerCase() : null;
  const tries = job.attempt > 1 ? `attempt ${job.attempt}` : null;
  const words = [state, tries].filter(Boolean).join(", ");
  return words ? h("span", { class: "provider" }, words) : null;
}

function deadlineNote(job) {
  if (job.collectBy) return h("span", { class: "due" }, "Collect within ", countdown(job.collectBy));
  if (job.forecast?.stuck)
    return h("span", { class: "due" }, `${stateName(job.state).toLowerCase()} for unusually long`);
  const words = { deadline: "Deadline in ", backoff: "Next attempt in ", ttl: "Deleted in " }[job.timer?.event];
  return words ? h("span", { class: "due" }, words, countdown(job.timer.time)) : null;
}

function ends(job) {
  if (job.endTime) return moment(job.endTime);
  const end = job.forecast?.end;
  if (!end || job.phase !== "Active") return "–";
  return h(
    "span",
    null,
    "in ",
    countdown(end.p50),
    end.p90 ? h("span", { class: "provider" }, "at most ", countdown(end.p90)) : null,
  );
}

function costs(job) {
  const actual = job.cost?.actual?.money;
  if (actual) return money(actual, job.cost.actual.currency);
  if (job.cost?.estimate)
    return h(
      "span",
      { class: "soft", title: "estimate" },
      "≈ ",
      moneyRange(job.cost.estimate),
      h("span", { class: "unseen" }, " estimate"),
    );
  const tokens = job.cost?.actual?.tokens?.total;
  return tokens ? h("span", null, count(tokens), h("span", { class: "provider" }, "tokens")) : "–";
}
