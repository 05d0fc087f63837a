"""Where a stack keeps what batchctl itself writes: the state file and the results folder.

Owns where these may be. A pull request's author chooses the names, so they lead neither out of the stack's folder, nor
through links, nor to where Git, CI or batchctl look for something else.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from batchctl.manifests.codes import Code
from batchctl.manifests.faults import Faults
from batchctl.manifests.trust import Trust, resolved
from batchctl.model.desired import Location

DEFAULT_STATE = ".batchctl/state.db"
DEFAULT_RESULTS = "results"
_OWN = ".batchctl"
_OTHERS = frozenset({".git", ".github"})
"""What lies there is run, or holds credentials."""
_TAKEN = ("emulator.db",)
"""What else batchctl keeps in `.batchctl`; a state of this name would be mistaken for it."""


@dataclass(frozen=True)
class OwnPlaces:
    """Checks the places of one stack. `folder` is the stack's, resolved."""

    folder: Path
    trust: Trust
    faults: Faults

    def state(self, value: str, place: Location) -> Path:
        """The state file, all links resolved. What is wrong with it goes to the faults."""
        path = self._inside("state", value, place, _OTHERS)
        if path.parent == self.folder / _OWN and path.name.startswith(_TAKEN):
            self._refuse("state", place, f"is batchctl's own {path.name}", f"leave it out: it is {DEFAULT_STATE} then")
        return path

    def results(self, value: str, place: Location) -> Path:
        """The same for the results folder."""
        return self._inside("results", value, place, _OTHERS | {_OWN})

    def _inside(self, field: str, value: str, place: Location, closed: frozenset[str]) -> Path:
        path = self.folder / value
        real = resolved(path)
        if not self.trust.allows_path(path, self.folder):
            hint = "choose a path inside, or allow it with BATCHCTL_ALLOW_OUTSIDE=1"
            self.faults.add(place, Code.OUTSIDE_STACK, f'"{field}" is outside the stack\'s folder', hint)
        elif not self.trust.allow_outside and str(real) != os.path.normpath(path):
            hint = "remove the link, or allow it with BATCHCTL_ALLOW_OUTSIDE=1"
            self.faults.add(place, Code.OUTSIDE_STACK, f'"{field}" leads through a symbolic link', hint)
        if self.folder.is_relative_to(real):
            self._refuse(field, place, "cannot be the stack's own folder", "name a folder of its own, such as results/")
        # Seen from the stack's folder, which may itself be below a folder of such a name.
        for part in Path(os.path.relpath(real, self.folder)).parts:
            if part.casefold() in closed:
                self._refuse(field, place, f"cannot be in {part}", "name a place of its own")
        return real

    def _refuse(self, field: str, place: Location, reason: str, hint: str) -> None:
        self.faults.add(place, Code.INVALID_VALUE, f'"{field}" {reason}', hint)
