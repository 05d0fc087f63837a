"""Words of kubectl and Terraform are answered with the command line to paste; nothing is carried out."""

from __future__ import annotations

import shlex

import click
import pytest

from batchctl.cli.commands import COMMANDS as OWN
from batchctl.cli.commands import batchctl
from batchctl.cli.phrasebook import COMMANDS, OPTIONS, OPTIONS_OF, Phrase
from batchctl.cli.translation import answer, is_foreign
from tests.support.command_line import Cli, Service, StackFolder

LINES = {
    # kubectl
    "get": "status",
    "get jobs": "status",
    "get jobs -w": "status -w",
    "get all -A -o wide": "status -o wide",
    "get job translate-fr -o yaml": "status translate-fr -o yaml",
    "get -l team=search -o jsonpath={.items}": "status -l team=search -o json",
    "get jobs --sort-by=.metadata.creationTimestamp": "status --sort-by createTime",
    "logs translate-fr": "events translate-fr",
    "logs -f job/translate-fr --tail=10": "events translate-fr --watch",
    "logs a --since 1h": "events a --since 1h",
    "create -f jobs": "apply -f jobs",
    "delete -f jobs": "destroy -f jobs",
    "delete job a b --force --grace-period=0": "destroy a b --yes",
    "delete jobs --all": "destroy",
    "rollout restart job/a job/b": "apply --rerun a --rerun b",
    "rollout status job/a": "wait a",
    "wait a --for=condition=complete --timeout 1h": "wait a --for=Succeeded --timeout 1h",
    "apply --dry-run=client -f jobs": "apply --dry-run -f jobs",
    "apply --dry-run=server": "apply --dry-run",
    "apply -k base --prune --server-side": "apply -f base",
    "apply -n prod --context prod -f 'my jobs'": "apply --target prod -f 'my jobs'",
    "apply -f jobs -R": "apply -f jobs",
    "edit job a": "diff a",
    "top jobs": "status -o wide",
    "auth can-i create jobs": "doctor",
    "cluster-info": "doctor",
    # Terraform
    "apply -auto-approve": "apply --yes",
    "apply --auto-approve=true": None,
    "-C prod apply -auto-approve plan.json": "-C prod apply plan.json --yes",
    "plan -out=tfplan -detailed-exitcode": "plan --out tfplan --detailed-exitcode",
    "plan -out tfplan": "plan --out tfplan",
    "plan -target=google_job.translate_fr": "plan translate-fr",
    "plan -target translate-fr -var night=2": "plan translate-fr --var night=2",
    "plan -target='module.x.job.a[\"k\"]'": "plan a",
    "apply -var=night=2026-11-22 -var-file=prod.tfvars": "apply --var night=2026-11-22",
    "apply -replace=job.a": "apply --rerun job.a",
    "plan -destroy": "destroy",
    "plan -refresh-only": "drift",
    "plan -refresh=false -lock=false -input=false -no-color": "plan --color never",
    "apply -input=false": "apply --no-input",
    "plan -lock-timeout=3s": "plan",
    "apply -lock-timeout=3s -parallelism=20": "apply --lock-timeout 3s",
    "plan -json": "plan -o json",
    "-chdir=prod plan": "-C prod plan",
    "destroy -force": "destroy --yes",
    "init -upgrade -backend-config=bucket=b": "init",
    "init -migrate-state": "state migrate --to PLACE",
    "taint google_job.a": "apply --rerun google_job.a",
    "taint": "apply --rerun NAME",
    "untaint a": "plan",
    "fmt -recursive": None,
    "fmt": "validate",
    "fmt jobs": "validate",
    "force-unlock 1234-5678": "state lock show",
    "show": "describe NAME",
    "output a": "results a",
    "refresh": "drift",
    "workspace select prod": "status --target prod",
    "state replace-provider a b": "state rebind --all --to PROVIDER",
    "state push -force state.db": "state push state.db --force",
    "import google_job.translate_fr batches/abc": "import batches/abc --as translate-fr",
    "import 'google_job.a[0]' projects/p/jobs/1": "import projects/p/jobs/1 --as a",
    "-help": "--help",
    "-version": "version",
    # others
    "ls": "status",
    "rm a": "destroy a",
    "stop a": "cancel a",
    "up --approve": "apply --yes",
}
"""Command lines and their answers; None: only that there is one."""


def parsed(command: str) -> None:
    """Parse a line as click does, without carrying it out. Raises what click raises."""
    words = shlex.split(command)
    assert words.pop(0) == "batchctl"
    found: click.Command = batchctl
    context = click.Context(batchctl, info_name="batchctl")
    while isinstance(found, click.Group):
        context = found.make_context(found.name, words, parent=context)
        words = [*context._protected_args, *context.args]
        inner = found.get_command(context, words.pop(0))
        assert inner is not None
        found = inner
    found.make_context(found.name, words, parent=context)


@pytest.mark.parametrize("line", LINES)
def test_the_answer_can_be_pasted(stack: StackFolder, cli: Cli, service: Service, line: str) -> None:
    ran = cli(*shlex.split(line))
    assert ran.code == 64
    (message, hint, *_) = ran.err.splitlines()
    assert message.startswith("error: Usage ")
    wanted = LINES[line]
    if wanted is None:
        return
    command = f"batchctl {wanted}"
    assert hint.startswith(f"  hint: `{command}`"), hint
    try:
        parsed(command)
    except click.exceptions.Exit:
        assert command.endswith("--help")
    assert service.calls("batches.list") == 0
    assert not (stack.path / ".batchctl").exists()


def phrases() -> list[tuple[str, Phrase]]:
    special = [(f"{command} {option}", one) for command, of in OPTIONS_OF.items() for option, one in of.items()]
    return [*COMMANDS.items(), *OPTIONS.items(), *special]


@pytest.mark.parametrize(("words", "phrase"), phrases(), ids=lambda one: one if isinstance(one, str) else "")
def test_every_phrase_is_sound(words: str, phrase: Phrase) -> None:
    first = phrase.command.split()[:1] or list(phrase.to[:1])
    if words in COMMANDS:
        assert first[0] in {*OWN, "--help", "{}"}
    assert not phrase.note.endswith(".")
    assert answer(words.split() if words in COMMANDS else ["apply", *words.split()]) is not None or " " in words


@pytest.mark.parametrize(
    "line",
    [
        "plan",
        "plan --lock=false",
        "plan -ojson",
        "plan -fjobs",
        "plan -lteam=search",
        "apply --yes",
        "results a -- -force",
    ],
)
def test_what_is_ours_is_no_foreign_word(line: str) -> None:
    assert not is_foreign(line.split())


@pytest.mark.parametrize("line", ["plan --bad", "explain", "apply --max-create x", "state push --force", "getx"])
def test_ordinary_mistakes_keep_their_message(stack: StackFolder, cli: Cli, line: str) -> None:
    ran = cli(*line.split())
    assert (ran.code, "kubectl" in ran.err, "Terraform" in ran.err) == (64, False, False)


def test_options_that_click_would_take_are_answered_before(stack: StackFolder, cli: Cli, service: Service) -> None:
    """`-lock=false` would be the selector `ock=false`, and `-force` the path `orce`."""
    stack.write_job("a")
    cli.ok("apply", "--yes")
    for line in ("plan -lock=false", "destroy -force", "apply -lock-timeout=3s"):
        assert cli(*line.split()).code == 64


@pytest.mark.parametrize(
    ("line", "command"),
    [
        ("describe job a", "describe a"),
        ("describe job/a", "describe a"),
        ("status batchjob/a -o json", "status a -o json"),
        ("cancel jobs/a --yes", "cancel a --yes"),
    ],
)
def test_kinds_before_names(stack: StackFolder, cli: Cli, line: str, command: str) -> None:
    stack.write_job("a")
    ran = cli(*line.split())
    assert (ran.code, f"hint: `batchctl {command}`" in ran.err) == (1, True), ran.err


def test_a_job_with_the_name_of_a_kind(stack: StackFolder, cli: Cli) -> None:
    stack.write_job("job")
    assert cli.ok("status", "job", "-o", "name").out == "job\n"


def test_programs_get_the_command_in_the_document(stack: StackFolder, cli: Cli) -> None:
    ran = cli("get", "jobs", "-o", "json")
    assert (ran.code, ran.json["error"]["details"]) == (64, {"command": "batchctl status -o json"})


@pytest.mark.parametrize("line", ["describe jobs/a.yaml", "explain jobs/a.yaml", "plan jobs/", "cancel a.yaml"])
def test_a_file_in_the_place_of_a_name(stack: StackFolder, cli: Cli, line: str) -> None:
    stack.write_job("a")
    ran = cli(*line.split())
    assert (ran.code, f"hint: -f {line.split()[1]} selects" in ran.err) == (1, True), ran.err


@pytest.mark.parametrize(
    ("line", "command"),
    [
        ("apply -y", "apply --yes"),
        ("apply a --auto-approve", "apply a --yes"),
        ("status --json", "status -o json"),
        ("results a --format csv", "results a -o csv"),
        ("results a --format=csv", "results a -o csv"),
    ],
)
def test_options_that_many_tools_have(stack: StackFolder, cli: Cli, line: str, command: str) -> None:
    stack.write_job("a")
    ran = cli(*line.split())
    assert (ran.code, f"hint: `batchctl {command}`" in ran.err) == (64, True), ran.err
