"""A glance at files tells whether manifests have to be read again."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from batchctl.disk import safe_open
from batchctl.manifests.seen_files import SeenFiles
from batchctl.model.errors import ManifestError
from tests.support.manifest_files import JOB, STACK, load_in, with_stack, write

PRICES = "apiVersion: batchctl.dev/v1\nkind: PriceList\ncurrency: EUR\nprices: []\n"
NESTED = JOB.replace("classify", "nested")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A stack behind a link, with a file, a nested file, and a folder that is a link."""
    stack = with_stack("prices: prices.yaml")
    write(tmp_path / "real", {"batchctl.yaml": stack, "prices.yaml": PRICES, "a.yaml": JOB, "sub/b.yaml": NESTED})
    write(tmp_path / "real", {"other/c.yaml": JOB.replace("classify", "linked")})
    (tmp_path / "real" / "link").symlink_to("other")
    (tmp_path / "current").symlink_to("real")
    for path in (tmp_path / "real").rglob("*"):
        # Long ago: a clock of files may stand still for some milliseconds.
        os.utime(path, (1, 1))
    return tmp_path / "current"


def seen(folder: Path) -> SeenFiles:
    found = SeenFiles()
    found.begin()
    load_in(folder, seen=found)
    return found


def rewrite(path: Path, *, size: int = 0) -> None:
    """Other bytes, as many if `size` is 0."""
    path.write_bytes(path.read_bytes().replace(b"hello", b"jello" + b"!" * size))


def switch(folder: Path) -> None:
    """Let the link to the stack lead to an equal copy with equal times."""
    shutil.copytree(folder.resolve(), folder.parent / "copy", symlinks=True)
    folder.unlink()
    folder.symlink_to("copy")


def relink(folder: Path) -> None:
    (folder / "link").unlink()
    (folder / "link").symlink_to("sub")


CHANGES: dict[str, Callable[[Path], object]] = {
    "the stack file": lambda folder: (folder / "batchctl.yaml").write_text(STACK + "\n"),
    "the price list": lambda folder: (folder / "prices.yaml").write_text(PRICES.replace("EUR", "USD")),
    "a file": lambda folder: rewrite(folder / "a.yaml", size=1),
    "a file, with as many bytes": lambda folder: rewrite(folder / "a.yaml"),
    "a nested file": lambda folder: rewrite(folder / "sub" / "b.yaml"),
    "a file behind a link": lambda folder: rewrite(folder / "other" / "c.yaml"),
    "a new file": lambda folder: (folder / "sub" / "d.yaml").write_text(JOB),
    "a file is gone": lambda folder: (folder / "sub" / "b.yaml").unlink(),
    "a folder is gone": lambda folder: (folder / "sub").rename(folder.parent / "away"),
    "another name": lambda folder: (folder / "a.yaml").rename(folder / "z.yaml"),
    "another link": relink,
    "another revision": switch,
}


def test_without_a_change_nothing_has_to_be_read(folder: Path) -> None:
    found = seen(folder)
    assert found.are_same()
    assert found.are_same()


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_a_change_is_seen(folder: Path, change: Callable[[Path], object]) -> None:
    found = seen(folder)
    change(folder)
    assert not found.are_same()


def test_nothing_that_was_never_read_is_the_same() -> None:
    assert not SeenFiles().are_same()


@pytest.mark.parametrize("path", ["a.yaml", "named.yaml"])
def test_a_file_that_changed_while_it_was_read_is_another_one(
    folder: Path, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    (folder / "named.yaml").symlink_to("other/c.yaml")
    changed, real = (folder / path).resolve(), os.fstat

    def fstat(handle: int) -> os.stat_result:
        found = real(handle)
        if os.path.samestat(found, changed.stat()):
            rewrite(changed, size=1)  # it is open, and not read yet
        return found

    monkeypatch.setattr(safe_open.os, "fstat", fstat)
    found = SeenFiles()
    found.begin()
    load_in(folder, seen=found)
    monkeypatch.undo()
    assert not found.are_same()


def test_a_file_that_cannot_be_examined_has_to_be_read(folder: Path) -> None:
    found = SeenFiles()
    found.begin()
    (folder / "broken.yaml").symlink_to("nowhere")
    with pytest.raises(ManifestError):
        load_in(folder, seen=found)
    (folder / "broken.yaml").unlink()
    assert not found.are_same()
    found.note(folder / "never")
    assert not found.are_same()


def test_each_reading_counts_for_itself(folder: Path) -> None:
    found = seen(folder)
    rewrite(folder / "a.yaml", size=1)
    found.begin()
    assert not found.are_same()
    load_in(folder, seen=found)
    assert found.are_same()


def test_a_command_that_reads_once_looks_at_no_file_for_that(folder: Path) -> None:
    found = SeenFiles()
    load_in(folder, seen=found)
    assert not found.are_same()
