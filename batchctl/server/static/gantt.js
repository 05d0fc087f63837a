/*
 * Attempts and shards over time. The part of a bar in the queue is hatched, the running part is full. The same words are
 * in each row for those who do not see it.
 */

import { h } from "./render.js";
import { clock, duration, instant, rowsWords, stateName } from "./format.js";
import { piece, ticks, timeAxis } from "./axis.js";

const MANY_LANES = 6; // from here on, lanes are thin
const GROUPS = {
  SUCCEEDED: "good",
  PARTIALLY_SUCCEEDED: "partial",
  FAILED: "bad",
  EXPIRED: "bad",
  CANCELLED: "ended",
  PENDING: "going",
  QUEUED: "going",
  RUNNING: "going",
  CANCELLING: "held",
};

/** The colour of a span's state. */
function spanGroup(span) {
  if (!span.state) return span.error ? "bad" : "waiting";
  return GROUPS[stateName(span.state)] ?? "odd";
}

/** An axis over spans up to `now`, with a little room at the right. `since` cuts off what is older. */
export function spanAxis(spans, now, since, until) {
  const begins = spans
    .map((span) => instant(span.queued ?? span.started ?? span.ended))
    .filter((time) => time !== null);
  const ends = spans.map((span) => instant(span.ended)).filter((time) => time !== null);
  const going = spans.some((span) => span.queued && !span.ended);
  const last = Math.max(going || !ends.length ? now : -Infinity, until ?? -Infinity, ...ends);
  const first = Math.max(Math.min(...begins, last), since ?? -Infinity);
  return timeAxis(first, last + (last - first) * 0.02);
}

/** A table: a row for each of `rows` ({key, head, spans}), with a head and lanes. */
export function gantt(caption, rows, axis, now) {
  const marks = ticks(axis);
  return h(
    "table",
    { class: "gantt", style: gridStyle(axis, marks, now) },
    h("caption", { class: "unseen" }, caption),
    h(
      "thead",
      null,
      h(
        "tr",
        null,
        h("th", { scope: "col" }, h("span", { class: "unseen" }, "Job")),
        h(
          "th",
          { scope: "col" },
          h("span", { class: "unseen" }, "Attempts over time"),
          h(
            "span",
            { class: "axis", "aria-hidden": "true" },
            marks
              .filter((mark) => mark.at < 97)
              .map((mark) => h("span", { key: mark.time, style: { left: `${mark.at}%` } }, mark.text)),
          ),
        ),
      ),
    ),
    h(
      "tbody",
      null,
      rows.map((row) =>
        h("tr", { key: row.key }, h("th", { scope: "row" }, row.head), h("td", null, track(row.spans, axis, now))),
      ),
    ),
  );
}

/** Tick lines and the line of now, as the rows draw them: one set of variables for the whole table. */
function gridStyle(axis, marks, now) {
  const size = (100 * axis.step) / (axis.to - axis.from);
  const start = marks.length ? marks[0].at : 0;
  return {
    "--tick-size": `${size}%`,
    "--tick-start": `${(100 * start) / (100 - size)}%`,
    "--now": `${Math.min(axis.at(now), 100)}%`,
  };
}

function track(spans, axis, now) {
  const shown = spans.filter((span) => span.queued || span.started || span.ended);
  const thin = shown.length > MANY_LANES;
  const named = shown.length > 1 && !thin;
  return h(
    "div",
    { class: `track${thin ? " is-thin" : ""}` },
    shown.map((span) =>
      h(
        "div",
        { class: "lane", key: spanName(span), title: spanWords(span, now) },
        bars(span, axis, now),
        named ? label(span, axis, now) : null,
      ),
    ),
    h(
      "ul",
      { class: "unseen" },
      spans.map((span) => h("li", { key: spanName(span) }, spanWords(span, now))),
    ),
    spans.length ? null : h("span", { class: "soft small" }, "not started"),
  );
}

function bars(span, axis, now) {
  const queueEnd = span.started ?? span.ended ?? now;
  const queue = span.queued ? piece(axis, span.queued, queueEnd) : null;
  const run = span.started ? piece(axis, span.started, span.ended ?? now) : null;
  const group = spanGroup(span);
  const look = span.started ? "is-queue is-waiting" : `${span.ended ? "is-unseen" : "is-queue"} is-${group}`;
  return [
    queue && h("span", { key: "queue", class: `span ${look}`, style: placed(queue) }),
    run &&
      h("span", { key: "run", class: `span is-run is-${group}${span.ended ? "" : " is-open"}`, style: placed(run) }),
  ];
}

function placed({ left, width }) {
  return { left: `${left}%`, width: `${width}%` };
}

/** The attempt's name at the end of its bar, or before it where there is no place behind. */
function label(span, axis, now) {
  const whole = piece(axis, span.queued ?? span.started ?? span.ended, span.ended ?? now);
  if (!whole) return null;
  const end = whole.left + whole.width;
  const style = end < 82 ? { left: `${end}%` } : { right: `${100 - whole.left}%` };
  return end < 82 || whole.left > 12
    ? h(
        "span",
        { class: "lane-name", key: "name", style, "aria-hidden": "true" },
        spanName(span),
        span.canary ? " canary" : "",
      )
    : null;
}

/** "1" or, with several shards, "1.0". */
export function spanName(span) {
  return span.shards > 1 || span.shard > 0 ? `${span.attempt}.${span.shard}` : String(span.attempt);
}

/** One attempt in words, for a screen reader and a tooltip. */
function spanWords(span, now) {
  const words = [`Attempt ${spanName(span)}`];
  if (span.canary) words.push("canary");
  if (span.reused) words.push("reused results");
  if (span.queued) words.push(`queued ${clock(span.queued, now)}${queuedFor(span, now)}`);
  if (span.started) words.push(`running ${clock(span.started, now)}${lasting(span.started, span.ended, now)}`);
  else if (span.ended) words.push(`ended ${clock(span.ended, now)}, never seen running`);
  words.push(stateName(span.state).toLowerCase());
  if (rowsWords(span.rows)) words.push(rowsWords(span.rows));
  if (span.error) words.push(span.error);
  return words.join(", ");
}

function queuedFor(span, now) {
  return span.ended && !span.started ? "" : lasting(span.queued, span.started, now);
}

/** " for 5m", or ", for 5m so far" while it goes on. */
function lasting(from, to, now) {
  const seconds = ((to ? instant(to) : now) - instant(from)) / 1000;
  return to ? ` for ${duration(seconds)}` : `, for ${duration(seconds)} so far`;
}

/** What the colours and patterns mean. */
export function ganttLegend() {
  const entries = [
    ["waiting is-queue", "in the queue"],
    ["going", "running"],
    ["good", "succeeded"],
    ["bad", "failed or expired"],
    ["ended", "cancelled"],
  ];
  return h(
    "ul",
    { class: "legend" },
    entries.map(([group, name]) =>
      h("li", { key: name }, h("span", { class: `swatch span is-${group}`, "aria-hidden": "true" }), name),
    ),
  );
}
