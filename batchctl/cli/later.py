"""Parts of a command that are made, and their modules loaded, when they are first used.

Most commands use few of the parts that they hand on: `status` of small jobs neither encodes rows nor notifies anyone.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any, TypeVar, cast

T = TypeVar("T")


def later(make: Callable[[], T]) -> T:
    """A stand-in for the object that `make` gives, which is called once, at the first use of a member. Thread-safe.

    What `make` raises is raised by that use, and by each further one.
    """
    return cast("T", _StandIn(make))


class _StandIn:
    def __init__(self, make: Callable[[], object]) -> None:
        self._make = make
        self._lock = threading.RLock()

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401  the member's own type
        # Only for members that the stand-in does not have: `_made` is one of them until it is set.
        if name == "_made":
            with self._lock:
                if "_made" not in self.__dict__:
                    self._made = self._make()
                return self.__dict__["_made"]
        return getattr(self._made, name)
