/* When jobs were in the queue and when they ran: a row for each job. */

import { h } from "./render.js";
import { count, counted } from "./format.js";
import { replaceParameters } from "./router.js";
import { phaseSign } from "./phases.js";
import { choice, empty, jobLink, searchField } from "./parts.js";
import { gantt, ganttLegend, spanAxis } from "./gantt.js";
import { serverNow } from "./clock.js";

const MOST_JOBS = 100;
const HOUR = 3_600_000;
const RANGES = [
  ["all", "All"],
  ["24", "24 h"],
  ["6", "6 h"],
  ["1", "1 h"],
];

export function timelineView(app, route) {
  const asked = {
    q: route.parameters.get("q") ?? "",
    phase: route.parameters.getAll("phase"),
    range: route.parameters.get("range") ?? "all",
  };
  let timeline = null;
  let limit = MOST_JOBS;
  let pause = null;

  const load = async () => {
    timeline = await app.source.get("timeline", { q: asked.q, phase: asked.phase, limit });
  };

  function ask(change) {
    Object.assign(asked, change);
    replaceParameters(["timeline"], { ...asked, range: asked.range === "all" ? "" : asked.range });
    app.reload();
  }

  function typed(event) {
    const q = event.target.value;
    clearTimeout(pause);
    pause = setTimeout(() => ask({ q }), 150);
  }

  function more() {
    limit = Math.min(limit * 2, 1000);
    app.reload();
  }

  const render = () => [
    h(
      "div",
      { class: "view-head" },
      h("h1", null, "Timeline"),
      h(
        "div",
        { class: "view-tools" },
        searchField("Search jobs", asked.q, typed),
        choice("Range", RANGES, asked.range, (range) => ask({ range })),
      ),
    ),
    chart(timeline.items, asked.range),
    timeline.next && limit < 1000
      ? h(
          "p",
          { class: "pager" },
          `${count(timeline.items.length)} of ${counted(timeline.matched, "job")}`,
          h("button", { class: "button", type: "button", on: { click: more } }, "Show more"),
        )
      : null,
  ];

  return { title: "Timeline", load, render };
}

function chart(items, range) {
  const now = serverNow();
  const since = range === "all" ? null : now - Number(range) * HOUR;
  const shown = items.filter((item) => item.spans.some((span) => span.queued && inRange(span, since)));
  if (!shown.length)
    return empty(
      "Nothing to show",
      range === "all" ? "No attempt has begun yet." : "No attempt was under way in this range.",
    );
  shown.sort((one, other) => begins(one) - begins(other) || (one.job < other.job ? -1 : 1));
  const axis = spanAxis(
    shown.flatMap((item) => item.spans),
    now,
    since,
  );
  const rows = shown.map((item) => ({
    key: item.job,
    head: h(
      "span",
      { class: "gantt-job" },
      phaseSign(item.phase),
      jobLink(item.job),
      h("span", { class: "unseen" }, ` ${item.phase}`),
    ),
    spans: item.spans.filter((span) => inRange(span, since)),
  }));
  return h(
    "section",
    { class: "sheet", "aria-label": "Attempts over time" },
    ganttLegend(),
    gantt("Attempts of each job over time", rows, axis, now),
  );
}

/** When the first attempt was sent. */
function begins(item) {
  return Math.min(...item.spans.filter((span) => span.queued).map((span) => Date.parse(span.queued)));
}

function inRange(span, since) {
  return since === null || !span.ended || Date.parse(span.ended) >= since;
}
