"""`import`: a job made by hand is taken in, and followed from then on like any other."""

from __future__ import annotations

import pytest
import yaml

from tests.support.command_line import Cli, Service, StackFolder


def test_a_job_made_by_hand_is_taken_in_collected_and_removed(
    stack: StackFolder, cli: Cli, service: Service, quick: list[float]
) -> None:
    remote = service.make("made: by hand")
    taken = cli.ok("import", remote, "--as", "by-hand", "-o", "json")
    assert taken.actions() == {"by-hand": "adopt"}
    written = yaml.safe_load(stack.job_path("by-hand").read_text())
    assert written["spec"] == {"model": "gemini-2.5-flash", "adopt": remote, "displayName": "made: by hand"}
    assert cli.ok("validate", "-o", "name").out == "by-hand\n"
    cli.ok("apply", "--yes", "--wait")
    assert [row["index"] for row in cli.ok("results", "by-hand").rows] == [None]
    assert cli.ok("plan", "--detailed-exitcode").code == 0
    assert cli.ok("drift").code == 0
    assert service.creates == 1
    stack.job_path("by-hand").unlink()
    cli.ok("apply", "--yes", "--allow-empty")
    assert service.live() == []


def test_the_binding_in_git_survives_the_loss_of_the_state(stack: StackFolder, cli: Cli, service: Service) -> None:
    remote = service.make("by hand")
    cli.ok("import", remote, "--as", "by-hand")
    for path in (stack.path / ".batchctl").glob("state.db*"):
        path.unlink()
    assert cli.ok("apply", "--yes", "-o", "json").actions() == {"by-hand": "adopt"}
    assert service.creates == 1


def test_an_embeddings_job_becomes_one(stack: StackFolder, cli: Cli, service: Service) -> None:
    batch = {"inputConfig": {"requests": {"requests": [{"request": {"content": {"parts": [{"text": "a"}]}}}]}}}
    made = service._call("POST", "/v1beta/models/gemini-embedding-001:asyncBatchEmbedContent", {"batch": batch})
    cli.ok("import", made["name"], "--as", "vectors", "-f", "jobs/other.yaml", "--provider", "gemini")
    written = yaml.safe_load((stack.path / "jobs" / "other.yaml").read_text())
    assert (written["kind"], written["spec"]["provider"]) == ("EmbeddingsBatchJob", "gemini")


def test_a_job_that_is_taken_in_cannot_be_made_again_without_its_input(
    stack: StackFolder, cli: Cli, service: Service, quick: list[float]
) -> None:
    service.rules({"pending": "0s", "running": "1s", "fate": "fail"})
    cli.ok("import", service.make("by hand"), "--as", "by-hand")
    path = stack.job_path("by-hand")
    path.write_text(path.read_text() + "  lifecycle: {backoffLimit: 1}\n")
    ran = cli("apply", "--yes", "--wait")
    assert ran.code == 1
    assert "its input is not known" in ran.out
    assert service.creates == 1


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["batches/nope", "--as", "x"], 1, "has no job batches/nope"),
        (["{hand}", "--as", "translate"], 64, "there is a job translate already"),
        (["{hand}", "--as", "x", "--provider", "gemnii"], 64, "there is no provider named gemnii"),
        (["{hand}", "--as", "Not A Name"], 65, "must be 1 to 40"),
        (["{ours}", "--as", "x"], 1, "this stack's own mark, as job translate"),
        (["{hand}", "--as", "x", "-f", "jobs/translate.yaml"], 1, "already exists"),
        (["{hand}", "--as", "x", "-f", "no/such/folder/x.yaml"], 1, "cannot write"),
        (["{taken}", "--as", "x"], 1, "is taken already"),
        (["{hand}"], 64, "--as"),
    ],
)
def test_what_cannot_be_imported(
    stack: StackFolder, cli: Cli, service: Service, arguments: list[str], code: int, words: str
) -> None:
    stack.write_job("translate")
    cli.ok("apply", "--yes")
    known = {"ours": service.of("translate")[0]["name"], "hand": service.make("one"), "taken": service.make("two")}
    cli.ok("import", known["taken"], "--as", "taken")
    before = sorted(path.name for path in stack.path.rglob("*.yaml"))
    ran = cli("import", *(word.format(**known) for word in arguments))
    assert (ran.code, words in ran.err) == (code, True), ran.err
    assert sorted(path.name for path in stack.path.rglob("*.yaml")) == before


@pytest.mark.parametrize(
    "owner", ["other/translate@7.0 0123456789ab token00001 a1b2c3", "shop/translate@1.0 0123456789ab token00001 zzzzzz"]
)
def test_a_job_with_the_mark_of_another_stack_is_taken_in_with_a_warning(
    stack: StackFolder, cli: Cli, service: Service, quick: list[float], owner: str
) -> None:
    stack.write_job("translate")
    remote = service.make(f"Theirs [bc1 {owner}]")
    assert cli("drift", "--unmanaged", "-o", "json").json["drift"][0]["kind"] == "Unmanaged"
    taken = cli.ok("import", remote, "--as", "theirs", "-o", "json")
    assert taken.actions() == {"theirs": "adopt"}
    assert "carries the mark of another stack" in taken.err
    assert owner.partition("/")[0] in taken.err
    written = yaml.safe_load(stack.job_path("theirs").read_text())
    assert written["spec"] == {"model": "gemini-2.5-flash", "adopt": remote, "displayName": "Theirs"}
    cli.ok("apply", "--yes", "--wait")
    assert len(cli.ok("results", "theirs").rows) == 1
    assert cli.ok("plan", "--detailed-exitcode").code == 0
    assert cli.ok("drift").code == 0
    assert service.creates == 2
    stack.job_path("theirs").unlink()
    cli.ok("apply", "--yes")
    assert remote not in [job["name"] for job in service.live()]
    assert len(service.live()) == 1


def test_a_job_with_the_mark_of_another_stack_is_cancelled_like_any_other(
    stack: StackFolder, cli: Cli, service: Service
) -> None:
    remote = service.make("[bc1 other/a@1.0 0123456789ab token00001 zzzzzz]")
    cli.ok("import", remote, "--as", "theirs")
    assert "displayName" not in stack.job_path("theirs").read_text()
    cli.ok("cancel", "theirs", "--yes")
    service.advance("1h")
    cli.ok("apply", "--yes")
    assert cli.ok("status", "-o", "json").phases() == {"theirs": "Cancelled"}
    assert [job["state"] for job in service.jobs()] == ["BATCH_STATE_CANCELLED"]
    assert service.creates == 1


def test_several_providers_have_to_be_told_apart(stack: StackFolder, cli: Cli, service: Service) -> None:
    emulator = {"type": "gemini", "endpoint": "emulator"}
    stack.write_stack(providers={"one": emulator, "two": {"type": "gemini", "endpoint": service.url}})
    ran = cli("import", "batches/a", "--as", "x")
    assert (ran.code, "one of: one, two" in ran.err) == (64, True)
