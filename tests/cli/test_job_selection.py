"""Names, `-f` and `-l` select jobs in the same way on every command that takes names."""

from __future__ import annotations

from collections.abc import Iterator

import click
import pytest

from batchctl.cli.commands import batchctl
from tests.support.closed_schemas import check_closed
from tests.support.command_line import Cli, Service, StackFolder

COMMANDS_WITH_NAMES = {
    "apply", "cancel", "describe", "destroy", "diff", "drift", "events", "explain", "plan", "report", "results", "retry", "status",
    "state list", "state rebind", "state rm", "state show", "ui", "wait", "watch",
}  # fmt: skip
REQUIRED = [
    "cancel",
    "describe",
    "explain",
    "results",
    "retry",
    "state show",
    "state rm",
    "state rebind --to gemini",
    "wait",
]
ONE_BY_ONE = {"describe": "describe", "diff": "diff", "explain": "explain", "state show": "state-show"}


def commands(group: click.Group, context: click.Context, path: str = "") -> Iterator[tuple[str, click.Command]]:
    """All commands by their path."""
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        if isinstance(command, click.Group):
            yield from commands(command, context, f"{path}{name} ")
        else:
            yield f"{path}{name}", command


@pytest.fixture
def shop(stack: StackFolder, cli: Cli, quick: list[float]) -> StackFolder:
    """Three jobs that have succeeded: two of one team."""
    for name, team in (("a", "search"), ("b", "search"), ("c", "ads")):
        stack.write_job(name, labels={"team": team})
    cli.ok("apply", "--yes", "--wait")
    return stack


def test_every_command_that_takes_names_takes_paths_and_selectors() -> None:
    takes_names, others = set(), {"PLAN | NAME": "apply"}
    for path, command in commands(batchctl, click.Context(batchctl)):
        options = {name for one in command.params for name in one.opts}
        if any(
            isinstance(one, click.Argument) and one.nargs == -1 and one.name not in {"words", "bundles"}
            for one in command.params
        ):
            takes_names.add(path)
            assert options >= {"-f", "-l", "--filename", "--selector"}, path
    assert takes_names | set(others.values()) == COMMANDS_WITH_NAMES


@pytest.mark.parametrize("command", REQUIRED)
def test_a_command_that_acts_or_shows_one_job_selects_none_by_itself(
    stack: StackFolder, cli: Cli, command: str
) -> None:
    ran = cli(*command.split())
    assert (ran.code, "name the jobs, or select them with -f or -l" in ran.err) == (64, True)


@pytest.mark.parametrize("command", [*REQUIRED, "apply", "destroy", "plan", "status"])
@pytest.mark.parametrize("empty", [["-l", ""], ["-f", ""], ["-f", "jobs", "-f", ""], [""], ["a", ""]], ids=repr)
def test_an_empty_text_selects_nothing(stack: StackFolder, cli: Cli, command: str, empty: list[str]) -> None:
    """`cancel -l "$TEAM" --yes` with a variable that the shell does not have cancelled every job."""
    ran = cli(*command.split(), *empty)
    assert (ran.code, "it is empty" in ran.err) == (64, True), ran.err


@pytest.mark.parametrize("option", ["-C", "--config", "--state", "--target"])
def test_an_empty_place_is_not_the_usual_place(stack: StackFolder, cli: Cli, option: str) -> None:
    for given in (["plan", option, ""], [option, "", "plan"]):
        ran = cli(*given)
        assert (ran.code, "it is empty" in ran.err) == (64, True), ran.err


def test_all_excludes_the_others(stack: StackFolder, cli: Cli) -> None:
    stack.write_job("a")
    for more in (["a"], ["-l", "team=search"], ["-f", "jobs"]):
        ran = cli("cancel", "--all", *more)
        assert (ran.code, "--all selects every job" in ran.err) == (64, True)


@pytest.mark.parametrize("command", ONE_BY_ONE)
def test_one_name_gives_a_document_and_everything_else_a_list(shop: StackFolder, cli: Cli, command: str) -> None:
    words, schema = command.split(), ONE_BY_ONE[command]
    one = cli.ok(*words, "b", "-o", "json").json
    check_closed(schema, one)
    for selected, names in (
        (["b", "a"], ["b", "a"]),
        (["-l", "team=search"], ["a", "b"]),
        (["-l", "team=ads"], ["c"]),
        (["-f", "jobs/b.yaml"], ["b"]),
        (["-f", "."], ["a", "b", "c"]),
        (["a", "c", "-l", "team=ads"], ["c"]),
    ):
        found = cli.ok(*words, *selected, "-o", "json").json
        check_closed("job-list", {**found, "items": []})
        assert [item["job"] for item in found["items"]] == names
        for item in found["items"]:
            check_closed(schema, item)
    assert cli.ok(*words, "-l", "team=none", "-o", "json").json == {"format": "batchctl/job-list/v1", "items": []}


@pytest.mark.parametrize("command", ["describe", "diff", "explain", "state list", "state show", "state rm", "status"])
def test_what_matches_no_job_is_named(shop: StackFolder, cli: Cli, command: str) -> None:
    ran = cli.ok(*command.split(), "-l", "team=serach")
    assert "warning: -l team=serach matches no job" in ran.err
    ran = cli.ok(*command.split(), "-f", "jobs/x.yaml") if command.startswith("state") else cli(*command.split(), "d")
    assert ("warning: -f jobs/x.yaml matches no job" in ran.err) or "JobNotFound" in ran.err


def test_records_without_a_manifest_are_selected_by_their_record(shop: StackFolder, cli: Cli) -> None:
    shop.job_path("b").unlink()
    assert [one["job"] for one in cli.ok("describe", "-l", "team=search", "-o", "json").json["items"]] == ["a", "b"]


def test_state_list_of_a_selection(shop: StackFolder, cli: Cli) -> None:
    assert cli.ok("state", "list", "-l", "team=search", "-o", "name").out == "a\nb\n"
    assert [one["job"] for one in cli.ok("state", "list", "c", "-o", "json").json["jobs"]] == ["c"]
    assert "JobNotFound" in cli("state", "list", "d").err


def test_a_selection_that_is_empty_deletes_no_record(shop: StackFolder, cli: Cli) -> None:
    cli.ok("state", "rm", "--yes", "-l", "team=none")
    assert cli.ok("state", "list", "-o", "name").out == "a\nb\nc\n"
    cli.ok("state", "rm", "--yes", "-l", "team=search")
    assert cli.ok("state", "list", "-o", "name").out == "c\n"


def test_state_rebind_of_a_selection(shop: StackFolder, cli: Cli) -> None:
    ran = cli.ok("state", "rebind", "-l", "team=search", "--to", "gemini")
    assert [line.split()[0] for line in ran.err.splitlines()] == ["a", "b"]


def test_results_of_a_selection_name_the_job_of_each_row(shop: StackFolder, cli: Cli) -> None:
    assert {row["job"] for row in cli.ok("results", "-l", "team=search").rows} == {"a", "b"}
    assert {row["job"] for row in cli.ok("results", "-f", "jobs/c.yaml").rows} == {"c"}
    assert "job" not in cli.ok("results", "c").rows[0]


def test_a_label_is_no_consent_to_cancel_and_a_name_is(stack: StackFolder, cli: Cli, service: Service) -> None:
    for name, team in (("a", "search"), ("b", "search"), ("c", "ads")):
        stack.write_job(name, labels={"team": team})
    cli.ok("apply", "--yes")
    assert cli("cancel", "-l", "team=search").code == 6
    assert service.calls("batches.cancel") == 0
    cli.ok("cancel", "-l", "team=search", "--yes")
    assert service.calls("batches.cancel") == 2
    cli.ok("cancel", "c")
    assert service.calls("batches.cancel") == 3


def test_retry_of_a_selection_is_about_the_jobs_that_failed(
    stack: StackFolder, cli: Cli, service: Service, quick: list[float]
) -> None:
    service.rules(
        {"match": {"displayName": "*/a@*"}, "pending": "0s", "running": "1s", "fate": "fail"},
        {"pending": "0s", "running": "1s"},
    )
    for name in ("a", "b"):
        stack.write_job(name, labels={"team": "search"})
    cli("apply", "--yes", "--wait")
    stack.write_job("new", labels={"team": "search"})
    assert service.creates == 2
    ran = cli("retry", "-l", "team=search", "--yes", "-o", "json")
    assert ran.actions() == {"a": "retry"}
    assert service.creates == 3
    none = cli("retry", "b", "-l", "team=none", "--yes")
    assert (none.code, "none of the selected jobs" in none.err) == (1, True)
    assert service.creates == 3
    rows = cli("retry", "-l", "team=search", "--rows", "all", "--yes", "-o", "json")
    assert "b" in rows.actions()
    assert "new" not in rows.actions()


class TestDiff:
    def test_all_jobs_and_the_exit_code(self, shop: StackFolder, cli: Cli) -> None:
        same = cli.ok("diff", "--exit-code")
        assert same.out == "No difference between manifests and record in 3 jobs.\n"
        shop.write_job("a", labels={"team": "search"}, model="gemini-2.5-pro")
        shop.write_job("d")
        shop.job_path("c").unlink()
        for words in ([], ["-f", "."]):
            ran = cli("diff", "--exit-code", *words)
            assert ran.code == 2
            assert '~ spec.model: "gemini-2.5-flash" -> "gemini-2.5-pro"' in ran.out
            assert ran.out.endswith("3 of 4 jobs differ from the record.\n")
        assert cli.ok("diff").out == ran.out, "without --exit-code, a difference is no failure"
        assert cli.ok("diff", "-o", "name").out == "a\nc\nd\n"
        assert cli("diff", "b", "--exit-code").code == 0
        found = cli("diff", "--exit-code", "-o", "json")
        assert (found.code, [one["differs"] for one in found.json["items"]]) == (2, [True, False, True, True])

    def test_a_rename_that_is_declared_differs_in_nothing_else(self, shop: StackFolder, cli: Cli) -> None:
        shop.job_path("a").unlink()
        shop.write_job("z", labels={"team": "search"}, runId="a")
        shop.write_stack(moved=[{"from": "a", "to": "z"}])
        found = cli("diff", "-o", "json").json["items"]
        assert {one["job"]: one["differs"] for one in found} == {"b": False, "c": False, "z": False}
