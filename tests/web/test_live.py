"""Jobs move while the page is open, on a clock that the test moves."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.support.browser import open_context, open_page
from tests.web.conftest import Site, at, check_quiet, end

MEGABYTE = 2**20


@pytest.fixture(scope="module")
def moving(make_site: Callable[[], Site]) -> Iterator[Site]:
    """A stack whose time moves."""
    found = make_site()
    yield found
    if found.process.poll() is None:
        end(found)


@pytest.fixture
def page(browser: Browser, moving: Site) -> Iterator[Page]:
    with open_context(browser, timezone_id="UTC") as context, open_page(context) as (page, seen):
        page.goto(moving.url)
        expect(page.locator("#state")).to_have_text("Live")
        yield page
        check_quiet(seen, moving.url)


def test_jobs_move_without_a_reload(page: Page, moving: Site) -> None:
    page.evaluate("window.isTheSamePage = true")
    job = page.locator(".job-table tr", has=page.get_by_role("link", name="translate-fr"))
    expect(job).to_contain_text("Active")
    page.get_by_role("searchbox").fill("translate")
    expect(page.locator(".job-table .job")).to_have_count(8)
    page.get_by_role("searchbox").focus()
    moving.go(2400)
    expect(job).to_contain_text("Succeeded")
    expect(page.get_by_role("searchbox")).to_be_focused()
    expect(page.get_by_role("searchbox")).to_have_value("translate")
    at(page, "#/events", "Events")
    expect(page.locator(".event", has_text="translate-fr").first).to_contain_text("collected")
    at(page, "#/jobs/translate-de", "translate-de")
    expect(page.locator(".gantt .span.is-run.is-open")).to_have_count(1)
    moving.go(4.5 * 3600)
    expect(page.locator(".gantt .span.is-run.is-good")).to_have_count(1)
    expect(page.locator(".lead")).to_contain_text("Succeeded")
    assert page.evaluate("window.isTheSamePage")


def test_new_trouble_is_announced(page: Page, moving: Site) -> None:
    moving.go(1.5 * 3600)
    expect(page.locator("#announcer")).to_have_text("Needs attention: rate-products")


def test_a_day_leaves_the_memory_as_it_was(page: Page, moving: Site) -> None:
    devtools = page.context.new_cdp_session(page)

    def size() -> tuple[int, int]:
        devtools.send("HeapProfiler.collectGarbage")
        nodes = devtools.send("Memory.getDOMCounters")["nodes"]
        return page.evaluate("performance.memory.usedJSHeapSize"), nodes

    at(page, "#/timeline", "Timeline")
    moving.go(3600)
    heap, nodes = size()
    process = resident(moving)
    for _ in range(24):
        moving.go(3600)
    page.evaluate("new Promise((done) => setTimeout(done, 1500))")  # the last change has been shown
    later = size()
    assert later[0] < heap + 2 * MEGABYTE
    assert later[1] < 1.2 * nodes + 200
    assert resident(moving) < process + 24 * MEGABYTE


def resident(site: Site) -> int:
    """Bytes of memory of the watch."""
    pages = int(Path(f"/proc/{site.process.pid}/statm").read_text().split()[1])
    return pages * 4096


def test_the_end_of_the_watch_is_shown(page: Page, moving: Site) -> None:
    end(moving)
    expect(page.locator("#state")).to_have_text("batchctl has ended")
    expect(page.locator(".job-table .job").first).to_be_visible()
