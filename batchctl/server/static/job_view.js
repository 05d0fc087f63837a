/* One job: why it is as it is, what went wrong, its attempts over time, and what can be done. */

import { h } from "./render.js";
import { clock, count, counted, duration, stateName } from "./format.js";
import { address } from "./router.js";
import { saysMore } from "./jobs_table.js";
import { phaseLabel } from "./phases.js";
import { command, empty, facts, jobLink, notice, prose, section, verdictTable } from "./parts.js";
import { gantt, ganttLegend, spanAxis, spanName } from "./gantt.js";
import { attemptTable } from "./attempts.js";
import { costSection } from "./costs.js";
import { forecastSection } from "./forecast.js";
import { eventTable } from "./event_table.js";
import { changeList } from "./changes.js";
import { age, countdown, moment, serverNow } from "./clock.js";

export function jobView(app, route, name) {
  let job = null;
  const load = async () => {
    job = await app.source.get(`jobs/${encodeURIComponent(name)}`);
  };
  const render = () => {
    const { status, describe, explain } = job;
    return [
      heading(job, app),
      notices(status, describe),
      conditionSection(explain),
      h(
        "div",
        { class: "columns" },
        h(
          "div",
          { class: "column" },
          timeSection(job),
          verdictSection(status),
          attemptSection(describe),
          changesSection(describe),
          eventSection(describe, name),
        ),
        h(
          "div",
          { class: "column is-side" },
          factSection(job),
          forecastSection(status.forecast),
          costSection(status.cost),
          neighbours(job),
          commandSection(explain.commands),
        ),
      ),
    ];
  };
  return { title: name, load, render };
}

function heading({ status }, app) {
  const rows = app.summary.rowsShown
    ? h("a", { class: "button", href: address(["jobs", status.job, "rows"]) }, "Rows")
    : null;
  return h(
    "header",
    { class: "job-head" },
    h("p", { class: "crumb" }, h("a", { href: "#/" }, "Jobs")),
    h(
      "div",
      { class: "view-head" },
      h("h1", { class: "mono" }, status.job),
      h(
        "div",
        { class: "view-tools" },
        rows,
        h("a", { class: "button", href: address(["graph"], { job: status.job }) }, "Graph"),
      ),
    ),
    h("p", { class: "lead" }, phaseLabel(status.phase), saysMore(status) ? h("span", null, status.reason) : null),
  );
}

function notices(status, describe) {
  const shown = [
    status.lastError ? errorNotice(status.lastError) : null,
    status.collectBy
      ? notice(
          "held",
          h("strong", null, "Collect within ", countdown(status.collectBy)),
          " ",
          h("span", null, "After that, the API may delete the results."),
        )
      : null,
    status.timer ? timerNotice(status.timer) : null,
    status.forecast?.stuck
      ? notice(
          "held",
          h("strong", null, `In ${stateName(status.state)} for ${duration(status.forecast.stuckFor)}. `),
          "That is unusually long for such a job.",
        )
      : null,
    describe?.guard
      ? notice("held", h("strong", null, "A guard refuses its action: "), h("code", null, describe.guard))
      : null,
    ...(describe?.drift ?? []).map((one) => notice("held", h("strong", null, `${one.kind}: `), one.detail)),
  ].filter(Boolean);
  return shown.length ? h("div", { class: "notices" }, shown) : null;
}

const TIMERS = {
  backoff: ["waiting", "Next attempt in "],
  deadline: ["held", "Cancelled at its deadline in "],
  settling: ["waiting", "It is not known whether its create call made a job; the search for its mark ends in "],
  missing: ["waiting", "Its remote job is missing; checked again in "],
  ttl: ["waiting", "Its remote job is deleted in "],
  cancel: ["waiting", "Cancelled again in "],
  admission: ["waiting", "Its account is asked for capacity again in "],
};

/** What happens to the job by itself, and when. */
function timerNotice({ event, time }) {
  const [group, words] = TIMERS[event] ?? ["waiting", "Next step in "];
  return notice(group, h("strong", null, words, countdown(time)));
}

/** The API's words as they are, and when batchctl tries again. */
function errorNotice(error) {
  const again = error.nextTime
    ? h(
        "p",
        null,
        "Tried ",
        counted(error.tries, "time"),
        "; again in ",
        countdown(error.nextTime),
        error.until ? [", until ", moment(error.until)] : null,
      )
    : null;
  return notice(
    "bad",
    h("strong", null, [error.operation, error.code].filter(Boolean).join(": ")),
    h("pre", null, error.message),
    error.wayOut ? h("p", null, error.wayOut) : null,
    again,
  );
}

/** What holds the job, and what follows. */
function conditionSection({ conditions, next }) {
  if (!conditions.length) return h("p", { class: "next" }, "Next: ", prose(next));
  return section(
    "Conditions",
    null,
    facts(
      conditions.map(({ type, message, until }) => [
        type,
        [prose(message), until ? h("span", { class: "provider" }, "until ", moment(until)) : null],
      ]),
    ),
    h("p", { class: "after" }, "Next: ", prose(next)),
  );
}

function timeSection({ spans, status }) {
  if (!spans.length) return section("Timeline", null, empty("No attempt yet", status.reason));
  const now = serverNow();
  const rows = spans.map((span) => ({
    key: spanName(span),
    head: h("span", { class: "gantt-job" }, spanName(span)),
    spans: [span],
  }));
  return section(
    "Timeline",
    ganttLegend(),
    h("div", { class: "is-narrow-head" }, gantt("Attempts and shards over time", rows, spanAxis(spans, now), now)),
  );
}

function verdictSection({ rows, job }) {
  if (!rows?.verdicts) return null;
  return section(
    "Verdicts",
    counted(rows.total, "row"),
    verdictTable(rows.verdicts),
    rows.failed ? h("p", { class: "after" }, command(`batchctl results ${job} --failed`)) : null,
  );
}

function attemptSection(describe) {
  return describe?.attempts.length ? section("Attempts and shards", null, attemptTable(describe.attempts)) : null;
}

function changesSection(describe) {
  return describe?.changes.length ? section("Changes in the manifest", null, changeList(describe.changes)) : null;
}

function eventSection(describe, name) {
  if (!describe?.events?.length) return null;
  const events = [...describe.events].reverse();
  return section(
    "Events",
    h("a", { href: address(["events"], { job: name }) }, "All events"),
    eventTable(events.slice(0, 30), false),
  );
}

function factSection({ status, describe }) {
  const desired = describe?.desired ?? describe?.recorded;
  return section(
    "Job",
    describe?.consoleUrl ? h("a", { href: describe.consoleUrl, rel: "noopener noreferrer" }, "Console") : null,
    facts([
      ["Model", status.model],
      [
        "Provider",
        [
          status.provider,
          desired?.account && desired.account !== status.provider
            ? h("span", { class: "provider" }, desired.account)
            : null,
        ],
      ],
      ["State", status.state ? h("code", null, status.state) : null],
      ["Remote job", status.remote ? h("code", null, status.remote) : null],
      [
        "Created",
        status.createTime
          ? [moment(status.createTime), h("span", { class: "provider" }, age(status.createTime), " ago")]
          : null,
      ],
      ["Started", status.startTime ? moment(status.startTime) : null],
      ["Ended", status.endTime ? moment(status.endTime) : null],
      ["Input tokens", status.tokens === null ? null : count(status.tokens)],
      ["Rows", sourceWords(desired?.source)],
      [
        "Manifest",
        desired?.path ? h("code", null, desired.line ? `${desired.path}:${desired.line}` : desired.path) : null,
      ],
      ["Results", describe?.results ? h("code", null, describe.results) : null],
      ["Labels", labels(status.labels)],
      ["Next step", describe?.nextTime ? h("span", null, clock(describe.nextTime, serverNow())) : null],
    ]),
  );
}

function sourceWords(source) {
  if (!source) return null;
  const from = { inline: "in the manifest", chain: `answers of ${source.fromJob}` }[source.type] ?? source.type;
  return source.rows === null || source.rows === undefined ? from : `${count(source.rows)}, ${from}`;
}

function labels(all) {
  const entries = Object.entries(all ?? {});
  return entries.length
    ? entries.map(([name, value]) => h("span", { key: name, class: "label" }, `${name}=${value}`))
    : null;
}

function neighbours({ dependsOn, dependents }) {
  if (!dependsOn.length && !dependents.length) return null;
  const list = (title, jobs) =>
    jobs.length
      ? h(
          "div",
          { key: title },
          h("h3", null, title),
          h(
            "ul",
            { class: "near" },
            jobs.map((one) =>
              h(
                "li",
                { key: one.job },
                jobLink(one.job),
                one.phase ? phaseLabel(one.phase) : h("span", { class: "soft" }, "unknown"),
              ),
            ),
          ),
        )
      : null;
  return section("Neighbours", null, list("Depends on", dependsOn), list("Needed by", dependents));
}

function commandSection(commands) {
  if (!commands?.length) return null;
  return section(
    "You can",
    null,
    h(
      "ul",
      { class: "ways" },
      commands.map((one) =>
        h("li", { key: one.command }, command(one.command), h("span", { class: "soft small" }, one.effect)),
      ),
    ),
  );
}
