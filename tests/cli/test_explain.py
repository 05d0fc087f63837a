"""`explain`, `retry`, `cancel --all` and `moved`, as a user meets them."""

from __future__ import annotations

import pytest

from tests.support.command_line import LONG, Cli, Service, StackFolder, check_schema


def explain(cli: Cli, name: str) -> dict[str, object]:
    document: dict[str, object] = cli.ok("explain", name, "-o", "json").json
    check_schema("explain", document)
    return document


def held(document: dict[str, object]) -> set[str]:
    return {condition["type"] for condition in document["conditions"]}  # type: ignore[attr-defined]


def test_a_job_is_explained_through_its_life(
    stack: StackFolder, cli: Cli, service: Service, quick: list[float]
) -> None:
    service.rules({"fate": "fail"})
    stack.write_job("a", lifecycle={"pendingDeadline": "1h", "backoffLimit": 1})
    assert "creates it" in explain(cli, "a")["next"]["step"]  # type: ignore[index]
    cli.ok("apply", "--yes")
    one = explain(cli, "a")
    assert (one["phase"], held(one), one["next"]["timer"]) == ("Active", {"Deadline"}, "deadline")  # type: ignore[index]
    service.advance("5s")
    cli("apply")
    one = explain(cli, "a")
    assert (one["phase"], held(one)) == ("Waiting", {"BackOff"})
    assert one["lastError"]["message"]  # type: ignore[index]
    assert cli("watch").code == 4
    one = explain(cli, "a")
    assert (one["phase"], held(one), one["next"]["time"]) == ("Failed", set(), None)  # type: ignore[index]
    told = cli.ok("explain", "a").out
    assert "`batchctl retry a`" in told
    assert "Last error" in told


def test_what_holds_a_job_back_is_told(stack: StackFolder, cli: Cli, service: Service) -> None:
    service.rules(LONG)
    stack.write_stack(limits={"active": 1})
    stack.write_job("a")
    stack.write_job("b")
    stack.write_job("c", dependsOn=["a"])
    stack.write_job("d", lifecycle={"suspend": True})
    cli.ok("apply", "--yes")
    assert (held(explain(cli, "b")), explain(cli, "b")["queue"]["position"]) == ({"Queued"}, 1)  # type: ignore[index]
    assert (held(explain(cli, "c")), explain(cli, "c")["waitsFor"]) == ({"Dependencies"}, ["a"])
    assert held(explain(cli, "d")) == {"Suspended"}
    stack.write_job("a", runId="2", lifecycle={"onChange": "fail"})
    assert held(explain(cli, "a")) == {"Guarded"}


def test_an_account_that_cannot_be_read_is_told(stack: StackFolder, cli: Cli, service: Service) -> None:
    stack.write_job("a")
    service.faults({"method": "batches.list", "kind": "status", "status": 403})
    ran = cli("explain", "a", "-o", "json")
    assert ran.code == 1
    assert (held(ran.json), ran.json["lastError"]["code"]) == ({"Unseen"}, "PermissionDenied")


def test_explain_knows_its_jobs(stack: StackFolder, cli: Cli) -> None:
    stack.write_job("translate")
    ran = cli("explain", "tranlate")
    assert (ran.code, "did you mean translate?" in ran.err) == (1, True)


def test_explain_writes_nothing(stack: StackFolder, cli: Cli, service: Service) -> None:
    stack.write_job("a")
    cli.ok("explain", "a")
    assert service.creates == 0
    assert not (stack.path / ".batchctl").exists()


@pytest.mark.parametrize("command", ["explain", "describe", "diff"])
@pytest.mark.parametrize("output", ["text", "json"])
def test_of_a_job_that_was_released_there_is_nothing_to_say(
    stack: StackFolder, cli: Cli, command: str, output: str
) -> None:
    stack.write_job("a", lifecycle={"onRemove": "keep"})
    stack.write_job("b")
    cli.ok("apply", "--yes")
    stack.job_path("a").unlink()
    cli.ok("apply", "--yes")
    ran = cli(command, "a", "-o", output)
    assert (ran.code, "a is released (onRemove: keep)" in ran.err) == (1, True)
    if output == "json":
        assert ran.json["error"]["code"] == "JobNotFound"


@pytest.mark.parametrize("command", ["explain", "describe", "diff"])
def test_a_job_that_has_another_name_now_is_pointed_to(stack: StackFolder, cli: Cli, command: str) -> None:
    stack.write_job("a")
    cli.ok("apply", "--yes")
    stack.job_path("a").unlink()
    stack.write_job("b")
    stack.write_stack(moved=[{"from": "a", "to": "b"}])
    ran = cli(command, "a")
    assert (ran.code, "a is b now (spec.moved)" in ran.err) == (1, True)
    assert cli(command, "nobody").code == 1


def test_retry_tries_again_what_failed(stack: StackFolder, cli: Cli, service: Service, quick: list[float]) -> None:
    stack.write_job("a")
    service.rules({"fate": "fail"})
    assert cli("apply", "--yes", "--wait").code == 4
    refused = cli("retry", "a")
    assert (refused.code, "ConsentNeeded" in refused.err + refused.out) == (6, True)
    service.rules()
    ran = cli.ok("retry", "a", "--yes", "-o", "json")
    assert (ran.actions(), ran.results()) == ({"a": "retry"}, {"a": "done"})
    cli.ok("watch")
    assert [job["state"] for job in service.of("a")] == ["BATCH_STATE_FAILED", "BATCH_STATE_SUCCEEDED"]
    again = cli("retry", "a", "--yes")
    assert (again.code, "change spec.runId" in again.err + again.out) == (6, True)


def test_retry_goes_beyond_what_was_refused_and_cancelled(
    stack: StackFolder, cli: Cli, service: Service, quick: list[float]
) -> None:
    stack.write_job("a")
    service.faults({"method": "batches.create", "kind": "status", "status": 400, "count": 1})
    assert cli("apply", "--yes").code == 4
    assert "`batchctl retry`" in cli.ok("explain", "a").out
    service.rules(LONG)
    cli.ok("retry", "a", "--yes")
    cli.ok("cancel", "a")
    assert cli("watch").code == 4
    assert cli.ok("status", "-o", "json").phases() == {"a": "Cancelled"}
    service.rules()
    cli.ok("retry", "a", "--yes")
    cli.ok("watch")
    assert service.creates == 3


@pytest.mark.parametrize(("words", "code"), [([], 64), (["b"], 1)])
def test_retry_needs_jobs_that_there_are(stack: StackFolder, cli: Cli, words: list[str], code: int) -> None:
    stack.write_job("a")
    assert cli("retry", *words, "--yes").code == code


def test_cancel_all_needs_consent(stack: StackFolder, cli: Cli, service: Service, quick: list[float]) -> None:
    service.rules(LONG)
    for name in "ab":
        stack.write_job(name)
    cli.ok("apply", "--yes")
    assert (cli("cancel", "--all").code, service.calls("batches.cancel")) == (6, 0)
    cli.ok("cancel", "--all", "--yes")
    assert service.calls("batches.cancel") == 2
    assert cli("watch").code == 4
    assert set(cli.ok("status", "-o", "json").phases().values()) == {"Cancelled"}
    assert cli("cancel", "--all", "a", "--yes").code == 64


def test_a_rename_neither_cancels_nor_buys(stack: StackFolder, cli: Cli, service: Service, quick: list[float]) -> None:
    stack.write_job("a", runId="1")
    cli.ok("apply", "--yes")
    stack.job_path("a").unlink()
    stack.write_job("b", runId="1")
    planned = cli("plan", "-o", "json")
    assert (planned.code, planned.actions()) == (6, {"a": "delete", "b": "create"})
    assert "LikelyRename" in planned.out
    stack.write_stack(moved=[{"from": "a", "to": "b"}])
    assert cli.ok("plan", "-o", "json").actions() == {"b": "wait"}
    assert "renamed, from a, by spec.moved" in cli.ok("apply", "--yes").err
    cli.ok("watch")
    assert len(cli.ok("results", "b").rows) == 3
    stack.write_stack()
    cli.ok("apply", "--yes")
    assert (service.creates, service.calls("batches.delete"), len(service.live())) == (1, 0, 1)


def test_a_name_that_was_moved_and_is_still_there_is_a_fault_with_its_place(stack: StackFolder, cli: Cli) -> None:
    stack.write_job("a")
    stack.write_job("b")
    stack.write_stack(moved=[{"from": "a", "to": "b"}])
    ran = cli("validate")
    assert ran.code == 65
    assert 'batchctl.yaml:14:5: InvalidMove "a" was moved' in ran.err + ran.out


def test_verbose_shows_the_rules_and_the_steps(stack: StackFolder, cli: Cli) -> None:
    stack.write_job("a")
    rule = "new: a job without an attempt is created, if the list of its account is complete"
    shown = cli.ok("plan", "-v").out
    assert "step  create a@1.0" in shown
    assert f"rule  {rule}" in shown
    told = " ".join(cli.ok("explain", "a", "-v").out.split())
    assert rule.replace(":", "") in told
    assert "Steps record job a@1 create a@1.0" in told
    document = cli.ok("plan", "-o", "json").json
    check_schema("plan", document)
    assert document["actions"][0]["trail"] == explain(cli, "a")["trail"] == ["new", "record-manifest"]


def test_what_needs_consent_waits_for_apply(stack: StackFolder, cli: Cli, service: Service) -> None:
    stack.write_job("a")
    assert "nothing, until `batchctl apply` creates it" in cli.ok("explain", "a").out
    cli.ok("apply", "--yes")
    stack.write_job("a", model="gemini-2.5-pro")
    explained = cli.ok("explain", "a").out
    assert "nothing, until `batchctl apply` replaces it" in explained
    assert "Next check" not in explained
