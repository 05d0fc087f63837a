"""The rows that each job was sent, and the outcomes that rules gave them: what is stored, and functions to read it.

Both are fixed when the rows are read, and remain when the job is deleted. Rows with the usual answer have no outcome.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from batchctl.emulator.job_store import Job
from batchctl.emulator.row_hashes import HASH_LENGTH
from batchctl.emulator.store import Store
from batchctl.emulator.wire import JsonObject


@dataclass
class SentRows:
    """The rows of one job, in input order, while they are read."""

    hashes: bytearray = field(default_factory=bytearray)
    """The hashes of the requests, one after the other."""
    outcomes: dict[int, str] = field(default_factory=dict)
    """The unusual outcomes by position, as JSON: an error, a finish reason or a response."""

    def add(self, digest: bytes, outcome: str | None = None) -> None:
        """Add the next row."""
        if outcome is not None:
            self.outcomes[self.count] = outcome
        self.hashes += digest

    @property
    def count(self) -> int:
        """The number of rows."""
        return len(self.hashes) // HASH_LENGTH

    @property
    def failed(self) -> int:
        """The number of rows with an error."""
        return sum(map(is_error, self.outcomes.values()))


def put_sent_rows(store: Store, seq: int, rows: SentRows) -> None:
    """Store the rows of the job with this number; they replace rows that were read earlier."""
    with store.transaction():
        sql = "INSERT OR REPLACE INTO sent_rows (job, count, hashes) VALUES (?, ?, ?)"
        store.change(sql, seq, rows.count, bytes(rows.hashes))
        store.change("DELETE FROM row_outcomes WHERE job = ?", seq)
        store.change_all(
            "INSERT INTO row_outcomes (job, position, outcome) VALUES (?, ?, ?)",
            ((seq, position, outcome) for position, outcome in rows.outcomes.items()),
        )


def count_sent(store: Store, seq: int) -> int:
    """The number of rows that are stored for the job with this number."""
    found = store.rows("SELECT count FROM sent_rows WHERE job = ?", seq)
    return found[0][0] if found else 0


def sent_counts(store: Store) -> dict[int, int]:
    """The number of rows of each job, by the job's number in the store."""
    return dict(store.rows("SELECT job, count FROM sent_rows"))


def sent_hashes(store: Store, job: Job) -> list[bytes]:
    """The hashes of the job's requests, in input order."""
    found = store.rows("SELECT hashes FROM sent_rows WHERE job = ?", job.seq)
    whole = found[0][0] if found else b""
    return [whole[start : start + HASH_LENGTH] for start in range(0, len(whole), HASH_LENGTH)]


def row_outcomes(store: Store, job: Job) -> dict[int, str]:
    """The unusual outcomes of the job's rows by position, as JSON."""
    texts: dict[str, str] = {}
    found = store.rows("SELECT position, outcome FROM row_outcomes WHERE job = ?", job.seq)
    return {position: texts.setdefault(outcome, outcome) for position, outcome in found}


def is_error(outcome: str) -> bool:
    """Whether a row with this outcome failed."""
    return outcome.startswith('{"error"')


def failed_among(store: Store, job: Job, positions: Iterable[int]) -> int:
    """The number of failed rows at these positions."""
    outcomes: Mapping[int, str] = row_outcomes(store, job)
    return sum(position in outcomes and is_error(outcomes[position]) for position in positions) if outcomes else 0


def outcome_text(kind: str, value: object) -> str:
    """The stored form of an outcome; `kind` is `error`, `finishReason` or `response`."""
    return json.dumps({kind: value})


def outcome_of(text: str) -> JsonObject:
    """The outcome that `outcome_text` stored."""
    found: JsonObject = json.loads(text)
    return found
