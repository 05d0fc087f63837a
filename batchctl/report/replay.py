"""`replay` as text and as a document: `batchctl/replay/v1` (schemas/)."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from typing import TypeAlias

from msgspec import Struct

from batchctl.model.json_value import Json
from batchctl.model.quoting import cut
from batchctl.model.times import rfc3339, rfc3339_seconds
from batchctl.report.console import Console
from batchctl.report.layout import count, outside, write_line

_MOST_SHOWN = 20

Place: TypeAlias = tuple[str, Json, Json]
"""A place where the plans differ: its path, the recorded value and the present one."""


class Replayed(Struct, frozen=True):
    """One bundle, decided again."""

    bundle: str
    """The file, as it was named."""
    stack: str
    jobs: int
    time: datetime
    version: str
    differences: tuple[Place, ...]
    had_plan: bool
    """Whether the recorded decision did not fail."""

    @property
    def is_same(self) -> bool:
        """Whether the plan is the recorded one."""
        return not self.differences

    @property
    def result(self) -> str:
        """The outcome for programs."""
        return "same" if self.is_same else "different" if self.had_plan else "decides-now"


_RESULTS = {
    "same": "The same plan",
    "different": "Another plan",
    "decides-now": "A plan now, and an error then",
}


def write_replay(replayed: Sequence[Replayed], console: Console, *, verbose: bool) -> None:
    """A line for each bundle, and the places where the plans differ: a few of them, or all when `verbose`."""
    for one in replayed:
        words = f"{_RESULTS[one.result]}: stack {one.stack}, {count(one.jobs, 'job')}, {rfc3339_seconds(one.time)}"
        write_line(console, outside(words))
        places = one.differences if one.had_plan else ()
        shown = places if verbose else places[:_MOST_SHOWN]
        for path, recorded, now in shown:
            write_line(console, outside(f"  {path}: recorded {_words(recorded)}, now {_words(now)}"))
        if len(shown) < len(places):
            write_line(console, f"  and {len(places) - len(shown):,} more places, which -v shows")


def _words(value: Json) -> str:
    return "nothing" if value is None else cut(json.dumps(value, ensure_ascii=False))


def replay_document(replayed: Sequence[Replayed]) -> dict[str, Json]:
    """`batchctl/replay/v1`."""
    return {
        "format": "batchctl/replay/v1",
        "bundles": [
            {
                "bundle": one.bundle,
                "stack": one.stack,
                "jobs": one.jobs,
                "time": rfc3339(one.time),
                "version": one.version,
                "result": one.result,
                "differences": [
                    {"path": path, "recorded": recorded, "now": now}
                    for path, recorded, now in (one.differences if one.had_plan else ())
                ],
            }
            for one in replayed
        ],
    }
