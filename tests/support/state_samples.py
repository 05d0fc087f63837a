"""Values and a clock for the tests of the state."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from batchctl.model.attempts import RecordedAttempt
from batchctl.model.history import PastAttempt
from batchctl.model.keys import Account, Api, AttemptKey
from batchctl.model.kinds import Kind
from batchctl.model.recorded import JobRow

NOW = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)
ACCOUNT = Account(Api.VERTEX, "https://europe-west4-aiplatform.googleapis.com", "demo", "europe-west4")
DIGEST = "d1:" + "ab" * 32


class HandClock:
    """A clock that moves only by its sleeps."""

    def __init__(self) -> None:
        self.time = NOW
        self.slept: list[float] = []
        self.on_sleep: Callable[[], None] = lambda: None

    def now(self) -> datetime:
        return self.time

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.time += timedelta(seconds=seconds)
        self.on_sleep()


def job(name: str = "translate", **fields: object) -> JobRow:
    values = {"kind": Kind.BATCH_JOB, "provider": "eu", "model": "m", "path": "jobs/a.yaml", "account": ACCOUNT}
    return JobRow(name, **(values | fields))  # type: ignore[arg-type]


def past(number: int = 1) -> PastAttempt:
    """The times of a forgotten attempt."""
    times = NOW, NOW + timedelta(minutes=1), NOW + timedelta(hours=1, seconds=number)
    return PastAttempt(ACCOUNT, f"jobs/{number}", "m", 10, "JOB_STATE_SUCCEEDED", *times)


def attempt(name: str = "translate", number: int = 1, shard: int = 0, **fields: object) -> RecordedAttempt:
    values = {"account": ACCOUNT, "digest": DIGEST, "token": "abcdefghij"}
    return RecordedAttempt(AttemptKey(name, number, shard), **(values | fields))  # type: ignore[arg-type]
