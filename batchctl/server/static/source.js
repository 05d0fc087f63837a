/*
 * Where documents come from: the server, or the page itself (`batchctl report --html`).
 *
 * Both have the same face: `get(address, parameters)` gives a document or throws a `SourceError`; `live` says whether
 * anything can change.
 */

import { answer } from "./embedded.js";

/** What the server says when it gives no document; `code` is one of batchctl's error codes. */
class SourceError extends Error {
  constructor(code, message, hint, status) {
    super(message);
    this.code = code;
    this.hint = hint;
    this.status = status;
  }
}

export function openSource() {
  const embedded = document.getElementById("batchctl-data");
  return embedded ? embeddedSource(JSON.parse(embedded.textContent)) : serverSource();
}

function serverSource() {
  return { live: true, written: null, get: fetchDocument };
}

async function fetchDocument(address, parameters) {
  let reply;
  try {
    reply = await fetch(`api/${address}${query(parameters)}`, { headers: { Accept: "application/json" } });
  } catch {
    throw new SourceError("Unreachable", "The server does not answer.", "Is batchctl still running?", 0);
  }
  const body = await reply.json().catch(() => null);
  if (reply.ok && body) return body;
  const { code = "Unreadable", message = `HTTP ${reply.status}`, hint = "" } = body?.error ?? {};
  throw new SourceError(code, message, hint, reply.status);
}

function query(parameters) {
  const words = new URLSearchParams();
  for (const [name, value] of Object.entries(parameters ?? {})) {
    for (const one of [value].flat()) if (one !== null && one !== undefined && one !== "") words.append(name, one);
  }
  const text = words.toString();
  return text ? `?${text}` : "";
}

function embeddedSource(report) {
  return {
    live: false,
    written: report.written,
    get: async (address, parameters) => {
      const found = answer(report, address, parameters ?? {});
      if (found) return found;
      throw new SourceError(
        "NotInReport",
        "This report does not have that.",
        "`batchctl ui` shows everything that is in the state.",
        404,
      );
    },
  };
}
