"""The list of jobs: what needs attention first, filter, search, order, and the way to each job."""

from __future__ import annotations

import re

from playwright.sync_api import Page, expect

from tests.web.conftest import at, names


def test_what_needs_attention_comes_first(page: Page) -> None:
    expect(page.locator("h1")).to_have_text(re.compile(r"^\d of 24 jobs need attention$"))
    parts = page.locator(".job-table tr.part th")
    expect(parts).to_have_text(["Needs attention", "Under way", "Waiting", "Ended"])
    assert names(page)[:5] == ["detect-fraud", "tag-images", "report-fraud", "write-to-bank", "caption-photos"]
    first = page.locator(".job-table tbody").first
    expect(first).to_contain_text("detect-fraud")
    expect(first).to_contain_text("internal error in the batch service (5f0c9a)")


def test_filter_by_phase_is_kept_in_the_address(page: Page) -> None:
    chip = page.get_by_role("button", name=re.compile("^Blocked"))
    chip.click()
    expect(page.locator(".job-table .job")).to_have_count(2)
    assert names(page) == ["report-fraud", "write-to-bank"]
    expect(chip).to_have_attribute("aria-pressed", "true")
    assert page.url.endswith("#/?phase=Blocked")
    page.get_by_role("button", name=re.compile("^Failed")).click()
    expect(page.locator(".job-table .job")).to_have_count(3)
    page.reload()
    expect(page.locator(".job-table .job")).to_have_count(3)
    expect(page.get_by_role("button", name=re.compile("^Blocked"))).to_have_attribute("aria-pressed", "true")


def test_search_takes_words_and_labels(page: Page) -> None:
    field = page.get_by_role("searchbox", name="Search jobs")
    field.fill("gemini-2.5-pro team=shop")
    expect(page.locator(".job-table .job")).to_have_count(1)
    assert names(page) == ["answer-support"]
    field.fill("translate no-such-word")
    expect(page.get_by_text("No job matches")).to_be_visible()
    page.get_by_role("button", name="Show all jobs").click()
    expect(page.locator(".job-table .job")).to_have_count(24)
    expect(field).to_have_value("")


def test_filter_by_model(page: Page) -> None:
    page.get_by_role("combobox", name="Model").select_option("gemini-2.5-flash-lite")
    expect(page.locator(".job-table .job")).to_have_count(2)
    assert names(page) == ["translate-nl", "translate-pl"]


def test_columns_sort_both_ways_by_keyboard(page: Page) -> None:
    heading = page.get_by_role("columnheader", name="Job")
    heading.get_by_role("button").focus()
    page.keyboard.press("Enter")
    expect(heading).to_have_attribute("aria-sort", "ascending")
    expect(page.locator(".job-table .job").first).to_have_text("answer-support")
    page.keyboard.press("Enter")
    expect(heading).to_have_attribute("aria-sort", "descending")
    expect(page.locator(".job-table .job").first).to_have_text("write-to-bank")
    assert names(page) == sorted(names(page), reverse=True)
    expect(heading.get_by_role("button")).to_be_focused()


def test_skip_link_leads_to_the_content(page: Page) -> None:
    page.keyboard.press("Tab")
    expect(page.locator(".skip")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("main")).to_be_focused()
    expect(page.locator("h1")).to_contain_text("need attention")


def test_skip_link_stays_on_its_view(page: Page) -> None:
    at(page, "#/plan", "3 actions pending")
    page.locator(".skip").focus()
    page.keyboard.press("Enter")
    expect(page.locator("main")).to_be_focused()
    expect(page.locator("h1")).to_have_text("3 actions pending")


def test_name_leads_to_the_job_and_back(page: Page) -> None:
    page.get_by_role("link", name="detect-fraud").first.click()
    expect(page.locator("h1")).to_have_text("detect-fraud")
    expect(page.locator("main")).to_be_focused()
    assert page.title() == "detect-fraud · reviews · batchctl"
    page.go_back()
    expect(page.locator("h1")).to_contain_text("need attention")
