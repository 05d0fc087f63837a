"""Jobs move while the page is open, on a clock that the test moves. One test, because time runs in one direction."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import Browser, Page, expect

from tests.support.browser import open_context, open_page
from tests.web.conftest import Site, at, check_quiet, end

MEGABYTE = 2**20


def test_page_follows_the_watch_to_its_end(browser: Browser, make_site: Callable[[], Site]) -> None:
    site = make_site()
    with open_context(browser, timezone_id="UTC") as context, open_page(context) as (page, seen):
        page.goto(site.url)
        expect(page.locator("#state")).to_have_text("Live")
        page.evaluate("window.isTheSamePage = true")
        jobs_move(page, site)
        deadline_passes(page, site)
        memory_stays_as_it_was(page, site)
        at(page, "#/", "8 of 24 jobs need attention")
        end(site)
        expect(page.locator("#state")).to_have_text("batchctl has ended")
        expect(page.locator(".job-table .job").first).to_be_visible()
        assert page.evaluate("window.isTheSamePage")
        check_quiet(seen, site.url)


def jobs_move(page: Page, site: Site) -> None:
    job = page.locator(".job-table tr", has=page.get_by_role("link", name="translate-fr"))
    expect(job).to_contain_text("Active")
    page.get_by_role("searchbox").fill("translate")
    expect(page.locator(".job-table .job")).to_have_count(8)
    page.get_by_role("searchbox").focus()
    site.go(2400)
    expect(job).to_contain_text("Succeeded")
    expect(page.get_by_role("searchbox")).to_be_focused()
    expect(page.get_by_role("searchbox")).to_have_value("translate")
    at(page, "#/events", "Events")
    expect(page.locator(".event", has_text="translate-fr").first).to_contain_text("collected")
    at(page, "#/jobs/translate-de", "translate-de")
    expect(page.locator(".gantt .span.is-run.is-open")).to_have_count(1)
    site.go(4.5 * 3600)
    expect(page.locator(".gantt .span.is-run.is-good")).to_have_count(1)
    expect(page.locator(".lead")).to_contain_text("Succeeded")


def deadline_passes(page: Page, site: Site) -> None:
    """The job that never starts is cancelled."""
    at(page, "#/jobs/rate-products", "rate-products")
    expect(page.locator(".lead")).to_contain_text("Active")
    site.go(3 * 3600)
    expect(page.locator(".lead")).to_contain_text("Failed")


def memory_stays_as_it_was(page: Page, site: Site) -> None:
    """A day passes while the page is open."""
    devtools = page.context.new_cdp_session(page)

    def size() -> tuple[int, int]:
        devtools.send("HeapProfiler.collectGarbage")
        return page.evaluate("performance.memory.usedJSHeapSize"), devtools.send("Memory.getDOMCounters")["nodes"]

    at(page, "#/timeline", "Timeline")
    site.go(3600)
    (heap, nodes), process = size(), resident(site)
    for _ in range(24):
        site.go(3600)
    page.evaluate("new Promise((done) => setTimeout(done, 1500))")  # the last change has been shown
    later = size()
    assert later[0] < heap + 2 * MEGABYTE
    assert later[1] < 1.2 * nodes + 200
    assert resident(site) < process + 24 * MEGABYTE


def resident(site: Site) -> int:
    """Bytes of memory of the watch."""
    return int(Path(f"/proc/{site.process.pid}/statm").read_text().split()[1]) * 4096
