"""The values of the live screen. Everything that is on it follows from one of these and from its size."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from msgspec import Struct

from batchctl.report.activity import Busy
from batchctl.report.reports import StatusRow
from batchctl.report.screen.overview import Overview


class ScreenView(Struct, frozen=True):
    """Everything that is on the screen."""

    now: datetime
    """The local time."""
    overview: Overview | None = None
    """None before the first plan, and for commands that make none."""
    news: Mapping[str, str] = {}
    """The last step of a job in this pass; shown in place of its reason."""
    tasks: Sequence[Busy] = ()
    """Slow work, such as uploads."""
    waits: str = ""
    """Other things that are waited for: the end of a back-off or of a grace."""
    foot: str = ""
    verbose: bool = False
    """Whether provider and remote name are shown."""
    is_unicode: bool = True

    def reason(self, row: StatusRow) -> str:
        """The text beside a job. Not escaped."""
        words = self.news.get(row.job, row.reason)
        stuck = None if row.forecast is None else row.forecast.stuck
        if stuck is None:
            return words
        return f"{words}; stuck: {stuck.words}"
