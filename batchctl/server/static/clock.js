/*
 * The server's time. Ages and countdowns follow the clock of the documents and not the browser's, which may be wrong;
 * a report stays at the time at which it was written.
 */

import { h } from "./render.js";
import { clock, duration, instant } from "./format.js";

let ahead = 0; // milliseconds by which the server's clock is ahead of the browser's
let stopped = null;

/** The time of the newest document. */
export function clockShows(time) {
  ahead = Date.parse(time) - Date.now();
}

/** Stop at a time: for a report. */
export function stopClock(time) {
  stopped = Date.parse(time);
}

/** Milliseconds since the epoch. */
export function serverNow() {
  return stopped ?? Date.now() + ahead;
}

/** Move ages and countdowns on, every second. */
export function startClock() {
  if (stopped === null) setInterval(moveTimes, 1000);
}

function moveTimes() {
  for (const node of document.querySelectorAll("time[data-count]")) {
    const text = counting(node.dateTime, node.dataset.count);
    if (node.firstChild.data !== text) node.firstChild.data = text;
  }
}

function counting(time, way) {
  const seconds = (serverNow() - instant(time)) / 1000;
  if (way === "since") return duration(seconds);
  return seconds > 0 ? `${duration(seconds)} ago` : duration(-seconds);
}

/** How long ago a time was; grows. */
export function age(time) {
  return ticking("since", time);
}

/** How long it is until a time; shrinks, then says how long ago it was. */
export function countdown(time) {
  return ticking("until", time);
}

function ticking(way, time) {
  return time
    ? h("time", { datetime: time, "data-count": way, title: new Date(time).toString() }, counting(time, way))
    : "–";
}

/** A time of the day, with its date if it is another one. */
export function moment(time) {
  return time ? h("time", { datetime: time, title: time }, clock(time, serverNow())) : "–";
}
