"""The things that the steps of a job wait for: an answer to a call, or the disk."""

from __future__ import annotations

from collections.abc import Callable, Generator
from enum import Enum
from typing import Any, TypeAlias, TypeVar

T = TypeVar("T")

Call: TypeAlias = Callable[[], Any]
"""One call to the outside, to be made on a worker."""


class Durable(Enum):
    """Yielded to go on only when everything that the job has noted is on disk.

    One commit serves all jobs that wait for it: a disk takes as long for one record as for a hundred.
    """

    DURABLE = "durable"


DURABLE = Durable.DURABLE

Steps: TypeAlias = Generator[Call | Durable, Any, T]
"""Steps in progress. They are sent the answer of each call, and nothing after a commit."""
