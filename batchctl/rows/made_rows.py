"""The files of rows that were made for chains, each with its facts beside it.

They are in `results/<job>/.rows/`, private. A name has two parts: what was ordered, and the answers that the rows were
made from. So a file is made once, and a changed answer or template gives another file.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path

import msgspec
from msgspec.structs import replace

from batchctl.disk.atomic_file import replace_file
from batchctl.disk.private_files import make_folder
from batchctl.disk.safe_open import open_stream, read_start
from batchctl.model.canonical import sha256_json
from batchctl.model.chain import ChainCount, LeftOut
from batchctl.model.errors import ResultsError
from batchctl.model.json_value import Json
from batchctl.model.ports.row_reader import MadeRows, RowsOrder
from batchctl.rows.folder import MOST_BYTES, job_folder
from batchctl.rows.kept import FAULTS

MADE_ROWS = ".rows"
"""The folder of a job's rows, beside its results."""
_VERSION = 1
"""Of the way in which rows are made: a change makes all files again."""
_PART = 24
"""Hex digits of each part of a name."""
_KEPT = 7 * 24 * 60 * 60
"""Seconds for which a file is kept until a newer one replaces it: an attempt that it was sent for may be at work."""


def rows_folder(results: Path, job: str) -> Path:
    """The folder of a job's rows. Raises ResultsError."""
    return job_folder(results, job) / MADE_ROWS


def order_part(order: RowsOrder) -> str:
    """The part of a name that stands for what was ordered."""
    rules = order.rules
    parts = [
        _VERSION,
        order.upstream,
        order.digest,
        sorted(order.accepted),
        order.template.sha256,
        order.kind.value,
        None if rules.api is None else rules.api.value,
        rules.defaults,
        rules.is_google_model,
        order.line_bytes,
    ]
    return sha256_json(parts)[:_PART]


def file_name(order: RowsOrder, answers: Json) -> str:
    """The name of the file for rows that are made from these answers."""
    return f"{order_part(order)}-{sha256_json(answers)[:_PART]}.jsonl"


def finish(made: MadeRows) -> MadeRows:
    """The rows, after their facts were written beside them, which makes the file valid."""
    facts = {"sha256": made.sha256, "bytes": made.path.stat().st_size, **msgspec.to_builtins(made.count)}
    with replace_file(_facts_of(made.path)) as stream:
        stream.write(json.dumps(facts).encode("ascii"))
    _remove_old(made.path)
    return made


def copy_to(made: MadeRows, file: Path) -> MadeRows:
    """The same rows in another file."""
    from shutil import copyfileobj

    make_folder(file.parent)
    with open_stream(made.path) as source, replace_file(file) as stream:
        copyfileobj(source, stream)
    return finish(replace(made, path=file))


def read_made(file: Path) -> MadeRows | None:
    """The rows of a file; None if it is not there, or not complete."""
    try:
        facts: Mapping[str, Json] = json.loads(read_start(_facts_of(file), MOST_BYTES))
        with open_stream(file) as stream:
            size = os.fstat(stream.fileno()).st_size
        examples = tuple(LeftOut(str(one["key"]), str(one["reason"])) for one in facts["examples"])
        count = ChainCount(int(facts["rows"]), int(facts["left_out"]), int(facts["missing"]), examples)
        return MadeRows(file, str(facts["sha256"]), count) if size == facts["bytes"] else None
    except FAULTS:
        return None


def find_made(results: Path, job: str, sha256: str) -> Path | None:
    """The file of a job that has rows with this hash; None if there is none."""
    try:
        files = _newest_first(rows_folder(results, job), "*")
    except (ResultsError, OSError):
        return None
    return next((file for file in files if (made := read_made(file)) is not None and made.sha256 == sha256), None)


def find_ordered(results: Path, order: RowsOrder) -> MadeRows | None:
    """The rows that were last made for the same order; None if there are none. Raises ResultsError and OSError."""
    files = _newest_first(rows_folder(results, order.job), f"{order_part(order)}-*")
    return next((made for file in files if (made := read_made(file)) is not None), None)


def mark_newest(made: MadeRows, order: RowsOrder) -> None:
    """Let a file be the one that was last made for its order, if it is an earlier one."""
    if _newest_first(made.path.parent, f"{order_part(order)}-*")[0] != made.path:
        os.utime(made.path)


def _newest_first(folder: Path, pattern: str) -> list[Path]:
    return sorted(folder.glob(f"{pattern}.jsonl"), key=lambda file: (-file.lstat().st_mtime_ns, file.name))


def _facts_of(file: Path) -> Path:
    return file.with_suffix(".json")


def _remove_old(file: Path) -> None:
    """Remove files of earlier answers that no attempt needs any more."""
    newest = file.stat().st_mtime
    for other in file.parent.glob("*.jsonl"):
        if newest - other.lstat().st_mtime > _KEPT:
            other.unlink()
            _facts_of(other).unlink(missing_ok=True)
