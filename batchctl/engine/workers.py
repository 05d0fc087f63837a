"""The bounded pool of threads that make calls. With fewer threads than asked for the work takes longer, that is all."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from batchctl.model.exhaustion import exhausted


class Workers(ThreadPoolExecutor):
    """Raises ExhaustedError from `submit` and `map` when the machine starts not even one thread."""

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
