"""The attempts that the results folder shows, for a lost state.

Owns how the manifests of collected folders are written and read. Incomplete results do not count as collected.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from io import BufferedReader
from pathlib import Path

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from batchctl.disk.safe_open import UnsafeFile, open_stream
from batchctl.model.attempts import RecordedAttempt
from batchctl.model.canonical import with_escapes
from batchctl.model.cost.tokens import Counted
from batchctl.model.exhaustion import raise_if_exhausted
from batchctl.model.inventory import KeptResults
from batchctl.model.json_value import Json
from batchctl.model.keys import (
    DIGEST_SCHEME,
    JOB_NAME,
    MARK_DIGEST_LENGTH,
    MOST_ATTEMPTS,
    TOKEN_LENGTH,
    Account,
    AttemptKey,
)
from batchctl.model.observed import RowCounts
from batchctl.model.pattern import Pattern
from batchctl.model.row_work import RowsSent
from batchctl.model.sent_with import SentWith
from batchctl.model.states import TERMINAL_STATES
from batchctl.model.times import read_rfc3339
from batchctl.rows.files import LOCAL, Files
from batchctl.rows.folder import (
    MANIFEST_FILE,
    MANIFEST_FORMAT,
    MOST_BYTES,
    RESULTS_FILE,
    folders_in,
    results_errors,
)

_MOST_ROWS = 2**53
"""Beyond every input, and within what the state and any reader of JSON can hold."""
_MOST_SHARDS = 99_999
_FIRST_YEAR, _LAST_YEAR = 2000, 2999
"""Bounds of times, so that adding deadlines cannot leave the calendar."""

_DIGEST = Pattern(rf"{DIGEST_SCHEME}([0-9a-f]{{{MARK_DIGEST_LENGTH}}}|[0-9a-f]{{64}})")
"""The short form is that of an attempt which is known by its mark alone."""
_TOKEN = Pattern(rf"([a-z0-9]{{{TOKEN_LENGTH}}})?")
"""An imported job has none."""
_REMOTE = Pattern(r"[!-~]{1,1024}")
_VERDICT = Pattern(r"[A-Z]{1,32}(_[A-Z]{1,32}){0,8}")
_STATE = Pattern("|".join(sorted(TERMINAL_STATES)))
"""Only jobs that have ended are collected."""

REUSED_FROM = "reusedFrom"
"""The member of a manifest that says of which results these are a copy."""
OTHER_ROWS = "its results are not those that were collected"
FAULTS = (ValueError, KeyError, TypeError, RecursionError, OSError)
"""Errors that reading a folder may raise; the folder then counts as incomplete."""


class KeptFolder(Struct, frozen=True):
    """The content of the results folder."""

    kept: tuple[KeptResults, ...]
    faults: tuple[str, ...]
    """Folders that look like collected ones and cannot be used, each with the reason."""


def read_kept(results: Path) -> KeptFolder:
    """All collected results, each checked against its hash. Raises ResultsError when the folder cannot be read."""
    kept, faults = [], []
    with results_errors(results):
        for folder in folders_in(results):
            try:
                kept.append(_read(folder))
            except FAULTS as error:
                raise_if_exhausted(error)
                faults.append(f"{folder.parent.name}/{folder.name}: {fault_words(error)}")
    return KeptFolder(tuple(kept), tuple(faults))


def _read(folder: Path) -> KeptResults:
    found = read_manifest(folder)
    check_rows(folder, found)
    return kept_of(folder, found)


def read_manifest(folder: Path) -> Mapping[str, Json]:
    """The manifest of a collected folder. Raises FAULTS, as the functions below do that read."""
    with _open(folder / MANIFEST_FILE) as stream:
        found = json.loads(stream.read(MOST_BYTES))
    if not isinstance(found, dict) or found["format"] != MANIFEST_FORMAT:
        raise ValueError("its manifest is of another format")
    return found


def write_manifest(folder: Path, manifest: Mapping[str, Json]) -> None:
    """Write the manifest of a new folder durably. Raises FileExistsError and OSError."""
    from batchctl.disk.private_files import write_file  # commands that look write nothing

    try:
        text = msgspec.json.format(with_escapes(msgspec.json.encode(manifest)), indent=2)
    except UnicodeEncodeError:
        # Half of a surrogate pair, which a server may send in a name.
        text = json.dumps(manifest, indent=2).encode("ascii")
    write_file(folder / MANIFEST_FILE, text, b"\n")


def check_rows(folder: Path, found: Mapping[str, Json]) -> None:
    """Read the rows against the hash that the manifest has of them."""
    with _open(folder / RESULTS_FILE) as stream:
        if hashlib.file_digest(stream, "sha256").hexdigest() != found["sha256"]:
            raise ValueError(OTHER_ROWS)


def check_size(folder: Path, found: Mapping[str, Json], files: Files = LOCAL) -> None:
    """Look whether the rows may be whole, without reading them. Older manifests do not tell how long they are."""
    with _explained(folder / RESULTS_FILE):
        size = files.size(folder / RESULTS_FILE)
    if size != found.get("bytes", size):
        raise ValueError(OTHER_ROWS)


def kept_of(folder: Path, found: Mapping[str, Json]) -> KeptResults:
    """The collected attempt, according to a manifest. A copy of others' results has no remote job."""
    marks = _object(found["marks"])
    return KeptResults(
        _attempt(folder, found), _text(found["job"], "job", JOB_NAME), _text(marks["stack"]), _text(marks["uid"])
    )


def _open(path: Path) -> BufferedReader:
    with _explained(path):
        return open_stream(path)


@contextmanager
def _explained(path: Path) -> Iterator[None]:
    try:
        yield
    except (FileNotFoundError, IsADirectoryError):
        raise ValueError(f"{path.name} is missing") from None
    except UnsafeFile as error:
        raise ValueError(f"{path.name}: {error.strerror}") from error


def _attempt(folder: Path, found: Mapping[str, Json]) -> RecordedAttempt:
    job = folder.parent.name
    attempt = _count(found["attempt"], "attempt", 1, MOST_ATTEMPTS)
    rows = _object(found["rows"])
    ok, failed, missing = _count(rows["ok"], "ok"), _count(rows["failed"], "failed"), rows["missing"]
    total = ok + failed + (0 if missing is None else _count(missing, "missing"))
    # A manifest of an earlier release has none.
    tokens = found.get("tokens")
    return RecordedAttempt(
        key=AttemptKey(job, attempt, _count(found["shard"], "shard", 0, _MOST_SHARDS)),
        account=Account.parse(_text(found["account"])),
        digest=_text(found["digest"], "digest", _DIGEST),
        token=_text(_object(found["marks"])["token"], "token", _TOKEN),
        remote=None if REUSED_FROM in found else _text(found["remote"], "remote", _REMOTE),
        state=_text(found["state"], "state", _STATE),
        create_time=_time(found["createTime"]),
        start_time=_time(found["startTime"]),
        end_time=_time(found["endTime"]),
        rows=RowCounts(_count(total, "rows"), ok, failed, _verdicts(rows)),
        adopted=True,
        results=f"{job}/{folder.name}",
        tokens=None if tokens is None else _count(tokens, "tokens"),
        counted=None if REUSED_FROM in found else _counted(found.get("counted")),
        sent=_sent(found, total),
    )


def _counted(value: Json) -> Counted | None:
    """The tokens of its answers by kind; None in a manifest of an earlier release."""
    if value is None:
        return None
    found = dict(_object(value))
    retires = _time(found.pop("retires", None))
    return replace(msgspec.convert(_bounded(found), Counted), retires=retires)


def _bounded(value: Json) -> Json:
    """The same object; every number in it is one that batchctl may have written."""
    for member in value.values():
        if isinstance(member, dict):
            _bounded(member)
        else:
            _count(member, "counted")
    return value


def _sent(found: Mapping[str, Json], total: int) -> RowsSent | None:
    """The rows that the attempt sent; None in a manifest of an earlier release, or if batchctl did not choose them."""
    if "ledger" not in found:
        return None
    ledger = _object(found["ledger"])
    sent_with = SentWith.read(ledger["sentWith"]) if "sentWith" in ledger else None
    shards = _count(found.get("shards", 1), "shards", 1, _MOST_SHARDS)
    facts = _count(ledger["sent"], "sent"), total, "", found.get("canary") is True, _verdicts(ledger)
    return RowsSent(*facts, sent_with=sent_with, shards=shards)


def _verdicts(rows: Mapping[str, Json]) -> dict[str, int]:
    """Rows by verdict. A manifest of an earlier release has none; a later release may have further codes."""
    found = _object(rows.get("verdicts", {}))
    return {_text(code, "verdict", _VERDICT): _count(number, "verdicts") for code, number in found.items()}


def _object(value: Json) -> Mapping[str, Json]:
    if not isinstance(value, dict):
        raise TypeError("its manifest is not one of ours")
    return value


def _text(value: Json, name: str = "", form: Pattern | None = None) -> str:
    if not isinstance(value, str):
        raise TypeError("its manifest is not one of ours")
    value.encode()  # a lone surrogate is no text
    if form is not None and not form.fullmatch(value):
        raise ValueError(f"its manifest has a {name} that batchctl never writes")
    return value


def _count(value: Json, name: str, least: int = 0, most: int = _MOST_ROWS) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise TypeError("its manifest is not one of ours")
    if not least <= value <= most:
        raise ValueError(f"its manifest has a number that cannot be: {name}")
    return value


def _time(value: Json) -> datetime | None:
    if value is None:
        return None
    time = read_rfc3339(_text(value))
    # Compared before it is brought to UTC: at the ends of the calendar that would overflow.
    if not _FIRST_YEAR <= time.year <= _LAST_YEAR:
        raise ValueError("a time that cannot be")
    return time.astimezone(UTC)


def fault_words(error: Exception) -> str:
    """One of FAULTS, for people."""
    if isinstance(error, KeyError):
        return f"its manifest lacks {error.args[0]!r}"
    if isinstance(error, OSError) and error.filename:
        return f"{Path(error.filename).name}: {error.strerror}"
    return str(error)
