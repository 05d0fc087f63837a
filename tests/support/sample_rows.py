"""The sample lines in `tests/corpus`: those that the services take, and those that they refuse, each with its fault."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

CORPUS = Path(__file__).parents[1] / "corpus"


@dataclass(frozen=True)
class Samples:
    """A file of lines that are fine."""

    name: str
    api: str
    model: str
    kind: str = "BatchJob"
    wire: bool = True
    """Whether the service itself takes the lines as they are."""
    local: bool = True
    """Whether batchctl sends such lines from a local file."""

    @property
    def lines(self) -> list[str]:
        return (CORPUS / "good" / f"{self.name}.jsonl").read_text().splitlines()

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True)
class Broken:
    """Lines of which one is refused."""

    name: str
    api: str
    lines: tuple[str, ...]
    line: int
    """The number of the line that has the fault."""
    member: str
    """The faulty member, as messages name it; empty where the line is no row at all."""
    says: str
    """What the message has to hold."""
    service: str = "refuses"
    """What the service does: `refuses` it as a whole, fails the `row` alone, or `takes` it."""
    kind: str = "BatchJob"
    model: str = "gemini-2.5-flash"

    def __str__(self) -> str:
        return f"{self.api}-{self.name}"


def all_samples() -> list[Samples]:
    """The files of good lines."""
    index: dict[str, Any] = yaml.safe_load((CORPUS / "good" / "index.yaml").read_text())
    return [Samples(name, **more) for name, more in index.items()]


def all_broken() -> list[Broken]:
    """The broken lines."""
    found: list[dict[str, Any]] = []
    for path in sorted((CORPUS / "broken").glob("*.yaml")):
        found += yaml.safe_load(path.read_text())
    return [Broken(**{"line": len(one["lines"]), **one, "lines": tuple(one["lines"])}) for one in found]
