"""The commands one by one."""

from __future__ import annotations

import json
import shlex
import subprocess
from pathlib import Path

import jsonschema
import pytest
import yaml

from batchctl import __version__
from tests.support.command_line import ROOT, Cli, Service, StackFolder, check_schema

SCHEMAS = sorted(path.name.removesuffix(".schema.json") for path in (ROOT / "schemas").glob("*.schema.json"))


class TestInit:
    def test_an_empty_folder_becomes_a_stack_that_runs(
        self, cli: Cli, service: Service, quick: list[float], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        folder = tmp_path / "My Shop!"
        folder.mkdir()
        monkeypatch.chdir(folder)
        cli.ok("init")
        assert cli.ok("validate", "-o", "json").json["stack"] == "my-shop"
        assert cli("plan", "--detailed-exitcode").code == 2
        cli.ok("apply", "--yes", "--wait")
        assert cli("plan", "--detailed-exitcode").code == 0
        assert len(cli.ok("results", "classify-tickets").rows) == 2
        ignored = (folder / ".gitignore").read_text().split()
        assert {path.name + "/" for path in folder.iterdir() if path.name in {".batchctl", "results"}} == set(ignored)

    def test_it_runs_on_the_embedded_emulator_too(self, cli: Cli, tmp_path: Path) -> None:
        cli.ok("init", "new", "--name", "fresh")
        assert "to create" in cli.ok("plan", "--config", "new").out
        assert (tmp_path / "new" / "jobs").is_dir()
        cli.ok("apply", "--yes", "--config", "new")
        assert (tmp_path / "new" / ".batchctl" / "emulator.db").is_file()

    def test_nothing_is_overwritten(self, cli: Cli, tmp_path: Path) -> None:
        cli.ok("init")
        before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
        again = cli("init")
        assert (again.code, "StackExists" in again.err) == (1, True)
        assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before

    def test_files_that_are_there_are_kept(self, cli: Cli, tmp_path: Path) -> None:
        (tmp_path / "jobs").mkdir()
        (tmp_path / "jobs" / "classify-tickets.yaml").write_text("# mine\n")
        assert "kept     jobs/classify-tickets.yaml" in cli.ok("init").out
        assert (tmp_path / "jobs" / "classify-tickets.yaml").read_text() == "# mine\n"

    @pytest.mark.parametrize(
        ("before", "after"),
        [
            ("", ".batchctl/\nresults/\n"),
            ("mine\n", "mine\n.batchctl/\nresults/\n"),
            ("mine", "mine\n.batchctl/\nresults/\n"),
            ("mine\r\n", "mine\r\n.batchctl/\r\nresults/\r\n"),
            ("/results\nmine\n", "/results\nmine\n.batchctl/\n"),
            (" .batchctl \nresults/\nmine", " .batchctl \nresults/\nmine"),
            ("\udcff\n", "\udcff\n.batchctl/\nresults/\n"),
        ],
    )
    def test_a_gitignore_gets_the_lines_that_it_lacks(self, cli: Cli, tmp_path: Path, before: str, after: str) -> None:
        path = tmp_path / ".gitignore"
        path.write_bytes(before.encode(errors="surrogateescape"))
        out = cli.ok("init").out
        assert path.read_bytes() == after.encode(errors="surrogateescape")
        assert ("extended .gitignore" in out) == (before != after)
        (tmp_path / "batchctl.yaml").unlink()
        assert "kept     .gitignore" in cli.ok("init").out
        assert path.read_bytes() == after.encode(errors="surrogateescape"), "a second run adds nothing"

    def test_a_gitignore_that_leads_elsewhere_is_not_written(self, cli: Cli, tmp_path: Path) -> None:
        (tmp_path / "other").write_text("mine\n")
        (tmp_path / ".gitignore").symlink_to("other")
        assert "kept     .gitignore\n" in cli.ok("init").out
        assert (tmp_path / "other").read_text() == "mine\n"

    def test_the_commands_can_be_pasted(self, cli: Cli, tmp_path: Path) -> None:
        assert "\n  batchctl plan\n" in cli.ok("init").out
        out = cli.ok("init", "my 'own' shop", "--name", "shop").out
        commands = out.partition("Next:\n")[2].splitlines()
        assert [shlex.split(line) for line in commands] == [
            ["batchctl", "-C", "my 'own' shop", "plan"],
            ["batchctl", "-C", "my 'own' shop", "apply", "--wait"],
        ]
        assert cli.ok("-C", "my 'own' shop", "plan", "-o", "name").out == "classify-tickets\n"

    def test_editors_find_the_schemas(self, cli: Cli, tmp_path: Path) -> None:
        cli.ok("init")
        for file in ("batchctl.yaml", "jobs/classify-tickets.yaml"):
            path = tmp_path / file
            line, *_ = path.read_text().splitlines()
            name = line.removeprefix("# yaml-language-server: $schema=")
            schema = json.loads((path.parent / name).read_text())
            jsonschema.Draft7Validator(schema).validate(yaml.safe_load(path.read_text()))
            with pytest.raises(jsonschema.ValidationError):
                jsonschema.Draft7Validator(schema).validate({**yaml.safe_load(path.read_text()), "modle": 1})

    def test_two_stacks_never_share_a_uid(self, cli: Cli, tmp_path: Path) -> None:
        cli.ok("init", "one")
        cli.ok("init", "two")
        first, second = ((tmp_path / name / "batchctl.yaml").read_text().split("uid:")[1] for name in ("one", "two"))
        assert first.split()[0] != second.split()[0]

    @pytest.mark.parametrize("name", ["Shop", "shop_", "-shop", "x" * 33, ""])
    def test_a_bad_name_is_refused(self, cli: Cli, tmp_path: Path, name: str) -> None:
        ran = cli("init", "new", f"--name={name}")
        if name:
            assert ran.code == 64
            assert list(tmp_path.iterdir()) == []

    def test_a_place_where_nothing_can_be_written(self, cli: Cli, tmp_path: Path) -> None:
        (tmp_path / "file").write_text("")
        ran = cli("init", "file/new")
        assert (ran.code, "CannotWrite" in ran.err) == (1, True)


class TestSchema:
    @pytest.mark.parametrize("name", SCHEMAS)
    def test_every_schema_is_printed_whole(self, cli: Cli, name: str) -> None:
        schema = json.loads(cli.ok("schema", name).out)
        assert schema["$schema"] == "http://json-schema.org/draft-07/schema#"
        assert ".schema.json#" not in json.dumps(schema), "it needs no other file"

    def test_without_a_name_all_are_listed(self, cli: Cli) -> None:
        assert cli.ok("schema").out.split() == SCHEMAS


class TestHelp:
    @pytest.mark.parametrize("words", [(), ("plan",), ("state", "lock")])
    def test_help_as_the_first_word_is_the_option(self, cli: Cli, words: tuple[str, ...]) -> None:
        assert cli.ok("help", *words).out == cli.ok(*words, "--help").out != ""


class TestVersion:
    def test_it_says_what_a_bug_report_needs(self, cli: Cli) -> None:
        ran = cli.ok("version", "-o", "json")
        check_schema("version", ran.json)
        assert __version__ in ran.out
        assert cli.ok("version").out.startswith(f"batchctl {__version__} ")
        assert cli.ok("--version").out == f"batchctl {__version__}\n"


class TestCompletion:
    @pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
    def test_a_script_for_the_shell(self, cli: Cli, shell: str) -> None:
        assert "_BATCHCTL_COMPLETE" in cli.ok("completion", shell).out

    def test_bash_can_read_its_script(self, cli: Cli) -> None:
        script = cli.ok("completion", "bash").out
        checked = subprocess.run(["bash", "-n"], input=script, text=True, capture_output=True, check=False)
        assert (checked.returncode, checked.stderr) == (0, "")

    def test_an_unknown_shell(self, cli: Cli) -> None:
        assert cli("completion", "tcsh").code == 64


class TestValidate:
    def test_sound(self, stack: StackFolder, cli: Cli) -> None:
        stack.write_job("translate")
        found = cli.ok("validate", "-o", "json")
        check_schema("validate", found.json)
        assert found.json["valid"] is True
        assert "1 job in stack shop" in cli.ok("validate").out

    def test_it_needs_no_call(self, stack: StackFolder, cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("BATCHCTL_EMULATOR", "http://127.0.0.1:1")
        stack.write_job("translate")
        cli.ok("validate")
        assert not (stack.path / ".batchctl").exists()


class TestDescribe:
    def test_a_job_before_and_after(self, stack: StackFolder, cli: Cli, service: Service, quick: list[float]) -> None:
        stack.write_job("translate")
        before = cli.ok("describe", "translate", "-o", "json")
        check_schema("describe", before.json)
        cli.ok("apply", "--yes", "--wait")
        after = cli.ok("describe", "translate", "-o", "json")
        check_schema("describe", after.json)
        remote = service.of("translate")[0]["name"]
        assert remote in after.out
        text = cli.ok("describe", "translate").out
        assert remote in text
        assert "created" in text
        assert "results/translate" in text

    def test_a_removed_manifest_can_still_be_described(self, stack: StackFolder, cli: Cli) -> None:
        stack.write_job("translate")
        cli.ok("apply", "--yes")
        stack.job_path("translate").unlink()
        assert "no longer in a manifest" in cli.ok("describe", "translate").out


class TestDiff:
    def test_what_changed(self, stack: StackFolder, cli: Cli) -> None:
        stack.write_job("translate")
        cli.ok("apply", "--yes")
        assert "No difference" in cli.ok("diff", "translate").out
        stack.write_job("translate", model="gemini-2.5-pro", runId="2")
        found = cli.ok("diff", "translate", "-o", "json")
        check_schema("diff", found.json)
        assert [change["path"] for change in found.json["changes"]] == ["spec.model", "spec.runId"]
        assert 'spec.model: "gemini-2.5-flash" -> "gemini-2.5-pro"' in cli.ok("diff", "translate").out


class TestDoctor:
    def test_all_is_well(self, stack: StackFolder, cli: Cli, service: Service) -> None:
        stack.write_job("translate")
        found = cli.ok("doctor", "-o", "json")
        assert found.json["format"] == "batchctl/doctor/v1"
        assert service.url in cli.ok("doctor").out
        assert service.creates == 0
        assert not (stack.path / ".batchctl").exists()
        cli.ok("apply", "--yes")
        assert "1 job, serial" in cli.ok("doctor").out

    def test_what_is_missing_is_told_at_once(
        self, stack: StackFolder, cli: Cli, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        stack.write_stack(providers={"gemini": {"type": "gemini"}})
        (stack.path / "results").write_text("not a folder")
        (stack.path / ".batchctl").write_text("not a folder")
        ran = cli("doctor")
        assert ran.code == 1
        assert "NoCredentials" in ran.out
        assert "results cannot be written to" in ran.out

    def test_a_key_stands_by_its_fingerprint_and_a_wrong_clock_is_told(
        self, stack: StackFolder, cli: Cli, service: Service, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("GEMINI_API_KEY", "SECRET-KEY-42")
        stack.write_stack(providers={"gemini": {"type": "gemini", "endpoint": service.url}})
        service.advance("1h")
        out = cli.ok("doctor").out
        assert "SECRET" not in out
        assert "fingerprint" in out
        assert "the provider's clock differs by" in out


class TestWatch:
    def test_it_creates_nothing_without_consent_and_follows_the_rest(
        self, stack: StackFolder, cli: Cli, service: Service, quick: list[float]
    ) -> None:
        stack.write_job("translate")
        cli.ok("apply", "--yes")
        stack.write_job("new")
        ran = cli("watch")
        assert ran.code == 6
        assert service.creates == 1
        assert cli.ok("status", "-o", "json").phases() == {"new": "Waiting", "translate": "Succeeded"}
        cli.ok("watch", "--yes")
        assert cli.ok("status", "-o", "json").phases() == {"new": "Succeeded", "translate": "Succeeded"}

    def test_named_jobs_only(self, stack: StackFolder, cli: Cli, service: Service, quick: list[float]) -> None:
        service.rules({"match": {"displayName": "*/stuck@*"}, "pending": "1000h"})
        stack.write_job("stuck")
        stack.write_job("translate")
        cli.ok("apply", "--yes")
        cli.ok("watch", "translate")

    def test_forever_reads_the_manifests_again_and_survives_a_bad_edit(
        self, stack: StackFolder, cli: Cli, service: Service, quick: list[float], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        stack.write_job("translate")
        edits = [
            lambda: stack.write_job("another"),
            lambda: stack.write_job("broken", modle="x"),
            lambda: stack.job_path("broken").unlink(),
        ]
        advance = service.advance

        def edit_meanwhile(time: str) -> None:
            advance(time)
            if edits:
                edits.pop(0)()

        monkeypatch.setattr(service, "advance", edit_meanwhile)
        ran = cli("watch", "--forever", "--yes", "--timeout", "30s")
        assert ran.code in {0, 7}
        assert "UnknownField" in ran.err
        assert edits == []
        assert cli.ok("status", "-o", "json").phases() == {"another": "Succeeded", "translate": "Succeeded"}
