"""Loading four times as many manifests takes four times the work, and keeps no tree of values."""

from __future__ import annotations

import gc
import os
from pathlib import Path

import pytest

from batchctl.manifests import compose
from batchctl.manifests.nodes import Members
from tests.support.growth import assert_in_step, count_steps
from tests.support.manifest_files import JOB, STACK, load_in, write


@pytest.fixture(autouse=True)
def _all_is_imported(tmp_path_factory: pytest.TempPathFactory) -> None:
    """The modules that a stack of many manifests needs are loaded with its first form."""
    load_in(stack_of(tmp_path_factory.mktemp("first"), 10))


def stack_of(folder: Path, number: int) -> Path:
    jobs = {f"jobs/j{place:03}.yaml": JOB.replace("classify", f"j{place:03}") for place in range(number)}
    write(folder, {"batchctl.yaml": STACK, **jobs})
    return folder


def test_the_work_grows_with_the_number_of_manifests(tmp_path: Path) -> None:
    def count(number: int) -> int:
        folder = stack_of(tmp_path / str(number), number)
        return count_steps(lambda: load_in(folder), "manifests")

    assert_in_step(count, few=10)


def test_a_manifest_is_read_by_two_calls_and_none_for_its_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The path of a folder is resolved once, and its files are opened in it."""

    def calls(number: int) -> int:
        folder = stack_of(tmp_path / f"calls-{number}", number)
        made = 0
        for name in ("lstat", "stat", "open", "readlink", "fstat", "scandir"):
            call = getattr(os, name)

            def counting(*given: object, call: object = call, **named: object) -> object:
                nonlocal made
                made += 1
                return call(*given, **named)  # type: ignore[operator]

            monkeypatch.setattr(os, name, counting)
        load_in(folder)
        monkeypatch.undo()
        return made

    assert calls(40) - calls(20) == 20 * 2  # open, and fstat for its kind and its size


@pytest.mark.no_cover
def test_the_tree_of_a_manifest_is_dropped_once_the_job_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = stack_of(tmp_path, 15)
    most = 0
    value = compose._Composer._value

    def counting(composer: object, event: object, depth: int) -> object:
        nonlocal most
        if depth == 1:
            most = max(most, sum(type(one) is Members for one in gc.get_objects()))
        return value(composer, event, depth)  # type: ignore[arg-type]

    load_in(folder)
    gc.collect()
    before = sum(type(one) is Members for one in gc.get_objects())
    monkeypatch.setattr(compose._Composer, "_value", counting)
    load_in(folder)
    assert most - before < 30, "a manifest has four mappings"
