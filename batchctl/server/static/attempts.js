/* The attempts of a job as a table, with the API's errors as they are. */

import { h } from "./render.js";
import { count, duration, instant, stateName } from "./format.js";
import { moment, serverNow } from "./clock.js";
import { rowsText, table } from "./parts.js";
import { spanName } from "./gantt.js";

const COLUMNS = [
  { title: "Attempt" },
  { title: "State" },
  { title: "Rows", number: true },
  { title: "Input tokens", number: true },
  { title: "Queued", number: true },
  { title: "Ran", number: true },
  { title: "Remote job" },
];

export function attemptTable(attempts) {
  const newest = [...attempts].sort((one, other) => other.attempt - one.attempt || one.shard - other.shard);
  return [table("Attempts and shards", COLUMNS, newest.map(attemptRow)), errors(newest)];
}

function attemptRow(attempt) {
  const name = spanName({ ...attempt, shards: attempt.sent?.shards });
  return {
    key: name,
    cells: [
      name,
      state(attempt),
      rowsText(attempt.rows),
      count(attempt.tokens),
      ...times(attempt),
      h("code", null, attempt.remote ?? "–"),
    ],
  };
}

function state(attempt) {
  const notes = [
    attempt.rejected && "refused",
    attempt.adopted && "adopted",
    attempt.sent?.canary && "canary",
    attempt.deleteTime && "deleted",
    attempt.goneTime && "gone",
  ].filter(Boolean);
  return [
    attempt.state ? h("code", null, stateName(attempt.state)) : null,
    notes.length ? h("span", { class: "provider" }, notes.join(", ")) : null,
  ];
}

/** The time in the queue, and the time it ran. Of an attempt that was never seen running, only the sum is known. */
function times({ createTime, startTime, endTime }) {
  if (createTime && endTime && !startTime) return ["–", `at most ${time(createTime, endTime)}`];
  return [time(createTime, startTime), time(startTime, endTime)];
}

function time(from, to) {
  if (!from) return "–";
  return duration(((to ? instant(to) : serverNow()) - instant(from)) / 1000);
}

function errors(attempts) {
  const failed = attempts.filter((attempt) => attempt.error);
  if (!failed.length) return null;
  return h(
    "ul",
    { class: "errors" },
    failed.map((attempt) =>
      h(
        "li",
        { key: spanName({ ...attempt, shards: attempt.sent?.shards }) },
        h(
          "h3",
          null,
          `Attempt ${spanName({ ...attempt, shards: attempt.sent?.shards })}: error of the API`,
          attempt.endTime ? [", ", moment(attempt.endTime)] : null,
        ),
        h(
          "pre",
          { class: "verbatim" },
          typeof attempt.error === "string"
            ? attempt.error
            : (attempt.error.message ?? JSON.stringify(attempt.error, null, 2)),
        ),
      ),
    ),
  );
}
