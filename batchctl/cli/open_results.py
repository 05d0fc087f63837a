"""Opens the results of a stack, in a local folder or in a bucket."""

from __future__ import annotations

import os
import weakref
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from batchctl.manifests.trust import Trust
from batchctl.model.activity import UNWATCHED, Activity
from batchctl.model.errors import BatchctlError, ResultsError
from batchctl.model.keys import short_uid
from batchctl.model.stack import SharedPlace, Stack
from batchctl.rows.local_place import LocalPlace

if TYPE_CHECKING:  # most stacks have a folder
    from batchctl.model.ports.surroundings import Clock
    from batchctl.rows.bucket.place import BucketPlace
    from batchctl.rows.place import ResultsPlace

_NOWHERE = Path("/nonexistent/batchctl")
"""The folder of a bucket for commands that call no API: it has no results."""


class ResultsOpener:
    """Opens places of results, each once in a process: it has private copies of what was read."""

    def __init__(
        self, stack: Callable[[], Stack], clock: Clock, activity: Activity = UNWATCHED, *, offline: bool = False
    ) -> None:
        """`stack` gives the stack, for the credentials. `offline`: buckets are not read."""
        self._stack = stack
        self._clock = clock
        self._activity = activity
        self._offline = offline
        self._open: dict[SharedPlace, ResultsPlace] = {}

    def open(self, place: Path | SharedPlace) -> ResultsPlace:
        """The results at a place; nothing is read yet. Raises ResultsError without usable credentials."""
        if not isinstance(place, SharedPlace):
            return LocalPlace(place)
        if self._offline:
            return LocalPlace(_NOWHERE)
        if place not in self._open:
            self._open[place] = self.open_bucket(place)
        return self._open[place]

    def open_bucket(self, place: SharedPlace) -> BucketPlace:
        """The results in a bucket, without what was read before. Raises ResultsError without usable credentials."""
        from batchctl.cli.connect import Connections
        from batchctl.rows.bucket.place import BucketPlace

        stack = self._stack()
        connections = Connections(stack, os.environ, Trust.from_env(os.environ), self._clock, self._activity)
        try:
            objects = connections.open_objects(place.url)
        except BatchctlError as error:
            raise ResultsError(
                f"results at {place} need credentials for Cloud Storage, whatever API the jobs are on: {error.message}",
                code=error.code,
                hint=error.hint,
            ) from error
        opened = BucketPlace(objects, stack.name, short_uid(stack.uid), self._activity)
        weakref.finalize(opened.mirror, objects.close)
        return opened
