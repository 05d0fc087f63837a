"""The modules of the page as one script, for a report that is one file.

A file has no address from which a browser would load modules. So each module becomes a function that gives what it
exports, after those that it imports. That needs no parser, because the modules keep a convention which
`tests/web/test_modules.py` holds: an import is one line of names from a neighbour, and `export` stands before a
declaration of a function, a class or a constant.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

IMPORT = re.compile(r'^import \{ ([\w, ]+) \} from "\./([\w-]+\.js)";$', re.MULTILINE)
EXPORT = re.compile(r"^export (?=(?:async function|function|class|const) (\w+))", re.MULTILINE)


def joined(texts: Mapping[str, str], entry: str = "main.js") -> str:
    """The text of a classic script that does what the module `entry` does, with all that it imports.

    `texts` are the modules by the name of their file.

    Raises:
        ValueError: modules import each other in a circle.

    """
    modules = [_as_function(name, text) for name, text in _ordered(texts, entry)]
    return '"use strict";\n(() => {\nconst modules = {};\n' + "".join(modules) + "})();\n"


def _as_function(name: str, text: str) -> str:
    exported = ", ".join(found[1] for found in EXPORT.finditer(text))
    body = EXPORT.sub("", IMPORT.sub(r'const { \1 } = modules["\2"];', text))
    return f'modules["{name}"] = (() => {{\n{body.strip()}\nreturn {{ {exported} }};\n}})();\n'


def _ordered(texts: Mapping[str, str], entry: str) -> Iterator[tuple[str, str]]:
    """Each module once, with its text, after those that it imports."""
    done: set[str] = set()
    under_way: list[str] = []

    def visit(name: str) -> Iterator[tuple[str, str]]:
        if name in done:
            return
        if name in under_way:
            raise ValueError(f"modules import each other: {' -> '.join([*under_way, name])}")
        under_way.append(name)
        for _, imported in IMPORT.findall(texts[name]):
            yield from visit(imported)
        under_way.pop()
        done.add(name)
        yield name, texts[name]

    yield from visit(entry)
