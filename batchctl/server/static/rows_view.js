/* Rows of one job: request, answer and verdict, those without a good answer first. Only where the server shows rows. */

import { h } from "./render.js";
import { count, counted } from "./format.js";
import { jobAddress, replaceParameters } from "./router.js";
import { command, empty, searchField } from "./parts.js";
import { answerText, requestText } from "./row_texts.js";

const PAGE = 20;

export function rowsView(app, route, name) {
  const asked = { q: route.parameters.get("q") ?? "", verdict: route.parameters.get("verdict") ?? "" };
  const pages = [null];
  let rows = null;
  let refusal = null;
  let pause = null;

  const load = async () => {
    if (!app.summary.rowsShown) {
      refusal = {
        message: "Rows are not shown here.",
        hint: app.source.live ? "Start batchctl with --show-rows." : "",
      };
      return;
    }
    try {
      rows = await app.source.get(`jobs/${encodeURIComponent(name)}/rows`, {
        ...asked,
        cursor: pages.at(-1),
        limit: PAGE,
      });
      refusal = null;
    } catch (error) {
      if (error.status !== 404) throw error;
      refusal = error;
    }
  };

  function ask(change) {
    Object.assign(asked, change);
    pages.splice(1);
    replaceParameters(["jobs", name, "rows"], asked);
    app.reload();
  }

  function turn(forward) {
    if (forward) pages.push(rows.next);
    else pages.pop();
    app.reload().then(() => window.scrollTo(0, 0));
  }

  function typed(event) {
    const q = event.target.value;
    clearTimeout(pause);
    pause = setTimeout(() => ask({ q }), 250);
  }

  const render = () => [
    h("p", { class: "crumb" }, h("a", { href: "#/" }, "Jobs"), " / ", h("a", { href: jobAddress(name) }, name)),
    h(
      "div",
      { class: "view-head" },
      h("h1", null, "Rows of ", h("span", { class: "mono" }, name)),
      refusal ? null : h("div", { class: "view-tools" }, searchField("Search rows", asked.q, typed)),
    ),
    refusal ? refused(refusal, name) : list(rows, asked, pages.length, ask, turn),
  ];

  return { title: `Rows of ${name}`, load, render };
}

/** Why there are no rows here, and where they are. */
function refused(error, name) {
  return h(
    "div",
    { class: "empty" },
    h("p", { class: "empty-title" }, error.message),
    error.hint ? h("p", null, error.hint) : null,
    h("p", null, command(`batchctl results ${name}`)),
  );
}

function list(rows, asked, number, ask, turn) {
  return [
    verdictChips(rows.verdicts ?? {}, asked.verdict, ask),
    rows.items.length
      ? h(
          "ul",
          { class: "rows" },
          rows.items.map((row) => rowItem(row)),
        )
      : empty("No row matches"),
    number > 1 || rows.next
      ? h(
          "nav",
          { class: "pager", "aria-label": "Pages" },
          h(
            "button",
            { class: "button", type: "button", disabled: number === 1, on: { click: () => turn(false) } },
            "Previous",
          ),
          h(
            "span",
            null,
            `From row ${count((number - 1) * PAGE + 1)}${rows.matched === null ? "" : ` of ${count(rows.matched)}`}`,
          ),
          h(
            "button",
            { class: "button", type: "button", disabled: !rows.next, on: { click: () => turn(true) } },
            "Next",
          ),
        )
      : h("p", { class: "pager soft small" }, counted(rows.items.length, "row")),
  ];
}

function verdictChips(verdicts, chosen, ask) {
  const codes = Object.keys(verdicts).sort(
    (one, other) => (one === "OK") - (other === "OK") || verdicts[other] - verdicts[one],
  );
  const failed = codes.filter((code) => code !== "OK").reduce((sum, code) => sum + verdicts[code], 0);
  const chip = (value, name, number, group) =>
    h(
      "button",
      {
        key: value,
        class: `chip is-${group}`,
        type: "button",
        "aria-pressed": String(chosen === value),
        on: { click: () => ask({ verdict: chosen === value ? "" : value }) },
      },
      name,
      h("span", { class: "chip-count" }, count(number)),
    );
  return h(
    "div",
    { class: "chips", role: "group", "aria-label": "Filter by verdict" },
    failed ? chip("failed", "Not good", failed, "bad") : null,
    codes.map((code) => chip(code, code, verdicts[code], code === "OK" ? "good" : "bad")),
  );
}

function rowItem(row) {
  const group = row.verdict === "OK" ? "good" : "bad";
  return h(
    "li",
    { key: `${row.index}-${row.key}`, class: `sheet row is-${group}` },
    h(
      "div",
      { class: "row-head" },
      h("h2", { class: "mono" }, row.key ?? `row ${row.index}`),
      h("code", { class: "toned" }, row.verdict),
      h(
        "span",
        { class: "soft small" },
        row.index === null ? null : `position ${count(row.index)}, `,
        `attempt ${row.attempt ?? "–"}`,
      ),
    ),
    h(
      "div",
      { class: "row-body" },
      part("Request", requestText(row.request), row.request),
      part(row.error ? "Error" : "Answer", answerText(row), row.error ?? row.response),
    ),
  );
}

function part(title, text, whole) {
  return h(
    "div",
    { class: "row-part" },
    h("h3", null, title),
    text ? h("pre", null, text) : h("p", { class: "soft" }, whole ? "no text" : "not known"),
    whole
      ? h(
          "details",
          { key: "whole" },
          h("summary", { class: "small soft" }, "JSON"),
          h("pre", { class: "json", tabindex: "0" }, JSON.stringify(whole, null, 2)),
        )
      : null,
  );
}
