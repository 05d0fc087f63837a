"""Projects and locations: project numbers, and the parents of resource names.

The id and the number of a project name the same project; replies use the number. Source: reference 3.1.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

from batchctl.emulator.store import Store

API = "vertex"
_META = "projects"
_FIRST_NUMBER = 100_000_000_000
_NUMBERS = 900_000_000_000


def project_number(store: Store, project: str) -> str:
    """The number of a project, given by a seed or derived from the id; a number is returned unchanged."""
    if project.isdigit():
        return project
    given = (store.meta(_META) or {}).get(project)
    if given is not None:
        return str(given)
    digest = hashlib.sha256(project.encode()).digest()
    return str(_FIRST_NUMBER + int.from_bytes(digest[:8], "big") % _NUMBERS)


def number_projects(store: Store, numbers: Mapping[str, int]) -> None:
    """Set the numbers of projects."""
    store.put_meta(_META, {**(store.meta(_META) or {}), **numbers})


def parent_of(store: Store, project: str, location: str) -> str:
    """The parent of jobs, operations and datasets in this location, with the project's number."""
    return f"projects/{project_number(store, project)}/locations/{location}"


def place_of(store: Store, name: str) -> tuple[str, str]:
    """The parent and the last part of a full resource name such as `projects/p/locations/l/datasets/1`."""
    _, project, _, location, _, short = name.split("/")
    return parent_of(store, project, location), short
