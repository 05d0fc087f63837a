"""The weather of a rehearsal: rules that the emulator takes, times of the history, and what is left of a sent attempt."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from batchctl.cli.rehearsal.copies import begin
from batchctl.cli.rehearsal.weather import Sky, faults, rules, samples_of, settings
from batchctl.emulator.core import METHODS, Emulator
from batchctl.emulator.faults import put_faults
from batchctl.emulator.rules import put_rules
from batchctl.emulator.seed import put_settings
from batchctl.model.admission import QuotaKey
from batchctl.model.history import History, SizedKey, Waits
from batchctl.model.keys import AttemptKey
from batchctl.model.percentiles import Span
from batchctl.model.recorded import Recorded
from batchctl.model.rehearsal import SentAgain, Weather
from batchctl.model.writes import SaveAttempt
from tests.support.decisions import HERE, LOCAL, THERE, attempt, collected, job, lost, row, unanswered

JOBS = (job("a"), job("b", account=THERE))
KEY = QuotaKey(HERE, "gemini-2.5-flash")
HISTORY = History({SizedKey(KEY, 0): Waits(tuple(map(Span, (10, 20, 30, 40, 50))), tuple(map(Span, (100,) * 5)))})


def made(weather: Weather, seed: int = 1, history: History = HISTORY, **again: SentAgain) -> list[Any]:
    return rules("shop", JOBS, history, again, Sky(weather, seed))


@pytest.mark.parametrize("weather", Weather)
def test_the_emulator_takes_each_weather(weather: Weather, tmp_path: Path) -> None:
    emulator = Emulator(tmp_path / "emulator.db")
    sky = Sky(weather, 3)
    put_rules(emulator.store, made(weather))
    put_faults(emulator.store, faults(sky), METHODS)
    put_settings(emulator.store, settings(JOBS, sky))
    emulator.close()


def test_times_come_from_five_attempts_or_more() -> None:
    ours = [rule for rule in made(Weather.CALM) if rule.get("match", {}).get("displayName", "").startswith("* shop/a@")]
    assert {rule["pending"] for rule in ours} <= {"10s", "20s", "30s", "40s", "50s"}
    assert {rule["running"] for rule in ours} == {"100s"}
    assert (samples_of(HISTORY, JOBS[0]), samples_of(HISTORY, JOBS[1])) == (5, 0)
    few = History({SizedKey(KEY, 0): Waits((), (), tuple(map(Span, (1, 2, 3, 4))))})
    assert samples_of(few, JOBS[0]) == 0
    whole = History({SizedKey(KEY, 0): Waits((), (), tuple(map(Span, (60,) * 5)))})
    (first, *_) = made(Weather.CALM, history=whole)
    assert int(first["pending"][:-1]) + int(first["running"][:-1]) == pytest.approx(60, abs=1)


def test_the_luck_of_a_job_does_not_depend_on_others() -> None:
    alone = rules("shop", JOBS[1:], HISTORY, {}, Sky(Weather.FLAKY, 5))
    assert [rule for rule in made(Weather.FLAKY, 5) if rule in alone] == alone
    assert made(Weather.FLAKY, 5) != made(Weather.FLAKY, 6)


def test_weathers_differ_by_what_they_do_to_the_same_times() -> None:
    def times(weather: Weather) -> list[tuple[float, float]]:
        given = (rule for rule in made(weather, 4, History({})) if "match" in rule and "pending" in rule)
        return [(float(rule["pending"][:-1]), float(rule["running"][:-1])) for rule in given]

    calm, quota = times(Weather.CALM), times(Weather.QUOTA)
    assert [running for _, running in quota] == [running for _, running in calm]
    assert [pending for pending, _ in quota] == pytest.approx([3 * pending for pending, _ in calm], abs=2)
    assert times(Weather.FLAKY) == calm


@pytest.mark.parametrize(
    ("state", "age", "rest"),
    [
        ("JOB_STATE_FAILED", 0.0, {"fate": "fail", "pending": "0s", "running": "1s"}),
        ("JOB_STATE_EXPIRED", 0.0, {"fate": "expire", "pending": "0s", "running": "1s"}),
        ("JOB_STATE_SUCCEEDED", 0.0, {"pending": "0s", "running": "1s"}),
        ("JOB_STATE_RUNNING", 100_000.0, {"pending": "0s", "running": "60s"}),
    ],
)
def test_what_is_left_of_an_attempt_that_the_api_has(state: str, age: float, rest: dict[str, str]) -> None:
    (first, *_) = made(Weather.CALM, a=SentAgain(AttemptKey("a", 3), age, state))
    assert first["match"]["displayName"] == "* shop/a@3.*"
    assert {name: value for name, value in first.items() if name != "match"} == rest


def test_the_record_begins_without_what_only_the_api_has() -> None:
    ended, uncollected = collected(1), attempt(2, "SUCCEEDED")
    records = [
        row(job("a"), ended, uncollected),
        row(job("b"), attempt(name="b")),
        row(job("c"), unanswered(name="c")),
        row(job("d"), lost(1, name="d")),
    ]
    begun = begin(Recorded({record.name: record for record in records}), LOCAL)
    assert {name: one.key.attempt for name, one in begun.again.items()} == {"a": 2, "b": 1, "c": 1}
    saved = {write.attempt.key: write.attempt for write in begun.writes if isinstance(write, SaveAttempt)}
    assert saved[ended.key].delete_time == LOCAL
    assert saved[AttemptKey("d", 1)].delete_time is None
    for key in (uncollected.key, AttemptKey("b", 1), AttemptKey("c", 1)):
        assert saved[key].is_new
