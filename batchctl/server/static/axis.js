/* A time axis: its range, its ticks, and where a time is on it. Positions are percents, so that every width fits. */

import { day, instant } from "./format.js";

const SECOND = 1000;
const MINUTE_MS = 60 * SECOND;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;
const STEPS = [
  SECOND,
  5 * SECOND,
  15 * SECOND,
  30 * SECOND,
  MINUTE_MS,
  5 * MINUTE_MS,
  15 * MINUTE_MS,
  30 * MINUTE_MS,
  HOUR_MS,
  2 * HOUR_MS,
  3 * HOUR_MS,
  6 * HOUR_MS,
  12 * HOUR_MS,
  DAY_MS,
  2 * DAY_MS,
  7 * DAY_MS,
  28 * DAY_MS,
];
const MOST_TICKS = 7;

/** An axis from one time to another, in milliseconds. An empty range gets a minute. */
export function timeAxis(from, to) {
  const end = Math.max(to, from + MINUTE_MS);
  const length = end - from;
  const step =
    STEPS.find((one) => length / one <= MOST_TICKS) ?? STEPS.at(-1) * Math.ceil(length / STEPS.at(-1) / MOST_TICKS);
  return { from, to: end, step, at: (time) => (100 * (time - from)) / length };
}

/** Ticks at round times of the reader's day: {time, at, text}. */
export function ticks(axis) {
  const shift = new Date(axis.from).getTimezoneOffset() * MINUTE_MS;
  const first = Math.ceil((axis.from - shift) / axis.step) * axis.step + shift;
  const found = [];
  for (let time = first; time <= axis.to; time += axis.step)
    found.push({ time, at: axis.at(time), text: tickText(time, axis.step) });
  return found;
}

function tickText(time, step) {
  const date = new Date(time);
  const midnight = date.getHours() === 0 && date.getMinutes() === 0;
  if (step >= DAY_MS || midnight) return day(date);
  const seconds = step < MINUTE_MS ? `:${String(date.getSeconds()).padStart(2, "0")}` : "";
  return `${String(date.getHours()).padStart(2, "0")}:${String(date.getMinutes()).padStart(2, "0")}${seconds}`;
}

/** The piece of an axis between two times, texts or milliseconds, as {left, width} in percent; null if it lies outside. */
export function piece(axis, from, to) {
  const begin = Math.max(milliseconds(from), axis.from);
  const end = Math.min(milliseconds(to), axis.to);
  if (end < axis.from || begin > axis.to) return null;
  return { left: axis.at(begin), width: Math.max(axis.at(end) - axis.at(begin), 0) };
}

function milliseconds(time) {
  return typeof time === "number" ? time : instant(time);
}
