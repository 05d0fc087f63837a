"""The files of the page."""

from __future__ import annotations

from importlib.resources import files
from typing import Final

from msgspec import Struct

from batchctl.server.joined import joined

TYPES: Final = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".woff2": "font/woff2",
}
PAGE: Final = "index.html"
SCRIPT: Final = "main.js"
_MODULE: Final = ".js"


class StaticFile(Struct, frozen=True):
    """One file of the page."""

    name: str
    media_type: str
    content: bytes


def read_static() -> dict[str, StaticFile]:
    """All files of the page by name, from the installed package; the modules are one script, `SCRIPT`."""
    folder = files("batchctl.server").joinpath("static")
    found = {}
    modules = {}
    for file in sorted(folder.iterdir(), key=lambda one: one.name):
        ending = f".{file.name.rpartition('.')[2]}"
        if ending == _MODULE:
            modules[file.name] = file.read_text(encoding="utf-8")
        elif file.is_file() and ending in TYPES:
            found[file.name] = StaticFile(file.name, TYPES[ending], file.read_bytes())
    found[SCRIPT] = StaticFile(SCRIPT, TYPES[_MODULE], joined(modules, SCRIPT).encode())
    return found
