"""A checkout that its author prepared: whoever runs batchctl in it loses no file, shows no secret, and waits for nothing."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.command_line import Cli, StackFolder
from tests.support.patience import PATIENCE

SECRET = "hunter2swordfish"
NETRC = f"machine github.com login ada password {SECRET}\n"
KEY = f"-----BEGIN OPENSSH PRIVATE KEY-----\n{SECRET}AAAA\n-----END OPENSSH PRIVATE KEY-----\n"
YAML = f"token: {SECRET}\nnested: {{deep: [{SECRET}, '{SECRET}x']}}\n{SECRET}: 1\n"
JSON_LINE = f'{{"type": "service_account", "private_key": "{SECRET}"}}\n'
SIDE_FILES = [
    ".batchctl/state.db",
    ".batchctl/state.db-wal",
    ".batchctl/state.db-shm",
    ".batchctl/state.db-journal",
    ".batchctl/state.db.lock",
    ".batchctl/emulator.db",
    ".batchctl/emulator.db-wal",
    ".batchctl/emulator.db-shm",
    ".emulator.yaml",
]
COMMANDS = [("plan",), ("apply", "--yes"), ("state", "lock", "break"), ("state", "rebuild"), ("doctor",), ("status",)]


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> StackFolder:
    folder = StackFolder(tmp_path / "stack")
    folder.write_stack()
    folder.write_job("one")
    monkeypatch.chdir(folder.path)
    return folder


def put_link(folder: StackFolder, name: str, target: Path) -> None:
    (folder.path / name).parent.mkdir(exist_ok=True)
    (folder.path / name).unlink(missing_ok=True)
    (folder.path / name).symlink_to(target)


@pytest.mark.parametrize("inside", [False, True])
@pytest.mark.parametrize("name", SIDE_FILES)
@pytest.mark.parametrize("command", COMMANDS)
def test_links_in_place_of_side_files_are_not_followed(
    cli: Cli, here: StackFolder, tmp_path: Path, name: str, command: tuple[str, ...], *, inside: bool
) -> None:
    victim = (here.path if inside else tmp_path) / "victim"
    victim.write_text(NETRC)
    victim.chmod(0o644)
    put_link(here, name, victim)
    ran = cli(*command)
    assert SECRET not in ran.out + ran.err
    assert victim.read_text() == NETRC
    assert stat.S_IMODE(victim.stat().st_mode) == 0o644


@pytest.mark.parametrize("name", SIDE_FILES)
def test_nothing_is_made_through_a_link_to_nowhere(cli: Cli, here: StackFolder, tmp_path: Path, name: str) -> None:
    put_link(here, name, tmp_path / "authorized_keys")
    cli("apply", "--yes")
    assert not (tmp_path / "authorized_keys").exists()


@pytest.mark.parametrize("name", SIDE_FILES)
@pytest.mark.timeout(PATIENCE)
def test_pipes_are_not_waited_for(cli: Cli, here: StackFolder, name: str) -> None:
    (here.path / name).parent.mkdir(exist_ok=True)
    os.mkfifo(here.path / name)
    for command in COMMANDS:
        cli(*command)


def test_what_is_in_the_way_is_named(cli: Cli, here: StackFolder, tmp_path: Path) -> None:
    put_link(here, ".batchctl/state.db.lock", tmp_path / "victim")
    ran = cli("apply", "--yes")
    assert (ran.code, "state.db.lock: it is a symbolic link" in ran.err) == (1, True)
    assert "StateUnsafe" in ran.err
    (here.path / ".batchctl/state.db.lock").unlink()
    put_link(here, ".emulator.yaml", tmp_path / "victim")
    ran = cli("plan")
    assert ".emulator.yaml cannot be read: it is a symbolic link" in ran.err


@pytest.mark.parametrize("content", [NETRC, KEY, YAML, JSON_LINE, f"jobs: {SECRET}", f"{{{SECRET}: {SECRET}"])
def test_no_message_quotes_a_seed(cli: Cli, here: StackFolder, content: str) -> None:
    (here.path / ".emulator.yaml").write_text(content)
    ran = cli("plan")
    assert ran.code == 1
    assert ".emulator.yaml" in ran.err
    assert SECRET not in ran.out + ran.err


BOMB = "\n".join(["a0: &a0 [x, x]", *(f"a{n}: &a{n} [*a{n - 1}, *a{n - 1}]" for n in range(1, 40))])
MERGE = "\n".join(["a0: &a0 {x: 1}", *(f"a{n}: &a{n} {{<<: [*a{n - 1}, *a{n - 1}]}}" for n in range(1, 40))])


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (BOMB, "more than 2000000 values"),
        (MERGE, "more than 2000000 values"),
        ("a: &a [*a]", "an alias refers to a value"),
        ("[\n" * 50_000, "nested deeper than 100 levels"),
        ("[" * 50_000, "not valid YAML"),
        ("a: " + "1:" * 200_000 + "1", "a number of more than 100 characters"),
        ("a: " + "9" * 5_000, "a number of more than 100 characters"),
        ("a: !!timestamp 2026-99-99", "not valid YAML"),
        ("a: !!int " + "9" * 5_000, "not valid YAML"),
        ("a: !!python/object:os.system x", "not valid YAML"),
        ("a: \x07", "not valid YAML"),
        pytest.param("x" * (17 * 1024**2), "larger than 16 MB", id="large"),
    ],
)
@pytest.mark.timeout(PATIENCE)
def test_a_seed_that_is_a_bomb_ends_at_once(cli: Cli, here: StackFolder, content: str, words: str) -> None:
    (here.path / ".emulator.yaml").write_text(content)
    ran = cli("plan")
    assert (ran.code, words in ran.err) == (1, True), ran.err[:500]


# Results


def collected(cli: Cli, here: StackFolder) -> Path:
    (here.path / ".emulator.yaml").write_text("settings: {pending: 0s, running: 0s}\n")
    cli.ok("apply", "--yes", "--wait")
    (folder,) = (here.path / "results/one").glob("*-1")
    return folder


@pytest.mark.parametrize("file", ["results.jsonl", "manifest.json"])
def test_results_are_not_read_through_links(cli: Cli, here: StackFolder, tmp_path: Path, file: str) -> None:
    folder = collected(cli, here)
    (tmp_path / "key.json").write_text(JSON_LINE)
    put_link(here, str((folder / file).relative_to(here.path)), tmp_path / "key.json")
    for command in ("results", "one"), ("state", "rebuild", "--force"), ("apply", "--yes"):
        ran = cli(*command)
        assert SECRET not in ran.out + ran.err


@pytest.mark.parametrize("depth", [1, 2])
def test_a_results_folder_that_is_a_link(cli: Cli, here: StackFolder, tmp_path: Path, depth: int) -> None:
    folder = collected(cli, here)
    elsewhere = tmp_path / "elsewhere"
    if depth == 2:
        folder.rename(elsewhere)
        folder.symlink_to(elsewhere)
    else:
        folder.parent.rename(elsewhere)
        folder.parent.symlink_to(elsewhere)
    ran = cli("results", "one")
    assert (ran.code, ran.out) == (1, "")
    assert "ResultsOutside" in ran.err


def test_a_link_where_results_are_prepared_is_removed_and_not_followed(
    cli: Cli, here: StackFolder, tmp_path: Path
) -> None:
    folder = collected(cli, here)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "kept").touch()
    name = folder.name
    for one in folder.iterdir():
        one.unlink()
    folder.rmdir()
    (folder.parent / f".{name}.part").symlink_to(elsewhere)
    (here.path / ".batchctl/state.db").unlink()
    cli("apply", "--yes", "--wait", "--new-state")
    assert [one.name for one in elsewhere.iterdir()] == ["kept"]


# Files that batchctl makes


def test_init_writes_through_no_link(cli: Cli, tmp_path: Path) -> None:
    target, outside = tmp_path / "new", tmp_path / "outside"
    target.mkdir()
    outside.mkdir()
    (target / ".gitignore").symlink_to(outside / "bashrc")
    ran = cli.ok("init", str(target))
    assert f"kept     {target / '.gitignore'}" in ran.out
    assert not list(outside.iterdir())


@pytest.mark.parametrize("name", ["jobs", "batchctl.yaml"])
def test_init_ends_where_a_link_is_in_the_way(cli: Cli, tmp_path: Path, name: str) -> None:
    target, outside = tmp_path / "new", tmp_path / "outside"
    target.mkdir()
    outside.mkdir()
    (target / name).symlink_to(outside if name == "jobs" else outside / "nowhere")
    ran = cli("init", str(target))
    assert ran.code == 1
    assert not list(outside.iterdir())


def test_import_writes_through_no_link(cli: Cli, here: StackFolder, tmp_path: Path) -> None:
    put_link(here, "jobs/two.yaml", tmp_path / "nowhere")
    (here.path / ".emulator.yaml").write_text(
        "jobs: [{name: batches/made, model: gemini-2.5-flash, rows: [{key: a, text: x}]}]\n"
    )
    ran = cli("import", "batches/made", "--as", "two")
    assert ran.code != 0
    assert not (tmp_path / "nowhere").exists()


def modes(folder: Path) -> dict[str, int]:
    found = [folder, *folder.rglob("*")]
    return {str(one.relative_to(folder)): stat.S_IMODE(one.lstat().st_mode) for one in found if not one.is_symlink()}


@pytest.fixture(params=[0o000, 0o777])
def umask(request: pytest.FixtureRequest) -> Iterator[int]:
    before = os.umask(request.param)
    yield request.param
    os.umask(before)


def test_all_that_is_made_is_private_whatever_the_umask(cli: Cli, tmp_path: Path, umask: int) -> None:
    cli.ok("init", "deep/stack")
    stack = tmp_path / "deep/stack"
    (stack / ".emulator.yaml").write_text("settings: {pending: 0s, running: 0s}\n")
    (stack / ".emulator.yaml").chmod(0o600)
    cli.ok("-C", "deep/stack", "apply", "--yes", "--wait")
    cli.ok("-C", str(stack), "state", "pull", "copy.db")
    found = modes(tmp_path / "deep")
    assert {".", "stack/results", "stack/.batchctl/emulator.db", "stack/copy.db", "stack/.gitignore"} <= found.keys()
    assert {name: mode for name, mode in found.items() if mode not in {0o600, 0o700}} == {}
