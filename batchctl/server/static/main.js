/* The page: opens the source and the live connection, and shows the view that the address names. */

import { clockShows, startClock, stopClock } from "./clock.js";
import { frame } from "./frame.js";
import { openSource } from "./source.js";
import { followEvents } from "./stream.js";
import { startTheme } from "./theme.js";
import { currentRoute } from "./router.js";
import { patch } from "./render.js";
import { failure, loading } from "./parts.js";
import { openView } from "./views.js";

const RELOAD_EVERY = 1000; // milliseconds at least between two reloads of a view while jobs move
const SHOW_LOADING_AFTER = 200; // milliseconds; a shorter wait is not worth a flicker

startTheme();
startPage(openSource());

function startPage(source) {
  const main = document.getElementById("main");
  const app = {
    source,
    summary: null,
    connection: source.live ? "connecting" : "report",
    activity: null,
    render,
    reload,
    announce,
  };
  if (!source.live) stopClock(source.written);
  let view = null;
  let timer = null;
  let reloaded = 0;

  function render() {
    frame(app, currentRoute());
    if (view?.ready) patch(main, view.render());
  }

  /** Load the documents of the present view again, then show them. */
  async function reload() {
    const loaded = view;
    reloaded = Date.now();
    try {
      await loaded.load();
      loaded.error = null;
    } catch (error) {
      loaded.error = error;
    }
    if (loaded !== view) return; // the reader went on in the meantime
    loaded.ready = !loaded.error || loaded.ready;
    if (loaded.error && !loaded.ready) patch(main, failure(loaded.error, reload));
    else render();
  }

  async function show() {
    const route = currentRoute();
    const before = view;
    view = openView(app, route);
    frame(app, route);
    document.title = [view.title, app.summary?.stack, "batchctl"].filter(Boolean).join(" · ");
    const late = setTimeout(() => patch(main, loading(view.title)), SHOW_LOADING_AFTER);
    await reload();
    clearTimeout(late);
    if (before) {
      document.querySelector("#views [aria-current]")?.scrollIntoView({ block: "nearest", inline: "nearest" });
      window.scrollTo(0, 0);
      main.focus({ preventScroll: true });
    }
  }

  function changed(change) {
    tookSummary(change.summary);
    if (view?.onChange) view.onChange(change);
    if (timer || document.hidden) return;
    timer = setTimeout(
      () => {
        timer = null;
        reload();
      },
      Math.max(0, reloaded + RELOAD_EVERY - Date.now()),
    );
  }

  function tookSummary(summary) {
    const before = app.summary;
    app.summary = summary;
    clockShows(summary.asOf);
    const more = summary.attention.filter((name) => before && !before.attention.includes(name));
    if (more.length) announce(`Needs attention: ${more.join(", ")}`);
    frame(app, currentRoute());
  }

  function connected(state) {
    if (state !== app.connection && state === "lost") announce("The connection to batchctl is lost");
    app.connection = state;
    frame(app, currentRoute());
  }

  async function begin() {
    try {
      tookSummary(await source.get("summary"));
    } catch (error) {
      patch(main, failure(error, begin));
      return;
    }
    window.addEventListener("hashchange", show);
    document.addEventListener("visibilitychange", () => document.hidden || reload());
    startClock();
    await show();
    const busy = (activity) => {
      app.activity = activity;
      frame(app, currentRoute());
    };
    if (source.live)
      followEvents({ change: changed, activity: busy, bye: (last) => (app.farewell = last.reason) }, connected);
  }

  begin();
}

/** Say something to a screen reader, once. */
function announce(text) {
  document.getElementById("announcer").textContent = text;
}
