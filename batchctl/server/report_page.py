"""The page as one file: its data, scripts and styles inside, for a browser without a server.

The browser runs only the scripts and styles whose hashes the policy names, so text from outside cannot become either.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Mapping

from batchctl.server.static_files import PAGE, StaticFile
from batchctl.server.view import Document

DATA_ID = "batchctl-data"
_STYLE = re.compile(r"""<link\s+rel="stylesheet"\s+href="static/([^"/]+)"\s*/?>""")
_SCRIPT = re.compile(r"""<script\s+src="static/([^"/]+)"(?:\s+defer)?\s*></script>""")
_ICON = re.compile(r"""<link\s+rel="icon"[^>]*>\n?""")
_CHARSET = re.compile(r"""<meta\s+charset="utf-8"\s*/?>""")


def report_page(files: Mapping[str, StaticFile], report: Document) -> str:
    """The file. `report` is the document that the page reads instead of addresses."""
    hashes: dict[str, list[str]] = {"script": [], "style": []}

    def inline(kind: str, found: re.Match[str]) -> str:
        text = files[found[1]].content.decode()
        assert f"</{kind}" not in text, f"{found[1]} ends its own element"
        hashes[kind].append(_hash(text))
        return f"<{kind}>{text}</{kind}>"

    page = _ICON.sub("", files[PAGE].content.decode())
    page = _STYLE.sub(lambda found: inline("style", found), page)
    data = f'<script type="application/json" id="{DATA_ID}">{_data(report)}</script>\n'
    head, first, rest = _split(page)
    scripts = _SCRIPT.sub(lambda found: inline("script", found), first + rest)
    page = f"{head}{data}{scripts}"
    policy = f'<meta http-equiv="Content-Security-Policy" content="{_policy(hashes)}">'
    return _CHARSET.sub(lambda found: f"{found[0]}\n{policy}", page, count=1)


def _split(page: str) -> tuple[str, str, str]:
    """The page before its first script, that script, and the rest."""
    found = _SCRIPT.search(page)
    assert found is not None, "the page has a script"
    return page[: found.start()], found[0], page[found.end() :]


def _data(report: Document) -> str:
    # `<` could begin an end tag or a comment; inside JSON it can stand in strings only.
    return json.dumps(report, ensure_ascii=True, separators=(",", ":")).replace("<", "\\u003c")


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def _policy(hashes: Mapping[str, list[str]]) -> str:
    return "; ".join(
        (
            "default-src 'none'",
            f"script-src {' '.join(hashes['script'])}",
            f"style-src {' '.join(hashes['style'])}",
            "img-src data:",
            "base-uri 'none'",
            "form-action 'none'",
            "require-trusted-types-for 'script'",
            "trusted-types 'none'",
        )
    )
