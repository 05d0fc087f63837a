"""When jobs end: the values. `reconcile.forecast` computes them."""

from __future__ import annotations

from datetime import datetime

from msgspec import Struct, field

from batchctl.model.durations import in_units
from batchctl.model.percentiles import Percentiles

STUCK_FACTOR = 3.0
"""The default of `limits.stuckFactor`."""


class ExpectedEnd(Struct, frozen=True):
    """When something ends, by the provider's clock."""

    p50: datetime
    """In half of the cases it has ended by then."""
    p90: datetime | None = None
    """In nine of ten; None: unknown."""


class Stuck(Struct, frozen=True):
    """An attempt that has been in its state for far longer than others."""

    state: str
    """Without the API's prefix: `PENDING` or `RUNNING`."""
    seconds: float
    """The time in that state so far."""
    usual: float
    """Nine of ten took at most so many seconds."""

    @property
    def words(self) -> str:
        """Such as `pending for 1h2m; nine of ten were for at most 9m`."""
        usual = in_units(int(self.usual), 2)
        return f"{self.state.lower()} for {in_units(int(self.seconds), 2)}; nine of ten were for at most {usual}"


class JobForecast(Struct, frozen=True):
    """The forecast of a job that has not ended."""

    samples: int = 0
    """The number of attempts that it is compared with."""
    size: str | None = None
    """Their size in words; None if the number of rows is not known."""
    pending: Percentiles = field(default_factory=Percentiles)
    """The time from creation to start of these attempts."""
    running: Percentiles = field(default_factory=Percentiles)
    """The time from start to end."""
    end: ExpectedEnd | None = None
    unknown: str = ""
    """Why the end is not known, in words; empty if it is."""
    stuck: Stuck | None = None

    @property
    def median_end(self) -> datetime | None:
        """When it has ended with a chance of a half; None: not known."""
        return None if self.end is None else self.end.p50


class StackForecast(Struct, frozen=True):
    """The forecast of all jobs of a plan that have not ended."""

    end: ExpectedEnd | None = None
    """The latest of the ends of its jobs: by then each job has ended with that chance, not all of them together. None:
    the end of a job is unknown."""
    unknown: tuple[str, ...] = ()
    """The jobs whose end is unknown."""
    stuck: tuple[str, ...] = ()
    """The jobs that are stuck."""
