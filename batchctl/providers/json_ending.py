"""Finds the end of a JSON value piece by piece, for a value too large to decode at once."""

from __future__ import annotations

import re

_IN_TEXT = re.compile(r'["\\]')
_OUTSIDE = re.compile(r'["{}\[\],]')


class Ending:
    """The state of the scan: nesting depth, and whether a string is open."""

    def __init__(self) -> None:
        self._depth = 0
        self._in_text = False
        self._is_escaped = False

    def find(self, piece: str) -> int | None:
        """The index in the next piece at which the value ends; None when it continues."""
        at = 0
        if self._is_escaped and piece:
            at, self._is_escaped = 1, False
        while (found := (_IN_TEXT if self._in_text else _OUTSIDE).search(piece, at)) is not None:
            at = found.end()
            match found[0]:
                case "\\":
                    self._is_escaped = at == len(piece)
                    at += 1
                case '"':
                    self._in_text = not self._in_text
                    if not self._in_text and not self._depth:
                        return at
                case "{" | "[":
                    self._depth += 1
                case _ if not self._depth:
                    # After a number or a name: the delimiter is not part of the value.
                    return found.start()
                case "}" | "]":
                    self._depth -= 1
                    if not self._depth:
                        return at
        return None
