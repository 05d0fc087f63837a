"""A stack with many jobs that were all created: its manifests and its state, made without a service."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import msgspec

from batchctl.manifests.fault_list import Faults
from batchctl.manifests.load import Asked, load
from batchctl.manifests.overrides import Overrides
from batchctl.manifests.trust import Trust
from batchctl.model.attempts import RecordedAttempt
from batchctl.model.desired import DesiredJob
from batchctl.model.keys import AttemptKey, Mark, short_uid
from batchctl.model.observed import RemoteJob, RowCounts
from batchctl.model.recorded import JobRow
from batchctl.model.stack import Limits
from batchctl.providers.gemini.create import marked_name
from batchctl.rows.reader import RowFiles
from batchctl.state.cells import Record
from batchctl.state.connection import connect_writer, create_file
from batchctl.state.database import Database
from batchctl.state.formats import MIGRATIONS
from batchctl.state.job_records import attempt_record, job_record
from batchctl.state.migrations import Identity, transaction
from batchctl.state.seal import reseal

STACK = "many"
LISTED = "listed.msgpack"
"""Beside the stack file: the list that its account shows."""
LENGTH = 4
"""The bytes of the length of a page."""
UID = "bench1"
NOWHERE = "http://127.0.0.1:9"
_PAGE = 100
_CREATED = datetime(2026, 11, 22, 20, tzinfo=UTC)
_MANIFEST = """\
apiVersion: batchctl.dev/v1
kind: BatchJob
metadata:
  name: {name}
  labels: {{team: search, lang: fr}}
spec:
  model: gemini-2.5-flash
  displayName: Translate part {number}
  src:
    - {{key: first, text: "Translate part {number} of the catalogue: a cast-iron pan"}}
    - {{key: second, text: "Translate part {number} of the catalogue: a tea pot"}}
  request:
    systemInstruction: You are a translator.
    generationConfig: {{temperature: 0.2, maxOutputTokens: 512}}
  lifecycle: {{backoffLimit: 1, pendingDeadline: 12h}}
"""


def job_name(number: int) -> str:
    """The name of a job."""
    return f"job-{number:06}"


def write_manifests(folder: Path, jobs: int, endpoint: str = NOWHERE) -> None:
    """Write the stack file, and one manifest for each job."""
    manifests = folder / "jobs"
    manifests.mkdir(parents=True)
    spec = {"manifests": ["jobs"], "providers": {"local": {"type": "gemini", "endpoint": endpoint}}}
    stack = {"apiVersion": "batchctl.dev/v1", "kind": "Stack", "metadata": {"name": STACK, "uid": UID}, "spec": spec}
    (folder / "batchctl.yaml").write_text(json.dumps(stack))
    for number in range(jobs):
        text = _MANIFEST.format(name=job_name(number), number=number)
        (manifests / f"{job_name(number)}.yaml").write_text(text)


def write_state(folder: Path) -> list[tuple[str, str]]:
    """Write the state of the stack as an `apply` leaves it that has created all jobs; gives their remote jobs.

    A remote job is its name and its display name.
    """
    desired = load(
        folder / "batchctl.yaml",
        Asked(),
        overrides=Overrides(),
        env={},
        rows=RowFiles(),
        trust=Trust.from_env({}),
        faults=Faults(),
    )
    state = folder / ".batchctl" / "state.db"
    state.parent.mkdir()
    create_file(state, MIGRATIONS, Identity(STACK, UID))
    jobs, attempts = [], []
    for number, job in enumerate(desired.jobs):
        jobs.append(job_record(_row(job)))
        attempts.append(attempt_record(_attempt(number, job)))
    with closing(connect_writer(state)) as db, transaction(db):
        _insert(db, "jobs", jobs)
        _insert(db, "attempts", attempts)
        db.execute("UPDATE meta SET serial = 1")
        reseal(db)
    _write_listed(folder / LISTED, desired.jobs)
    return [_remote(number, job) for number, job in enumerate(desired.jobs)]


def _write_listed(path: Path, desired: Sequence[DesiredJob]) -> None:
    """The remote jobs as a client of the API reads them from a list, in pages that begin with their length."""
    jobs = [_listed(number, job) for number, job in enumerate(desired)]
    pages = [msgspec.msgpack.encode(jobs[start : start + _PAGE]) for start in range(0, len(jobs), _PAGE)]
    path.write_bytes(b"".join(len(page).to_bytes(LENGTH) + page for page in pages))


def _listed(number: int, job: DesiredJob) -> RemoteJob:
    attempt = _attempt(number, job)
    mark = Mark(STACK, UID, attempt.key, attempt.digest[:15], attempt.token)
    times = attempt.create_time, attempt.start_time
    return RemoteJob(
        str(attempt.remote), job.account, str(mark), mark, str(attempt.state), job.model, *times, rows=attempt.rows
    )


def _insert(db: Database, table: str, records: Sequence[Record]) -> None:
    columns = list(records[0])
    places = ", ".join("?" * len(columns))
    rows = [[record[column] for column in columns] for record in records]
    db.conn.executemany(f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({places})", rows)


def _row(job: DesiredJob) -> JobRow:
    return JobRow(
        name=job.name,
        kind=job.kind,
        provider=job.provider,
        model=job.model,
        path=job.path,
        account=job.account,
        lifecycle=job.lifecycle,
        labels=job.labels,
        display_name=job.display_name,
        depends_on=job.depends_on,
        priority=job.priority,
        webhook={},
        row_settings=job.row_settings,
    )


def _attempt(number: int, job: DesiredJob) -> RecordedAttempt:
    return RecordedAttempt(
        AttemptKey(job.name, 1),
        job.account,
        job.digest,
        f"t{number:09}",
        job.tree,
        remote=f"batches/{job.name}",
        state="JOB_STATE_RUNNING",
        create_time=_CREATED,
        start_time=_CREATED,
        rows=RowCounts(total=2),
        input_bytes=job.input_bytes,
        row_hashes=job.row_hashes,
        input_file="",
    )


def _remote(number: int, job: DesiredJob) -> tuple[str, str]:
    attempt = _attempt(number, job)
    mark = Mark(STACK, short_uid(UID), attempt.key, attempt.digest, attempt.token)
    return str(attempt.remote), marked_name(job.display_name, mark, Limits().display_name)


def make_many(folder: Path, jobs: int) -> Path:
    """A stack with this many jobs, made once."""
    if not folder.exists():
        write_manifests(folder, jobs)
        write_state(folder)
    return folder


if __name__ == "__main__":
    make_many(Path(sys.argv[1]), int(sys.argv[2]))
