"""Commands on a state in PostgreSQL: a real server, folders that come and go, moves from and to other places."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from tests.support.command_line import Cli, Service, StackFolder, check_schema
from tests.support.shared_database import Database

BUCKET = "gs://team/prod/state.db"


@pytest.fixture
def shared(stack: StackFolder, database: Database) -> StackFolder:
    """A stack with one job, whose state is in PostgreSQL."""
    stack.write_stack(state=database.url)
    stack.write_job("translate")
    return stack


def test_a_new_checkout_goes_on_where_another_ended(
    shared: StackFolder, database: Database, cli: Cli, service: Service, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert cli.ok("plan", "-o", "json").actions() == {"translate": "create"}
    assert database.sql(f"SELECT 1 FROM pg_namespace WHERE nspname = '{database.schema}'") == [], (
        "a plan writes nothing"
    )
    cli.ok("apply", "--yes")
    other = tmp_path / "other"
    shutil.copytree(shared.path, other)
    assert not (other / ".batchctl" / "state.db").exists()
    monkeypatch.chdir(other)
    assert cli.ok("plan", "-o", "json").actions() == {"translate": "wait"}
    service.advance("1h")
    cli.ok("apply", "--yes")
    assert cli.ok("status", "-o", "json").phases() == {"translate": "Succeeded"}
    assert service.creates == 1
    assert not list(Path(os.environ["TMPDIR"]).glob("batchctl-state-*/*/*.part"))


@pytest.mark.parametrize("place", ["bucket", "database"])
def test_state_commands_work(
    stack: StackFolder, database: Database, cli: Cli, service: Service, tmp_path: Path, place: str
) -> None:
    url = BUCKET if place == "bucket" else database.url
    service.seed(buckets={"team": {}})
    stack.write_stack(state=url)
    stack.write_job("translate")
    cli.ok("apply", "--yes")
    service.advance("1h")
    cli.ok("apply", "--yes")
    copy = tmp_path / "copy.db"
    cli.ok("state", "pull", str(copy))
    assert cli.ok("state", "list", "--state", str(copy)).out == cli.ok("state", "list").out
    assert "translate" in cli.ok("state", "show", "translate").out
    shown = cli.ok("state", "lock", "show", "-o", "json").json
    check_schema("state-lock", shown)
    assert shown["holder"] is None
    assert "no process held the lock" in cli.ok("state", "lock", "break", "--yes").err
    cli.ok("state", "mv", "translate", "french")
    assert cli("state", "push", str(copy)).code == 6
    assert "kept as " in cli.ok("state", "push", "--force", str(copy)).err
    assert [job["job"] for job in cli.ok("state", "list", "-o", "json").json["jobs"]] == ["translate"]
    assert url in cli.ok("doctor").out
    cli.ok("state", "rm", "translate", "--yes")
    assert cli.ok("state", "list", "-o", "json").json["jobs"] == []
    assert cli("state", "rebuild").code == 6
    assert "corrupt-" in cli.ok("state", "rebuild", "--force").out
    assert [job["job"] for job in cli.ok("state", "list", "-o", "json").json["jobs"]] == ["translate"]


@pytest.mark.parametrize("place", ["bucket", "database"])
def test_jobs_are_bound_to_another_account(
    stack: StackFolder, database: Database, cli: Cli, service: Service, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    """`state rebind` after a change of the endpoint: the same server under another name."""
    url = BUCKET if place == "bucket" else database.url
    service.seed(buckets={"team": {}})
    stack.write_stack(state=url)
    stack.write_job("translate")
    cli.ok("apply", "--yes")
    monkeypatch.setenv("GEMINI_API_KEY", "key")
    monkeypatch.setenv("STORAGE_EMULATOR_HOST", service.url)
    stack.write_stack(
        state=url, providers={"main": {"type": "gemini", "endpoint": service.url.replace("127.0.0.1", "localhost")}}
    )
    ran = cli.ok("state", "rebind", "--all", "--to", "main")
    assert "translate is bound to gemini http://localhost" in ran.err
    assert cli.ok("plan", "-o", "json").actions() == {"translate": "wait"}
    service.advance("1h")
    cli.ok("apply", "--yes")
    assert cli.ok("status", "-o", "json").phases() == {"translate": "Succeeded"}
    assert service.creates == 1


def test_a_state_moves_to_a_database_and_back(
    stack: StackFolder, database: Database, cli: Cli, service: Service
) -> None:
    service.seed(buckets={"team": {}})
    stack.write_job("translate")
    cli.ok("apply", "--yes")
    before = cli.ok("state", "show", "translate", "-o", "json").json
    ran = cli.ok("state", "migrate", "--to", database.url)
    assert f"moved the state with 1 job to {database.url}" in ran.err
    assert cli.ok("state", "show", "translate", "-o", "json", "--state", database.url).json == before
    refused = cli("status")
    assert (refused.code, f"was moved to {database.url}" in refused.err) == (1, True)
    assert "was moved to postgresql://" in cli.ok("state", "migrate", "--to", database.url).err

    ran = cli.ok("state", "migrate", "--state", database.url, "--to", BUCKET)
    assert "a copy is kept as migrated-" in ran.err
    for command in (("status",), ("apply", "--yes"), ("state", "lock", "break", "--yes")):
        refused = cli(*command, "--state", database.url)
        assert refused.code in {0, 1}, refused
    refused = cli("apply", "--yes", "--state", database.url)
    assert (refused.code, f"was moved to {BUCKET}" in refused.err) == (1, True), refused
    assert database.sql(f"SELECT count(*) FROM {database.schema}.jobs") == [(0,)]

    cli.ok("state", "migrate", "--state", BUCKET, "--to", database.url)
    local = stack.path / ".batchctl" / "state.db"
    cli.ok("state", "migrate", "--state", database.url, "--to", str(local))
    assert cli.ok("state", "show", "translate", "-o", "json").json["job"] == before["job"]
    service.advance("1h")
    cli.ok("apply", "--yes")
    assert cli.ok("status", "-o", "json").phases() == {"translate": "Succeeded"}
    assert service.creates == 1


def test_an_interrupted_migration_is_continued(
    stack: StackFolder, database: Database, cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    from batchctl.model.errors import StateError
    from batchctl.state.store import FileState

    stack.write_job("translate")
    cli.ok("apply", "--yes")

    def stop(*_arguments: object) -> None:
        raise StateError("interrupted")

    with monkeypatch.context() as patched:
        patched.setattr(FileState, "leave", stop)
        assert cli("state", "migrate", "--to", database.url).code == 1
    cli.ok("status")
    version = database.sql(f"SELECT generation FROM {database.schema}.lock")
    cli.ok("state", "migrate", "--to", database.url)
    assert database.sql(f"SELECT generation FROM {database.schema}.lock") == version, "it is not copied again"


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("postgresql://me:hunter2@db/prod", "must not have a password: set PGPASSWORD"),
        ("mysql://me:hunter2@db/prod", "cannot be at mysql://"),
    ],
)
def test_addresses_that_cannot_be(stack: StackFolder, cli: Cli, url: str, words: str) -> None:
    stack.write_job("translate")
    cli.ok("apply", "--yes")
    for command in (("plan", "--state", url), ("state", "migrate", "--to", url)):
        ran = cli(*command)
        assert ran.code in {64, 65}, ran
        assert words in ran.err
        assert "hunter2" not in ran.err + ran.out


def test_a_server_that_refuses_a_password_is_named_without_it(
    stack: StackFolder, database: Database, cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PGPASSWORD", "hunter2")
    stack.write_stack(state=database.server.url("none", schema="x"))
    ran = cli("-v", "status")
    assert (ran.code, "StateUnreachable" in ran.err) == (1, True), ran
    assert 'database "none" does not exist' in ran.err
    assert "hunter2" not in ran.err + ran.out


@pytest.mark.usefixtures("quick")
def test_watch_follows_a_state_in_a_database_to_the_end(shared: StackFolder, cli: Cli, service: Service) -> None:
    cli.ok("apply", "--yes")
    cli.ok("watch")
    assert cli.ok("status", "-o", "json").phases() == {"translate": "Succeeded"}
    assert service.creates == 1


def test_a_session_that_is_ended_in_every_commit_is_settled(
    shared: StackFolder, database: Database, cli: Cli, service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As an administrator does, or a failover: each commit finds its connection gone."""
    from batchctl.state.postgres.held_row import HeldRow

    real = HeldRow.push

    def push(held: HeldRow, *arguments: object) -> str | None:
        database.cut_all()
        return real(held, *arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(HeldRow, "push", push)
    for name in ("more", "most"):
        shared.write_job(name)
    cli.ok("apply", "--yes")
    assert service.creates == len(service.live()) == 3
    assert cli.ok("plan", "-o", "json").actions() == {"translate": "wait", "more": "wait", "most": "wait"}
