"""Multimodal datasets: names for groups of objects or tables. Source: reference 3.1, 3.2."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence

from batchctl.emulator.ids import fresh_digits
from batchctl.emulator.store import Store
from batchctl.emulator.vertex.resource_names import place_of
from batchctl.emulator.vertex.uris import BadPlace

_NAME = re.compile(r"projects/[^/]+/locations/[^/]+/datasets/[^/]+")


def dataset_uris(store: Store, name: str) -> list[str]:
    """The URIs of the dataset. Raises BadPlace if there is no dataset of this name."""
    if not _NAME.fullmatch(name):
        raise BadPlace(f"{name!r} is not the name of a dataset.")
    found = store.rows("SELECT uris FROM multimodal WHERE parent = ? AND short = ?", *place_of(store, name))
    if not found:
        raise BadPlace(f"The dataset {name} does not exist.")
    uris: list[str] = json.loads(found[0][0])
    return uris


def has_dataset(store: Store, name: str) -> bool:
    """Whether a dataset of this full name exists."""
    return bool(store.rows("SELECT 1 FROM multimodal WHERE parent = ? AND short = ?", *place_of(store, name)))


def add_dataset(store: Store, parent: str, uris: Sequence[str], short: str = "") -> str:
    """Store a dataset, whose name must be free; returns the full name."""
    short = short or fresh_digits()
    store.insert("multimodal", {"parent": parent, "short": short, "uris": json.dumps(list(uris))})
    return f"{parent}/datasets/{short}"
