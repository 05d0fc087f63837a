"""Two processes on one stack: whoever waits for the lock acts on the manifests as they are when it comes."""

from __future__ import annotations

import io
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, ClassVar

import pytest

from batchctl.cli import folder, workspace
from batchctl.cli.caches import ROWS, cache_folder
from batchctl.cli.common import Common
from batchctl.cli.known_rows import KnownRows
from batchctl.cli.manifest_reload import ManifestReload
from batchctl.engine.clock import SystemClock
from batchctl.model.errors import ManifestError
from batchctl.rows import whole_files
from batchctl.rows.reader import RowFiles
from batchctl.state.store import open_state
from tests.support.command_line import LONG, Cli, Service, StackFolder, manifest
from tests.support.patience import PATIENCE

A_TO_B = [{"from": "a", "to": "b"}]


class Child:
    """A command in a process of its own."""

    program: ClassVar[Path]

    def __init__(self, *words: str) -> None:
        self.told = ""
        self._process = subprocess.Popen(
            [self.program, *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )

    def wait_for(self, words: str) -> None:
        assert self._process.stderr is not None
        for line in self._process.stderr:
            self.told += line
            if words in line:
                return
        raise AssertionError(f"it ended without {words!r}: {self.told}")

    def end(self) -> int:
        _, rest = self._process.communicate(timeout=PATIENCE)
        self.told += rest
        assert "Traceback" not in self.told
        return self._process.returncode


@pytest.fixture(autouse=True)
def starts_at_once(warm_batchctl: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Child, "program", warm_batchctl, raising=False)


@contextmanager
def locked(stack: StackFolder) -> Iterator[None]:
    state = open_state(
        stack.path / ".batchctl" / "state.db", stack="shop", uid="a1b2c3", clock=SystemClock(), who="other"
    )
    with state.lock():
        yield


def run_behind_a_lock(stack: StackFolder, change: Callable[[], object], *words: str) -> tuple[int, str]:
    """Run a command whose lock comes only after a change; gives its exit code, and what it told."""
    with locked(stack):
        child = Child(*words)
        child.wait_for("waiting up to")
        change()
    return child.end(), child.told


def rename(stack: StackFolder) -> None:
    stack.write_stack(moved=A_TO_B)
    stack.job_path("a").unlink()
    stack.write_job("b", runId="a")


@pytest.mark.parametrize("words", [("apply",), ("watch", "--once")], ids=["apply", "watch"])
class TestWhileTheLockIsWaitedFor:
    def test_a_rename_is_followed(self, stack: StackFolder, cli: Cli, service: Service, words: tuple[str, ...]) -> None:
        stack.write_job("a")
        cli.ok("apply", "--yes")
        code, told = run_behind_a_lock(stack, lambda: rename(stack), *words, "--yes")
        assert code == 0, told
        assert (service.creates, cli.ok("status", "-o", "name").out.split()) == (1, ["b"])

    def test_an_edit_is_what_is_bought(
        self, stack: StackFolder, cli: Cli, service: Service, words: tuple[str, ...]
    ) -> None:
        stack.write_job("a")
        code, told = run_behind_a_lock(stack, lambda: stack.write_job("a", runId="2"), *words, "--yes")
        assert code == 0, told
        assert cli.ok("plan", "-o", "json").actions()["a"] in {"none", "wait"}
        assert service.creates == 1

    def test_what_was_removed_is_not_bought(self, stack: StackFolder, service: Service, words: tuple[str, ...]) -> None:
        stack.write_job("a")
        stack.write_job("b")
        code, told = run_behind_a_lock(stack, stack.job_path("a").unlink, *words, "--yes")
        assert code == 0, told
        assert (service.creates, len(service.of("b"))) == (1, 1)

    def test_manifests_that_cannot_be_read_are_an_error_and_nothing_is_done(
        self, stack: StackFolder, service: Service, words: tuple[str, ...]
    ) -> None:
        path = stack.write_job("a")
        code, told = run_behind_a_lock(stack, lambda: path.write_text("kind: ["), *words, "--yes")
        assert (code, "InvalidYaml" in told, service.creates) == (65, True, 0)

    def test_another_stacks_file_is_an_error_and_nothing_is_done(
        self, stack: StackFolder, service: Service, words: tuple[str, ...]
    ) -> None:
        stack.write_job("a")
        code, told = run_behind_a_lock(stack, lambda: stack.write_stack(uid="zzz999"), *words, "--yes")
        assert (code, "is of another stack now" in told, service.creates) == (64, True, 0)

    def test_a_state_elsewhere_is_an_error_and_nothing_is_done(
        self, stack: StackFolder, service: Service, words: tuple[str, ...]
    ) -> None:
        stack.write_job("a")
        code, told = run_behind_a_lock(stack, lambda: stack.write_stack(state="other.db"), *words, "--yes")
        assert (code, "ManifestsChanged" in told, "other.db" in told, service.creates) == (6, True, True, 0)


@pytest.mark.parametrize("words", [("cancel", "a"), ("destroy", "a", "--yes"), ("apply", "--yes", "--rerun", "a")])
def test_a_job_that_was_renamed_meanwhile_is_not_passed_over_in_silence(
    stack: StackFolder, cli: Cli, service: Service, words: tuple[str, ...]
) -> None:
    stack.write_job("a")
    cli.ok("apply", "--yes")
    code, told = run_behind_a_lock(stack, lambda: rename(stack), *words)
    assert (code, "there is no job a" in told) == (1, True), told
    assert (service.creates, service.calls("batches.cancel")) == (1, 0)


@pytest.mark.parametrize(
    ("words", "ends"), [(("apply", "--wait"), "a"), (("watch",), "a"), (("destroy", "--wait"), "c")]
)
def test_a_run_that_began_before_an_edit_ends_and_undoes_nothing(
    stack: StackFolder, cli: Cli, service: Service, words: tuple[str, ...], ends: str
) -> None:
    service.rules({**LONG, "fate": "cancelSlow"})
    stack.write_job("a")
    stack.write_job("c")
    if words[0] == "destroy":
        cli.ok("apply", "--yes")
    child = Child(*words, "--yes", "--timeout", "60s", "--log-format", "json")
    # Its first pass has read the manifests then.
    child.wait_for("cancel" if words[0] == "destroy" else "created batches/")
    stack.write_job(ends, runId="2")
    cli("apply", "--yes", "--max-replace", "9")
    made = service.creates
    assert child.end() == 6, child.told
    assert f"(changed: {ends})" in child.told
    assert "ManifestsChanged" in child.told
    assert service.creates == made


def test_a_reviewed_plan_is_compared_under_the_lock(stack: StackFolder, cli: Cli, service: Service) -> None:
    stack.write_job("a")
    digest = cli.ok("plan", "--out", "p.json", "-o", "json").json["digest"]
    for words in (("apply", "p.json"), ("apply", "--expect", digest)):
        code, told = run_behind_a_lock(stack, lambda: stack.write_job("a", runId="2"), *words)
        assert (code, "PlanStale" in told, service.creates) == (6, True, 0)
        stack.write_job("a")
    code, told = run_behind_a_lock(stack, lambda: None, "apply", "p.json")
    assert (code, service.creates) == (0, 1), told


def test_standard_input_counts_for_the_whole_command(
    stack: StackFolder, cli: Cli, service: Service, quick: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(manifest("piped").encode())))
    cli.ok("apply", "--yes", "--wait", "-f", "-")
    assert quick, "it made one pass only"
    assert cli.ok("status", "-o", "json").phases() == {"piped": "Succeeded"}


def test_rows_that_did_not_change_are_read_once(
    stack: StackFolder, cli: Cli, service: Service, quick: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    (stack.path / "jobs" / "rows.jsonl").write_text('{"key": "a", "text": "x"}\n')
    stack.write_job("a", src={"file": "rows.jsonl"})
    asked, read = [], []
    real_asked, real_read = KnownRows.fingerprint, RowFiles.fingerprint

    def ask(rows: KnownRows, path: Path, *rest: Any) -> Any:
        asked.append(path)
        return real_asked(rows, path, *rest)

    def reading(rows: RowFiles, path: Path, *rest: Any) -> Any:
        read.append(path)
        return real_read(rows, path, *rest)

    monkeypatch.setattr(KnownRows, "fingerprint", ask)
    monkeypatch.setattr(RowFiles, "fingerprint", reading)
    cli.ok("apply", "--yes", "--wait")
    assert len(asked) > 2
    assert len(read) == 1


@pytest.mark.parametrize("named", [True, False], ids=["-C", "PWD"])
def test_a_checkout_that_is_switched_while_the_command_starts_is_followed(
    tmp_path: Path, cli: Cli, service: Service, monkeypatch: pytest.MonkeyPatch, *, named: bool
) -> None:
    """What is read first lies in the former revision; what counts, where the link leads by then."""
    monkeypatch.setenv("BATCHCTL_ALLOW_OUTSIDE", "1")
    for revision, job in (("rev1", "a"), ("rev2", "b")):
        written = StackFolder(tmp_path / revision)
        written.write_stack(state=str(tmp_path / "state.db"), results=str(tmp_path / "results"))
        written.write_job(job)
    link = tmp_path / "current"
    link.symlink_to("rev1")
    real = workspace.find_stack_file

    def switch(*given: Any) -> Path:
        if link.readlink() == Path("rev1"):
            link.unlink()
            link.symlink_to("rev2")
        return real(*given)

    monkeypatch.setattr(workspace, "find_stack_file", switch)
    if not named:
        monkeypatch.chdir(link)
        monkeypatch.setenv("PWD", str(link))
    cli.ok(*(["-C", str(link)] if named else []), "apply", "--yes")
    assert (len(service.of("a")), len(service.of("b"))) == (0, 1)


@pytest.mark.parametrize(
    ("pwd", "given", "expected"),
    [
        ("link", "jobs", "link/jobs"),
        ("link", "../other", "other"),
        ("other", "jobs", "real/jobs"),
        ("nowhere", "jobs", "real/jobs"),
        ("", "jobs", "real/jobs"),
    ],
)
def test_the_name_of_the_working_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pwd: str, given: str, expected: str
) -> None:
    (tmp_path / "real" / "jobs").mkdir(parents=True)
    (tmp_path / "other").mkdir()
    (tmp_path / "link").symlink_to("real")
    monkeypatch.chdir(tmp_path / "real")
    monkeypatch.setenv("PWD", str(tmp_path / pwd) if pwd else "")
    folder.begin()
    folder.enter(given)
    assert folder.name() == str(tmp_path / expected)


def test_a_working_folder_that_was_removed_has_no_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    monkeypatch.setenv("PWD", str(gone))
    gone.rmdir()
    folder.begin()
    assert folder.name() == "."


@pytest.mark.parametrize(
    ("env", "folder"),
    [
        ({"XDG_CACHE_HOME": "/c", "HOME": "/h"}, "/c/batchctl/rows"),
        ({"XDG_CACHE_HOME": "relative", "HOME": "/h"}, "/h/.cache/batchctl/rows"),
        ({"HOME": "/h"}, "/h/.cache/batchctl/rows"),
        ({"HOME": "/h", "BATCHCTL_NO_CACHE": "1"}, None),
        ({"HOME": ""}, None),
        ({}, None),
    ],
)
def test_the_folder_of_the_cache(env: dict[str, str], folder: str | None) -> None:
    assert cache_folder(env, ROWS) == (None if folder is None else Path(folder))


def test_the_next_command_does_not_parse_a_large_file_again(
    stack: StackFolder, cli: Cli, service: Service, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(whole_files, "LEAST_BYTES", 1)
    (stack.path / "jobs" / "rows.jsonl").write_text('{"key": "a", "text": "x"}\n')
    stack.write_job("a", src={"file": "rows.jsonl"})
    cli.ok("validate")
    monkeypatch.setattr(whole_files, "_read", None)
    cli.ok("validate")
    cli.ok("status")
    assert len(list((tmp_path / "cache" / "batchctl" / "rows").iterdir())) == 1


def reload_of(stack: StackFolder, monkeypatch: pytest.MonkeyPatch) -> ManifestReload:
    """The manifests of a stack, read once."""
    monkeypatch.chdir(stack.path)
    monkeypatch.setenv("PWD", str(stack.path))
    found = ManifestReload(workspace.open_workspace(Common(quiet=True)))
    assert not found.are_same(), "nothing was read yet"
    found()
    return found


class TestGlance:
    """Between passes a look at sizes and times shows whether the manifests have to be read."""

    def test_files_that_did_not_change_need_not_be_read(
        self, stack: StackFolder, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        (stack.path / "jobs" / "rows.jsonl").write_text('{"key": "a", "text": "x"}\n')
        stack.write_job("a", src={"file": "rows.jsonl"})
        reload = reload_of(stack, monkeypatch)
        assert reload.are_same()
        (stack.path / "jobs" / "rows.jsonl").write_text('{"key": "a", "text": "another"}\n')
        assert not reload.are_same()
        reload()
        assert reload.are_same()
        stack.write_job("b")
        assert not reload.are_same()

    def test_after_an_error_the_manifests_are_read_again(
        self, stack: StackFolder, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        reload = reload_of(stack, monkeypatch)
        path = stack.write_job("a")
        text = path.read_text()
        path.write_text("kind: [")
        with pytest.raises(ManifestError):
            reload()
        assert not reload.are_same()
        path.write_text(text)
        reload()
        assert reload.are_same()

    def test_rows_of_a_chain_may_have_come(self, stack: StackFolder, monkeypatch: pytest.MonkeyPatch) -> None:
        stack.write_job("a")
        stack.write_job("b", src={"fromJob": "a", "template": {"text": "${row.text}"}})
        assert not reload_of(stack, monkeypatch).are_same()

    def test_a_folder_that_is_gone_is_not_the_same(self, stack: StackFolder, monkeypatch: pytest.MonkeyPatch) -> None:
        stack.write_job("a")
        reload = reload_of(stack, monkeypatch)
        stack.path.rename(stack.path.with_name("away"))
        assert not reload.are_same()
        stack.path.with_name("away").rename(stack.path)
        assert reload.are_same()
