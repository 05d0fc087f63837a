"""The `readMask` of a list: the members of each job in the reply, such as `name,labels,input_config.gcs_source`."""

from __future__ import annotations

import re
from typing import Any

from batchctl.emulator.fieldmask import FieldMask
from batchctl.emulator.proto import camel
from batchctl.emulator.replies import VERTEX
from batchctl.emulator.vertex.resource import FIELDS
from batchctl.emulator.wire import Refused

_MAPS = frozenset({"labels", "modelParameters"})


def parse_read_mask(text: str | None) -> FieldMask:
    """Parse the parameter, in either spelling. Raises Refused (400) for a name that jobs do not have."""
    if text is None or text.strip() in {"", "*"}:
        return FieldMask()
    paths = {_path(path.strip()) for path in text.split(",")}
    tree: dict[str, Any] = {}
    for path in paths:
        if any(path[:length] in paths for length in range(1, len(path))):
            continue  # part of a longer path that is requested completely
        node = tree
        for name in path:
            node = node.setdefault(name, {})
    mask = FieldMask(tree)
    unknown = VERTEX.unknown_path(mask, "BatchPredictionJob", looks_into_any=True)
    if unknown:
        raise _invalid(unknown)
    return mask


def _path(text: str) -> tuple[str, ...]:
    """The names of a path in JSON's spelling; below a map they are chosen by the caller."""
    first, *below = text.split(".")
    names = (camel(first), *(below if camel(first) in _MAPS else map(camel, below)))
    if names[0] not in FIELDS or not all(re.fullmatch(r"[A-Za-z0-9_-]+", name) for name in names):
        raise _invalid(text)
    return names


def _invalid(path: str) -> Refused:
    return Refused(400, f"Request contains an invalid argument: invalid read mask path {ascii(path)[:100]}.")
