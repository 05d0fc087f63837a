/* When a job ends, by the stack's own history. What is not known says so, and why. */

import { h } from "./render.js";
import { counted, duration } from "./format.js";
import { moment } from "./clock.js";
import { section } from "./parts.js";

/** The section of a job; null for one that has ended. */
export function forecastSection(forecast) {
  if (!forecast) return null;
  const { end, pending, running, samples, size, unknown } = forecast;
  const basis = samples
    ? h("p", { class: "soft small after" }, `From ${counted(samples, "earlier attempt")}${size ? ` of ${size}` : ""}.`)
    : null;
  const why = unknown ? h("p", { class: "soft" }, `Its end is unknown: ${unknown}.`) : null;
  const rows = [
    spanRow("In the queue", pending),
    spanRow("Running", running),
    end ? row("Ends", moment(end.p50), moment(end.p90)) : null,
  ].filter(Boolean);
  return section("Forecast", null, why, rows.length ? forecastTable(rows) : null, basis);
}

function forecastTable(rows) {
  return h(
    "table",
    { class: "plain" },
    h("caption", { class: "unseen" }, "Forecast"),
    h(
      "thead",
      null,
      h(
        "tr",
        null,
        h("td", null),
        h("th", { scope: "col", class: "number" }, "half"),
        h("th", { scope: "col", class: "number" }, "9 in 10"),
      ),
    ),
    h("tbody", null, rows),
  );
}

function spanRow(name, span) {
  if (!span) return null;
  return row(
    name,
    duration(span.p50),
    span.p90 === null && span.longerThan ? `over ${duration(span.longerThan)}` : duration(span.p90),
  );
}

function row(name, half, most) {
  return h(
    "tr",
    { key: name },
    h("th", { scope: "row" }, name),
    h("td", { class: "number" }, half),
    h("td", { class: "number" }, most),
  );
}
