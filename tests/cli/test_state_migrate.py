"""`state migrate`: from a file to a bucket and back, again after an interruption, and what the old place says."""

from __future__ import annotations

from pathlib import Path

import pytest

from batchctl.model.errors import StateError
from batchctl.state.store import FileState
from tests.support.command_line import Cli, Service, StackFolder
from tests.support.state_file import state_of

URL = "gs://team/prod/state.db"


@pytest.fixture
def applied(stack: StackFolder, cli: Cli, service: Service) -> StackFolder:
    """A stack with one running job and a local state, and a bucket."""
    service.seed(buckets={"team": {}})
    stack.write_job("translate")
    cli.ok("apply", "--yes")
    return stack


def local(stack: StackFolder) -> Path:
    return stack.path / ".batchctl" / "state.db"


def test_a_state_moves_to_a_bucket_and_back(applied: StackFolder, cli: Cli, service: Service) -> None:
    before = cli.ok("state", "show", "translate", "-o", "json").json
    ran = cli.ok("state", "migrate", "--to", URL)
    assert f"moved the state with 1 job to {URL}" in ran.err
    assert cli.ok("state", "show", "translate", "-o", "json", "--state", URL).json == before
    for command in (("plan",), ("status",), ("apply", "--yes"), ("state", "push", str(applied.path / "x.db"))):
        refused = cli(*command)
        assert refused.code in (1, 64), refused
    refused = cli("apply", "--yes")
    assert "StateMoved" in refused.err
    assert f"set spec.state, or state of the target, to {URL}; or use" in refused.err
    assert len(list(local(applied).parent.glob("state.db.migrated-*"))) == 1

    service.advance("1h")
    cli.ok("apply", "--yes", "--state", URL)
    assert service.creates == 1
    cli.ok("state", "migrate", "--state", URL, "--to", str(local(applied)))
    refused = cli("status", "--state", URL)
    assert (refused.code, f"the state {URL} was moved to {local(applied)}" in refused.err) == (1, True), refused
    assert cli.ok("status", "-o", "json").phases() == {"translate": "Succeeded"}
    assert any(".migrated-" in name for name in service.objects("team"))
    cli.ok("state", "migrate", "--to", URL)
    assert cli.ok("status", "-o", "json", "--state", URL).phases() == {"translate": "Succeeded"}


def test_an_interrupted_migration_is_continued(
    applied: StackFolder, cli: Cli, service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop(*_arguments: object) -> None:
        raise StateError("interrupted")

    with monkeypatch.context() as patched:
        patched.setattr(FileState, "leave", stop)
        assert cli("state", "migrate", "--to", URL).code == 1
    cli.ok("status")
    writes = service.calls("storage.objects.insert")
    cli.ok("state", "migrate", "--to", URL)
    assert service.calls("storage.objects.insert") == writes, "what was copied is not copied again"
    assert "was moved to gs://team/prod/state.db before" in cli.ok("state", "migrate", "--to", URL).err


def test_a_state_that_was_used_in_the_meantime_is_copied_again(
    applied: StackFolder, cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = FileState.leave

    def used(state: FileState, *arguments: object) -> Path:
        with state_of(applied).lock() as session:
            session.commit([])
        return real(state, *arguments)  # type: ignore[arg-type]

    with monkeypatch.context() as patched:
        patched.setattr(FileState, "leave", used)
        ran = cli("state", "migrate", "--to", URL)
        assert (ran.code, "another process wrote to the state" in ran.err) == (1, True), ran
    cli.ok("status")
    cli.ok("state", "migrate", "--to", URL)
    cli.ok("status", "--state", URL)


def test_another_state_is_not_replaced(applied: StackFolder, cli: Cli) -> None:
    cli.ok("apply", "--yes", "--state", URL)
    ran = cli("state", "migrate", "--to", URL)
    assert (ran.code, f"{URL} has a state that this one does not continue" in ran.err) == (6, True), ran
    cli.ok("status")


def test_a_target_gets_the_places_of_its_own(stack: StackFolder, cli: Cli, service: Service) -> None:
    service.seed(buckets={"team": {}})
    stack.write_stack(targets={"dev": {}, "prod": {}})
    stack.write_job("translate")
    cli.ok("apply", "--yes", "--target", "prod")
    ran = cli.ok("state", "migrate", "--target", "prod", "--to", URL, "--results", "gs://team/prod/results")
    assert f"Set spec.targets.prod.state: {URL}\n" in ran.err, "spec.state would be one place for two targets"
    assert "Set spec.targets.prod.results: gs://team/prod/results/\n" in ran.err
    stack.write_stack(targets={"dev": {}, "prod": {"state": URL, "results": "gs://team/prod/results"}})
    assert cli.ok("plan", "--target", "prod", "-o", "json").actions() == {"translate": "wait"}


def test_places_that_cannot_be(applied: StackFolder, cli: Cli) -> None:
    assert cli("state", "migrate", "--to", str(local(applied))).code == 64
    assert cli("state", "migrate", "--to", "gs://team").code == 64
    ran = cli("state", "migrate", "--state", str(applied.path / "none.db"), "--to", URL)
    assert (ran.code, "there is no state" in ran.err) == (1, True)
    assert cli("state", "migrate", "--to", "gs://nowhere/state.db").code == 1
    cli.ok("status")
