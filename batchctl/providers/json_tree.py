"""JSON that is small, read at once and walked through like a text that is too large for memory."""

from __future__ import annotations

from collections.abc import Iterator

from batchctl.model.json_value import Json


class JsonTree:
    """A position in a JSON value, with the methods of `JsonStream` for a text that is valid throughout."""

    def __init__(self, value: Json) -> None:
        self._value = value

    def peek(self) -> str:
        """The first character of this value, as far as callers tell values apart by it."""
        return "{" if isinstance(self._value, dict) else "[" if isinstance(self._value, list) else '"'

    def members(self) -> Iterator[str]:
        """Iterate over the names of this object. Raises ValueError if it is none."""
        if not isinstance(self._value, dict):
            raise ValueError("'{' expected")  # noqa: TRY004  # a fault of the text, not of a type
        for name, value in self._value.items():
            self._value = value
            yield name

    def elements(self) -> Iterator[Json]:
        """Iterate over this array. Raises ValueError if it is none."""
        if not isinstance(self._value, list):
            raise ValueError("'[' expected")  # noqa: TRY004  # as above
        yield from self._value

    def value(self) -> Json:
        """Read this value."""
        return self._value

    def skip(self) -> None:
        """Go on without this value."""
