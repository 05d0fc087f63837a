"""Graph, timeline, figures, plan, events and rows."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, Route, expect

from tests.support.browser import NOT_FOUND, Watched
from tests.web.conftest import at, names


def test_graph_has_unborn_jobs_and_both_kinds_of_edges(page: Page) -> None:
    at(page, "#/graph", "Graph")
    expect(page.locator(".node")).to_have_count(18)
    unborn = page.locator(".node.is-unborn")
    expect(unborn).to_have_count(2)
    assert {one.get_attribute("data-job") for one in unborn.all()} == {"report-fraud", "write-to-bank"}
    expect(page.locator(".edge.is-rows[marker-end]")).to_have_count(12)
    expect(page.locator(".edge.is-order[marker-end]")).to_have_count(2)


def test_arrow_keys_go_along_the_graph(page: Page) -> None:
    at(page, "#/graph?job=detect-fraud", "Graph of detect-fraud")
    expect(page.locator(".node")).to_have_count(3)
    expect(page.locator(".node[tabindex='0']")).to_have_count(1)
    page.locator(".node[tabindex='0']").focus()
    for key, job in [("ArrowRight", "report-fraud"), ("ArrowRight", "write-to-bank"), ("ArrowLeft", "report-fraud")]:
        page.keyboard.press(key)
        expect(page.locator(f".node[data-job='{job}']")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("h1")).to_have_text("report-fraud")


def test_what_is_connected_stays_bright(page: Page) -> None:
    at(page, "#/graph", "Graph")
    page.locator(".node[data-job='report-fraud']").hover()
    expect(page.locator(".node:not(.is-far)")).to_have_count(3)
    page.locator("h1").hover()
    expect(page.locator(".node.is-far")).to_have_count(0)


def test_graph_can_be_zoomed(page: Page) -> None:
    at(page, "#/graph", "Graph")
    graph = page.locator("svg.graph")
    before = graph.bounding_box()
    page.get_by_role("button", name="Larger").click()
    expect(page.locator(".zoom")).to_have_text("125%")
    after = graph.bounding_box()
    assert before is not None
    assert after is not None
    assert after["width"] == pytest.approx(1.25 * before["width"], rel=0.02)


def test_graph_as_a_table(page: Page) -> None:
    at(page, "#/graph", "Graph")
    page.get_by_role("button", name="Table").click()
    row = page.locator("tr", has_text="classify-reviews").filter(has=page.locator("th", has_text="classify-reviews"))
    expect(row.locator("td").nth(1)).to_have_text("clean-reviews")
    expect(row.locator("td").nth(2)).to_contain_text("translate-de, translate-es")


def test_timeline_shows_queue_apart_from_running(page: Page) -> None:
    at(page, "#/timeline", "Timeline")
    row = page.locator(".gantt tr", has_text="detect-fraud")
    queue, run = row.locator(".span.is-queue"), row.locator(".span.is-run.is-bad")
    left, right = queue.bounding_box(), run.bounding_box()
    assert left is not None
    assert right is not None
    assert left["x"] + left["width"] == pytest.approx(right["x"], abs=2)
    assert right["width"] == pytest.approx(3.25 * left["width"], rel=0.1)  # 20 minutes in the queue, 65 running
    expect(page.locator(".gantt tr", has_text="rate-products").locator(".is-run")).to_have_count(0)


def test_timeline_of_the_last_hour_leaves_out_older_jobs(page: Page) -> None:
    at(page, "#/timeline", "Timeline")
    expect(page.locator(".gantt th .job", has_text="detect-fraud")).to_be_visible()
    page.get_by_role("button", name="1 h", exact=True).click()
    expect(page.locator(".gantt th .job", has_text="detect-fraud")).to_have_count(0)
    expect(page.locator(".gantt th .job", has_text="translate-de")).to_be_visible()
    page.get_by_role("searchbox").fill("translate-ja")
    expect(page.locator(".gantt th .job")).to_have_count(1)


def test_figures_have_the_numbers_of_the_chart_as_a_table(page: Page) -> None:
    at(page, "#/figures", "Figures")
    expect(page.locator(".area").nth(3)).to_be_attached()
    page.get_by_text("The same as a table").click()
    last = page.get_by_role("group", name="Rows by verdict over time").locator("tbody tr").last
    # Both are drawn again when the page has all rows.
    legend = page.locator(".legend li").last
    expect(legend).to_have_text(re.compile(r"^OK[2-9]\d\d$"))
    expect(last.locator("td").first).to_have_text(legend.inner_text().removeprefix("OK").strip())


def test_money_is_shown_against_the_budget(page: Page) -> None:
    money = {"unit": "USD", "limit": "40", "perRun": None, "spent": "12.5", "planned": "30", "unknown": 1}
    budget = {"periodSeconds": 2592000, "money": {**money, "unknownPlanned": 0}, "tokens": None}

    def with_budget(route: Route) -> None:
        reply = route.fetch()
        route.fulfill(response=reply, json={**reply.json(), "budget": budget})

    page.route("**/api/summary", with_budget)
    page.route("**/events", lambda route: route.fulfill(status=204))  # no news, which would have no budget
    at(page, "#/figures", "Figures")
    page.reload()
    lines = page.get_by_role("region", name="Tokens and money").locator(".use .lines > div")
    expect(lines).to_contain_text(["Used in 30d$12.50without 1 attempt", "To be bought$30.00", "Limit$40.00"])
    page.get_by_role("link", name="Jobs", exact=True).click()
    expect(page.locator(".tile", has_text="Budget")).to_contain_text("$12.50of $40.00 in 30d")
    expect(page.locator(".tile", has_text="Spent")).to_have_count(0)


def test_what_a_sum_leaves_out_is_said(page: Page) -> None:
    def with_unknown(route: Route) -> None:
        reply = route.fetch()
        summary = reply.json()
        tokens = {"input": 3, "cached": 0, "output": 4, "thoughts": 0, "total": 7, "byModality": {}}
        actual = {"tokens": tokens, "rows": 1, "uncounted": 0, "money": "0.00000025", "currency": "USD"}
        cost = {**summary["cost"], "actual": actual, "unknown": {"low": 0, "high": 0, "actual": 2}}
        rows = {"total": 9, "ok": 5, "failed": 0, "verdicts": {"OK": 5, "NO_RESULT": 4}}
        estimate = {"low": "1.5", "high": None, "currency": "USD", "unknown": 3}
        shown = {**summary, "budget": None, "cost": cost, "estimate": estimate, "rows": rows}
        route.fulfill(response=reply, json=shown)

    page.route("**/api/summary", with_unknown)
    page.route("**/events", lambda route: route.fulfill(status=204))
    at(page, "#/figures", "Figures")
    page.reload()
    section = page.get_by_role("region", name="Tokens and money")
    expect(section).to_contain_text("$0.00000025without 2 jobs of unknown cost")
    expect(section).to_contain_text("Estimate of all jobsfrom $1.50without 3 jobs of unknown cost")
    page.get_by_role("link", name="Jobs", exact=True).click()
    expect(page.locator(".tile", has_text="Rows")).to_contain_text("5 of 9 good4 without a result")
    words = "estimate of all jobs: from $1.50 without 3 jobs of unknown cost"
    expect(page.locator(".tile", has_text="Spent")).to_contain_text(words)


def test_an_address_without_a_page_says_so(page: Page) -> None:
    for fragment in ("#/nonsense", "#/plan/nonsense", "#/jobs/detect-fraud/nonsense", "#/toString"):
        page.evaluate(f"location.hash = '{fragment}'")
        expect(page.locator("h1")).to_have_text("No such page")
        expect(page.locator("main")).to_contain_text(f"Nothing is at {fragment[2:]}.")
        page.locator("main").get_by_role("link", name="All jobs").click()
        expect(page.locator("h1")).to_contain_text("need attention")


def test_a_job_that_is_not_there_is_explained_for_people(page: Page, seen: Watched) -> None:
    page.evaluate("location.hash = '#/jobs/nope'")
    alert = page.get_by_role("alert")
    expect(alert).to_contain_text("there is no job nope")
    expect(alert).not_to_contain_text("/api")
    seen.expected.add(NOT_FOUND)


def test_figures_of_a_model_lead_to_its_jobs(page: Page) -> None:
    at(page, "#/figures", "Figures")
    page.get_by_role("link", name="gemini-2.5-flash-lite").click()
    expect(page.locator(".job-table .job")).to_have_count(2)


def test_plan_shows_changes_prices_and_guards(page: Page) -> None:
    at(page, "#/plan", "3 actions pending")
    actions = page.locator(".plan-action")
    expect(actions).to_have_count(3)
    changed = actions.filter(has_text="caption-photos")
    expect(changed.locator(".plan-sign")).to_have_text("-/+")
    expect(changed.locator("del")).to_contain_text("gemini-2.5-flash")
    expect(changed.locator("ins")).to_contain_text("gemini-2.5-flash-lite")
    guards = page.get_by_role("region", name="Refused by a guard")
    expect(guards).to_contain_text("score-support is protected (lifecycle.protect)")
    expect(guards).to_contain_text("--allow-protected")
    expect(page.get_by_role("region", name="Buys")).to_contain_text("gemini-2.5-pro")
    page.get_by_role("button", name="Every job").click()
    expect(actions).to_have_count(25 - 1)


def test_events_can_be_searched_and_lead_to_their_job(page: Page) -> None:
    at(page, "#/events", "Events")
    page.get_by_role("searchbox").fill("refused tag-images")
    expect(page.locator(".event")).to_have_count(1)
    expect(page.locator(".event")).to_contain_text("ModelNotInBatch")
    page.locator(".event .job").click()
    expect(page.locator("h1")).to_have_text("tag-images")
    page.get_by_role("link", name="All events").click()
    expect(page.locator("h1")).to_have_text("Events of tag-images")
    expect(page.locator(".event").first).to_be_visible()


def test_theme_is_chosen_and_kept(page: Page) -> None:
    colour = "getComputedStyle(document.body).backgroundColor"
    before = page.evaluate(colour)
    page.get_by_role("button", name=re.compile("^Colours: Auto")).click()
    page.get_by_role("button", name=re.compile("^Colours: Light")).click()
    assert page.evaluate(colour) != before
    page.reload()
    expect(page.get_by_role("button", name=re.compile("^Colours: Dark"))).to_be_visible()
    assert page.evaluate(colour) != before


def test_text_from_outside_is_only_text(page: Page) -> None:
    page.goto(f"{page.url.split('#')[0]}#/?q=%3Cimg%20src%3Dx%20onerror%3Dalert(1)%3E")
    page.reload()
    expect(page.get_by_role("searchbox")).to_have_value("<img src=x onerror=alert(1)>")
    assert names(page) == []
