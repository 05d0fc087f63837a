"""The length of texts from outside that are kept: messages of APIs, of programs and of hooks."""

from __future__ import annotations

MESSAGE_LIMIT = 256
"""Characters of a message (design section 8)."""


def cut(text: str, most: int = MESSAGE_LIMIT) -> str:
    """The text, or its beginning with an ellipsis where it is longer."""
    return text if len(text) <= most else text[: most - 1] + "…"
