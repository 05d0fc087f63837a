/* Changed fields: the old value with a minus, the new one with a plus. */

import { h } from "./render.js";

export function changeList(changes) {
  return h(
    "ul",
    { class: "changes" },
    changes.map((change, at) =>
      h(
        "li",
        { key: `${change.path}-${at}` },
        h("code", { class: "change-path" }, change.path),
        values(change),
        change.detail ? h("p", { class: "soft small" }, change.detail) : null,
      ),
    ),
  );
}

function values({ from, to }) {
  if (from === null && to === null) return null;
  return h(
    "span",
    { class: "change" },
    from === null ? null : h("del", null, h("span", { class: "unseen" }, "from "), shown(from)),
    to === null ? null : h("ins", null, h("span", { class: "unseen" }, "to "), shown(to)),
  );
}

function shown(value) {
  return typeof value === "string" ? value : JSON.stringify(value);
}
