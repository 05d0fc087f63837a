"""A lease that its holder renews in the background."""

from __future__ import annotations

import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable

from batchctl.model.errors import ApiError, StateError
from batchctl.state.shared.errors import lease_lost, place_errors
from batchctl.state.shared.lease import Lease


def lease_clock() -> float:
    """Seconds that also pass while the machine is suspended: a lease does not wait for it."""
    return time.clock_gettime(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))


class KeptLease(ABC):
    """Thread-safe: a thread renews the lease until `_stop`."""

    def __init__(self, address: str, lease: Lease, clock: Callable[[], float], sent: float) -> None:
        self._address = address
        self._lease = lease
        self._clock = clock
        self._sent = sent
        """When the last renewal was sent that was accepted."""
        self._lost: StateError | None = None
        self._mutex = threading.Lock()
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._keep, name="batchctl-lease", daemon=True)
        self._thread.start()

    def require(self) -> None:
        """Raise StateError if this process may no longer act.

        Costs nothing while the lease is fresh. After a pause it is renewed first, which fails if another process has
        taken the lock.
        """
        if self._lost is None and self._lease.may_act(self._clock() - self._sent):
            return
        with self._mutex:
            self._require_ours()
            if not self._lease.may_act(self._clock() - self._sent):
                with place_errors(self._address):
                    self._renew_patiently()

    def abandon(self) -> None:
        """Stop the renewals and leave the lock until its lease ends: a write may still be under way."""
        self._stop()

    @abstractmethod
    def _renew(self) -> None:
        """Renew the lease once. Raises ApiError, and StateError: `_lose` if another process has the lock."""

    def _renew_patiently(self) -> None:
        """Renew the lease; waits for a place that goes away for a moment."""
        self._renew()

    def _require_ours(self) -> None:
        """Raise StateError if the lock was lost."""
        if self._lost is not None:
            raise self._lost

    def _lose(self, reason: str = "another process took it over") -> StateError:
        """The error for a lock that this process has no more; it lasts."""
        self._lost = lease_lost(self._address, reason)
        return self._lost

    def _stop(self) -> None:
        self._end.set()
        self._thread.join()

    def _keep(self) -> None:
        """Renew the lock until the end. Failures leave it to `require`."""
        while not self._end.wait(self._lease.beat):
            with self._mutex:
                try:
                    self._renew()
                except (ApiError, StateError):
                    if self._lost is not None:
                        return
