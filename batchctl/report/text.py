"""Texts with styles, as values: what is written, and which of its parts have a colour.

They know no terminal. A console writes them, and rich is loaded where styles are shown or lines wrapped.
"""

from __future__ import annotations

from typing import Self

from msgspec import Struct


class Span(Struct, frozen=True):
    """The style of a part of a text, from one character to before another."""

    start: int
    end: int
    style: str


class Text(Struct, frozen=True):
    """One line, or a part of it."""

    plain: str = ""
    style: str = ""
    """The style of all of it: words that rich knows, such as `bold red`."""
    spans: tuple[Span, ...] = ()
    """Styles of its parts, which add to that of all."""

    @classmethod
    def assemble(cls, *parts: Text | str | tuple[str, str], style: str = "") -> Self:
        """Parts in a row: texts, strings, and strings with their style. `style` is added to all of them."""
        plain: list[str] = []
        spans: list[Span] = []
        length = 0
        for part in parts:
            text = part if isinstance(part, Text) else Text(part) if isinstance(part, str) else Text(*part)
            plain.append(text.plain)
            end = length + len(text.plain)
            if text.style:
                spans.append(Span(length, end, text.style))
            spans += [Span(one.start + length, one.end + length, one.style) for one in text.spans]
            length = end
        return cls("".join(plain), style, tuple(spans))

    @classmethod
    def joined(cls, separator: str, parts: list[Text]) -> Self:
        """Texts with a string between each two."""
        between = [piece for part in parts for piece in (separator, part)]
        return cls.assemble(*between[1:])

    @property
    def cell_len(self) -> int:
        """The columns of a terminal that it takes."""
        return width_of(self.plain)

    def rstripped(self) -> Self:
        """It without spaces at its end."""
        plain = self.plain.rstrip()
        if len(plain) == len(self.plain):
            return self
        kept = (Span(one.start, min(one.end, len(plain)), one.style) for one in self.spans if one.start < len(plain))
        return type(self)(plain, self.style, tuple(kept))


def width_of(text: str) -> int:
    """The columns of a terminal that a text takes, which has no control characters."""
    if text.isascii():
        return len(text)
    from rich.cells import cell_len  # for wide characters

    return cell_len(text)
