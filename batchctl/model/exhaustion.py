"""What it means when the machine gives this process no more open files, threads or memory.

It passes: other programs end, connections are closed. So it is an error like any other, which ends a pass and not the
process that makes passes.
"""

from __future__ import annotations

import errno
from collections.abc import Iterator

from batchctl.model.errors import ExhaustedError

NO_THREAD = "can't start new thread"
"""How Python's RuntimeError begins when there is no thread left."""

_WORDS = {
    errno.EMFILE: "this process may have no more open files and connections",
    errno.ENFILE: "this machine has no more open files and connections",
    errno.ENOMEM: "this machine has no more memory",
    errno.ENOBUFS: "this machine has no more memory for connections",
}
RUN_OUT = frozenset(_WORDS)
"""The system's numbers for it."""
_NO_THREADS = "this machine starts no more threads for this process"
_HINT = "raise the limit (`ulimit -n`, `ulimit -u`, the container's memory), or lower limits.concurrency"


def what_ran_out(error: BaseException) -> str | None:
    """What the machine had no more of, for people; None when the error says nothing of the kind."""
    for one in _causes(error):
        if isinstance(one, ExhaustedError):
            return one.message
        if isinstance(one, OSError) and one.errno in _WORDS:
            return _WORDS[one.errno]
        if isinstance(one, MemoryError):
            return _WORDS[errno.ENOMEM]
        if isinstance(one, RuntimeError) and str(one).startswith(NO_THREAD):
            return _NO_THREADS
    return None


def exhausted(error: BaseException) -> ExhaustedError | None:
    """The error that tells of it; None when it is nothing of the kind."""
    words = what_ran_out(error)
    return None if words is None else ExhaustedError(words, hint=_HINT)


def require_room(error: BaseException) -> None:
    """Raise ExhaustedError where an error says so: what could not be looked at for lack of room is not bad for it."""
    problem = exhausted(error)
    if problem is not None:
        raise problem from error


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    """An error and what led to it. Libraries wrap what the system says."""
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        error = error.__cause__ or error.__context__
