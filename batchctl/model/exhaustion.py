"""Recognises errors for lack of open files, threads or memory.

The lack is temporary: other programs end, connections are closed. So it ends a pass, and not the process.
"""

from __future__ import annotations

import errno
from collections.abc import Iterator

from batchctl.model.errors import ExhaustedError

NO_THREAD = "can't start new thread"
"""The start of Python's RuntimeError if no thread can be started."""

_WORDS = {
    errno.EMFILE: "this process has reached its limit of open files and connections",
    errno.ENFILE: "this machine has reached its limit of open files and connections",
    errno.ENOMEM: "this machine has no memory left",
    errno.ENOBUFS: "this machine has no memory left for connections",
}
RUN_OUT = frozenset(_WORDS)
"""The system's error numbers."""
_NO_THREADS = "this machine cannot start more threads for this process"
_HINT = "raise the limit (`ulimit -n`, `ulimit -u`, the container's memory), or lower limits.concurrency"


def what_ran_out(error: BaseException) -> str | None:
    """A sentence about the resource that ran out; None if the error has another cause."""
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
    """The ExhaustedError for an error; None if it has another cause."""
    words = what_ran_out(error)
    return None if words is None else ExhaustedError(words, hint=_HINT)


def raise_if_exhausted(error: BaseException) -> None:
    """Raise ExhaustedError if a resource ran out: then the file or reply that could not be read is not at fault."""
    problem = exhausted(error)
    if problem is not None:
        raise problem from error


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    """An error and its causes. Libraries wrap the system's errors."""
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        error = error.__cause__ or error.__context__
