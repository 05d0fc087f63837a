"""`state list|show|rm|mv|pull|push|lock`, as people call them."""

from __future__ import annotations

import os
import shutil
import sqlite3
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from batchctl.model.errors import StateError
from batchctl.model.writes import SaveJob
from tests.support.command_line import Cli, Service, StackFolder, check_schema
from tests.support.state_file import open_intent, state_of


@pytest.fixture
def applied(stack: StackFolder, cli: Cli) -> StackFolder:
    """Two running jobs."""
    for name in ("classify", "translate"):
        stack.write_job(name)
    cli.ok("apply", "--yes")
    return stack


@pytest.fixture
def finished(applied: StackFolder, cli: Cli, service: Service) -> StackFolder:
    """Two finished jobs, collected."""
    service.advance("1h")
    cli.ok("apply", "--yes")
    return applied


def calls(service: Service) -> int:
    total: int = service._call("GET", "/_emulator/requests")["total"]
    return total


# --- looking


def test_list_shows_jobs_attempts_and_phases_without_a_call(finished: StackFolder, cli: Cli, service: Service) -> None:
    before = calls(service)
    ran = cli.ok("state", "list", "-o", "json")
    check_schema("state-list", ran.json)
    assert ran.phases() == {"classify": "Succeeded", "translate": "Succeeded"}
    (attempt,) = ran.json["jobs"][0]["attempts"]
    assert attempt["remote"] == service.of("classify")[0]["name"]
    assert attempt["results"].startswith("classify/")
    assert '"token"' not in ran.out
    text = cli.ok("state", "list").out
    assert "2 jobs recorded for stack shop" in text
    assert attempt["remote"] in text
    assert cli.ok("state", "list", "-o", "name").out == "classify\ntranslate\n"
    assert calls(service) == before


def test_list_of_a_state_that_is_not_there(stack: StackFolder, cli: Cli) -> None:
    ran = cli.ok("state", "list", "-o", "json")
    check_schema("state-list", ran.json)
    assert (ran.json["jobs"], ran.json["lineage"]) == ([], None)
    assert "0 jobs recorded" in cli.ok("state", "list").out
    assert not (stack.path / ".batchctl").exists()


def test_list_works_while_manifests_are_broken(applied: StackFolder, cli: Cli) -> None:
    applied.job_path("classify").write_text("kind: [")
    assert cli("plan").code == 65
    assert cli.ok("state", "list", "-o", "name").out == "classify\ntranslate\n"


def test_show_tells_everything_of_a_job(finished: StackFolder, cli: Cli) -> None:
    ran = cli.ok("state", "show", "translate", "-o", "json")
    check_schema("state-show", ran.json)
    assert [event["what"] for event in ran.json["events"]] == ["create", "created", "state", "collected"]
    assert ran.json["attempts"][0]["tree"]["model"] == "gemini-2.5-flash"
    text = cli.ok("state", "show", "translate").out
    for words in ("translate  Succeeded", "Recorded", "Attempts", "Events", "collected"):
        assert words in text
    assert "first" not in ran.out, "no prompt text"


def test_a_job_that_is_not_recorded(applied: StackFolder, cli: Cli) -> None:
    for command in (["show", "translat"], ["rm", "translat", "--yes"], ["mv", "translat", "other"]):
        ran = cli("state", *command)
        assert ran.code == 1
        assert "JobNotFound" in ran.err
        assert "did you mean translate?" in ran.err
    assert "state list" in cli("state", "show", "zzz").err


# --- rm


def test_rm_has_to_be_asked_for_and_touches_nothing_remote(applied: StackFolder, cli: Cli, service: Service) -> None:
    before = service.jobs()
    ran = cli("state", "rm", "translate")
    assert ran.code == 6
    assert "ConsentNeeded" in ran.err
    assert "finds batches/" in ran.err
    assert cli.ok("state", "list", "-o", "name").out == "classify\ntranslate\n"
    cli.ok("state", "rm", "translate", "--yes")
    assert cli.ok("state", "list", "-o", "name").out == "classify\n"
    assert service.jobs() == before
    assert [event.what for event in state_of(applied).events("translate", 9)][-1] == "forgotten"


def test_what_was_forgotten_is_found_again_by_its_mark(applied: StackFolder, cli: Cli, service: Service) -> None:
    cli.ok("state", "rm", "translate", "--yes")
    assert cli.ok("plan", "-o", "json").actions() == {"classify": "wait", "translate": "adopt"}
    applied.job_path("translate").unlink()
    drift = cli("drift", "-o", "json")
    assert [(item["job"], item["kind"]) for item in drift.json["drift"]] == [("translate", "Orphan")]
    assert service.creates == 2


def test_rm_says_when_nothing_can_be_found_again(finished: StackFolder, cli: Cli, service: Service) -> None:
    service.delete(service.of("translate")[0]["name"])
    cli.ok("apply", "--yes")
    ran = cli.ok("state", "rm", "translate", "--yes")
    assert "creates the job again" in ran.err


def test_rm_refuses_while_a_create_call_has_no_answer(applied: StackFolder, cli: Cli, service: Service) -> None:
    open_intent(applied, "translate")
    ran = cli("state", "rm", "translate", "--yes")
    assert ran.code == 6
    assert "Unsettled" in ran.err
    cli.ok("state", "rm", "translate", "--yes", "--force")


# --- mv


def rename_manifest(stack: StackFolder, name: str, to: str) -> None:
    text = stack.job_path(name).read_text().replace(f"name: {name}\n", f"name: {to}\n")
    stack.job_path(name).unlink()
    stack.job_path(to).write_text(text)


def test_a_rename_in_state_and_manifest_neither_cancels_nor_creates(
    applied: StackFolder, cli: Cli, service: Service
) -> None:
    before = service.jobs()
    cli.ok("state", "mv", "translate", "to-french")
    rename_manifest(applied, "translate", "to-french")
    assert cli("plan", "--detailed-exitcode").code == 0
    ran = cli.ok("apply", "--yes", "-o", "json")
    assert ran.actions() == {"classify": "wait", "to-french": "wait"}
    assert cli.ok("drift", "-o", "json").json["drift"] == []
    assert service.jobs() == before
    service.advance("1h")
    cli.ok("apply", "--yes")
    assert len(cli.ok("results", "to-french").rows) == 3
    shown = cli.ok("state", "show", "to-french", "-o", "json").json
    assert shown["formerNames"] == ["translate"]
    assert [event["what"] for event in shown["events"]] == [
        "create",
        "created",
        "renamed",
        "recorded",
        "state",
        "collected",
    ]
    assert "formerly translate" in cli.ok("state", "show", "to-french").out


def test_a_rename_takes_the_results_folder_along(finished: StackFolder, cli: Cli, service: Service) -> None:
    rows = cli.ok("results", "translate").rows
    cli.ok("state", "mv", "translate", "to-french")
    rename_manifest(finished, "translate", "to-french")
    assert cli.ok("results", "to-french").rows == rows
    assert cli("plan", "--detailed-exitcode").code == 0
    assert not (finished.path / "results" / "translate").exists()
    assert (finished.path / "results" / "to-french" / "current").is_dir()


def test_after_a_crash_in_the_middle_the_same_rename_goes_on(finished: StackFolder, cli: Cli) -> None:
    results = finished.path / "results"
    (results / "translate").rename(results / "to-french")
    cli.ok("state", "mv", "translate", "to-french")
    assert len(cli.ok("results", "to-french").rows) == 3


def test_a_new_job_may_have_the_old_name(applied: StackFolder, cli: Cli, service: Service) -> None:
    cli.ok("state", "mv", "translate", "to-french")
    shutil.copy(applied.job_path("translate"), applied.path / "old.yaml")
    rename_manifest(applied, "translate", "to-french")
    shutil.move(applied.path / "old.yaml", applied.job_path("translate"))
    ran = cli.ok("apply", "--yes", "-o", "json")
    assert ran.actions() == {"classify": "wait", "to-french": "wait", "translate": "create"}
    assert cli("plan", "--detailed-exitcode").code == 0
    # The number goes on where the renamed job stopped: no two remote jobs carry one name and number.
    assert [job["displayName"].partition("translate@")[2][:3] for job in service.of("translate")] == ["1.0", "2.0"]
    assert [job["deleted"] for job in service.of("translate")] == [False, False]


def test_there_and_back_again(applied: StackFolder, cli: Cli, service: Service) -> None:
    cli.ok("state", "mv", "translate", "other")
    cli.ok("state", "mv", "other", "translate")
    assert cli("plan", "--detailed-exitcode").code == 0


def test_a_name_that_cannot_be_had(applied: StackFolder, cli: Cli) -> None:
    names = {
        "classify": "in the state already",
        "Fran\u00e7ais": "not a name",
        "a" * 41: "not a name",
        "": "not a name",
    }
    for to, words in names.items():
        ran = cli("state", "mv", "translate", to)
        assert ran.code == 64
        assert words in ran.err
    assert cli.ok("state", "list", "-o", "name").out == "classify\ntranslate\n"


def test_results_of_an_earlier_job_of_that_name_are_not_mixed(finished: StackFolder, cli: Cli) -> None:
    (finished.path / "results" / "other").mkdir()
    ran = cli("state", "mv", "translate", "other")
    assert ran.code == 1
    assert "other already exists" in ran.err
    assert cli.ok("state", "list", "-o", "name").out == "classify\ntranslate\n"


# --- pull and push


def test_pull_gives_a_copy_that_push_takes(applied: StackFolder, cli: Cli) -> None:
    copy = applied.path / "copy.db"
    cli.ok("state", "pull", str(copy))
    assert stat.S_IMODE(copy.stat().st_mode) == 0o600
    listed = cli.ok("state", "list", "-o", "json").json
    assert cli.ok("state", "list", "-o", "json", "--state", "copy.db").json == listed
    ran = cli.ok("state", "push", str(copy))
    backup = ran.err.rpartition(" ")[2].strip()
    assert Path(backup).is_file()
    again = cli.ok("state", "list", "-o", "json").json
    assert (again["jobs"], again["lineage"]) == (listed["jobs"], listed["lineage"])
    assert again["serial"] > listed["serial"]
    assert cli("state", "pull", str(copy)).code == 1
    assert cli("plan", "--detailed-exitcode").code == 0


def test_pull_to_standard_output(applied: StackFolder, cli: Cli) -> None:
    ran = subprocess.run(
        [sys.executable, "-c", "from batchctl.cli import main; main()", "state", "pull"],
        capture_output=True,
        check=True,
    )
    (applied.path / "copy.db").write_bytes(ran.stdout)
    conn = sqlite3.connect(applied.path / "copy.db")
    assert conn.execute("select name from jobs order by name").fetchall() == [("classify",), ("translate",)]
    conn.close()


def test_pull_refuses_a_terminal(applied: StackFolder, cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    ran = cli("state", "pull")
    assert ran.code == 64
    assert "terminal" in ran.err


def test_pull_while_another_process_writes(applied: StackFolder, cli: Cli) -> None:
    with state_of(applied).lock() as session:
        session.commit([SaveJob(session.load().jobs["classify"].row)])
        cli.ok("state", "pull", "copy.db")
    assert cli.ok("state", "list", "-o", "name", "--state", "copy.db").out == "classify\ntranslate\n"


def test_pull_of_nothing_and_to_nowhere(stack: StackFolder, cli: Cli, service: Service) -> None:
    ran = cli("state", "pull", "copy.db")
    assert ran.code == 1
    assert "no state" in ran.err
    stack.write_job("translate")
    cli.ok("apply", "--yes")
    ran = cli("state", "pull", "/nowhere/copy.db")
    assert ran.code == 1
    assert "/nowhere" in ran.err


def test_push_refuses_what_is_older_or_of_another_line(applied: StackFolder, cli: Cli, service: Service) -> None:
    cli.ok("state", "pull", "old.db")
    service.advance("1h")
    cli.ok("apply", "--yes")
    ran = cli("state", "push", "old.db")
    assert ran.code == 6
    assert "StateDiverged" in ran.err
    assert "--force" in ran.err
    shutil.move(applied.path / ".batchctl" / "state.db", applied.path / "other.db")
    cli.ok("apply", "--yes")
    assert cli("state", "push", "other.db").code == 6
    cli.ok("state", "push", "other.db", "--force")
    assert cli("plan", "--detailed-exitcode").code == 0
    assert service.creates == 2


def split(stack: StackFolder, cli: Cli, *, applies: int) -> None:
    """Let the state and a copy of it go their own ways: the state creates `mine`, the copy another job."""
    cli.ok("state", "pull", "copy.db")
    stack.write_job("mine")
    cli.ok("apply", "--yes")
    stack.job_path("mine").unlink()
    for number in range(applies):
        stack.write_job(f"theirs-{number}")
        cli.ok("apply", "--yes", "--state", "copy.db")
        cli.ok("apply", "--yes", "--state", "copy.db")
    stack.write_job("mine")


@pytest.mark.parametrize(
    ("applies", "words"), [(1, "have the same serial"), (2, "the file and the present state have both changed")]
)
def test_push_refuses_a_copy_that_went_its_own_way(applied: StackFolder, cli: Cli, applies: int, words: str) -> None:
    split(applied, cli, applies=applies)
    ran = cli("state", "push", "copy.db")
    assert (ran.code, "StateDiverged" in ran.err, words in ran.err) == (6, True, True), ran.err
    assert "mine" in cli.ok("state", "list", "-o", "name").out
    cli.ok("state", "push", "copy.db", "--force")
    assert "mine" not in cli.ok("state", "list", "-o", "name").out


def test_push_takes_a_copy_that_went_on_alone(applied: StackFolder, cli: Cli, service: Service) -> None:
    cli.ok("state", "pull", "copy.db")
    cli.ok("state", "mv", "translate", "to-french", "--state", "copy.db")
    rename_manifest(applied, "translate", "to-french")
    service.advance("1h")
    cli.ok("apply", "--yes", "--state", "copy.db")
    cli.ok("state", "push", "copy.db")
    assert cli.ok("state", "list", "-o", "name").out == "classify\nto-french\n"
    assert cli("plan", "--detailed-exitcode").code == 0


def test_push_never_forgets_that_a_job_was_let_go_of(applied: StackFolder, cli: Cli, service: Service) -> None:
    """A release makes no call, so nothing but its own record tells of it."""
    manifest = applied.write_job("translate", lifecycle={"onRemove": "keep"})
    cli.ok("apply", "--yes")
    cli.ok("state", "pull", "copy.db")
    text = manifest.read_text()
    manifest.unlink()
    cli.ok("apply", "--yes")
    (event,) = state_of(applied).events("translate", 1)
    assert (event.what, event.why) == ("recorded", "changed: released_time")
    manifest.write_text(text)
    service.advance("1h")
    cli.ok("apply", "--yes", "--state", "copy.db")
    assert cli("state", "push", "copy.db").code == 6


def test_push_by_force_keeps_a_create_call_that_has_no_answer(
    applied: StackFolder, cli: Cli, service: Service, quick: list[float]
) -> None:
    cli.ok("state", "pull", "copy.db")
    applied.write_job("late")
    cli.ok("apply", "--yes")
    open_intent(applied, "late")
    service.faults({"method": "batches.list", "kind": "listLag", "delay": "60s"})
    ran = cli.ok("state", "push", "copy.db", "--force")
    assert "create calls without a reply" in ran.err
    assert cli.ok("state", "list", "-o", "json").phases()["late"] == "Settling"
    cli.ok("apply", "--yes")
    assert len(service.of("late")) == 1
    assert cli.ok("state", "list", "-o", "json").json["jobs"][1]["attempts"][0]["remote"]


def test_push_refuses_to_put_one_call_in_the_place_of_another(applied: StackFolder, cli: Cli) -> None:
    cli.ok("state", "pull", "copy.db")
    open_intent(applied, "translate", "0therca11s")
    for force in ([], ["--force"]):
        ran = cli("state", "push", "copy.db", *force)
        assert ran.code == 6
    assert "Unsettled" in ran.err
    assert "translate@1.0" in ran.err


def test_push_onto_nothing_needs_no_force(applied: StackFolder, cli: Cli) -> None:
    cli.ok("state", "pull", "copy.db")
    shutil.rmtree(applied.path / ".batchctl")
    cli.ok("state", "push", "copy.db")
    assert cli("plan", "--detailed-exitcode").code == 0


UNSOUND = {
    "update meta set uid = 'zzzzzz'": "StateForeign",
    "update meta set stack = 'other'": "StateForeign",
    "update meta set format_version = 99": "StateTooNew",
    "update jobs set kind = 'Batch'": "StateCorrupt",
    "update events set time = 'noon'": "StateCorrupt",
    "drop table events": "StateCorrupt",
}


def test_push_never_takes_a_file_that_is_not_sound(applied: StackFolder, cli: Cli) -> None:
    before = cli.ok("state", "list", "-o", "json").out
    for number, (sql, code) in enumerate(UNSOUND.items()):
        name = f"copy-{number}.db"
        cli.ok("state", "pull", name)
        conn = sqlite3.connect(applied.path / name)
        conn.executescript(sql)
        conn.close()
        ran = cli("state", "push", name, "--force")
        assert ran.code == 1
        assert code in ran.err
    assert cli("state", "push", "nothing.db").code == 64
    assert cli.ok("state", "list", "-o", "json").out == before


# --- lock


def test_lock_show_and_break(applied: StackFolder, cli: Cli) -> None:
    free = cli.ok("state", "lock", "show", "-o", "json")
    check_schema("state-lock", free.json)
    assert free.json["holder"] is None
    assert cli.ok("state", "lock", "break").err == "no process held the lock\n"
    with state_of(applied).lock() as session:
        held = cli.ok("state", "lock", "show", "-o", "json")
        check_schema("state-lock", held.json)
        assert held.json["holder"]["pid"] == os.getpid()
        assert f"pid {os.getpid()}" in cli.ok("state", "lock", "show").out
        for command in (["apply", "--yes"], ["state", "rm", "translate", "--yes"], ["state", "mv", "translate", "x"]):
            assert cli(*command, "--lock-timeout", "0s").code == 5
        refused = cli("state", "lock", "break")
        assert refused.code == 6
        assert "it may be working" in refused.err
        cli.ok("state", "lock", "break", "--yes")
        cli.ok("apply", "--yes")
        with pytest.raises(StateError, match="another process took it"):
            session.commit([])


def test_a_command_waits_for_the_lock_as_long_as_it_is_told(applied: StackFolder, cli: Cli, quick: list[float]) -> None:
    with state_of(applied).lock():
        assert cli("state", "mv", "translate", "other", "--lock-timeout", "3s").code == 5
    assert sum(quick) >= 3
    cli.ok("state", "mv", "translate", "other", "--lock-timeout", "3s")
