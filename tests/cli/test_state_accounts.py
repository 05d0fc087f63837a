"""A key stands for a project: what a changed one may and may not do, and `state rebind`."""

from __future__ import annotations

import pytest

from tests.support.command_line import Cli, Service, StackFolder


@pytest.fixture
def applied(
    stack: StackFolder, cli: Cli, service: Service, moved_clocks: list[float], monkeypatch: pytest.MonkeyPatch
) -> StackFolder:
    """Two running jobs, made with the first key, on what looks like the API itself."""
    provider = {"type": "gemini", "endpoint": service.url}
    stack.write_stack(providers={"gemini": provider})
    for name in ("classify", "translate"):
        stack.write_job(name, lifecycle={"onMissing": "recreate"})
    monkeypatch.setenv("GEMINI_API_KEY", "the-first-key")
    cli.ok("apply", "--yes")
    return stack


def change_key(monkeypatch: pytest.MonkeyPatch, service: Service, *, of_another_project: bool) -> None:
    monkeypatch.setenv("GEMINI_API_KEY", "the-second-key")
    if of_another_project:
        service.reset()


def test_a_key_of_another_project_loses_no_job_and_buys_none(
    applied: StackFolder, cli: Cli, service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    listed = cli.ok("state", "list", "-o", "json").json["jobs"]
    change_key(monkeypatch, service, of_another_project=True)
    applied.write_job("another")
    for command in (["plan"], ["apply", "--yes"], ["watch", "--yes"], ["drift"]):
        ran = cli(*command)
        assert ran.code == 1, command
        assert "OtherKey" in ran.err
        assert "does not show the 2 recorded jobs" in ran.err
        assert "state rebind" in ran.err
        assert "second-key" not in ran.out + ran.err
    shown = cli("status", "-o", "json")
    assert set(shown.phases().values()) == {"Unknown"}
    assert service.jobs() == []
    assert cli.ok("state", "list", "-o", "json").json["jobs"] == listed


def test_a_new_key_that_shows_a_recorded_job_is_the_same_account(
    applied: StackFolder, cli: Cli, service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    change_key(monkeypatch, service, of_another_project=False)
    service.delete(service.of("classify")[0]["name"])
    cli.ok("apply", "--yes")
    assert [job["deleted"] for job in service.of("classify")] == [True, False]
    # The new key is the account's from now on: even when nothing is left, what is gone is gone.
    for job in service.live():
        service.delete(job["name"])
    cli.ok("apply", "--yes")
    assert [job["deleted"] for job in service.of("translate")] == [True, False]


def test_rebind_to_the_new_key_needs_force_where_it_shows_nothing(
    applied: StackFolder, cli: Cli, service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    change_key(monkeypatch, service, of_another_project=True)
    ran = cli("state", "rebind", "--all", "--to", "gemini")
    assert ran.code == 6
    assert "NotShown" in ran.err
    # One job's consent is not the others'.
    assert cli("state", "rebind", "classify", "--to", "gemini", "--force").code == 6
    cli.ok("state", "rebind", "--all", "--to", "gemini", "--force")
    assert cli.ok("plan", "-o", "json").actions() == {"classify": "wait", "translate": "wait"}
    cli.ok("apply", "--yes")
    assert sorted(job["displayName"].partition(" ")[0] for job in service.live()) == ["classify", "translate"]


def test_rebind_to_a_moved_endpoint_buys_nothing(applied: StackFolder, cli: Cli, service: Service) -> None:
    before = service.jobs()
    moved = {"type": "gemini", "endpoint": service.url.replace("127.0.0.1", "localhost")}
    applied.write_stack(providers={"gemini": moved})
    assert cli.ok("plan", "-o", "json").actions() == {"classify": "replace", "translate": "replace"}
    ran = cli.ok("state", "rebind", "--all", "--to", "gemini")
    assert "localhost" in ran.err
    assert cli("plan", "--detailed-exitcode").code == 0
    assert service.jobs() == before


def test_rebind_of_one_job_leaves_the_others(applied: StackFolder, cli: Cli, service: Service) -> None:
    there = {"type": "gemini", "endpoint": service.url.replace("127.0.0.1", "localhost")}
    here = {"type": "gemini", "endpoint": service.url}
    applied.write_stack(providers={"gemini": here, "there": there})
    applied.write_job("classify", lifecycle={"onMissing": "recreate"}, provider="gemini")
    applied.write_job("translate", lifecycle={"onMissing": "recreate"}, provider="there")
    cli.ok("state", "rebind", "translate", "--to", "there")
    assert cli("plan", "--detailed-exitcode").code == 0


def test_rebind_that_makes_no_sense(applied: StackFolder, cli: Cli) -> None:
    nonsense = {("--to", "gemini"): 64, ("--all", "translate", "--to", "gemini"): 64, ("--all", "--to", "nowhere"): 64}
    for arguments, code in {**nonsense, ("nothing", "--to", "gemini"): 1}.items():
        assert cli("state", "rebind", *arguments).code == code
