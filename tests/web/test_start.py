"""The first moments of a page, and a server that comes later."""

from __future__ import annotations

from playwright.sync_api import Browser, expect

from tests.server.conftest import folder, make_world, world  # noqa: F401
from tests.support.browser import open_context, open_page
from tests.support.engine import World, job
from tests.support.values import replace
from tests.support.web import serving, snapshot_of


def test_page_waits_for_a_server_that_still_reads_the_stack(browser: Browser, world: World) -> None:  # noqa: F811
    with open_context(browser) as context, open_page(context) as (page, seen), serving(world) as site:
        page.goto(site.url)
        expect(page.get_by_role("alert")).to_contain_text("PageNotReady")
        world.watch(job("a"))
        snapshot = snapshot_of(world, job("a"), job("b"))
        site.feed.publish(lambda: snapshot)
        expect(page.locator("h1")).to_have_text("2 jobs, all well")
        assert set(seen.errors) == {
            "Failed to load resource: the server responded with a status of 503 (Service Unavailable)"
        }


def test_new_trouble_is_said_to_screen_readers(browser: Browser, world: World) -> None:  # noqa: F811
    world.here.rules({"match": {"displayName": "*/bad@*"}, "fate": "fail", "pending": "1h"}, {"pending": "1h"})
    jobs = job("bad"), job("good")
    world.apply(*jobs)
    before = snapshot_of(world, *jobs)
    with open_context(browser) as context, open_page(context) as (page, _), serving(world, before) as site:
        page.goto(site.url)
        expect(page.locator("#state")).to_have_text("As recorded")
        expect(page.locator("#announcer")).to_have_text("")
        world.watch(*jobs)
        after = snapshot_of(world, *jobs)
        site.feed.publish(lambda: after)
        expect(page.locator("h1")).to_have_text("1 of 2 jobs needs attention")
        expect(page.locator("#announcer")).to_have_text("Needs attention: bad")


def test_stack_without_jobs_says_what_to_do(browser: Browser, world: World) -> None:  # noqa: F811
    with (
        open_context(browser) as context,
        open_page(context) as (page, seen),
        serving(world, snapshot_of(world)) as site,
    ):
        page.goto(site.url)
        expect(page.locator("h1")).to_have_text("No jobs yet")
        expect(page.locator(".empty")).to_contain_text("batchctl apply")
        for view, words in {
            "Graph": "No job depends on another one",
            "Timeline": "Nothing to show",
            "Figures": "No results yet",
            "Plan": "Nothing to do",
            "Events": "No event matches",
        }.items():
            page.get_by_role("navigation", name="Views").get_by_role("link", name=view).click()
            expect(page.locator(".empty").first).to_contain_text(words)
        assert seen.errors == []


def test_large_graph_asks_for_a_job(browser: Browser, world: World) -> None:  # noqa: F811
    root = job("root")
    jobs = [root, *(replace(job(f"leaf-{number:03}"), depends_on=("root",)) for number in range(300))]
    with (
        open_context(browser) as context,
        open_page(context) as (page, seen),
        serving(world, snapshot_of(world, *jobs)) as site,
    ):
        page.goto(f"{site.url}/#/graph")
        expect(page.get_by_text("301 jobs depend on each other")).to_be_visible()
        page.get_by_role("searchbox").fill("leaf-123")
        expect(page.locator(".found .job")).to_have_text(["leaf-123"])
        page.get_by_role("button", name="Draw all of them").click()
        expect(page.locator(".node")).to_have_count(301)
        page.goto(f"{site.url}/")
        page.get_by_role("button", name="Next").click()
        expect(page.get_by_role("navigation", name="Pages")).to_contain_text("101\u2013200 of 301")
        page.get_by_role("button", name="Previous").click()
        expect(page.get_by_role("navigation", name="Pages")).to_contain_text("1\u2013100 of 301")
        assert seen.errors == []
