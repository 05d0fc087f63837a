"""Takes the pictures of docs/web.md: `python docs/take_pictures.py`. They show the stack of the tests of the web page.

It needs a Chromium, and is no `generate_…` script: fonts and browsers draw differently, so no test compares them.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from playwright.sync_api import expect  # noqa: E402

from tests.support.browser import open_browser, open_context  # noqa: E402

PICTURES = {
    "web-jobs": ("#/", "light", 830),
    "web-timeline": ("#/timeline", "light", 800),
    "web-graph": ("#/graph", "dark", 800),
}
_WIDTH = 1100


def main() -> None:
    """Write docs/pictures."""
    command = [sys.executable, "-m", "tests.support.page_world"]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as site:  # noqa: S603 - itself
        assert site.stdin is not None
        assert site.stdout is not None
        url = json.loads(site.stdout.readline())["url"]
        site.stdin.write("go 1200\n")
        site.stdin.flush()
        site.stdout.readline()
        with open_browser() as browser:
            for name, (view, theme, height) in PICTURES.items():
                size = {"width": _WIDTH, "height": height}
                with open_context(browser, viewport=size, color_scheme=theme, timezone_id="UTC") as context:
                    page = context.new_page()
                    page.goto(f"{url}{view}")
                    expect(page.locator("#state")).to_have_text("Live")
                    expect(page.locator("main .loading")).to_have_count(0)
                    page.screenshot(path=ROOT / "docs" / "pictures" / f"{name}.png")
        site.stdin.close()


if __name__ == "__main__":
    main()
