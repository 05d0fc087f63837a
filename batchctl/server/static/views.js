/*
 * Which view an address names. A view is {title, load(), render()}: `load` gets its documents, `render` describes what
 * it shows. `load` is called again when jobs have moved.
 */

import { eventsView } from "./events_view.js";
import { figuresView } from "./figures_view.js";
import { graphView } from "./graph_view.js";
import { jobView } from "./job_view.js";
import { jobsView } from "./jobs_view.js";
import { nowhereView } from "./nowhere_view.js";
import { planView } from "./plan_view.js";
import { rowsView } from "./rows_view.js";
import { timelineView } from "./timeline_view.js";

const BY_PLACE = new Map([
  ["graph", graphView],
  ["timeline", timelineView],
  ["figures", figuresView],
  ["plan", planView],
  ["events", eventsView],
]);

export function openView(app, route) {
  const [place, name, part, ...more] = route.parts;
  if (place === undefined || (place === "jobs" && !name)) return jobsView(app, route);
  if (place === "jobs" && !part) return jobView(app, route, name);
  if (place === "jobs" && part === "rows" && !more.length) return rowsView(app, route, name);
  return ((name ? null : BY_PLACE.get(place)) ?? nowhereView)(app, route);
}
