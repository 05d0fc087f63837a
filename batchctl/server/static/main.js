/* The page: opens the source and the live connection, and shows the view that the address names. */

import { clockShows, startClock, stopClock } from "./clock.js";
import { frame } from "./frame.js";
import { openSource } from "./source.js";
import { followEvents } from "./stream.js";
import { startTheme } from "./theme.js";
import { currentRoute, isAtView } from "./router.js";
import { h, patch } from "./render.js";
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
  let underWay = null;
  let reloaded = 0;
  let isRendering = false;
  let isStale = false;

  /** Removing a focused element blurs it, and what hears that may ask for another rendering in the middle of this one. */
  function render() {
    isStale = true;
    if (isRendering) return;
    isRendering = true;
    try {
      while (isStale) {
        isStale = false;
        frame(app, currentRoute());
        if (view?.ready) patch(main, h("div", { key: view.number }, view.render()));
      }
    } finally {
      isRendering = false;
    }
  }

  /**
   * Load the documents of the present view again, then show them. One load at a time: who asks meanwhile gets another one
   * after it, so that what is shown is always the answer to what was asked last.
   */
  function reload() {
    if (underWay?.view === view) {
      underWay.again = true;
      return underWay.end;
    }
    const turn = { view, again: false };
    underWay = turn;
    turn.end = loadUntilCurrent(turn);
    return turn.end;
  }

  async function loadUntilCurrent(turn) {
    const loaded = turn.view;
    do {
      turn.again = false;
      reloaded = Date.now();
      try {
        await loaded.load();
        loaded.error = null;
      } catch (error) {
        loaded.error = error;
      }
    } while (turn.again && loaded === view);
    if (underWay === turn) underWay = null;
    if (loaded !== view) return; // the reader went on in the meantime
    // What was shown stays while the server is away, but not for a job that is gone.
    loaded.ready = !loaded.error || (loaded.ready && loaded.error.status !== 404);
    if (loaded.ready) render();
    else patch(main, failure(loaded.error, reload));
  }

  async function show() {
    const route = currentRoute();
    const before = view;
    view = { ...openView(app, route), number: (before?.number ?? 0) + 1, ready: false };
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
    if (timer || document.hidden || !canChange()) return;
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

  /** Whether there is somebody to ask for news. */
  function canChange() {
    return source.live && app.connection !== "ended";
  }

  function connected(state) {
    if (state !== app.connection && state === "lost") announce("The connection to batchctl is lost");
    app.connection = state;
    if (state === "ended") clearTimeout(timer);
    frame(app, currentRoute());
  }

  /** The first summary, asked for until it is there: a server that has just begun may still read the stack. */
  async function firstSummary() {
    for (;;) {
      try {
        return await source.get("summary");
      } catch (error) {
        patch(
          main,
          failure(error, () => location.reload()),
        );
        await new Promise((done) => setTimeout(done, RELOAD_EVERY));
      }
    }
  }

  async function begin() {
    tookSummary(await firstSummary());
    window.addEventListener("hashchange", () => isAtView() && show());
    document.addEventListener("visibilitychange", () => document.hidden || !canChange() || reload());
    startClock();
    await show();
    performance.mark("first view"); // benchmarks/web_paint.py reads it
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
