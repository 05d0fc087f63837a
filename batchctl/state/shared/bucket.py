"""A shared state in a bucket: implements Place over `model.state_objects`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from batchctl.disk.private_files import create_file
from batchctl.model.codes import ErrorCode
from batchctl.model.errors import BadReply, StateError
from batchctl.model.state_objects import ABSENT, StateObjects
from batchctl.state.lockfile import Holder
from batchctl.state.shared.errors import place_errors
from batchctl.state.shared.kept_lease import lease_clock
from batchctl.state.shared.lease import Lease
from batchctl.state.shared.lock import HeldLock, Seen, probe, read_lock, take
from batchctl.state.shared.place import Found
from batchctl.state.sqlite_errors import state_errors


class BucketPlace:
    """The state, its lock and its copies, each an object."""

    def __init__(
        self, objects: StateObjects, lease: Lease | None = None, clock: Callable[[], float] = lease_clock
    ) -> None:
        self._objects = objects
        self._lease = lease or Lease()
        self._clock = clock
        self._is_probed = False

    @property
    def address(self) -> str:
        return self._objects.address

    def find(self) -> str:
        with place_errors(self.address):
            return self._objects.find("").generation

    def fetch(self, path: Path) -> str:
        try:
            with place_errors(self.address), state_errors(path), create_file(path) as stream:
                version = self._objects.fetch("", stream)
        except StateError as error:
            if isinstance(error.__cause__, BadReply):
                # The server is not Cloud Storage. If it ignores preconditions, that is the reason to give.
                self._refuse_unprotected()
            raise
        if version.generation == ABSENT:
            path.unlink()
        return version.generation

    def look(self) -> Found:
        return read_lock(self._objects).found

    def take(self, holder: Holder, broken: int | None = None) -> HeldLock | Found:
        if not self._is_probed:
            probe(self._objects)
            self._is_probed = True
        taken = take(self._objects, holder, self._lease, self._clock, broken)
        return taken.found if isinstance(taken, Seen) else taken

    def _refuse_unprotected(self) -> None:
        try:
            probe(self._objects)
        except StateError as error:
            if error.code == ErrorCode.STATE_UNPROTECTED:
                raise
