"""The kinds of events, and the codes of an event."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from batchctl.model.events import Bearing, Event, EventKind
from batchctl.model.reasons import Reason

NOW = datetime(2026, 11, 22, tzinfo=UTC)


def event(what: str, code: str | None = None) -> Event:
    return Event(NOW, "a", 1, what, "why", code=code)


def test_every_kind_has_words_and_a_value_of_its_own() -> None:
    assert len({kind.words for kind in EventKind}) == len({kind.value for kind in EventKind}) == len(EventKind)


@pytest.mark.parametrize("kind", EventKind)
def test_an_event_has_the_kind_that_its_stored_words_name(kind: EventKind) -> None:
    assert event(kind.words).kind is kind


def test_an_event_in_a_state_of_an_earlier_version_has_its_kind() -> None:
    assert event("looked for in vain").kind is EventKind.NOT_FOUND


@pytest.mark.parametrize(
    ("what", "code", "reason", "error"),
    [
        ("create", "New", Reason.NEW, None),
        ("cancel", "CancelOrdered", Reason.CANCEL_ORDERED, None),
        pytest.param("create", None, None, None, id="of a state that had no codes"),
        pytest.param("create", "ReasonOfTomorrow", None, None, id="of a newer version"),
        pytest.param("failed", "Missing", None, "Missing", id="an error's code is no reason"),
        ("refused for now", "QuotaExceeded", None, "QuotaExceeded"),
        ("created", None, None, None),
        pytest.param("polished", "New", None, "New", id="unknown kind"),
    ],
)
def test_the_code_of_an_event(what: str, code: str | None, reason: Reason | None, error: str | None) -> None:
    one = event(what, code)
    assert (one.reason_code, one.error_code) == (reason, error)


def test_an_event_of_an_unknown_kind_is_neutral() -> None:
    assert (event("polished").kind, event("polished").bearing) == (None, Bearing.NEUTRAL)


def test_only_these_events_are_errors_until_progress_follows() -> None:
    kinds = {bearing: {kind.words for kind in EventKind if kind.bearing is bearing} for bearing in Bearing}
    assert kinds[Bearing.FAILURE] == {"failed", "refused", "unanswered", "not sent"}
    assert kinds[Bearing.PROGRESS] == {"created", "collected", "adopted", "merged"}
    assert kinds[Bearing.DECISION] == {"create", "cancel", "delete", "reused", "forgotten"}
