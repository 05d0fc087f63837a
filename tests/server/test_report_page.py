"""The page as one file: everything inside, nothing that text from outside could become."""

from __future__ import annotations

import base64
import hashlib
import json
from html.parser import HTMLParser

import pytest

from batchctl.server.documents.report import report_document
from batchctl.server.history import MOST_EVENTS
from batchctl.server.report_page import report_page
from batchctl.server.static_files import StaticFile, read_static
from batchctl.server.view import View
from tests.support.engine import job
from tests.support.values import replace
from tests.support.web import serving, snapshot_of

EVIL = "</script><script>alert(1)</script><!-- \u2028 \ud83d"


class Elements(HTMLParser):
    """The elements of a page with their attributes and texts, in order."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None], str]] = []
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.found.append((tag, dict(attrs), ""))

    def handle_endtag(self, tag):
        self.found.append((f"/{tag}", {}, ""))

    def handle_data(self, data):
        if self.found:
            tag, attributes, text = self.found[-1]
            self.found[-1] = (tag, attributes, text + data)

    def all(self, tag):
        return [(attributes, text) for name, attributes, text in self.found if name == tag]


def files(**texts):
    names = {name.replace("__", "."): text for name, text in texts.items()}
    return {name: StaticFile(name, "", text.encode()) for name, text in names.items()}


def data_of(page):
    (data,) = [text for attributes, text in Elements(page).all("script") if attributes.get("id") == "batchctl-data"]
    return json.loads(data)


def test_the_report_has_what_the_server_has(world):
    world.watch(job("a"), job("b"))
    snapshot = snapshot_of(world, job("a"), replace(job("b"), depends_on=("a",)), job("new"))
    view = View(snapshot, "report", 1, None)
    document = report_document(view, world.state().events(None, MOST_EVENTS), world.time.now())
    with serving(world, snapshot) as site:
        for path, found in [
            *document["documents"].items(),
            *((f"jobs/{name}", one) for name, one in document["jobs"].items()),
        ]:
            served = site.get(f"/api/{path}", **({"limit": 1000} if path == "events" else {}))
            assert {**found, "change": None} == {**served, "change": None}, path
    assert data_of(report_page(read_static(), document)) == json.loads(json.dumps(document))


def test_the_policy_names_all_scripts_and_styles(world):
    page = report_page(read_static(), {"text": EVIL})
    elements = Elements(page)
    (policy,) = [
        one["content"] for one, _ in elements.all("meta") if one.get("http-equiv") == "Content-Security-Policy"
    ]
    directives = dict(part.split(" ", 1) for part in policy.split("; "))
    scripts = [text for attributes, text in elements.all("script") if "type" not in attributes]
    styles = [text for _, text in elements.all("style")]
    for kind, texts in (("script-src", scripts), ("style-src", styles)):
        assert texts
        hashes = [f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'" for text in texts]
        assert directives[kind].split() == hashes
    assert (directives["default-src"], "unsafe" in policy) == ("'none'", False)
    assert page.index("Content-Security-Policy") < page.index("<style")


def test_text_from_outside_stays_text():
    page = report_page(read_static(), {"text": EVIL})
    assert data_of(page) == {"text": EVIL}
    assert "alert(1)</script>" not in page
    assert all(" " <= character < "\x7f" or character == "\n" for character in page if ord(character) >= 0xD800)


def test_the_file_loads_nothing():
    elements = Elements(report_page(read_static(), {}))
    assert elements.all("link") == []
    assert [attributes for attributes, _ in elements.all("script") if "src" in attributes] == []
    assert [
        name for _, attributes, _ in elements.found for name in attributes if name in {"style", "onclick", "onload"}
    ] == []


def test_a_script_that_would_end_itself_is_refused():
    page = '<meta charset="utf-8">\n<script src="static/main.js"></script>\n</body>'
    with pytest.raises(AssertionError, match="</script"):
        report_page(files(index__html=page, main__js='const x = "</SCRIPT>";\n'), {})
