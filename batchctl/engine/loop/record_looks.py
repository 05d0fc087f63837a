"""Looks at the manifests and the state alone, for a page that is kept up to date: no API is called, nothing written."""

from __future__ import annotations

from datetime import timedelta

from msgspec import Struct

from batchctl.engine.as_recorded import plan_as_recorded
from batchctl.engine.loop.reloading import Glance, LastGood, Reload
from batchctl.engine.warnings import Warnings
from batchctl.model.desired import DesiredStack
from batchctl.model.errors import BatchctlError
from batchctl.model.plan import Plan
from batchctl.model.ports.state import StateStore
from batchctl.model.ports.surroundings import Stoppable
from batchctl.model.recorded import Recorded, StateVersion
from batchctl.reconcile import Options

_OLDEST = timedelta(minutes=1)
"""The age at which a look is repeated although nothing has changed: what waits for a time may be due."""
_SUBJECT = "the state"


class RecordLook(Struct, frozen=True):
    """The stack by its manifests and its record."""

    desired: DesiredStack
    recorded: Recorded
    plan: Plan


class RecordLooks:
    """Looks in a row. After the first, manifests and a state that cannot be read are warned of."""

    def __init__(
        self, reload: Reload, glance: Glance, options: Options, state: StateStore, clock: Stoppable, warnings: Warnings
    ) -> None:
        """`glance`: whether reading the manifests again would give the same."""
        self._reload = LastGood(reload, warnings, None, allow_empty=True)
        self._glance = glance
        self._options = options
        self._state = state
        self._clock = clock
        self._warnings = warnings
        self._desired: DesiredStack | None = None
        self._version: StateVersion | None = None
        self._looked = 0.0

    def look(self) -> RecordLook:
        """Look now. Raises what the first reading of the manifests raises, and StateError."""
        return self._look(self._reload())

    def _look(self, desired: DesiredStack) -> RecordLook:
        recorded = self._state.load()
        self._desired, self._version, self._looked = desired, recorded.version, self._clock.elapsed()
        return RecordLook(desired, recorded, plan_as_recorded(desired, recorded, self._clock.now(), self._options))

    def news(self) -> RecordLook | None:
        """A look, if anything may have changed since the last one; else None."""
        try:
            desired = self._desired if self._glance() else self._reload()
            is_young = self._clock.elapsed() - self._looked < _OLDEST.total_seconds()
            if desired is None or (is_young and desired == self._desired and self._state.version() == self._version):
                return None
            found = self._look(desired)
        except BatchctlError as error:
            self._warnings.warn(_SUBJECT, f"{error}; trying again")
            return None
        self._warnings.resolved(_SUBJECT, "the state can be read again")
        return found
