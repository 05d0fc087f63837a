"""A real Chromium for the tests of the web page, driven by Playwright over the DevTools protocol.

Playwright's own browsers are not used: the one of the system is, which `.ci/run` installs.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import axe_playwright_python
import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from tests.support.patience import PATIENCE

PROGRAMS = ("chromium", "chromium-browser", "google-chrome")
NOT_FOUND = "Failed to load resource: the server responded with a status of 404 (Not Found)"
SERIOUS = {"serious", "critical"}


def find_browser() -> str:
    """The path of the browser. Without one, the test is skipped; in CI it fails."""
    found = next(filter(None, map(shutil.which, PROGRAMS)), None)
    if found is not None:
        return found
    words = f"there is no browser here: none of {', '.join(PROGRAMS)} is installed"
    if os.environ.get("CI"):
        pytest.fail(words)
    pytest.skip(words)


@contextmanager
def open_browser() -> Iterator[Browser]:
    path = find_browser()
    with sync_playwright() as playwright:
        # Containers have no user namespaces and little shared memory. Chromium's own errands are no traffic of the page.
        options = ["--no-sandbox", "--disable-dev-shm-usage", "--disable-background-networking"]
        browser = playwright.chromium.launch(executable_path=path, args=options, timeout=PATIENCE * 1000)
        yield browser
        browser.close()


@dataclass
class Watched:
    """What a page did that it must not: filled while it runs."""

    errors: list[str] = field(default_factory=list)
    expected: set[str] = field(default_factory=set)
    """Errors that a test provokes. The page may ask again, so each may come more than once."""
    hosts: set[str] = field(default_factory=set)
    """The hosts of all requests."""


@contextmanager
def open_context(browser: Browser, **options: Any) -> Iterator[BrowserContext]:
    """A window with nothing kept from others."""
    context = browser.new_context(**{"viewport": {"width": 1280, "height": 900}, "color_scheme": "light", **options})
    context.set_default_timeout(PATIENCE * 1000)
    yield context
    context.close()


@contextmanager
def open_page(context: BrowserContext) -> Iterator[tuple[Page, Watched]]:
    """A page whose errors and requests are watched."""
    page, seen = context.new_page(), Watched()
    page.on("pageerror", lambda error: seen.errors.append(str(error)))
    page.on("console", lambda line: seen.errors.append(line.text) if line.type in {"error", "warning"} else None)
    page.on("request", lambda request: seen.hosts.add(urlsplit(request.url).netloc))
    yield page, seen
    page.close()


@cache
def axe_script() -> str:
    return (Path(axe_playwright_python.__file__).parent / "axe.min.js").read_text(encoding="utf-8")


def violations(page: Page) -> list[str]:
    """What axe-core finds on the page as it is, other than small matters. Needs a context with `bypass_csp`."""
    if page.evaluate("typeof axe === 'undefined'"):  # a page keeps it from one view to the next
        page.evaluate(axe_script())
    found = page.evaluate("axe.run({resultTypes: ['violations']})")["violations"]
    return [
        f"{one['id']} ({one['impact']}): {one['help']}: {node['html'][:160]}"
        for one in found
        if one["impact"] in SERIOUS
        for node in one["nodes"][:3]
    ]
