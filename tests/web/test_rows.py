"""The row browser: request, answer and verdict, failed rows first, where `--show-rows` allows it."""

from __future__ import annotations

import re

from playwright.sync_api import Page, expect

from tests.support.browser import NOT_FOUND, Watched
from tests.web.conftest import at

ROWS = "#/jobs/moderate-photos/rows"


def test_rows_without_a_good_answer_come_first(page: Page) -> None:
    at(page, ROWS, "Rows of moderate-photos")
    rows = page.locator(".row")
    expect(rows).to_have_count(20)
    expect(page.locator(".row.is-bad")).to_have_count(12)
    expect(rows.first).to_contain_text("SAFETY")
    expect(rows.nth(12)).to_contain_text("OK")
    expect(rows.nth(12)).to_contain_text("answers to")
    page.get_by_role("button", name="Next").click()
    expect(page.locator(".row.is-bad")).to_have_count(0)


def test_rows_of_one_verdict_with_the_words_of_the_api(page: Page) -> None:
    at(page, ROWS, "Rows of moderate-photos")
    page.get_by_role("button", name=re.compile("^INVALID_ARGUMENT")).click()
    rows = page.locator(".row")
    expect(rows).to_have_count(3)
    expect(rows.first).to_contain_text("Invalid value at 'contents[0].parts[0]', oneof field 'data' is already set.")
    expect(rows.first.locator(".row-part").first).to_contain_text("says photos")
    rows.first.get_by_text("JSON").last.click()
    expect(rows.first.locator(".json").last).to_contain_text('"code": 3')


def test_rows_can_be_searched(page: Page) -> None:
    at(page, ROWS, "Rows of moderate-photos")
    page.get_by_role("searchbox").fill("photos-41")
    expect(page.locator(".row")).to_have_count(1)
    expect(page.locator(".row h2")).to_have_text("photos-41")


def test_job_without_results_says_so(page: Page, seen: Watched) -> None:
    at(page, "#/jobs/translate-ja/rows", "Rows of translate-ja")
    expect(page.locator(".empty")).to_contain_text("batchctl results translate-ja")
    seen.expected.add(NOT_FOUND)
