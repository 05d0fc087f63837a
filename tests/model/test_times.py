"""Conversion of times to text and back, and the limit of texts."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest

from batchctl.model.texts import cut
from batchctl.model.times import read_rfc3339, rfc3339, rfc3339_seconds

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
EAST = timezone(timedelta(hours=2))


@pytest.mark.parametrize(
    ("moment", "text", "seconds"),
    [
        (NOON, "2026-11-22T12:00:00Z", "2026-11-22T12:00:00Z"),
        (NOON.replace(microsecond=1), "2026-11-22T12:00:00.000001Z", "2026-11-22T12:00:00Z"),
        (NOON.astimezone(EAST), "2026-11-22T12:00:00Z", "2026-11-22T12:00:00Z"),
    ],
)
def test_a_moment_is_written_in_utc(moment: datetime, text: str, seconds: str) -> None:
    assert (rfc3339(moment), rfc3339_seconds(moment)) == (text, seconds)
    assert read_rfc3339(text) == moment


def test_no_moment_gives_no_text() -> None:
    assert rfc3339(None) is None


@pytest.mark.parametrize("text", ["2026-11-22T12:00:00", "yesterday", ""])
def test_a_text_without_a_zone_or_a_time_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"zone|isoformat"):
        read_rfc3339(text)


@pytest.mark.parametrize(
    ("text", "most", "shown"),
    [("abc", 3, "abc"), ("abcd", 3, "ab…"), ("a" * 256, None, "a" * 256), ("a" * 257, None, "a" * 255 + "…")],
)
def test_a_long_text_is_cut(text: str, most: int | None, shown: str) -> None:
    assert (cut(text) if most is None else cut(text, most)) == shown
