/* Parts that several views use. */

import { h } from "./render.js";
import { count, percent } from "./format.js";
import { jobAddress } from "./router.js";

/** A job's name as a way to its page. Long names break where they may. */
export function jobLink(name) {
  return h("a", { class: "job", href: jobAddress(name) }, name);
}

/** A box with a heading. `aside` is at the right of the heading. */
export function section(title, aside, ...content) {
  return h(
    "section",
    { class: "sheet", "aria-label": title },
    h("div", { class: "sheet-head" }, h("h2", null, title), aside),
    content,
  );
}

/** Names and values. Entries without a value are left out. */
export function facts(entries) {
  const shown = entries.filter(([, value]) => value !== null && value !== undefined && value !== "");
  return h(
    "dl",
    { class: "facts" },
    shown.map(([name, value]) => h("div", { key: name }, h("dt", null, name), h("dd", null, value))),
  );
}

/** A table: `columns` are {title, number?, wide?}, `rows` are {key, cells}. It scrolls inside its box when it is too wide. */
export function table(caption, columns, rows) {
  const head = columns.map((column) => h("th", { scope: "col", class: column.number ? "number" : null }, column.title));
  const body = rows.map(({ key, cells }) =>
    h(
      "tr",
      { key },
      cells.map((cell, at) =>
        h(
          at ? "td" : "th",
          { scope: at ? null : "row", class: columns[at].number ? "number" : null, "data-title": columns[at].title },
          cell,
        ),
      ),
    ),
  );
  return h(
    "div",
    { class: "scroll", tabindex: "0", role: "group", "aria-label": caption },
    h(
      "table",
      { class: "plain" },
      h("caption", { class: "unseen" }, caption),
      h("thead", null, h("tr", null, head)),
      h("tbody", null, body),
    ),
  );
}

/**
 * A bar of parts: [{group or colour class, value, title}]. What is left of `total` stays empty. The words beside the bar
 * say the same, so it is hidden from screen readers.
 */
export function bar(parts, total) {
  const shown = parts.filter((part) => part.value > 0);
  return h(
    "span",
    { class: "bar", "aria-hidden": "true" },
    shown.map((part) =>
      h("span", {
        key: part.key ?? part.group,
        class: `bar-part is-${part.group}`,
        title: part.title,
        style: { width: `${(100 * part.value) / Math.max(total, 1)}%` },
      }),
    ),
  );
}

/** Rows of a job or a stack: good and failed ones of all. */
export function rowsBar(rows) {
  if (!rows?.total) return null;
  return bar(
    [
      { group: "good", value: rows.ok ?? 0 },
      { group: "bad", value: rows.failed ?? 0 },
    ],
    rows.total,
  );
}

/** "59/64", with the number of failed rows if there are any; "?/64" while the API reports no numbers. */
export function rowsText(rows) {
  if (!rows || (rows.total === null && rows.ok === null)) return "–";
  const failed = rows.failed ? h("span", { class: "is-bad toned" }, ` ${count(rows.failed)} failed`) : null;
  const done = rows.ok === null ? "?" : count(rows.ok);
  return h("span", { class: "nowrap" }, `${done}/${rows.total === null ? "?" : count(rows.total)}`, failed);
}

/** Verdicts by code as a table, the good ones first, with each one's share. */
export function verdictTable(verdicts) {
  const all = Object.values(verdicts).reduce((sum, number) => sum + number, 0);
  const codes = Object.keys(verdicts).sort(
    (one, other) => (other === "OK") - (one === "OK") || verdicts[other] - verdicts[one] || (one < other ? -1 : 1),
  );
  return h(
    "ul",
    { class: "verdicts" },
    codes.map((code) =>
      h(
        "li",
        { key: code },
        h("code", null, code),
        bar([{ group: code === "OK" ? "good" : "bad", value: verdicts[code] }], all),
        h("span", { class: "number" }, count(verdicts[code])),
        h("span", { class: "number soft" }, percent(verdicts[code], all)),
      ),
    ),
  );
}

/** What is shown in place of a list without entries. */
export function empty(title, text) {
  return h("div", { class: "empty" }, h("p", { class: "empty-title" }, title), text ? h("p", null, text) : null);
}

export function loading(title) {
  return h(
    "div",
    { class: "loading", "aria-busy": "true" },
    h("h1", null, title),
    h("p", { class: "soft" }, "Loading…"),
    [1, 2, 3].map((number) => h("div", { class: "ghost", key: `ghost-${number}` })),
  );
}

/** A document that could not be had: what the server said, and a way to try again. */
export function failure(error, again) {
  return h(
    "div",
    { class: "empty", role: "alert" },
    h("h1", null, error.message),
    error.hint ? h("p", null, error.hint) : null,
    h("p", { class: "soft" }, h("code", null, error.code ?? error.name)),
    h(
      "p",
      null,
      h("button", { class: "button", type: "button", on: { click: again } }, "Try again"),
      " ",
      h("a", { href: "#/" }, "All jobs"),
    ),
  );
}

/** A message across the view, such as a document that is older than the others. */
export function notice(group, ...content) {
  return h("div", { class: `notice is-${group}` }, content);
}

/** Words with commands and fields between backticks. */
export function prose(text) {
  return text.split("`").map((part, at) => (at % 2 ? h("code", { key: at }, part) : part));
}

/** A command line that can be copied. */
export function command(text) {
  const copy = (event) => {
    const button = event.currentTarget;
    navigator.clipboard.writeText(text).then(() => {
      button.textContent = "Copied";
      setTimeout(() => (button.textContent = "Copy"), 1500);
    });
  };
  const button = navigator.clipboard
    ? h("button", { class: "copy", type: "button", "aria-label": `Copy: ${text}`, on: { click: copy } }, "Copy")
    : null;
  return h("span", { class: "command" }, h("code", null, text), button);
}

/** A choice among a few values, as buttons of which one is pressed. */
export function choice(label, options, chosen, choose) {
  return h(
    "div",
    { class: "choice", role: "group", "aria-label": label },
    options.map(([value, name]) =>
      h(
        "button",
        { key: value, type: "button", "aria-pressed": String(value === chosen), on: { click: () => choose(value) } },
        name,
      ),
    ),
  );
}

/** A search field that answers while the reader types. */
export function searchField(label, text, typed) {
  return h("input", {
    class: "field",
    type: "search",
    placeholder: label,
    "aria-label": label,
    value: text,
    autocomplete: "off",
    spellcheck: "false",
    on: { input: typed },
  });
}
