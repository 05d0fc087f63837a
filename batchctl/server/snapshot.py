"""The stack at one moment, as the web page shows it. Made by the command line, and never changed."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from enum import StrEnum

from msgspec import Struct

from batchctl.model.desired import DesiredStack
from batchctl.model.plan import Plan
from batchctl.model.recorded import Recorded
from batchctl.report.reports import StatusReport


class Source(StrEnum):
    """The origin of what is shown."""

    WATCH = "watch"
    """The passes of a running `watch`."""
    STATE = "state"
    """The record alone: no API was asked."""


class PassFacts(Struct, frozen=True):
    """The last pass of a `watch`."""

    number: int
    begun: datetime
    ended: datetime


class Snapshot(Struct, frozen=True):
    """The stack at one moment."""

    plan: Plan
    """The plan that the next pass would make; its phases are those of the jobs."""
    desired: DesiredStack
    recorded: Recorded
    as_of: datetime
    """On the local clock."""
    source: Source
    status: StatusReport
    """The status of the jobs of the plan."""
    results_of: Callable[[str], str]
    """Shows the path of results, relative to the results folder, for people."""
    last_pass: PassFacts | None = None
