/* The event log: newest first, of the stack or of one job, with older ones on demand. */

import { h } from "./render.js";
import { count, counted } from "./format.js";
import { replaceParameters } from "./router.js";
import { empty, searchField } from "./parts.js";
import { eventTable } from "./event_table.js";

const PAGE = 200;
const MOST = 5000; // events that one page holds

export function eventsView(app, route) {
  const asked = { job: route.parameters.get("job") ?? "", q: route.parameters.get("q") ?? "" };
  let events = []; // oldest first, as they come
  let log = null;

  /** The newest ones; those that are here already are not asked for again. */
  const load = async () => {
    log = await app.source.get("events", { job: asked.job, limit: PAGE });
    const known = new Set(log.items.map((event) => event.number));
    const joined = events.length && events.at(-1).number >= log.items[0]?.number - 1;
    events =
      joined || app.connection === "report"
        ? [...events.filter((event) => !known.has(event.number)), ...log.items]
        : log.items;
  };

  async function older() {
    const page = await app.source.get("events", { job: asked.job, before: events[0].number, limit: PAGE });
    events = [...page.items, ...events].slice(0, MOST);
    app.render();
  }

  function typed(event) {
    asked.q = event.target.value;
    replaceParameters(["events"], asked);
    app.render();
  }

  function everyJob() {
    asked.job = "";
    events = [];
    replaceParameters(["events"], asked);
    app.reload();
  }

  const render = () => {
    const words = asked.q.toLowerCase().split(/\s+/).filter(Boolean);
    const shown = events.filter((event) => words.every((word) => text(event).includes(word))).reverse();
    return [
      h(
        "div",
        { class: "view-head" },
        h("h1", null, asked.job ? `Events of ${asked.job}` : "Events"),
        h(
          "div",
          { class: "view-tools" },
          asked.job ? h("button", { class: "button", type: "button", on: { click: everyJob } }, "All jobs") : null,
          searchField("Search these events", asked.q, typed),
        ),
      ),
      shown.length
        ? h("section", { class: "sheet", "aria-label": "Events" }, eventTable(shown, !asked.job))
        : empty(
            "No event matches",
            events.length ? "The search covers the events that are loaded." : "Nothing has happened yet.",
          ),
      foot(events, log, shown.length, older),
    ];
  };

  return { title: asked.job ? `Events of ${asked.job}` : "Events", load, render };
}

function text(event) {
  return [event.job, event.what, event.kind, event.code, event.why, event.who].filter(Boolean).join(" ").toLowerCase();
}

function foot(events, log, shown, older) {
  const more = events.length && events.length < log.matched && events.length < MOST;
  return h(
    "p",
    { class: "pager" },
    h(
      "span",
      { class: "soft small" },
      shown === events.length ? counted(shown, "event") : `${count(shown)} of ${counted(events.length, "event")}`,
      more ? ` of ${count(log.matched)}` : null,
    ),
    more ? h("button", { class: "button", type: "button", on: { click: older } }, "Show older events") : null,
  );
}
