"""The outcome of every case, in one shape: series of figures, one for each competitor."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

Table = Mapping[str, "Series"]
"""The series of one case by the competitor's name, batchctl's first."""


@dataclass(frozen=True)
class Series:
    """The figures of one competitor: for each kind of figure, such as `cpu`, one value for each round."""

    name: str
    values: dict[str, list[float]] = field(default_factory=dict)

    def add(self, **figures: float) -> None:
        """Add the figures of one round."""
        for kind, value in figures.items():
            self.values.setdefault(kind, []).append(value)

    def median(self, kind: str) -> float:
        """The median of all rounds."""
        return statistics.median(self.values[kind])

    def spread(self, kind: str) -> float:
        """The difference between the largest and the smallest value, as a share of the median."""
        found, middle = self.values[kind], self.median(kind)
        return (max(found) - min(found)) / middle if middle else 0.0


def ratios(above: Series, below: Series, kind: str) -> list[float]:
    """The ratio of two competitors in each round."""
    return [one / other for one, other in zip(above.values[kind], below.values[kind], strict=True)]


def plain(table: Table) -> Mapping[str, Mapping[str, Sequence[float]]]:
    """A table for programs."""
    return {name: series.values for name, series in table.items()}
