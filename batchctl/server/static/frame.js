/* What surrounds every view: the stack's name, the views, the connection, the foot. */

import { h, patch } from "./render.js";
import { moment } from "./clock.js";
import { address } from "./router.js";
import { chooseTheme, currentTheme } from "./theme.js";
import { count } from "./format.js";

const VIEWS = [
  [[], "Jobs"],
  [["graph"], "Graph"],
  [["timeline"], "Timeline"],
  [["figures"], "Figures"],
  [["plan"], "Plan"],
  [["events"], "Events"],
];

const CONNECTIONS = {
  connecting: ["held", "Connecting"],
  live: ["good", "Live"],
  lost: ["bad", "Connection lost, trying again"],
  ended: ["ended", "Ended"],
};

const THEME_NAMES = { system: "Auto", light: "Light", dark: "Dark" };

/** Show the frame as it should be now. */
export function frame(app, route) {
  const { summary } = app;
  patch(document.getElementById("stack"), summary?.stack ?? "");
  patch(
    document.getElementById("views"),
    h(
      "ul",
      null,
      VIEWS.map((view) => viewLink(view, route, summary)),
    ),
  );
  patch(document.getElementById("connection"), connection(app), themeButton(app));
  patch(document.getElementById("foot"), foot(app));
}

function viewLink([parts, name], route, summary) {
  const here = (route.parts[0] ?? "") === (parts[0] ?? "") || (route.parts[0] === "jobs" && !parts.length);
  const actions = name === "Plan" && summary?.plan ? pending(summary.plan.summary) : 0;
  return h(
    "li",
    null,
    h(
      "a",
      { href: address(parts), "aria-current": here ? "page" : null },
      name,
      actions ? h("span", { class: "tally" }, count(actions), h("span", { class: "unseen" }, " pending")) : null,
    ),
  );
}

/** How many actions a plan has, other than waiting. */
function pending(summary) {
  return Object.entries(summary).reduce(
    (sum, [action, number]) => sum + (["none", "wait"].includes(action) ? 0 : number),
    0,
  );
}

function connection(app) {
  const [group, words] = state(app);
  return h("p", { class: `connection is-${group}`, id: "state" }, words);
}

function state(app) {
  if (!app.source.live) return ["ended", h("span", null, "Report of ", moment(app.source.written))];
  if (app.connection === "ended") return ["ended", app.farewell ?? "Ended"];
  if (app.connection === "live" && app.summary?.source === "state") return ["good", h("span", null, "As recorded")];
  return CONNECTIONS[app.connection];
}

function themeButton(app) {
  const names = Object.keys(THEME_NAMES);
  const next = names[(names.indexOf(currentTheme()) + 1) % names.length];
  const choose = () => {
    chooseTheme(next);
    app.render();
  };
  return h(
    "button",
    {
      class: "theme",
      type: "button",
      title: `Colours: ${THEME_NAMES[currentTheme()]}`,
      "aria-label": `Colours: ${THEME_NAMES[currentTheme()]}. Change to ${THEME_NAMES[next]}`,
      on: { click: choose },
    },
    THEME_NAMES[currentTheme()],
  );
}

function foot({ summary, activity }) {
  if (!summary) return null;
  const busy = activity?.busy?.length
    ? `${activity.busy
        .map((one) => one.what)
        .slice(0, 3)
        .join(", ")}. `
    : null;
  const next = activity ? activity.nextPass : summary.pass?.next;
  const pass = summary.pass
    ? h(
        "span",
        null,
        `Pass ${count(summary.pass.number)} at `,
        moment(summary.pass.ended),
        next ? [", the next one at ", moment(next)] : null,
        ". ",
      )
    : null;
  const holder = summary.lock ? `At work: ${summary.lock.holder}. ` : null;
  return [busy, pass, holder, `batchctl ${summary.version}. This page only reads.`];
}
