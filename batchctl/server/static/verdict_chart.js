/*
 * Rows by verdict over time: areas on top of each other, good rows at the bottom. A step is the end of an attempt.
 *
 * The shapes are in a square of 1000 that is stretched to the place there is; words are HTML beside it, so that they are
 * not stretched. The same numbers are in a table below.
 */

import { h } from "./render.js";
import { clock, count, instant, short } from "./format.js";
import { ticks, timeAxis } from "./axis.js";
import { table } from "./parts.js";

const SIZE = 1000;
const MOST_CODES = 6; // kinds of bad rows with a colour of their own; the rest share one
const COLOURS = ["v1", "v2", "v3", "v4", "v5", "v6"];

/** The chart of an answer of `api/rows-over-time`, up to `now`. */
export function verdictChart({ verdicts, points }, now) {
  const series = colouredSeries(verdicts, points.at(-1).rows);
  const axis = timeAxis(instant(points[0].time) - 1, Math.max(now, instant(points.at(-1).time)));
  const highest = niceTop(sum(points.at(-1).rows));
  const layers = stacked(series, points);
  return [
    h(
      "ul",
      { class: "legend" },
      [...series]
        .reverse()
        .map((one) =>
          h(
            "li",
            { key: one.name },
            h("span", { class: `swatch is-${one.colour}`, "aria-hidden": "true" }),
            one.name,
            h("strong", null, count(total(one, points.at(-1).rows))),
          ),
        ),
    ),
    h(
      "div",
      { class: "chart", "aria-hidden": "true" },
      h(
        "div",
        { class: "chart-levels" },
        levels(highest).map((level) =>
          h("span", { key: level, style: { bottom: `${(100 * level) / highest}%` } }, short(level)),
        ),
      ),
      h(
        "svg",
        { viewBox: `0 0 ${SIZE} ${SIZE}`, preserveAspectRatio: "none", focusable: "false" },
        levels(highest).map((level) =>
          h("path", { key: `level-${level}`, class: "chart-rule", d: `M0 ${y(level, highest)}H${SIZE}` }),
        ),
        layers.map((layer, at) =>
          h("path", {
            key: series[at].name,
            class: `area is-${series[at].colour}`,
            d: area(layer, points, axis, highest),
          }),
        ),
      ),
      h(
        "div",
        { class: "axis" },
        ticks(axis)
          .filter((mark) => mark.at > 2 && mark.at < 98)
          .map((mark) => h("span", { key: mark.time, style: { left: `${mark.at}%` } }, mark.text)),
      ),
    ),
    h("details", { key: "numbers" }, h("summary", null, "The same as a table"), numbers(verdicts, points, now)),
  ];
}

/** Good rows first, then the most frequent codes; what has no colour of its own is "others". */
function colouredSeries(verdicts, last) {
  const bad = verdicts.filter((code) => code !== "OK").sort((one, other) => (last[other] ?? 0) - (last[one] ?? 0));
  const series = verdicts.includes("OK") ? [{ name: "OK", codes: ["OK"], colour: "good" }] : [];
  const single = bad.length > MOST_CODES ? bad.slice(0, MOST_CODES - 1) : bad;
  single.forEach((code, at) => series.push({ name: code, codes: [code], colour: COLOURS[at] }));
  const others = bad.slice(single.length);
  if (others.length) series.push({ name: "others", codes: others, colour: COLOURS.at(-1) });
  return series;
}

function total(one, rows) {
  return one.codes.reduce((all, code) => all + (rows[code] ?? 0), 0);
}

function sum(rows) {
  return Object.values(rows).reduce((all, number) => all + number, 0);
}

/** For each series its lower and upper edge at each point. */
function stacked(series, points) {
  const below = points.map(() => 0);
  return series.map((one) =>
    points.map((point, at) => {
      const from = below[at];
      below[at] += total(one, point.rows);
      return [from, below[at]];
    }),
  );
}

function area(layer, points, axis, highest) {
  const x = (time) => Math.round((axis.at(time) * SIZE) / 100);
  const edge = (side) =>
    layer.flatMap((values, at) => {
      const next = at + 1 < points.length ? instant(points[at + 1].time) : axis.to;
      return [
        [x(instant(points[at].time)), y(values[side], highest)],
        [x(next), y(values[side], highest)],
      ];
    });
  return `M${[...edge(1), ...edge(0).reverse()].map(([left, top]) => `${left} ${top}`).join("L")}Z`;
}

function y(value, highest) {
  return Math.round(SIZE - (SIZE * value) / highest);
}

/** The next of 1, 2, 5, 10, 20, 50, … that is not below the number. */
function niceTop(number) {
  let size = 1;
  for (;;) {
    for (const factor of [1, 1.5, 2, 3, 5, 7.5]) if (factor * size >= number) return factor * size;
    size *= 10;
  }
}

function levels(highest) {
  return Number.isInteger(highest / 2) ? [0, highest / 2, highest] : [0, highest];
}

function numbers(verdicts, points, now) {
  const columns = [{ title: "Time" }, ...verdicts.map((code) => ({ title: code, number: true }))];
  return table(
    "Rows by verdict over time",
    columns,
    points.map((point) => ({
      key: point.time,
      cells: [clock(point.time, now), ...verdicts.map((code) => count(point.rows[code] ?? 0))],
    })),
  );
}
