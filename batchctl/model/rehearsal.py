"""A rehearsal: what happened to a stack on an emulated service, by weather. Values only."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from msgspec import Struct

from batchctl.model.keys import AttemptKey
from batchctl.model.states import Phase


class Weather(StrEnum):
    """How the service behaves in a rehearsal."""

    CALM = "calm"
    QUOTA = "quota"
    STUCK = "stuck"
    FLAKY = "flaky"


class BreakKind(StrEnum):
    """The ways in which a job does not succeed at once."""

    FAILED = "failed"
    """It ended without success, or was refused, and is not tried again."""
    HELD = "held"
    """A guard refuses its action, or it is blocked until a person acts."""
    DEADLINE = "deadline"
    """A deadline cancelled an attempt of it."""
    RETRIED = "retried"
    """More attempts were bought."""
    UNFINISHED = "unfinished"
    """It had not ended when the time of the rehearsal was up."""


class AttemptTimes(Struct, frozen=True):
    """The time of one attempt in each state, in seconds."""

    pending: float
    running: float


class Latency(Struct, frozen=True):
    """Where the times of a job's attempts come from."""

    job: str
    samples: int
    """The earlier attempts that they are drawn from; 0: they are assumed."""


class SentAgain(Struct, frozen=True):
    """An attempt that the API has now: in a rehearsal it is sent again."""

    key: AttemptKey
    age: float
    """The seconds since it was created."""
    state: str


class JobRun(Struct, frozen=True):
    """One job at the end of one run."""

    job: str
    phase: Phase
    reason: str
    attempts: int
    """The attempts that were bought."""
    breaks: frozenset[BreakKind]


class Run(Struct, frozen=True):
    """One run of the stack to its end, or until the time was up."""

    weather: Weather
    seed: int
    seconds: float | None
    """From its start until every job had ended and was collected; None: some had not when the time was up."""
    jobs: tuple[JobRun, ...]
    low: Decimal | None
    """The expected cost of the attempts that were bought; None if it is not known."""
    high: Decimal | None
    calls: Mapping[str, int]
    """By method."""
    passes: int


class Rehearsal(Struct, frozen=True):
    """All runs of a rehearsal."""

    stack: str
    start: datetime
    horizon: float
    """The seconds after which a run ends, whatever is left."""
    seed: int
    currency: str | None
    assumptions: tuple[str, ...]
    """Everything that was not known and is assumed, for people."""
    latencies: tuple[Latency, ...]
    runs: tuple[Run, ...]
    """By weather, each with its seeds in order."""
