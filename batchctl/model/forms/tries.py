"""Whether what has failed is tried again."""

from __future__ import annotations

_PAUSE = 64


class Tries:
    """Counts failures in a row. After more than `most` of them, only one of 64 tries is due."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._failed = 0

    @property
    def is_due(self) -> bool:
        """Whether the next try is made."""
        return self._failed <= self._most or self._failed % _PAUSE == 0

    def fail(self) -> None:
        """Count a failure, or a try that was not made."""
        self._failed += 1

    def succeed(self) -> None:
        """Forget the failures."""
        self._failed = 0
