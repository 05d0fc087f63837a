"""Checks where a stack keeps what batchctl writes: the state file and the results folder.

The author of a pull request chooses these paths. So they must not leave the stack's folder, lead through links, or
collide with files of Git, CI or batchctl.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

from msgspec import Struct

from batchctl.manifests.fault_codes import Code
from batchctl.manifests.fault_list import Faults
from batchctl.manifests.trust import Trust, resolved
from batchctl.model.locations import Location
from batchctl.model.pattern import Pattern
from batchctl.model.stack import SharedPlace

DEFAULT_STATE = ".batchctl/state.db"
DEFAULT_RESULTS = "results"
_OWN = ".batchctl"
_OTHERS = frozenset({".git", ".github"})
"""Files there are executed or contain credentials."""
_SHARED = Pattern(r"gs://[a-z0-9][a-z0-9._-]{1,220}[a-z0-9]/(?:[\w .~@=+-]+/)*[\w .~@=+-]{1,200}", re.ASCII)
"""An object's name in plain characters: other names are put together from it."""
URL_HINT = "write it as gs://bucket/prefix/state.db or postgresql://user@host/database?schema=name, or use a local path"
_PREFIX = Pattern(r"gs://[a-z0-9][a-z0-9._-]{1,220}[a-z0-9](?:/[\w ~@=+-][\w .~@=+-]{0,199}){0,20}/?", re.ASCII)
"""A bucket, or the beginning of objects' names in it."""
RESULTS_HINT = "write it as gs://bucket/prefix/, or use a local folder"
_SCHEME = Pattern(r"(?:gs|s3|postgres|postgresql):", re.IGNORECASE)
"""With a slash too few it would be a path: another state, in a folder of that name."""
_TAKEN = ("emulator.db",)
"""The other files that batchctl keeps in `.batchctl`."""


class OwnPlaces(Struct, frozen=True):
    """Checks the places of one stack. `folder` is the stack's, resolved."""

    folder: Path
    trust: Trust
    faults: Faults

    def state(self, value: str, place: Location) -> Path:
        """The state file, with all links resolved. Errors go to the faults."""
        path = self._inside("state", value, place, _OTHERS)
        if path.parent == self.folder / _OWN and path.name.startswith(_TAKEN):
            self._refuse("state", place, f"is batchctl's own {path.name}", f"remove it: the default is {DEFAULT_STATE}")
        return path

    def shared_state(self, url: str, place: Location) -> SharedPlace:
        """The place of a shared state. Errors go to the faults."""
        problem = refuse_shared_address(url)
        if problem is not None:
            self._refuse("state", place, problem, URL_HINT)
        return SharedPlace(url)

    def results(self, value: str, place: Location) -> Path | SharedPlace:
        """The results folder, with all links resolved, or an address in a bucket. Errors go to the faults."""
        if is_address(value):
            return self._shared_results(value, place)
        return self._inside("results", value, place, _OTHERS | {_OWN})

    def _shared_results(self, url: str, place: Location) -> SharedPlace:
        problem = refuse_results_address(url)
        if problem is not None:
            self._refuse("results", place, problem, RESULTS_HINT)
        return shared_results(url)

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
        # Relative to the stack's folder, which may itself be below a folder with such a name.
        for part in Path(os.path.relpath(real, self.folder)).parts:
            if part.casefold() in closed:
                self._refuse(field, place, f"cannot be in {part}", "name a place of its own")
        return real

    def _refuse(self, field: str, place: Location, reason: str, hint: str) -> None:
        self.faults.add(place, Code.INVALID_VALUE, f'"{field}" {reason}', hint)


def is_address(value: str) -> bool:
    """Whether a place of a state or of results is written as an address, and not as a path."""
    return "://" in value or _SCHEME.match(value) is not None


def refuse_shared_address(url: str) -> str | None:
    """Why a text is not the address of a shared state; None if it is one. A URL may have a secret: it is not shown."""
    from batchctl.model.database_url import is_database_url, parse_database_url

    if is_database_url(url):
        try:
            parse_database_url(url)
        except ValueError as error:
            return str(error)
        return None
    scheme, slashes, _ = url.partition("://")
    if not slashes:
        return _without_slashes(url)
    if scheme != "gs":
        return f"cannot be at {ascii(scheme)[1:-1][:40]}://"
    return None if _SHARED.fullmatch(url) else f"is not the address of an object: {ascii(url)[:80]}"


def refuse_results_address(url: str) -> str | None:
    """Why a text is not the address of results in a bucket; None if it is one. A URL may have a secret."""
    scheme, slashes, _ = url.partition("://")
    if not slashes:
        return _without_slashes(url)
    if scheme != "gs":
        return f"cannot be at {ascii(scheme)[1:-1][:40]}://"
    return None if _PREFIX.fullmatch(url) else f"is not an address in a bucket: {ascii(url)[:80]}"


def _without_slashes(url: str) -> str:
    return f"has no // after {url.partition(':')[0]}:"


def shared_results(url: str) -> SharedPlace:
    """The place of results at an address, with or without the last `/`."""
    return SharedPlace(url if url.endswith("/") else f"{url}/")
