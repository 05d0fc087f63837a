"""The page as one file: its data, scripts and styles inside, for a browser without a server.

The browser runs only the script and the styles whose hashes the policy names, so text from outside becomes neither.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Iterator, Mapping

from batchctl.server.static_files import PAGE, StaticFile
from batchctl.server.view import Document

DATA_ID = "batchctl-data"
_STYLE = re.compile(r'<link rel="stylesheet" href="static/([a-z0-9_-]+\.css)">\n?')
_SCRIPT = re.compile(r'<script src="static/([a-z0-9_-]+\.js)"></script>\n?')
_ICON = re.compile(r'<link rel="icon"[^>]*>\n?')
_CHARSET = '<meta charset="utf-8">\n'
_END = "</body>"


def report_page(files: Mapping[str, StaticFile], report: Document) -> str:
    """The file. `report` is the document that the page reads in place of the addresses of a server."""
    page = _ICON.sub("", files[PAGE].content.decode())
    styles = [_text(files, name) for name in _STYLE.findall(page)]
    scripts = [_text(files, name) for name in _SCRIPT.findall(page)]
    for text, end in (*((text, "</style") for text in styles), *((text, "</script") for text in scripts)):
        assert end not in text.casefold(), f"a file of the page has {end}"
    page = _SCRIPT.sub("", _STYLE.sub("", page))
    head = f'{_CHARSET}<meta http-equiv="Content-Security-Policy" content="{_policy(scripts, styles)}">\n'
    head += "".join(f"<style>{text}</style>\n" for text in styles)
    data = f'<script type="application/json" id="{DATA_ID}">{_data(report)}</script>\n'
    body = data + "".join(f"<script>{text}</script>\n" for text in scripts)
    assert page.count(_CHARSET) == page.count(_END) == 1, "the page has one head and one body"
    # Not by a pattern: the data may have what a replacement would interpret.
    return page.replace(_CHARSET, head).replace(_END, body + _END)


def _text(files: Mapping[str, StaticFile], name: str) -> str:
    return files[name].content.decode()


def _data(report: Document) -> str:
    # `<` could begin an end tag or a comment; inside JSON it can stand in strings only.
    return json.dumps(report, ensure_ascii=True, separators=(",", ":"), allow_nan=False).replace("<", "\\u003c")


def _hashes(texts: list[str]) -> Iterator[str]:
    for text in texts:
        yield f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def _policy(scripts: list[str], styles: list[str]) -> str:
    directives = (
        "default-src 'none'",
        f"script-src {' '.join(_hashes(scripts))}",
        f"style-src {' '.join(_hashes(styles))}",
        "img-src data:",
        "base-uri 'none'",
        "form-action 'none'",
        "require-trusted-types-for 'script'",
        "trusted-types 'none'",
    )
    return "; ".join(directives)
