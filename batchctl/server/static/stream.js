/* The live connection: server-sent events with a visible state, opened again until the server says goodbye. */

const STREAM_EVENTS = ["change", "activity", "bye"];
const REOPEN_AFTER = 5000; // milliseconds; for replies after which a browser does not try again by itself

/**
 * Follow the server's events. `handlers` has a function by the name of an event, which gets its data; `onState` gets
 * "connecting", "live", "lost" or "ended".
 */
export function followEvents(handlers, onState) {
  const stream = new EventSource("events");
  stream.addEventListener("open", () => onState("live"));
  stream.addEventListener("error", () => {
    onState("lost");
    if (stream.readyState === EventSource.CLOSED) setTimeout(() => followEvents(handlers, onState), REOPEN_AFTER);
  });
  for (const name of STREAM_EVENTS) {
    stream.addEventListener(name, (message) => {
      if (name === "bye") stream.close();
      handlers[name]?.(JSON.parse(message.data));
      if (name === "bye") onState("ended");
    });
  }
}
