"""The bounds of admission besides jobs at once: create calls a minute, tokens, what was learned, and whose they are."""

from __future__ import annotations

from datetime import timedelta

import pytest

from batchctl.model.admission import AdmissionLimits, LimitKind, QueuePlace, Quota, QuotaKey
from batchctl.model.attempts import Intent, RecordedAttempt
from batchctl.model.desired import DesiredJob
from batchctl.model.keys import Api
from batchctl.model.observed import RemoteJob
from batchctl.model.recorded import RecordedJob
from batchctl.model.stack import ProviderConfig
from batchctl.reconcile import Options
from batchctl.reconcile.admission.queue import ordinal
from tests.support.decisions import (
    HERE,
    HOUR,
    LOCAL,
    MINUTE,
    NOW,
    SECOND,
    THERE,
    attempt,
    collected,
    decide,
    found,
    job,
    look,
    mark,
    row,
    seen,
    show,
    unanswered,
)
from tests.support.queue_limits import ACTIVE, KEY, MODEL, admitted, bounds, of, queue
from tests.support.values import replace

# --- create calls per minute


def at(*ages: timedelta) -> tuple[list[DesiredJob], list[RecordedJob], list[RemoteJob]]:
    """Jobs that were created so long ago."""
    made = [
        attempt(1, "SUCCEEDED", name=f"x{number}", create_time=NOW - age, results="x/1")
        for number, age in enumerate(ages)
    ]
    wanted = [job(one.key.job) for one in made]
    return wanted, [row(each, one) for each, one in zip(wanted, made, strict=True)], [seen(one) for one in made]


@pytest.mark.parametrize(
    ("ages", "names", "due"),
    [
        ([], "a b", MINUTE),
        ([MINUTE - SECOND, MINUTE - SECOND], "", SECOND),
        ([MINUTE, MINUTE], "a b", MINUTE),
        ([MINUTE + SECOND, MINUTE - SECOND], "a", SECOND),
        ([10 * SECOND, 20 * SECOND, 30 * SECOND], "", 40 * SECOND),
    ],
)
def test_create_calls_a_minute(ages: list[timedelta], names: str, due: timedelta) -> None:
    wanted, records, shown = at(*ages)

    made = decide([*map(job, "abc"), *wanted], records, [look(*shown)], limits=bounds(creates_per_minute=2))

    assert admitted(made) == names
    assert {of(made, name).next_time for name in queue(made)} == {NOW + due}
    assert of(made, "c").queue == QueuePlace(len(queue(made)), len(queue(made)), LimitKind.RATE, max(2, len(ages)), 2)
    assert "create calls a minute were made on main" in of(made, "c").reason


@pytest.mark.parametrize(("ago", "names"), [(MINUTE - SECOND, ""), (MINUTE, "b")])
def test_a_call_without_an_answer_was_a_call(ago: timedelta, names: str) -> None:
    record = row(job(), attempt(1, None, remote=None, intent=Intent(LOCAL - ago)))

    made = decide([job(), job("b")], [record], [look()], limits=bounds(creates_per_minute=1))

    assert admitted(made) == names


def test_calls_that_only_the_list_tells_of_and_calls_elsewhere() -> None:
    limits = bounds(creates_per_minute=1)
    orphan = found(1, "SUCCEEDED", name="orphan", age=SECOND)
    far = attempt(1, "SUCCEEDED", name="far", account=THERE, create_time=NOW, results="x")
    records = [row(job("far", account=THERE), far)]

    assert admitted(decide([job()], [], [look(orphan)], limits=limits)) == ""
    assert admitted(decide([job()], [], [look(replace(orphan, mark=None))], limits=limits)) == "a"
    others = replace(orphan, mark=mark(name="orphan", uid="fedcba"))
    assert admitted(decide([job()], [], [look(others)], limits=limits)) == "a"
    assert admitted(decide([job()], records, [look()], limits=limits)) == "a"


# --- tokens


def test_tokens_of_one_model_hold_back_that_model_alone() -> None:
    wanted = [
        job("a", tokens=60),
        job("b", tokens=50),
        job("c", tokens=10),
        job("d", tokens=60, model="gemini-2.5-pro"),
        job("e"),
    ]

    made = decide(wanted, [], [look()], limits=bounds(enqueued_tokens=100))

    # Nobody overtakes: c and e would fit, but stand behind b.
    assert (admitted(made), queue(made)) == ("a d", ["b", "c", "e"])
    words = f"about 60 of 100 tokens are enqueued for {MODEL} on main, b needs about 50 (estimated by bytes)"
    assert of(made, "b").reason.endswith(words)
    assert of(made, "c").reason.endswith(words)
    assert of(made, "b").queue == QueuePlace(1, 3, LimitKind.TOKENS, 60, 100)


@pytest.mark.parametrize(("most", "names"), [(89, ""), (90, "b")])
def test_tokens_at_work_count(most: int, names: str) -> None:
    wanted = [job("a", tokens=60), job("b", tokens=30)]

    made = decide(wanted, [row(wanted[0], ACTIVE)], [look(seen(ACTIVE))], limits=bounds(enqueued_tokens=most))

    assert admitted(made) == names


def test_a_number_for_one_model_wins() -> None:
    wanted = [job("a", tokens=60, model="models/gemini-2.5-pro"), job("b", tokens=60), job("c", tokens=60)]
    limits = bounds(enqueued_tokens=100, tokens_by_model={"gemini-2.5-pro": 10})

    made = decide(wanted, [], [look()], limits=limits)

    assert show(made) == "create Waiting consent | ! NeverFits"
    assert (admitted(made), queue(made)) == ("b", ["c"])


def test_what_never_fits_is_refused_with_a_way_out() -> None:
    made = decide([job(tokens=101), job("b", tokens=100)], [], [look()], limits=bounds(enqueued_tokens=100))

    (guard,) = made.guards
    words = "a has about 101 tokens (estimated by bytes), and no more than 100 may be enqueued for its model"
    assert guard.message == words
    assert guard.way_out == "split its input, or raise limits.enqueuedTokens"
    assert admitted(made) == "b"


def test_a_job_that_is_no_longer_wanted_counts_with_what_was_recorded_of_it() -> None:
    leaving = attempt(name="a", input_bytes=4 * 60)
    records = [row(job("a", protect=True), leaving)]
    wanted = [job("b", work="2", tokens=41), job("c", work="2", tokens=40)]

    made = decide(wanted, records, [look(seen(leaving))], limits=bounds(enqueued_tokens=100))

    assert of(made, "b").reason.endswith(
        f"about 60 of 100 tokens are enqueued for {MODEL} on main, b needs about 41 (estimated by bytes)"
    )
    assert admitted(decide(wanted[1:], records, [look(seen(leaving))], limits=bounds(enqueued_tokens=100))) == "c"


@pytest.mark.parametrize(
    ("record", "shown"),
    [
        pytest.param(attempt(input_bytes=240), [found(1)], id="seen"),
        pytest.param(attempt(input_bytes=240), [], id="not seen"),
        pytest.param(unanswered(input_bytes=240), [], id="nobody knows"),
        pytest.param(collected(input_bytes=240), [found(1, suffix="-second")], id="a second remote job"),
    ],
)
def test_what_was_recorded_counts_and_not_what_the_manifest_says_by_now(
    record: RecordedAttempt, shown: list[RemoteJob]
) -> None:
    wanted = [job(work="2", tokens=1), job("b", tokens=41)]

    made = decide(wanted, [row(job(), record)], [look(*shown)], limits=bounds(enqueued_tokens=100))

    assert "about 60 of 100 tokens" in of(made, "b").reason


# --- by model


def test_active_jobs_of_one_model() -> None:
    wanted = [job("a"), job("b"), job("c", model="models/gemini-2.5-pro"), job("d")]

    made = decide(wanted, [], [look()], limits=bounds(active_by_model={MODEL: 1}))

    assert (admitted(made), queue(made)) == ("a c", ["b", "d"])
    assert of(made, "b").reason.endswith(f"1 of 1 jobs of {MODEL} are active on main")
    assert of(made, "d").queue == QueuePlace(2, 2, LimitKind.ACTIVE, 1, 1)


def test_active_jobs_of_one_model_and_of_all() -> None:
    wanted = [job("a"), job("b"), job("c", model="gemini-2.5-pro"), job("d", model="gemini-2.5-pro")]

    made = decide(wanted, [], [look()], limits=bounds(active=2, active_by_model={MODEL: 1}))

    assert (admitted(made), queue(made)) == ("a c", ["b", "d"])
    assert of(made, "d").reason.endswith("2 of 2 jobs are active on main")


def test_create_calls_a_minute_of_one_model() -> None:
    wanted, records, shown = at(10 * SECOND, 30 * SECOND, 2 * MINUTE)
    jobs = [job("a"), job("b", model="gemini-2.5-pro"), job("c")]

    made = decide([*jobs, *wanted], records, [look(*shown)], limits=bounds(creates_by_model={MODEL: 2}))

    assert (admitted(made), queue(made)) == ("b", ["a", "c"])
    assert of(made, "a").reason.endswith(f"2 of 2 create calls a minute for {MODEL} were made on main")
    assert of(made, "a").next_time == NOW + 30 * SECOND
    assert admitted(decide([*jobs, *wanted], records, [look(*shown)], limits=bounds(creates_by_model={MODEL: 3}))) == (
        "a b"
    )


@pytest.mark.parametrize(
    ("remote", "names"),
    [
        pytest.param(found(1, "SUCCEEDED", name="orphan", age=SECOND, model=f"models/{MODEL}"), "", id="that one"),
        pytest.param(found(1, "SUCCEEDED", name="orphan", age=SECOND, model="gemini-2.5-pro"), "a", id="another"),
        pytest.param(found(1, "SUCCEEDED", name="orphan", age=SECOND), "a", id="nobody knows which"),
    ],
)
def test_a_call_that_only_the_list_tells_of_counts_for_its_model(remote: RemoteJob, names: str) -> None:
    made = decide([job()], [], [look(remote)], limits=bounds(creates_by_model={MODEL: 1}))

    assert admitted(made) == names


# --- learned limits


def learned(limit: int, *, ago: timedelta = MINUTE, pause: timedelta = MINUTE, model: str = MODEL) -> Quota:
    return Quota(QuotaKey(HERE, model), limit, NOW - ago, NOW - ago + pause)


def test_a_learned_limit_holds_back_its_model_alone() -> None:
    wanted = [job("a"), job("b"), job("c"), job("d", model="gemini-2.5-pro")]

    made = decide(wanted, [row(wanted[0], ACTIVE)], [look(seen(ACTIVE))], quotas=[learned(1)])

    assert (admitted(made), queue(made)) == ("b d", ["c"])
    words = f"2 jobs of {MODEL} are active on main, and the API seems to allow 2"
    assert of(made, "c").reason == f"new in the manifests; 1st of 1 in the queue: {words}"
    assert of(made, "c").queue == QueuePlace(1, 1, LimitKind.QUOTA, 2, 2)
    assert of(made, "c").next_time == NOW + MINUTE


@pytest.mark.parametrize(
    ("left", "names"), [(SECOND, ""), (timedelta(), "a b c"), (-SECOND, "a b c")], ids=["before", "at", "after"]
)
def test_nothing_is_sent_before_the_pause_is_over(left: timedelta, names: str) -> None:
    quota = learned(9, pause=MINUTE + left)

    made = decide(map(job, "abc"), [], [look()], quotas=[quota])

    assert admitted(made) == names
    assert [of(made, name).next_time for name in queue(made)] == [NOW + SECOND] * (3 - len(names.split()))
    if queue(made):
        words = f"the quota of {MODEL} on main is used up, as the API says"
        assert of(made, "a").reason == f"new in the manifests; 1st of 3 in the queue: {words}"


@pytest.mark.parametrize(("ago", "count"), [(2 * MINUTE - SECOND, 2), (2 * MINUTE, 3)])
def test_a_learned_limit_grows_by_one_with_each_pause(ago: timedelta, count: int) -> None:
    made = decide(map(job, "abcd"), [], [look()], quotas=[learned(1, ago=ago)])

    assert len(admitted(made).split()) == count


def test_quotas_of_other_accounts_say_nothing() -> None:
    other = replace(learned(1, pause=HOUR), key=QuotaKey(THERE, MODEL))

    assert admitted(decide(map(job, "ab"), [], [look()], quotas=[other])) == "a b"


# --- whose limits


def provider(name: str = "main", **fields: object) -> ProviderConfig:
    return ProviderConfig(name, Api.GEMINI, admission=AdmissionLimits(**fields))  # type: ignore[arg-type]


def test_a_providers_own_limits_win() -> None:
    made = decide(map(job, "abc"), [], [look()], limits=bounds(active=1), providers=[provider(active=2)])

    assert admitted(made) == "a b"


def test_of_two_providers_on_one_account_the_strictest_counts() -> None:
    both = [provider(active=5, creates_per_minute=9), provider("other", active=1, enqueued_tokens=7)]
    wanted = [job("a"), replace(job("b"), provider="other"), job("c", tokens=8)]

    made = decide(wanted, [], [look()], providers=both)

    assert (admitted(made), queue(made)) == ("a", ["b"])
    assert show(made, "c").endswith("! NeverFits")
    assert of(made, "b").reason.endswith("1 of 1 jobs are active on other")


def test_of_two_numbers_for_one_model_the_smaller_counts() -> None:
    both = [provider(tokens_by_model={MODEL: 10}), provider("other", enqueued_tokens=5)]
    wanted = [job("a", tokens=5), replace(job("b", tokens=1), provider="other")]

    assert queue(decide(wanted, [], [look()], providers=both)) == ["b"]


@pytest.mark.parametrize(
    ("own", "other", "expected"),
    [
        ({}, {}, (None, None, None)),
        ({}, {"active": 3, "enqueued_tokens": 4, "creates_per_minute": 5}, (3, 4, 5)),
        ({"active": 1, "enqueued_tokens": 1, "creates_per_minute": 1}, {"active": 3, "enqueued_tokens": 4}, (1, 1, 1)),
        ({"enqueued_tokens": 6}, {"tokens_by_model": {"m": 4}}, (None, 6, None)),
        ({"tokens_by_model": {"m": 6}}, {"tokens_by_model": {"m": 4}}, (None, 6, None)),
        ({"tokens_by_model": {"x": 6}}, {"enqueued_tokens": 9, "tokens_by_model": {"m": 4}}, (None, 4, None)),
        ({"tokens_by_model": {"x": 6}}, {"enqueued_tokens": 9}, (None, 9, None)),
        (
            {"active_by_model": {"x": 6}, "creates_by_model": {"x": 7}},
            {"active": 9, "creates_per_minute": 8},
            (9, None, 8),
        ),
    ],
)
def test_limits_over_limits(own: dict, other: dict, expected: tuple[int | None, int | None, int | None]) -> None:
    made = AdmissionLimits(**own).over(AdmissionLimits(**other))

    assert (made.active, made.tokens_of("m"), made.creates_per_minute) == expected


@pytest.mark.parametrize(
    ("own", "other", "expected"),
    [
        ({}, {"x": 1}, {"x": 1}),
        ({"by_model": {"x": 2}}, {"x": 1, "y": 3}, {"x": 2, "y": 3}),
        ({"number": 9}, {"x": 1}, {}),
        ({"number": 9, "by_model": {"x": 2}}, {"x": 1, "y": 3}, {"x": 2}),
    ],
)
@pytest.mark.parametrize(
    ("number", "by_model"), [("active", "active_by_model"), ("creates_per_minute", "creates_by_model")]
)
def test_numbers_by_model_over_numbers_by_model(
    own: dict, other: dict, expected: dict, number: str, by_model: str
) -> None:
    names = {"number": number, "by_model": by_model}
    mine = AdmissionLimits(**{names[name]: value for name, value in own.items()})

    assert getattr(mine.over(AdmissionLimits(**{by_model: other})), by_model) == expected


def test_of_two_numbers_by_model_the_smaller_counts() -> None:
    both = [provider(active_by_model={MODEL: 3}), provider("other", active_by_model={MODEL: 1, "x": 1})]
    wanted = [job("a"), replace(job("b"), provider="other"), job("c", model="x")]

    assert (queue(decide(wanted, [], [look()], providers=both))) == ["b"]


def test_the_plan_tells_what_is_at_work_by_model() -> None:
    pro = replace(found(1, name="b"), model="publishers/google/models/gemini-2.5-pro")

    made = decide([], [row(job(), ACTIVE)], [look(seen(ACTIVE), pro)], Options(allow_empty=True))

    assert made.live == {KEY: 1, QuotaKey(HERE, "gemini-2.5-pro"): 1}


def test_ordinals() -> None:
    numbers = (1, 2, 3, 4, 10, 11, 12, 13, 21, 22, 101, 111)
    words = "1st 2nd 3rd 4th 10th 11th 12th 13th 21st 22nd 101st 111th"

    assert " ".join(map(ordinal, numbers)) == words
