"""Calls that are made side by side, on threads: the one that waits for them makes none by itself.

A pool of threads takes 4 ms to import, and most stacks have one account. So a call alone has a thread of its own.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from contextvars import copy_context
from typing import TYPE_CHECKING, Generic, Self, TypeVar

from batchctl.model.exhaustion import raise_if_exhausted

if TYPE_CHECKING:
    from batchctl.engine.workers import Workers

A = TypeVar("A")
T = TypeVar("T")


class SideBySide:
    """Makes calls inside a `with` block, at most `limit` of them at once. The block ends when all have ended."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._open = ExitStack()
        self._workers: Workers | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *raised: object) -> None:
        self._open.close()

    def map(self, call: Callable[[A], T], given: Iterable[A]) -> Iterator[T]:
        """The results of the calls, in the order of what they are given. An error of a call is raised at its place.

        All calls begin at once, and the iterator waits for them. Raises ExhaustedError when the machine starts not even
        one thread.
        """
        calls = tuple(given)
        if not calls:
            return iter(())
        if len(calls) == 1 and self._workers is None:
            alone = _Alone(lambda: call(calls[0]))
            self._open.callback(alone.join)
            return (one.result() for one in (alone,))
        if self._workers is None:
            from batchctl.engine.workers import Workers

            self._workers = self._open.enter_context(Workers(max_workers=self._limit))
        return self._workers.map(call, calls)


class _Alone(Generic[T]):
    """A call on a thread of its own, with the context of the code that asks for it."""

    def __init__(self, call: Callable[[], T]) -> None:
        self._call = call
        self._found: list[T] = []
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=copy_context().run, args=(self._run,), name="call")
        try:
            self._thread.start()
        except RuntimeError as error:
            raise_if_exhausted(error)
            raise

    def _run(self) -> None:
        try:
            self._found.append(self._call())
        except BaseException as error:  # noqa: BLE001 - raised where the result is asked for
            self._error = error

    def join(self) -> None:
        """Wait for its end."""
        self._thread.join()

    def result(self) -> T:
        """Its result. Raises its error."""
        self._thread.join()
        if self._error is not None:
            try:
                raise self._error
            finally:
                self._error = None  # its traceback refers to this call
        return self._found[0]
