"""The ledgers of all attempts of a job, as the results folder has them.

A damaged one costs nothing but itself: its rows count as not answered, and the reason is reported.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TypeAlias

from msgspec import Struct
from msgspec.structs import replace

from batchctl.model.exhaustion import raise_if_exhausted
from batchctl.model.json_value import Json
from batchctl.model.keys import JOB_NAME
from batchctl.rows.files import LOCAL, Files
from batchctl.rows.folder import MANIFEST_FILE, RESULTS_FILE, is_folder_name, job_folder, results_errors
from batchctl.rows.kept import FAULTS, REUSED_FROM, fault_words, read_manifest
from batchctl.rows.ledger_file import ANSWERS_FILE, LEDGER_FILE, Segment, read_segment

Signature: TypeAlias = tuple[tuple[str, ...], ...]
_FILES = (LEDGER_FILE, ANSWERS_FILE, RESULTS_FILE, MANIFEST_FILE)


class Segments(Struct, frozen=True):
    """The ledgers of a job in the order of its attempts."""

    found: tuple[Segment, ...] = ()
    damaged: tuple[str, ...] = ()
    """Paths of ledgers that cannot be used, with the reason."""


class Wanted(Struct, frozen=True):
    """Which ledgers of a job's folder count."""

    uid: str
    """The short uid of the stack."""
    since: int = 1
    """The first attempt."""
    without: str = ""
    """The name of a folder to leave out: the one that is written."""
    until: int | None = None
    """The last attempt; None: any."""

    def counts(self, folder: Path, manifest: Mapping[str, Json]) -> bool:
        """Whether the ledger of a folder counts."""
        is_ours = manifest["marks"]["uid"] == self.uid
        is_known = self.until is None or manifest["attempt"] <= self.until
        return is_ours and is_known and folder.name != self.without and manifest["attempt"] >= self.since


def sign_ledgers(root: Path, job: str, wanted: Wanted) -> Signature:
    """A value that changes with the ledgers of a job and their answers; empty if it has none. Raises ResultsError.

    Those of other jobs whose results it uses count, too: a copy of merged results has no ledger of its own.
    """
    folder = job_folder(root, job)
    with results_errors(folder):
        ledgers = (one for one, _ in _with_sources(root, folder, wanted) if (one / LEDGER_FILE).is_file())
        return tuple((one.parent.name, one.name, *(_sign(one / name) for name in _FILES)) for one in ledgers)


def read_segments(root: Path, job: str, wanted: Wanted, files: Files = LOCAL) -> Segments:
    """The ledgers of a job. Their answers are compared with their checksums. Raises ResultsError."""
    folder = job_folder(root, job)
    found: list[tuple[tuple[bool, int, int, str], Segment]] = []
    damaged: list[str] = []
    remotes: set[tuple[Json, Json]] = set()
    with results_errors(folder):
        for one, limits in _with_sources(root, folder, wanted):
            if not (one / LEDGER_FILE).is_file():
                continue
            try:
                manifest = read_manifest(one)
                segment = read_segment(one, manifest) if limits.counts(one, manifest) else None
                remote = manifest["account"], manifest["remote"]
                # A copy of an attempt's results has the same rows.
                if segment is None or remote in remotes:
                    continue
                _check_answers(segment, manifest, files)
                remotes.add(remote)
                place = one.parent == folder, manifest["attempt"], manifest["shard"], one.name
                found.append((place, segment if one.parent == folder else replace(segment, attempt=None)))
            except FAULTS as error:
                raise_if_exhausted(error)
                damaged.append(f"{one.parent.name}/{one.name}: {fault_words(error)}")
    return Segments(tuple(segment for _, segment in sorted(found, key=lambda pair: pair[0])), tuple(damaged))


def _folders(job: Path) -> Iterator[Path]:
    if job.is_dir():
        yield from sorted(one for one in job.iterdir() if is_folder_name(one.name) and not one.is_symlink())


def _with_sources(root: Path, job: Path, wanted: Wanted) -> Iterator[tuple[Path, Wanted]]:
    """The folders of a job, and those of other jobs whose results it uses: a copy has the ledger of one attempt."""
    sources: dict[str, int] = {}
    for one in _folders(job):
        yield one, wanted
        try:
            manifest = read_manifest(one)
            name, attempt = source_of(manifest)
            if attempt and name != job.name and wanted.counts(one, manifest):
                sources[name] = max(sources.get(name, 0), attempt)
        except FAULTS as error:
            raise_if_exhausted(error)
    for name, attempt in sorted(sources.items()):
        other = Wanted(wanted.uid, until=attempt)
        yield from ((one, other) for one in _folders(job_folder(root, name)))


def source_of(manifest: Mapping[str, Json]) -> tuple[str, int]:
    """The job and the attempt whose results a folder has a copy of; 0: it has its own."""
    source = manifest.get(REUSED_FROM)
    name, attempt = (source.get("job"), source.get("attempt")) if isinstance(source, dict) else (None, None)
    if isinstance(name, str) and JOB_NAME.fullmatch(name) and isinstance(attempt, int):
        return name, attempt
    return "", 0


def _sign(file: Path) -> str:
    try:
        found = file.lstat()
    except FileNotFoundError:
        return ""
    return f"{found.st_ino} {found.st_size} {found.st_mtime_ns} {found.st_ctime_ns}"


def _check_answers(segment: Segment, manifest: Mapping[str, Json], files: Files) -> None:
    """Compare the answers of a segment with their checksum."""
    if files.sha256(segment.answers) != manifest["ledger"].get("answersSha256", manifest["sha256"]):
        raise ValueError(f"{segment.answers.name} was changed")
