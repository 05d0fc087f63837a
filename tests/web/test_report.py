"""`report --html`: the same page as one file, opened from the disk."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.support.browser import open_context, open_page
from tests.web.conftest import Site, names


@pytest.fixture(scope="module")
def file(site: Site, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("report") / "report.html"
    answer = site.ask(f"report {path}")
    assert answer == {"code": 0, "err": answer["err"]}
    return path


@pytest.fixture
def page(browser: Browser, file: Path) -> Iterator[Page]:
    with open_context(browser, timezone_id="UTC", offline=True) as context, open_page(context) as (page, seen):
        page.goto(file.as_uri())
        expect(page.locator("h1")).to_contain_text("jobs")
        yield page
        assert seen.errors == []
        assert seen.hosts == {""}


def test_file_has_every_view(page: Page) -> None:
    expect(page.locator("#state")).to_contain_text("Report of")
    expect(page.locator(".job-table .job")).to_have_count(24)
    for view, part in {
        "Graph": ".node",
        "Timeline": ".gantt .span",
        "Figures": ".area",
        "Plan": ".plan-action",
        "Events": ".event",
    }.items():
        page.get_by_role("navigation", name="Views").get_by_role("link", name=view).click()
        expect(page.locator(part).first).to_be_visible()


def test_file_filters_and_sorts_by_itself(page: Page) -> None:
    page.get_by_role("searchbox").fill("team=shop")
    expect(page.locator(".job-table .job")).to_have_count(2)
    page.get_by_role("combobox", name="Order").select_option("job")
    expect(page.locator(".job-table .job").first).to_have_text("answer-support")
    assert names(page) == ["answer-support", "score-support"]


def test_job_of_the_file(page: Page) -> None:
    page.get_by_role("link", name="detect-fraud").first.click()
    expect(page.locator(".verbatim")).to_contain_text("internal error in the batch service (5f0c9a)")
