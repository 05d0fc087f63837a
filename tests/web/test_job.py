"""One job: errors verbatim, attempts and shards over time, verdicts, neighbours, what can be done."""

from __future__ import annotations

import re

from playwright.sync_api import Page, expect

from tests.support.browser import NOT_FOUND, Watched
from tests.web.conftest import at


def test_error_of_the_api_is_shown_word_by_word(page: Page) -> None:
    at(page, "#/jobs/detect-fraud", "detect-fraud")
    expect(page.locator(".verbatim")).to_have_text(
        "The batch failed to process: internal error in the batch service (5f0c9a)."
    )
    expect(page.locator(".lead")).to_contain_text("Failed")


def test_refused_create_call_has_its_code_and_a_way_out(page: Page) -> None:
    at(page, "#/jobs/tag-images", "tag-images")
    notice = page.locator(".notice.is-bad")
    expect(notice).to_contain_text("create: ModelNotInBatch")
    expect(notice).to_contain_text("HTTP 400: models/gemini-3-ultra is not found for API version v1beta")
    expect(notice).to_contain_text("choose another model")


def test_attempts_and_shards_have_a_row_each(page: Page) -> None:
    at(page, "#/jobs/clean-reviews", "clean-reviews")
    rows = page.locator(".gantt tbody th")
    expect(rows).to_have_text(["1.0", "1.1", "1.2", "1.3", "2"])
    words = page.locator(".gantt .track li").first.inner_text()
    assert words.startswith("Attempt 1.0, queued 10:30:00 for ")
    assert "running" in words
    assert words.endswith("succeeded, 18 of 20 rows good, 2 failed")
    table = page.get_by_role("group", name="Attempts and shards")
    expect(table.locator("tbody tr")).to_have_count(5)
    expect(table.locator("tbody tr").first.locator("td").nth(4)).to_have_text(re.compile("^at most 4\\dm"))


def test_verdicts_have_counts_and_shares(page: Page) -> None:
    at(page, "#/jobs/moderate-photos", "moderate-photos")
    verdicts = page.locator(".verdicts li")
    expect(verdicts).to_have_count(4)
    assert [one.split() for one in verdicts.all_inner_texts()] == [
        ["OK", "48", "80%"],
        ["SAFETY", "6", "10%"],
        ["INVALID_ARGUMENT", "3", "5%"],
        ["MAX_TOKENS", "3", "5%"],
    ]


def test_neighbours_lead_along_the_chain(page: Page) -> None:
    at(page, "#/jobs/classify-reviews", "classify-reviews")
    near = page.get_by_role("region", name="Neighbours")
    expect(near.get_by_role("link")).to_have_count(10)
    near.get_by_role("link", name="clean-reviews").click()
    expect(page.locator("h1")).to_have_text("clean-reviews")


def test_changed_manifest_is_shown_with_both_values(page: Page) -> None:
    at(page, "#/jobs/score-support", "score-support")
    changes = page.get_by_role("region", name="Changes in the manifest")
    expect(changes.locator("del")).to_contain_text("gemini-2.5-flash")
    expect(changes.locator("ins")).to_contain_text("gemini-2.5-pro")
    expect(page.locator(".notice")).to_contain_text("Protected")


def test_deadline_counts_down(page: Page) -> None:
    page.clock.install()
    at(page, "#/jobs/rate-products", "rate-products")
    page.reload()
    left = page.locator(".notice time").first
    expect(left).to_have_text(re.compile(r"^6h \d+m$"))
    page.clock.fast_forward("05:30:00")
    expect(left).to_have_text(re.compile(r"^\d+m( \d+s)?$"))
    page.clock.fast_forward("01:30:00")
    expect(left).to_have_text(re.compile(r"ago$"))


def test_events_of_the_job_newest_first(page: Page) -> None:
    at(page, "#/jobs/extract-dates", "extract-dates")
    expect(page.locator(".events")).to_contain_text("JOB_STATE_RUNNING → JOB_STATE_FAILED")
    times = page.locator(".event-time").all_inner_texts()
    assert times == sorted(times, reverse=True) != []


def test_unknown_job_says_so_and_offers_a_way(page: Page, seen: Watched) -> None:
    page.goto(f"{page.url.split('#')[0]}#/jobs/no-such-job")
    expect(page.get_by_role("alert")).to_contain_text("there is no job no-such-job")
    seen.expected.add(NOT_FOUND)
    page.get_by_role("link", name="All jobs").click()
    expect(page.locator("h1")).to_contain_text("need attention")


def test_conditions_and_commands_are_those_of_explain(page: Page) -> None:
    at(page, "#/jobs/report-fraud", "report-fraud")
    held = page.get_by_role("region", name="Conditions")
    expect(held).to_contain_text("Dependenciesblocked by detect-fraud: it needs a change")
    expect(held).to_contain_text("Next: nothing, until detect-fraud is fixed")
    page.get_by_role("link", name="detect-fraud").first.click()
    expect(page.locator("h1")).to_have_text("detect-fraud")
    ways = page.get_by_role("region", name="You can").locator("code")
    expect(ways).to_contain_text(["batchctl retry detect-fraud", "batchctl explain detect-fraud"])
