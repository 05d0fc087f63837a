"""One browser and one stack for all tests of the page; each test gets a page of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.support.browser import Watched, find_browser, open_browser, open_context, open_page
from tests.support.patience import PATIENCE

ROOT = Path(__file__).resolve().parents[2]


@dataclass
class Site:
    """`watch --serve` of the stack of `tests.support.page_world`."""

    process: subprocess.Popen[str]
    url: str

    def go(self, seconds: float) -> None:
        """Let time pass."""
        self.ask(f"go {seconds}")

    def ask(self, line: str) -> Any:
        assert self.process.stdin is not None
        self.process.stdin.write(f"{line}\n")
        self.process.stdin.flush()
        return answer_of(self.process)


def answer_of(process: subprocess.Popen[str]) -> Any:
    assert process.stdout is not None
    line = process.stdout.readline()
    assert line, "the process of the page has ended"
    return json.loads(line)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    expect.set_options(timeout=PATIENCE * 1000)
    with open_browser() as found:
        yield found


@pytest.fixture(scope="session")
def make_site() -> Iterator[Callable[..., Site]]:
    """Starts a stack of its own with its page. One that a failed test did not end is ended at the end."""
    made = []

    def make(*options: str) -> Site:
        find_browser()
        command = [sys.executable, "-m", "tests.support.page_world", *options]
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
        process = subprocess.Popen(command, cwd=ROOT, env={**os.environ, "TZ": "UTC"}, **pipes)
        made.append(process)
        return Site(process, answer_of(process)["url"])

    yield make
    for process in made:
        with process:
            process.kill()


@pytest.fixture(scope="session")
def site(make_site: Callable[..., Site]) -> Iterator[Site]:
    """The stack that no test moves: all of them see the same."""
    found = make_site("--show-rows")
    yield found
    end(found)


def end(site: Site) -> None:
    with site.process:
        assert site.process.stdin is not None
        site.process.stdin.close()
        assert site.process.wait(PATIENCE) == 0


@pytest.fixture(scope="session")
def reader(browser: Browser, site: Site) -> Iterator[BrowserContext]:
    """A reader who was let in by the token: each test opens a page in the same browser window."""
    with open_context(browser, timezone_id="UTC") as context:
        page = context.new_page()
        page.goto(site.url)
        page.close()
        yield context


@pytest.fixture
def opened(reader: BrowserContext, site: Site) -> Iterator[tuple[Page, Watched]]:
    with open_page(reader) as (page, seen):
        page.goto(site.url.split("?")[0])
        expect(page.locator("h1")).to_contain_text("jobs")
        yield page, seen
        check_quiet(seen, site.url)


@pytest.fixture
def page(opened: tuple[Page, Watched]) -> Page:
    """A page that is open on the list of jobs. It may have no error, and no request may leave the host."""
    return opened[0]


@pytest.fixture
def seen(opened: tuple[Page, Watched]) -> Watched:
    """What the page does that it must not; a test that expects an error takes it out."""
    return opened[1]


def at(page: Page, fragment: str, heading: str) -> None:
    """Go to a view and wait for it."""
    page.goto(f"{page.url.split('#')[0]}{fragment}")
    expect(page.locator("h1")).to_have_text(heading)


def names(page: Page) -> list[str]:
    """The jobs of the list, in their order."""
    return page.locator(".job-table .job").all_inner_texts()


def check_quiet(seen: Watched, url: str) -> None:
    assert set(seen.errors) == seen.expected
    assert seen.hosts == {url.split("/")[2]}
