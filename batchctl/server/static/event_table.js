/* What was done and seen, newest first. */

import { h } from "./render.js";
import { moment } from "./clock.js";
import { jobLink } from "./parts.js";

const GROUPS = {
  Failed: "bad",
  Refused: "bad",
  Unanswered: "held",
  Collected: "good",
  Created: "going",
  Creating: "going",
  Cancelled: "ended",
  Deleted: "ended",
  Gone: "bad",
};

/** `withJobs` adds the column of the jobs' names. */
export function eventTable(events, withJobs) {
  return h(
    "ol",
    { class: `events${withJobs ? " has-jobs" : ""}` },
    events.map((event, at) =>
      eventLine(event, withJobs, event.number ?? `${event.time}-${event.kind}-${events.length - at}`),
    ),
  );
}

function eventLine(event, withJobs, key) {
  return h(
    "li",
    { key, class: `event is-${GROUPS[event.kind] ?? "waiting"}` },
    h("span", { class: "event-time" }, moment(event.time)),
    withJobs ? h("span", { class: "event-job" }, event.job ? jobLink(event.job) : "the stack") : null,
    h(
      "span",
      { class: "event-what" },
      event.what,
      event.attempt ? h("span", { class: "soft" }, ` attempt ${event.attempt}`) : null,
    ),
    h("span", { class: "event-why" }, event.code ? h("code", null, event.code, " ") : null, event.why),
    h("span", { class: "event-who soft" }, event.who),
  );
}
