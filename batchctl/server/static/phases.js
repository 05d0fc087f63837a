/* Phases: their order, the group whose colour they have, and their sign. Colour is never the only difference. */

import { h } from "./render.js";

/** What needs attention comes first. The groups are classes in phases.css. */
export const PHASES = {
  Failed: { group: "bad", sign: "cross" },
  Rejected: { group: "bad", sign: "cross" },
  ResultsLost: { group: "bad", sign: "cross" },
  Expired: { group: "bad", sign: "cross" },
  Unknown: { group: "odd", sign: "question" },
  Blocked: { group: "held", sign: "bar" },
  Settling: { group: "held", sign: "dots" },
  Cancelling: { group: "held", sign: "dots" },
  Removing: { group: "held", sign: "dots" },
  Active: { group: "going", sign: "half" },
  Waiting: { group: "waiting", sign: "ring" },
  PartiallySucceeded: { group: "partial", sign: "check" },
  Succeeded: { group: "good", sign: "check" },
  Cancelled: { group: "ended", sign: "dash" },
};

const SIGNS = {
  cross: "M4.5 4.5l7 7m0-7l-7 7",
  question: "M5.6 6.2a2.4 2.4 0 1 1 3.4 2.1c-.7.3-1 .8-1 1.5m0 2.1v.3",
  bar: "M5 5v6m6-6v6",
  dots: "M4 8h.01M8 8h.01M12 8h.01",
  check: "M3.8 8.4l2.8 2.8 5.6-6.2",
  dash: "M4 8h8",
};

export function groupOf(phase) {
  return (PHASES[phase] ?? PHASES.Unknown).group;
}

/** The sign of a phase: a drawing that says nothing to a screen reader, because the word is beside it. */
export function phaseSign(phase) {
  const { group, sign } = PHASES[phase] ?? PHASES.Unknown;
  return h(
    "svg",
    { class: `sign is-${group}`, viewBox: "0 0 16 16", "aria-hidden": "true", focusable: "false" },
    signParts(sign),
  );
}

/** The parts of a sign, in a square of 16. */
export function signParts(sign) {
  const ring = h("circle", { class: "sign-ring", cx: 8, cy: 8, r: 6.2 });
  if (sign === "ring") return [ring];
  if (sign === "half") return [ring, h("path", { class: "sign-fill", d: "M8 1.8a6.2 6.2 0 0 1 0 12.4z" })];
  return [h("circle", { class: "sign-disc", cx: 8, cy: 8, r: 7 }), h("path", { class: "sign-line", d: SIGNS[sign] })];
}

/** "Succeeded" with its sign. `PartiallySucceeded` may break between its words. */
export function phaseLabel(phase) {
  return h("span", { class: `phase is-${groupOf(phase)}` }, phaseSign(phase), h("span", null, phase));
}
