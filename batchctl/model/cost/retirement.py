"""The days on which models are shut down, as far as they are known.

Source: reference chapter 16 (`modelStatus.retirementTime` of answers; models that were shut down in 2026).
"""

from __future__ import annotations

from datetime import date

from msgspec import Struct

from batchctl.model.keys import Api

NOTICE_DAYS = 60
"""So long before its retirement a model is worth a word to everybody."""


class KnownRetirement(Struct, frozen=True):
    """The day on which models of some name are shut down."""

    model: str
    """The name, or the start of names with `*` at its end."""
    day: date
    source: str
    checked: date
    """The day on which somebody compared it with the source."""

    def covers(self, model: str) -> bool:
        """Whether it is about a model of this short name."""
        return model.startswith(self.model[:-1]) if self.model.endswith("*") else model == self.model


_PAGE = "https://ai.google.dev/gemini-api/docs/deprecations"
_CHECKED = date(2026, 11, 29)
KNOWN = (
    KnownRetirement("gemini-2.0-*", date(2026, 6, 1), _PAGE, _CHECKED),
    KnownRetirement("gemini-2.5-flash-image-preview", date(2026, 6, 25), _PAGE, _CHECKED),
    KnownRetirement("gemini-3-pro-image-preview", date(2026, 6, 25), _PAGE, _CHECKED),
    KnownRetirement("gemini-2.5-flash-image", date(2026, 10, 2), _PAGE, _CHECKED),
    KnownRetirement("imagen-4.0-*", date(2026, 8, 17), _PAGE, _CHECKED),
)


class Retirement(Struct, frozen=True):
    """The retirement of a model that manifests name."""

    model: str
    """Without a path."""
    api: Api
    day: date
    source: str
    """Where the day comes from: an address, a document, or `modelStatus` for answers of the model itself."""
    jobs: tuple[str, ...]
    """The jobs whose manifests name it, sorted."""
    days: int
    """From today; negative after it."""

    @property
    def is_near(self) -> bool:
        """Whether it is near enough for a word, or past."""
        return self.days <= NOTICE_DAYS

    @property
    def words(self) -> str:
        """`gemini-x retires in 20 days, on 2026-12-20: 4 manifests`."""
        number = len(self.jobs)
        manifests = "1 manifest" if number == 1 else f"{number} manifests"
        if self.days < 0:
            return f"{self.model} was retired on {self.day}: {manifests}"
        when = "today" if self.days == 0 else "tomorrow" if self.days == 1 else f"in {self.days} days, on {self.day}"
        return f"{self.model} retires {when}: {manifests}"
