"""Every view, wide and narrow, light and dark: nothing runs out of the window, axe-core finds nothing serious, and a
picture of each is left for people in `build/screens`, or in the folder that BATCHCTL_SCREENS names."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.support.browser import NOT_FOUND, open_context, open_page, violations
from tests.web.conftest import ROOT, Site, check_quiet

SCREENS = Path(os.environ.get("BATCHCTL_SCREENS", ROOT / "build" / "screens"))
VIEWS = {
    "jobs": "#/",
    "nothing-found": "#/?q=no-such-word",
    "failed-job": "#/jobs/detect-fraud",
    "shards": "#/jobs/clean-reviews",
    "graph": "#/graph",
    "graph-table": "#/graph?form=table",
    "timeline": "#/timeline",
    "figures": "#/figures",
    "plan": "#/plan",
    "events": "#/events",
    "rows": "#/jobs/moderate-photos/rows",
    "no-such-job": "#/jobs/nope",
    "no-such-page": "#/nonsense",
}
NARROW = 390
WIDTHS = {1280: 900, NARROW: 844}


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", WIDTHS)
def test_all_views(browser: Browser, site: Site, width: int, theme: str) -> None:
    SCREENS.mkdir(parents=True, exist_ok=True)
    size = {"width": width, "height": WIDTHS[width]}
    # The script of axe-core is not the page's, so its policy would refuse it.
    with (
        open_context(browser, viewport=size, color_scheme=theme, timezone_id="UTC", bypass_csp=True) as context,
        open_page(context) as (page, seen),
    ):
        page.goto(site.url)
        expect(page.locator("h1")).to_contain_text("jobs")
        found = []
        for name, fragment in VIEWS.items():
            page.evaluate("location.hash = '#/nowhere'")
            page.evaluate(f"location.hash = '{fragment}'")
            expect(page.locator("main .loading")).to_have_count(0)
            expect(page.locator("#state")).to_have_text("Live")
            page.wait_for_function("document.getAnimations().every((one) => one.playState !== 'running')")
            page.screenshot(path=SCREENS / f"{name}-{width}-{theme}.png")
            assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), f"{name} is too wide"
            found += [f"{name}: {one}" for one in violations(page)]
        assert found == []
        seen.expected.add(NOT_FOUND)  # no such job
        check_quiet(seen, site.url)


def test_paper_has_all_jobs_and_no_controls(browser: Browser, site: Site) -> None:
    with open_context(browser) as context, open_page(context) as (page, _):
        page.goto(site.url)
        expect(page.locator(".job-table .job")).to_have_count(24)
        page.emulate_media(media="print")
        expect(page.locator(".filters")).to_be_hidden()
        expect(page.locator("nav[aria-label=Views]")).to_be_hidden()
        expect(page.locator(".job-table .job").last).to_be_visible()
