"""Input on its way out and results on their way back."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest

from batchctl.emulator.clock import parse_duration
from batchctl.emulator.settings import Settings
from batchctl.engine.loop.drive import Around, Until, drive
from batchctl.model.capabilities import CAPABILITIES
from batchctl.model.keys import Api
from batchctl.model.kinds import Kind
from batchctl.model.lifecycle import OnRemove
from batchctl.model.ports.inputs import SentRows, UnorderedRows
from batchctl.model.sources import UploadedFile
from batchctl.model.stack import ProviderConfig
from batchctl.reconcile import Options
from batchctl.rows.results import ResultsFolder
from tests.support.engine import EMBED_MODEL, inline, job, made, phases, plan_of, results
from tests.support.values import replace

EMBED = Kind.EMBEDDINGS_BATCH_JOB
DOWNLOAD = "files.download"
UPLOADS = "files.create"


def current(world, name="a"):
    return str((world.results / name / "current").readlink())


@pytest.mark.parametrize("kind", list(Kind))
@pytest.mark.parametrize("in_file", [False, True], ids=["inline", "file"])
def test_results_come_back_by_row(world, kind, in_file):
    keys = ("k3", "k1", "k2")
    source = world.write_rows("a.jsonl", *keys, kind=kind) if in_file else inline(*keys, kind=kind)
    report = world.watch(job("a", source, kind=kind))
    rows = world.result_rows("a")
    assert list(rows) == list(keys)
    assert [row["index"] for row in rows.values()] == [0, 1, 2]
    member = "embedding" if kind is EMBED else "candidates"
    assert all(member in row["response"] for row in rows.values())
    attempt = world.attempt("a")
    assert (attempt.rows.total, attempt.rows.ok, attempt.rows.failed) == (3, 3, 0)
    assert current(world) == attempt.results.removeprefix("a/")
    assert (world.here.calls(DOWNLOAD), plan_of(report, "a").attempt.results) == (int(in_file), attempt.results)
    assert kind is not EMBED or world.here.jobs()[0]["model"].endswith(EMBED_MODEL)


def test_the_manifest_beside_the_results_says_whose_they_are(world):
    world.watch(job("a"))
    manifest = json.loads((world.results / "a" / "current" / "manifest.json").read_text())
    attempt = world.attempt("a")
    assert manifest["marks"] == {"stack": "shop", "uid": "abc123", "token": attempt.token}
    assert (manifest["remote"], manifest["digest"], manifest["state"]) == (
        attempt.remote,
        attempt.digest,
        attempt.state,
    )


@pytest.mark.parametrize("status", [403, 404, 400, 503])
def test_a_result_file_that_is_not_ready_is_waited_for(world, status):
    world.here.faults({"method": DOWNLOAD, "kind": "status", "status": status, "count": 7})
    report = world.watch(job("a", world.write_rows("a.jsonl", "k1", "k2")))
    assert (results(report), phases(report)) == ({"a": "done"}, {"a": "Succeeded"})
    assert world.here.calls(DOWNLOAD) == 8
    assert world.result_rows("a").keys() == {"k1", "k2"}
    assert [event for event in world.events("a") if event in {"failed", "not ready"}] == [
        "failed" if status == 503 else "not ready"
    ]
    assert world.events("a").count("collected") == 1


@pytest.mark.parametrize("lag", ["2m", "20m"])
def test_a_result_file_that_lags_behind_the_end_is_waited_for(make_world, lag):
    world = make_world(settings=Settings(result_file_lag=parse_duration(lag)))
    report = world.watch(job("a", world.write_rows("a.jsonl", "k1", "k2")))
    assert (results(report), phases(report)) == ({"a": "done"}, {"a": "Succeeded"})
    assert world.result_rows("a").keys() == {"k1", "k2"}


def test_results_that_are_not_ready_are_pending_to_a_plain_apply(world):
    source = world.write_rows("a.jsonl", "k1", "k2")
    world.apply(job("a", source))
    world.time.sleep(10)
    world.here.faults({"method": DOWNLOAD, "kind": "status", "status": 404})
    report = world.apply(job("a", source))
    assert (results(report), report.outcomes["a"].error.exit_code, world.clock.sleeps) == ({"a": "pending"}, 7, [])
    assert report.outcomes["a"].remote == world.attempt("a").remote
    assert (world.attempt("a").results, world.events("a")[-1]) == (None, "not ready")
    world.here.faults()
    assert results(world.apply(job("a", source))) == {"a": "done"}
    assert world.result_rows("a").keys() == {"k1", "k2"}


def test_a_download_that_breaks_off_midway_leaves_nothing_half(world):
    source = world.write_rows("a.jsonl", "k1", "k2")
    world.here.faults({"method": DOWNLOAD, "kind": "cut", "when": "after", "count": 5})
    world.apply(job("a", source))
    world.time.sleep(10)
    assert results(world.apply(job("a", source))) == {"a": "failed"}
    assert [path.name for path in (world.results / "a").iterdir()] == []
    assert results(world.apply(job("a", source))) == {"a": "done"}


def test_rows_that_failed_are_counted_and_the_job_is_a_success(world):
    world.here.rules({"fate": "rows", "match": {"row": "k2"}})
    report = world.watch(job("a"))
    assert phases(report) == {"a": "Succeeded"}
    attempt = world.attempt("a")
    assert (attempt.rows.ok, attempt.rows.failed) == (1, 1)
    assert current(world) == attempt.results.removeprefix("a/")
    assert "error" in world.result_rows("a")["k2"]


def test_current_points_only_at_good_results(world):
    """Every row failed: collected, but nobody's result."""
    world.watch(job("a"))
    good = current(world)
    world.here.rules({"fate": "rows"})
    report = world.watch(job("a", run_id="2"))
    assert phases(report) == {"a": "Failed"}
    bad = world.attempt("a", 2).results
    assert (world.results / bad / "results.jsonl").is_file()
    assert current(world) == good
    # Nor when the job's row is written for another reason.
    world.apply(job("a", run_id="2", labels={"team": "search"}))
    assert (current(world), world.recorded().jobs["a"].row.labels) == (good, {"team": "search"})


@pytest.mark.parametrize("fate", ["fail", "expire"])
def test_current_does_not_point_at_what_a_job_left_that_failed(world, fate):
    world.here.rules({"fate": fate})
    world.watch(job("a"))
    assert world.attempt("a").results is not None
    assert not (world.results / "a" / "current").is_symlink()
    world.apply(job("a", labels={"team": "search"}))
    assert not (world.results / "a" / "current").is_symlink()


@pytest.mark.parametrize("keys", [("k3", "k1"), ("k3", "k1", "k4")])
def test_rows_of_a_job_that_is_replaced_have_positions_even_if_their_file_changed(world, keys):
    world.apply(job("a", world.write_rows("a.jsonl", "k3", "k1")))
    world.time.sleep(10)
    world.watch(job("a", world.write_rows("a.jsonl", *keys), run_id="2"))
    lines = (world.results / world.attempt("a", 1).results / "results.jsonl").read_text().splitlines()
    assert [json.loads(line)["index"] for line in lines] == [0, 1]


def test_a_later_attempt_takes_current_over(world):
    world.watch(job("a"))
    first = current(world)
    world.watch(job("a", run_id="2"))
    assert current(world) == world.attempt("a", 2).results.removeprefix("a/") != first
    assert (world.results / "a" / first).is_dir()


def test_going_back_to_earlier_work_uses_its_results_again_and_buys_nothing(world):
    world.watch(job("a"))
    first = current(world)
    world.watch(job("a", run_id="2"))
    second = current(world)
    report = world.watch(job("a"))
    assert (current(world), phases(report), results(report)) == (first, {"a": "Succeeded"}, {"a": "done"})
    assert made(world.here) == {"a@1.0": 1, "a@2.0": 1}
    assert report.outcomes["a"].remote == world.attempt("a", 1).remote
    world.watch(job("a", run_id="2"))
    assert current(world) == second
    assert made(world.here) == {"a@1.0": 1, "a@2.0": 1}


def test_what_a_replaced_job_had_done_is_collected_before_it_goes(world):
    world.here.rules({"running": "1h"})
    source = world.write_rows("a.jsonl", *(f"k{number}" for number in range(10)))
    world.apply(job("a", source))
    world.time.sleep(1800)
    world.here.rules()
    report = world.watch(job("a", source, run_id="2"))
    assert phases(report) == {"a": "Succeeded"}
    old = world.attempt("a", 1)
    assert 0 < old.rows.ok < 10
    assert (old.rows.total, old.delete_time is None) == (10, False)
    assert len((world.results / old.results / "results.jsonl").read_text().splitlines()) == old.rows.ok
    assert current(world) == world.attempt("a", 2).results.removeprefix("a/")


def test_results_of_a_removed_job_are_kept(world):
    source = world.write_rows("a.jsonl", "k1")
    world.apply(job("a", source))
    world.time.sleep(10)
    source.path.unlink()
    report = world.watch(options=Options(allow_empty=True))
    assert results(report) == {"a": "done"}
    assert (world.result_rows("a").keys(), world.recorded().jobs) == ({"k1"}, {})
    assert [one["deleted"] for one in world.here.jobs()] == [True]


def test_results_of_a_job_that_is_let_go_of_are_collected_first(world):
    world.apply(job("a", on_remove=OnRemove.CANCEL))
    world.time.sleep(10)
    world.apply(job("b"))
    assert world.result_rows("a").keys() == {"k1", "k2"}
    assert [one["deleted"] for one in world.here.jobs() if one["mark"].key.job == "a"] == [False]


def test_results_that_are_lost_are_reported_and_not_bought_again(world):
    world.apply(job("a"))
    world.time.sleep(10)
    world.one_pass(job("a"), options=Options())
    world.apply(job("b"), job("a"))
    world.time.sleep(10)
    world.here.faults({"method": "batches.get", "kind": "status", "status": 500})
    blocked = world.one_pass(job("a"), job("b"))
    assert results(blocked)["b"] == "failed"
    world.here.faults()
    world.here.api("DELETE", world.attempt("b").remote)
    report = world.watch(job("a"), job("b"))
    assert phases(report) == {"a": "Succeeded", "b": "ResultsLost"}
    assert [one.job for one in report.failed_jobs] == ["b"]
    assert made(world.here) == {"a@1.0": 1, "b@1.0": 1}


def test_results_of_unknown_order_are_collected_too(world):
    """The API holds the input: nobody here knows its keys."""
    source = world.write_rows("a.jsonl", "k1", "k2")
    world.apply(job("a", source))
    (file,) = world.recorded().files
    world.watch(job("a", source), job("b", UploadedFile(file.name)))
    assert world.result_rows("b").keys() == {"k1", "k2"}
    assert world.here.calls(UPLOADS) == 1
    assert (world.attempt("b").rows.ok, world.attempt("b").rows.total) == (2, 2)


class Listening:
    """A results folder that keeps what it was told of the inputs."""

    def __init__(self, inner):
        self._inner = inner
        self.told = {}

    def collect(self, key, digest, remote, items, known, marks, options):
        if isinstance(known, SentRows):
            known = SentRows(list(known.rows))
        self.told[key.job] = known
        return self._inner.collect(key, digest, remote, items, known, marks, options)

    def point_current(self, *given):
        self._inner.point_current(*given)


def test_positions_are_taken_only_from_rows_that_went_out_from_here(world):
    sent = world.write_rows("a.jsonl", "k1", "k2")
    world.apply(job("a", sent))
    (file,) = world.recorded().files
    world.time.sleep(10)
    store = Listening(ResultsFolder(world.results))
    jobs = (job("again", sent), job("rows", inline("x")), job("theirs", UploadedFile(file.name)))
    with world.process(results=store) as tools:
        drive(Around(lambda: world.desired(*jobs)), Options(), Until(ended=True), tools)
    assert store.told["theirs"] == UnorderedRows()
    names = {name: [(row.key, row.sent) for row in store.told[name].rows] for name in ("again", "rows")}
    assert names == {"again": [("k1", {"key": "k1"}), ("k2", {"key": "k2"})], "rows": [("x", {})]}


def test_rows_without_a_result_are_told(world):
    one = job("a", inline("k1", "k2"))
    world.here.rules({"running": "1h"})
    world.apply(one)
    world.time.sleep(1900)
    world.here.api("POST", f"{world.attempt('a').remote}:cancel")
    world.watch(one)
    assert any("1 row ok, 0 failed, 1 without a result" in line for line in world.progress.steps)
    assert world.attempt("a").rows.total == 2


class Strange:
    """A results folder that found rows nobody asked for."""

    def __init__(self, inner):
        self._inner = inner

    def collect(self, *given):
        return replace(self._inner.collect(*given), unmatched=2)

    def point_current(self, *given):
        self._inner.point_current(*given)


def test_results_that_match_no_row_are_told(world):
    with world.process(results=Strange(ResultsFolder(world.results))) as tools:
        drive(Around(lambda: world.desired(job("a"))), Options(), Until(ended=True), tools)
    assert any("2 rows ok, 0 failed, 2 that match no input row" in line for line in world.progress.steps)


# Uploads


def test_an_upload_is_used_again_while_it_has_36_hours_to_live(world):
    source = world.write_rows("a.jsonl", "k1")
    world.apply(job("a", source))
    world.time.advance(timedelta(hours=11, minutes=55))
    world.apply(job("a", source, run_id="2"))
    assert (world.here.calls(UPLOADS), len(world.recorded().files)) == (1, 1)
    assert len({one["inputFile"] for one in world.here.jobs()}) == 1
    world.time.advance(timedelta(minutes=10))
    world.apply(job("a", source, run_id="3"))
    assert world.here.calls(UPLOADS) == 2
    assert len({one["inputFile"] for one in world.here.jobs()}) == 2
    assert made(world.here) == {"a@1.0": 1, "a@2.0": 1, "a@3.0": 1}


def test_a_file_that_is_too_large_once_it_is_encoded_is_not_sent(world):
    source = world.write_rows("a.jsonl", "k1", "k2")
    limits = replace(CAPABILITIES[Api.GEMINI].limits, file_bytes=100)
    providers = {"main": ProviderConfig("main", Api.GEMINI, limits=limits)}
    report = world.apply(job("a", source), job("b"), providers=providers)
    assert results(report) == {"a": "failed", "b": "done"}
    error = report.outcomes["a"].error
    assert (error.code, "limits.fileBytes is 100" in error.message) == ("InputTooLarge", True)
    assert world.here.calls(UPLOADS) == 0
    assert results(world.apply(job("a", source), job("b")))["a"] == "done"


def test_two_jobs_of_the_same_rows_share_an_upload(world):
    source = world.write_rows("a.jsonl", "k1")
    world.apply(job("a", source))
    world.watch(job("a", source), job("b", source))
    assert world.here.calls(UPLOADS) == 1


def test_other_rows_are_another_upload(world):
    world.watch(job("a", world.write_rows("a.jsonl", "k1")))
    world.watch(job("a", world.write_rows("a.jsonl", "k2")))
    assert (world.here.calls(UPLOADS), len(world.recorded().files)) == (2, 0)


def test_an_upload_that_vanished_is_made_anew_and_the_job_is_not_rejected(world):
    source = world.write_rows("a.jsonl", "k1", "k2")
    world.apply(job("a", source))
    (file,) = world.recorded().files
    world.time.sleep(10)
    world.here.api("DELETE", file.name)
    report = world.apply(job("a", source, run_id="2"))
    assert results(report) == {"a": "pending"}
    attempt = world.attempt("a", 2)
    assert (attempt.rejected, attempt.intent, world.events("a")[-1]) == (False, None, "refused for now")
    done = world.watch(job("a", source, run_id="2"))
    assert phases(done) == {"a": "Succeeded"}
    assert made(world.here) == {"a@1.0": 1, "a@2.0": 1}
    assert world.here.calls(UPLOADS) == 2


def test_an_upload_that_vanished_is_no_matter_for_a_watch(world):
    source = world.write_rows("a.jsonl", "k1", "k2")
    world.apply(job("a", source))
    world.time.sleep(10)
    world.here.api("DELETE", world.recorded().files[0].name)
    assert phases(world.watch(job("a", source, run_id="2"))) == {"a": "Succeeded"}


def test_a_file_that_never_was_is_refused_for_good(world):
    report = world.apply(job("a", UploadedFile("files/nosuchfile")))
    assert (results(report), world.attempt("a").rejected) == ({"a": "failed"}, True)


def test_an_upload_that_fails_leaves_nothing_to_settle(world):
    world.here.faults({"method": "files.*", "kind": "status", "status": 503})
    source = world.write_rows("a.jsonl", "k1")
    report = world.apply(job("a", source))
    attempt = world.attempt("a")
    assert (results(report), attempt.intent, attempt.rejected) == ({"a": "failed"}, None, False)
    assert (attempt.trouble.operation, attempt.trouble.code) == ("upload", "ServerFailed")
    assert world.clock.sleeps == []
    assert made(world.here) == {}
    world.here.faults()
    assert phases(world.watch(job("a", source))) == {"a": "Succeeded"}
    assert world.attempt("a").trouble is None


def test_results_that_the_api_has_no_more_are_lost_and_do_not_block_the_removal(world):
    source = world.write_rows("a.jsonl", "k1")
    world.apply(job("a", source))
    world.time.sleep(10)
    world.here.faults({"method": DOWNLOAD, "kind": "status", "status": 403})
    world.time.sleep(25 * 3600)
    report = world.watch(job("a", source))
    assert phases(report) == {"a": "ResultsLost"}
    assert [one.job for one in report.failed_jobs] == ["a"]
    assert world.attempt("a").results_lost
    calls = world.here.calls(DOWNLOAD)
    assert results(world.apply(options=Options(allow_empty=True))) == {"a": "done"}
    assert (world.here.calls(DOWNLOAD), world.here.calls("batches.delete")) == (calls, 1)


def test_a_pointer_that_broke_off_half_way_is_set_right_by_the_next_pass(world):
    world.watch(job("a"))
    world.watch(job("a", run_id="2"))
    wrong = world.results / world.attempt("a", 1).results
    current = world.results / "a" / "current"
    current.unlink()
    current.symlink_to(wrong.name)
    world.apply(job("a", run_id="2"))
    assert f"a/{current.readlink()}" == world.attempt("a", 2).results
