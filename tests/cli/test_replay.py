"""`--record DIR` of commands that decide, and `replay BUNDLE`: a decision is made again elsewhere."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from batchctl.reconcile import question
from tests.support.command_line import Cli, Service, StackFolder, check_schema

SECRET = "the secret words of a prompt"


@pytest.fixture(autouse=True)
def two_jobs(stack: StackFolder) -> None:
    stack.write_job("classify")
    stack.write_job("translate", request={"systemInstruction": SECRET})


def bundles() -> list[Path]:
    return sorted(Path("box").iterdir())


def test_a_plan_is_made_again_without_stack_and_network(
    cli: Cli, service: Service, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    cli.ok("plan", "--record", "box")
    (bundle,) = bundles()
    document = json.loads(bundle.read_text())
    check_schema("bundle", document)
    assert SECRET not in bundle.read_text()
    assert bundle.stat().st_mode & 0o777 == 0o600
    bundle = bundle.resolve()
    calls = service.calls("batches.list")
    monkeypatch.chdir(tmp_path_factory.mktemp("elsewhere"))
    ran = cli.ok("replay", str(bundle))
    assert ran.out.startswith(f"The same plan: stack {document['desired']['stack']['name']}, 2 jobs, ")
    assert ran.err == ""
    assert service.calls("batches.list") == calls


def test_each_pass_of_apply_and_watch_is_recorded(cli: Cli, service: Service, quick: list[float]) -> None:
    cli.ok("apply", "--yes", "--record", "box")
    made = bundles()
    assert made
    cli.ok("watch", "--record", "box")
    assert len(bundles()) > len(made) + 1
    replayed = cli.ok("replay", *map(str, bundles())).out.splitlines()
    assert len(replayed) == len(bundles())
    assert all(line.startswith("The same plan: ") for line in replayed)


@pytest.mark.parametrize(
    "command", ["drift", "cancel translate", "retry translate --yes", "destroy --yes", "apply --yes", "watch --once"]
)
def test_each_command_that_decides_can_be_recorded(
    cli: Cli, service: Service, quick: list[float], command: str
) -> None:
    cli.ok("apply", "--yes")
    assert cli(*command.split(), "--record", "box").code in {0, 6}
    assert cli.ok("replay", *map(str, bundles())).out.startswith("The same plan: ")


def test_the_document_of_a_replay(cli: Cli, service: Service) -> None:
    cli.ok("plan", "--record", "box")
    (bundle,) = bundles()
    same = json.loads(cli.ok("replay", str(bundle), "-o", "json").out)
    check_schema("replay", same)
    assert [(one["result"], one["jobs"], one["differences"]) for one in same["bundles"]] == [("same", 2, [])]
    document = json.loads(bundle.read_text())
    document["plan"]["jobs"][0]["decision"]["action"] = "wait"
    bundle.write_text(json.dumps(document))
    ran = cli("replay", str(bundle), "-o", "json")
    assert ran.code == 2
    (other,) = json.loads(ran.out)["bundles"]
    place = {"path": "plan.jobs.classify.decision.action", "recorded": "wait", "now": "create"}
    assert (other["result"], other["differences"]) == ("different", [place])


def test_why_a_job_of_a_bundle_does_not_have_an_action(cli: Cli, service: Service) -> None:
    cli.ok("plan", "--record", "box")
    bundle = str(bundles()[0])
    answer = json.loads(cli.ok("replay", bundle, "--job", "classify", "--why-not", "create", "-o", "json").out)
    check_schema("why-not", answer)
    assert (answer["cause"], answer["job"]) == ("planned", "classify")
    for arguments, words in (
        (("--why-not", "create"), "the bundle has 2 jobs"),
        (("--why-not", "create", "--job", "nosuch"), "there is no job nosuch in the bundle"),
        (("--job", "classify"), "--job is for --why-not"),
        (("--why-not", "buy"), "'buy' is not one of 'create'"),
    ):
        ran = cli("replay", bundle, *arguments)
        assert (ran.code in {1, 64}, words in ran.err) == (True, True), ran.err


def test_prices_and_budgets_decide_again_as_they_did(cli: Cli, service: Service, stack: StackFolder) -> None:
    price = {"model": "gemini-2.5-flash", "source": SECRET, "checked": "2026-11-01"}
    rates = {"perMillionTokens": {"input": 0.15, "output": 1.25}}
    listed = {"apiVersion": "batchctl.dev/v1", "kind": "PriceList", "currency": "USD", "prices": [price | rates]}
    (stack.path / "prices.yaml").write_text(json.dumps(listed))
    stack.write_stack(prices="prices.yaml", limits={"budget": "5 USD"})
    ran = cli("plan", "--record", "box")
    assert ran.code in {0, 6}, ran.err
    (bundle,) = bundles()
    assert SECRET not in bundle.read_text()
    assert json.loads(bundle.read_text())["plan"]["jobs"][0]["cost"]["currency"] == "USD"
    assert cli.ok("replay", str(bundle)).out.startswith("The same plan: ")


def test_another_plan_is_shown_with_exit_2(cli: Cli, service: Service) -> None:
    cli.ok("plan", "--record", "box")
    (bundle,) = bundles()
    document = json.loads(bundle.read_text())
    document["plan"]["jobs"][0]["decision"]["action"] = "wait"
    document["versions"]["batchctl"] = "9.0.0"
    bundle.write_text(json.dumps(document))
    ran = cli("replay", str(bundle))
    assert ran.code == 2
    assert ran.out.splitlines()[1:] == ['  plan.jobs.classify.decision.action: recorded "wait", now "create"']
    assert cli("replay", str(bundle), str(bundle)).code == 2
    assert ran.err == f"warning: {bundle}: batchctl 9.0.0 made this decision, and this is 0.1.0\n"


def test_only_the_first_differences_are_shown(cli: Cli, service: Service) -> None:
    cli.ok("plan", "--record", "box")
    (bundle,) = bundles()
    document = json.loads(bundle.read_text())
    decision = document["plan"]["jobs"][0]["decision"]
    decision["trail"] = decision["trail"] + ["a rule"] * 25
    bundle.write_text(json.dumps(document))
    assert cli("replay", str(bundle)).out.splitlines()[-1].startswith("  and 5 more places")
    assert len(cli("replay", "-v", str(bundle)).out.splitlines()) == 26


def test_a_decision_that_fails_leaves_its_input(cli: Cli, service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_given: object) -> None:
        raise ArithmeticError("a fault of the rules")

    with monkeypatch.context() as patch:
        patch.setattr(question, "plan", fail)
        with pytest.raises(ArithmeticError):
            cli("plan", "--record", "box")
        (bundle,) = bundles()
        with pytest.raises(ArithmeticError):
            cli("replay", str(bundle))
    document = json.loads(bundle.read_text())
    check_schema("bundle", document)
    assert document["plan"] is None
    ran = cli("replay", str(bundle))
    assert ran.code == 2
    assert ran.out.startswith("A plan now, and an error then: stack ")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (None, "cannot read the bundle box: No such file"),
        ("{", "box is not a bundle: it is not JSON"),
        ('{"format": "batchctl/plan/v1"}', "box is not a bundle: its format is batchctl/plan/v1"),
        ('{"format": "batchctl/bundle/v1"}', "box is damaged or from another release: 'desired' is missing"),
    ],
)
def test_what_is_no_bundle_is_refused(cli: Cli, service: Service, content: str | None, words: str) -> None:
    if content is not None:
        Path("box").write_text(content)
    ran = cli("replay", "box")
    assert ran.code == 64
    assert words in ran.err


def test_a_folder_that_cannot_be_made_is_an_error_before_anything_is_done(cli: Cli, service: Service) -> None:
    Path("box").write_text("in the way")
    ran = cli("apply", "--yes", "--record", "box")
    assert ran.code == 1
    assert "cannot write box" in ran.err
    empty = cli("apply", "--yes", "--record", "")
    assert (empty.code, "--record has no folder" in empty.err) == (64, True)
    assert service.creates == 0
