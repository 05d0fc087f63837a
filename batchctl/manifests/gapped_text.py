"""A text with gaps, and what another text that equals it elsewhere has in these."""

from __future__ import annotations

import re
from collections.abc import Sequence

from batchctl.manifests.text_gaps import TextGap

FEW = 500
"""For so many texts, one pattern for the whole text takes longer to compile than it saves."""


class GappedText:
    """A text with gaps."""

    def __init__(self, text: str, gaps: Sequence[TextGap], asked: int) -> None:
        """`asked`: the gap whose place is asked for."""
        self._asked = asked
        self._pieces: list[tuple[str, re.Pattern[str]]] = []
        at = 0
        for gap in gaps:
            self._pieces.append((text[at : gap.start], re.compile(gap.pattern)))
            at = gap.end
        self._end = text[at:]
        self._whole: re.Pattern[str] | None = None
        self._met = 0

    def find(self, text: str) -> tuple[Sequence[str], int] | None:
        """The content of the gaps in a text, and the offset of the one that is asked for; None: it is another text."""
        if self._whole is None:
            self._met += 1
            if self._met <= FEW:
                return self._by_pieces(text)
            self._whole = self._compiled()
        match = self._whole.fullmatch(text)
        return None if match is None else (match.groups(), match.start(self._asked + 1))

    def _by_pieces(self, text: str) -> tuple[Sequence[str], int] | None:
        found, starts, at = [], [], 0
        for literal, pattern in self._pieces:
            if not text.startswith(literal, at):
                return None
            match = pattern.match(text, at + len(literal))
            if match is None:
                return None
            found.append(match[0])
            starts.append(match.start())
            at = match.end()
        return (found, starts[self._asked]) if text[at:] == self._end else None

    def _compiled(self) -> re.Pattern[str]:
        pieces = [f"{re.escape(literal)}({pattern.pattern})" for literal, pattern in self._pieces]
        return re.compile("".join(pieces) + re.escape(self._end))
