"""Traps of the reference in results: every row gets its own answer, and nothing that was paid for is thrown away."""

from __future__ import annotations

import json
from datetime import datetime, timedelta

import httpx
import pytest

from batchctl.emulator.clock import parse_duration
from batchctl.emulator.settings import Settings
from batchctl.reconcile import Options
from tests.support.engine import inline, job, phases, results
from tests.support.trap_stories import EMBED, KEYS, Asked, Trap, Twist, on_items, refused, tell_unharmed, told

OBJECT_DETAILS = [{"@type": "type.googleapis.com/google.rpc.DebugInfo", "detail": {"deep": [1, None]}}]


def outputs(asked: Asked) -> tuple[dict, dict] | None:
    """An answer that was to hold results, and its output wherever it stands in there."""
    if asked.what != "get" or not ("output" in asked.fields or asked.fields == "response"):
        return None
    value = asked.json()
    return value, value.get("metadata", {}).get("output") or value.get("response") or {}


def only_in_response(asked: Asked) -> httpx.Response | None:
    found = outputs(asked)
    if found is None or asked.fields == "response":
        return None
    found[0]["metadata"].pop("output", None)
    return told(found[0])


def only_in_metadata(asked: Asked) -> httpx.Response | None:
    found = outputs(asked)
    return None if found is None else told({name: part for name, part in found[0].items() if name != "response"})


def in_both(asked: Asked) -> httpx.Response | None:
    found = outputs(asked)
    return None if found is None else told({**found[0], "response": {"@type": "x", **found[1]}})


def under(*names: str) -> Twist:
    """Embeddings under the names that are documented, nested and not."""

    def twist(asked: Asked) -> httpx.Response | None:
        found = outputs(asked)
        items = found and found[1].get("inlinedResponses", {}).get("inlinedResponses")
        if not found or not items or "embedding" not in items[0].get("response", {}):
            return None
        nested = items
        for name in reversed(names):
            nested = {name: nested}
        found[0]["metadata"]["output"] = nested
        return told(found[0])

    return twist


def rotated(items):
    return [*items[2:], *items[:2]]


def twice(items):
    return [*items, {**items[0], "response": {"candidates": [], "late": True}}]


def untold(item):
    """The same result without a word of whose it is."""
    return {name: part for name, part in item.items() if name not in {"key", "metadata"}}


def of_odd_types(items):
    return [
        {**item, "metadata": {**item.get("metadata", {}), "n": 1.5, "tags": [1, {}], "none": None}} for item in items
    ]


def indexes_as_numbers(items):
    return [
        {**item, "metadata": {"key": item["metadata"]["key"], "index": int(item["metadata"]["batchctl-row"][1:])}}
        if "metadata" in item
        else item
        for item in items
    ]


def last_first(items):
    return [dict(reversed(item.items())) for item in items]


def failed_second(error):
    return lambda items: [items[0], {**untold_response(items[1]), "error": error}, *items[2:]]


def untold_response(item):
    return {name: part for name, part in item.items() if name != "response"}


def spaced(asked: Asked) -> httpx.Response | None:
    """Blank lines and other line ends in a result file, and no line end at its end."""
    if asked.what != "download":
        return None
    return httpx.Response(200, content=b"\n" + asked.answer().content.replace(b"\n", b"\r\n\n").rstrip())


TRAPS = [
    Trap("results in response alone", "1.4", only_in_response),
    Trap("results in metadata.output alone", "1.4", only_in_metadata),
    Trap("results in both places", "1.4", in_both),
    Trap("embeddings under their documented name", "1.2", under("inlinedEmbedContentResponses")),
    Trap("embeddings under the documented name twice", "1.2", under(*["inlinedEmbedContentResponses"] * 2)),
    Trap("embeddings under both names", "1.4", under("inlinedEmbedContentResponses", "inlinedResponses")),
    Trap("results in another order", "8.1, 13", on_items(rotated)),
    Trap("members of a line in another order", "8.1", on_items(last_first)),
    Trap("a key that comes twice", "8.1", on_items(twice), unmatched=1),
    Trap(
        "a result without key and metadata",
        "13",
        on_items(lambda items: [*items[:2], untold(items[2])]),
        ok=2,
        unmatched=1,
    ),
    Trap("no result with key and metadata", "13", on_items(lambda items: [*map(untold, items)]), ok=0, unmatched=3),
    Trap("a row without a result", "8.1", on_items(lambda items: items[:2]), ok=2),
    Trap("metadata values that are no strings", "6.6", on_items(of_odd_types)),
    Trap("indexes that are numbers", "6.6", on_items(indexes_as_numbers)),
    Trap(
        "a row's error with object details",
        "6.6",
        on_items(failed_second({"code": 3, "details": OBJECT_DETAILS})),
        ok=2,
    ),
    Trap("a row that was not served", "1.4", on_items(failed_second({"code": 1})), ok=2),
    Trap("blank lines in a result file", "8.1", spaced),
    Trap("result file not readable yet", "8.1", settings=Settings(result_file_lag=parse_duration("20m"))),
]


@pytest.mark.parametrize("trap", TRAPS, ids=str)
def test_every_row_gets_its_own(make_world, trap):
    tell_unharmed(make_world(settings=trap.settings), trap)


def test_a_lasting_403_for_the_result_file_loses_the_results_and_buys_nothing(world):
    """2.3: a file that is gone is forbidden, not missing."""
    jobs = [job("file", world.write_rows("rows.jsonl", *KEYS)), job("inline")]
    world.apply(*jobs)
    world.time.advance(timedelta(days=50))
    refusals = []

    def twist(asked):
        if asked.what == "download":
            refusals.append(asked.on)
            return refused(
                403, "PERMISSION_DENIED", "You do not have permission to access the File or it may not exist."
            )
        return None

    world.line.twist = twist
    for _ in range(2):
        report = world.watch(*jobs)
    assert phases(report)["file"] == "ResultsLost"
    assert refusals or world.here.calls("files.download") == 0
    assert world.writes() == {"create file@1.0": 1, "create inline@1.0": 1}


def shorter(world, times: int) -> list[datetime]:
    """The first answers with results lack the last one. Gives the times of these answers."""
    asked: list[datetime] = []

    def short(items):
        asked.append(world.time.now())
        return items[:-1] if len(asked) <= times else items

    world.line.twist = on_items(short)
    return asked


@pytest.mark.parametrize("in_file", [False, True], ids=["inline", "file"])
def test_rows_that_come_late_are_not_bought_again(world, in_file):
    """13: SUCCEEDED before the result file is there, whole or in part. The API counts more answers than it has."""
    asked = shorter(world, 3)
    source = world.write_rows("rows.jsonl", *KEYS) if in_file else inline(*KEYS)
    one = job("a", source, retry_on=frozenset({"ROWS"}), backoff_limit=3)
    report = world.watch(one)
    assert (phases(report), results(report)) == ({"a": "Succeeded"}, {"a": "done"})
    assert world.result_rows("a").keys() == set(KEYS)
    assert (world.writes()["create a@1.0"], world.attempt("a").key.attempt) == (1, 1)
    assert asked[-1] - asked[0] < timedelta(hours=1)
    assert world.events("a").count("collected") == 1


def test_rows_that_never_come_are_waited_for_for_an_hour(world):
    asked = shorter(world, 10**6)
    one = job("a", inline(*KEYS))
    assert results(world.apply(one)) == {"a": "done"}
    world.time.sleep(10)
    report = world.apply(one)
    assert results(report) == {"a": "pending"}
    assert world.attempt("a").trouble.message == "the results have 2 of the 3 rows that the API counts as answered"
    assert not list(world.results.glob("a/*/results.jsonl"))
    assert phases(world.watch(one)) == {"a": "Succeeded"}
    assert asked[-1] - asked[0] >= timedelta(hours=1)
    assert world.attempt("a").rows.verdicts == {"NO_RESULT": 1, "OK": 2}
    assert world.writes()["create a@1.0"] == 1


def test_a_job_is_not_deleted_before_its_late_rows_have_come(world):
    shorter(world, 2)
    world.apply(job("a", inline(*KEYS)))
    world.time.sleep(10)
    assert results(world.apply(options=Options(allow_empty=True))) == {"a": "pending"}
    assert not any(what.startswith("delete") for what in world.writes())
    world.watch(options=Options(allow_empty=True))
    assert world.result_rows("a").keys() == set(KEYS)
    assert any(what.startswith("delete batches/") for what in world.writes())


def test_files_get_refuses_a_result_files_name_and_is_not_needed(world):
    """2.3: the name of a result file is longer than files.get takes; its download works."""
    world.watch(job("file", world.write_rows("rows.jsonl", *KEYS)))
    remote = world.attempt("file").remote.removeprefix("batches/")
    with pytest.raises(AssertionError, match="cannot be more than 40 characters"):
        world.here.api("GET", f"files/batch-{remote}")
    assert (world.here.calls("files.get"), world.here.calls("files.download")) == (1, 1)
    assert world.result_rows("file").keys() == set(KEYS)


def test_embeddings_that_all_failed_are_a_failed_job_with_its_errors(world):
    """1.4: they arrive under the name of the other kind, so only the errors say what they are."""
    world.line.twist = on_items(
        lambda items: [{"error": {"code": 3, "message": "no"}, **untold_response(one)} for one in items]
    )
    report = world.watch(job("e", inline(*KEYS, kind=EMBED), kind=EMBED))
    assert (phases(report), world.writes()) == ({"e": "Failed"}, {"create e@1.0": 1})
    (lines,) = world.results.glob("e/*/results.jsonl")
    assert [json.loads(line)["key"] for line in lines.read_text().splitlines()] == list(KEYS)


@pytest.mark.parametrize("status", [503, 504])
def test_a_huge_job_that_the_api_cannot_send_for_a_while(world, status):
    """9, 13: a get of very large inline results fails after a minute; the looks before go without them."""
    failures = []

    def twist(asked):
        if asked.what == "get" and "output" in asked.fields and len(failures) < 8:
            failures.append(world.time.now())
            world.time.sleep(60)
            return refused(status, "UNAVAILABLE")
        return None

    world.line.twist = twist
    other = job("small", world.write_rows("rows.jsonl", *KEYS))
    report = world.watch(job("huge"), other)
    assert (phases(report), results(report)) == (
        {"huge": "Succeeded", "small": "Succeeded"},
        {"huge": "done", "small": "done"},
    )
    assert len(failures) == 8
    assert world.result_rows("huge").keys() == {"k1", "k2"}
    assert {what: times for what, times in world.writes().items() if not what.startswith("delete files/")} == {
        "create huge@1.0": 1,
        "create small@1.0": 1,
    }
