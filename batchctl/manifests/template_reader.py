"""Reads the template of a chain.

References to variables and placeholders are read in one step, so that neither the value of a variable nor an escaped
`${` can become a placeholder.
"""

from __future__ import annotations

import re
from typing import TypeAlias

from batchctl.manifests.fault_codes import Code
from batchctl.manifests.fault_list import Faults
from batchctl.manifests.nodes import Items, Members, Node, Scalar
from batchctl.manifests.references import REFERENCE, Replacer, refuse_matrix
from batchctl.manifests.variables import Value
from batchctl.model.json_value import Json
from batchctl.model.locations import Location
from batchctl.model.pattern import Pattern
from batchctl.model.quoting import shown
from batchctl.model.row_template import Mixed, Placeholder, RowTemplate

_TOKEN = Pattern(rf"{REFERENCE.pattern}|\$\{{row\b([^}}]*)(\}}?)|\$\{{(\s*(?i:rows?|text|key|json)\b[^}}]*)\}}")
"""A variable, a placeholder, or a text that somebody may have taken for one."""
_KNOWN = "${row.key}, ${row.text}, and ${row.json.PATH} such as ${row.json.items[0].name}"

_Part: TypeAlias = Value | Placeholder


class TemplateReader:
    """Reads templates whose variables are not replaced yet."""

    def __init__(self, replacer: Replacer, faults: Faults) -> None:
        self._replacer = replacer
        self._faults = faults
        self._is_valid = True

    def read(self, template: Members) -> RowTemplate | None:
        """The template; None if a placeholder is wrong. Errors go to the faults."""
        self._is_valid = True
        found = RowTemplate({name: self._value(member.node) for name, member in template.entries.items()})
        return found if self._is_valid else None

    def _value(self, node: Node) -> Json:
        if isinstance(node, Items):
            return [self._value(item) for item in node.values]
        if isinstance(node, Members):
            return {name: self._value(member.node) for name, member in node.entries.items()}
        if isinstance(node.value, str) and "${" in node.value:
            return self._text(node.value, node)
        return node.value

    def _text(self, text: str, node: Scalar) -> Json:
        refuse_matrix(text, node.location, self._faults)
        whole = _TOKEN.fullmatch(text)
        if whole is not None:
            part = self._part(whole, node.location)
            return list(part) if isinstance(part, tuple) else part
        parts: list[str | Placeholder] = []
        end = 0
        for match in _TOKEN.finditer(text):
            part = self._part(match, node.location)
            parts += [text[end : match.start()], part if isinstance(part, Placeholder) else self._plain(part, node)]
            end = match.end()
        parts.append(text[end:])
        return _joined(parts)

    def _plain(self, part: Value, node: Scalar) -> str:
        return part if part == "${" else self._replacer.text(part, node.location)

    def _part(self, match: re.Match[str], place: Location) -> _Part:
        """The text, the value of a variable, or the placeholder of a token."""
        if match[1] is not None:
            return self._replacer.value(match, place)
        if match[5] is not None:
            hint = f"a template may use {_KNOWN}; write $${{ for a plain ${{"
            return self._refuse(place, f"there is no {shown(f'${{{match[5]}}}')}", hint)
        if match[3] is None:
            return "${"
        if not match[4]:
            return self._refuse(place, "a ${row.…} placeholder is not closed", "write $${ for a plain ${")
        try:
            return Placeholder.parse(match[3])
        except ValueError as error:
            return self._refuse(place, str(error), f"a template may use {_KNOWN}")

    def _refuse(self, place: Location, message: str, hint: str) -> str:
        self._is_valid = False
        self._faults.add(place, Code.INVALID_VALUE, message, hint)
        return ""


def _joined(parts: list[str | Placeholder]) -> str | Mixed:
    """The parts with neighbouring texts joined; a plain text if there is no placeholder."""
    joined: list[str | Placeholder] = []
    for part in parts:
        if isinstance(part, str) and joined and isinstance(joined[-1], str):
            joined[-1] += part
        elif part != "":
            joined.append(part)
    texts = [part for part in joined if isinstance(part, str)]
    return "".join(texts) if len(texts) == len(joined) else Mixed(tuple(joined))
