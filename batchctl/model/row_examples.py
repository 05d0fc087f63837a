"""Examples of the rows of a job's results, for people."""

from __future__ import annotations

from msgspec import Struct

EXAMPLES = 3
"""The examples of each verdict."""


class RowExample(Struct, frozen=True):
    """One row of the results."""

    key: str | None
    index: int | None
    """The 0-based position in the input; None if it is not known."""
    message: str
    """The words of the API, at most 256 characters; empty if there are none."""

    @property
    def name(self) -> str:
        """Its key, or its place in the input."""
        if self.key is not None:
            return self.key
        return "(no key)" if self.index is None else f"(row {self.index})"
