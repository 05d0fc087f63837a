"""The bounded pool of threads that make calls. With fewer threads than asked for the work takes longer, that is all.

What runs on a thread has the context (`contextvars`) of the code that handed it in.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextvars import copy_context
from functools import partial
from typing import ParamSpec, TypeVar

from batchctl.model.exhaustion import exhausted

P = ParamSpec("P")
T = TypeVar("T")


class Workers(ThreadPoolExecutor):
    """Raises ExhaustedError from `submit` and `map` when the machine starts not even one thread."""

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """Hand in some work; `map` does it by this, too."""
        # A copy for each: two threads cannot be in one context.
        return super().submit(copy_context().run, partial(fn, *args, **kwargs))

    def _adjust_thread_count(self) -> None:
        # Called when the work is in the queue already: raising here could leave a call running that nothing waits for.
        try:
            super()._adjust_thread_count()
        except RuntimeError as error:
            problem = exhausted(error)
            if problem is None:
                raise
            if not self._threads:
                raise problem from error
