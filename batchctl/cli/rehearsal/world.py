"""The services of a rehearsal: an embedded emulator for each account. No socket is opened, and no key is read."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from random import Random

from batchctl.cli.rehearsal.clock import MovedClock
from batchctl.emulator.core import METHODS, Emulator
from batchctl.emulator.embedded import EmbeddedTransport
from batchctl.emulator.faults import put_faults
from batchctl.emulator.job_store import all_jobs
from batchctl.emulator.rules import put_rules
from batchctl.emulator.seed import load_once
from batchctl.model.json_value import Json
from batchctl.model.keys import Account
from batchctl.model.ports.providers import Provider
from batchctl.model.stack import Stack
from batchctl.providers.accounts import Shared, open_account
from batchctl.providers.wire import Owner, Place, Wire

_URL = "http://emulator.localhost"
_SECOND = 1_000_000_000


class EmulatedAccounts:
    """Implements `ProviderFactory`: whatever the endpoint of an account is, an emulator stands in for it."""

    def __init__(self, stack: Stack, folder: Path, clock: MovedClock, dice: Random) -> None:
        self._stack = stack
        self._folder = folder
        self._clock = clock
        self._dice = dice
        self._emulators: dict[Account, Emulator] = {}
        self._shared = Shared()

    def prepare(self, account: Account, seed: Json, rules: list[Json], faults: list[Json]) -> None:
        """Make the service of an account. Raises ValueError for a seed, a rule or a fault that it does not take."""
        store = self._folder / f"account{len(self._emulators)}.db"
        emulator = Emulator(store, real_time=self._clock.nanoseconds)
        load_once(emulator.store, emulator.settings, METHODS, json.dumps(seed).encode())
        put_rules(emulator.store, rules)
        put_faults(emulator.store, faults, METHODS)
        self._emulators[account] = emulator

    def __call__(self, account: Account) -> Provider:
        if account not in self._emulators:
            self.prepare(account, {}, [], [])
        transport = EmbeddedTransport(self._emulators[account], self._clock.sleep)
        staging = (one.staging_bucket for one in self._stack.providers.values() if one.staging_bucket is not None)
        place = Place(_URL, _URL, _URL, is_emulator=True, staging_bucket=next(staging, None))
        owner = Owner(self._stack.name, self._stack.uid, self._stack.limits)
        wire = Wire(self._clock, self._dice.random, transport)
        # No variable of the environment reaches a provider: there is no key to find.
        return open_account(account, place, owner, {}, self._shared, wire)

    def next_event(self, *, starts: bool) -> float | None:
        """Seconds until a job of any account ends, or also `starts`; None if nothing is on its way."""
        now = self._clock.nanoseconds()
        moments = [
            moment
            for emulator in self._emulators.values()
            for job in all_jobs(emulator.store)
            if job.deleted is None
            for line in (job.timeline(emulator.settings),)
            for moment in (line.end()[0], *((line.starts,) if starts else ()))
            if moment is not None and now < moment < 2**61
        ]
        return (min(moments) - now) / _SECOND if moments else None

    def calls(self) -> Mapping[str, int]:
        """All calls so far, by method."""
        total: Counter[str] = Counter()
        for emulator in self._emulators.values():
            total.update(dict(emulator.store.rows("SELECT method, calls FROM counters")))
        return dict(sorted(total.items()))

    def close(self) -> None:
        for emulator in self._emulators.values():
            emulator.close()
