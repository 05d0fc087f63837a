"""The modules of the page as one script: one request in place of forty, and the same script inside a report.

A file has no address from which a browser would load modules. So each module becomes a function that gives what it
exports, after those that it imports. No parser is needed, because the modules keep to a form that makes this possible:
named imports of neighbours at the beginning of a line, and exports where functions, classes and constants are declared.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

IMPORT = re.compile(r'^import\s*(\{[^}]*\})\s*from\s*"\./([a-z0-9_-]+\.js)";\n', re.MULTILINE)
EXPORT = re.compile(r"^export (?:(?:async )?function\*?|const|class) ([A-Za-z0-9_$]+)", re.MULTILINE)
_LEFT = re.compile(r"^(?:import|export)\b.*", re.MULTILINE)


def joined(texts: Mapping[str, str], entry: str) -> str:
    """The text of a classic script that does what the module `entry` does. `texts` has all modules by file name.

    Raises:
        ValueError: a module has an import or export in another form, or modules import each other.

    """
    modules = [_scope(name, texts[name]) for name in _order(texts, entry, ())]
    return "\n".join(('(function () {\n"use strict";', *modules, "})();\n"))


def _scope(name: str, text: str) -> str:
    """A module as a constant that has its exports."""
    text = IMPORT.sub(lambda found: f"const {found[1].replace(' as ', ': ')} = {_constant(found[2])};\n", text)
    exported = ", ".join(EXPORT.findall(text))
    text = EXPORT.sub(lambda found: found[0].removeprefix("export "), text)
    left = _LEFT.search(text)
    if left is not None:
        raise ValueError(f"{name}: an import or export in another form: {left[0]}")
    return f"const {_constant(name)} = (function () {{\n{text}\nreturn {{ {exported} }};\n}})();"


def _constant(name: str) -> str:
    return f"module_{name.removesuffix('.js').replace('-', '_')}"


def _order(texts: Mapping[str, str], name: str, above: tuple[str, ...]) -> list[str]:
    """The modules that one needs, and then itself."""
    if name in above:
        raise ValueError(f"modules import each other: {' -> '.join((*above, name))}")
    found: dict[str, None] = {}
    for _, other in IMPORT.findall(texts[name]):
        found |= dict.fromkeys(_order(texts, other, (*above, name)))
    return [*found, name]
