"""Changes each branch of the decisions once, and names the changes that no test notices.

    python tests/mutation/run.py [PATH …] [--share 2/5] [--tests FOLDER …]

PATHs are files or folders below `batchctl/`; `batchctl/reconcile` if none is given. `--share 2/5` tries the second fifth of
the changes. Tests are loaded once; a run of them, in a process of its own, shows which lines each one runs. Then each
change gets a forked process: the changed function's code is put in place, and the tests that run its lines are run, the
quickest first, until one fails. Where tests run these lines while they are collected, their files get a process of their
own, in which the module is changed from the start. Ends with 1 if a change was not noticed.
"""

from __future__ import annotations

import argparse
import ast
import contextlib
import functools
import gc
import io
import os
import pickle
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from types import CodeType, FrameType, FunctionType
from typing import Any

import pytest
from _pytest.runner import runtestprotocol

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.mutation import changed_module  # noqa: E402
from tests.mutation.changes import Change, changes_of  # noqa: E402  # beside this file

PATIENCE = 30
"""Seconds of processor time for one change: a loop that never ends is noticed, on a machine with other load too."""
PYTEST = (
    *("-qq", "--no-header", "-c", str(ROOT / "pyproject.toml")),
    *("-p", "no:randomly", "-p", "no:cacheprovider", "-o", "timeout=0"),
)
NOTICED, ENDLESS, UNNOTICED, UNTRIED = "noticed", "noticed by its time", "not noticed", "not tried"
_NO_CODE = 2
"""What a child ends with that could not put the change in place."""


class Tests:
    """The tests, loaded once; what they run is known after `measure`."""

    def __init__(self, items: Sequence[pytest.Item], collected: Mapping[Path, set[tuple[str, int]]]) -> None:
        self._items = list(items)
        self._collected = collected
        """The lines that each file of tests runs while it is collected."""
        self._seconds: dict[int, float] = {}
        self._by_line: dict[tuple[str, int], set[int]] = defaultdict(set)

    def measure(self, files: Iterable[Path]) -> None:
        """Run all tests in a child, and note which lines of the files each runs. Raises SystemExit if one fails."""
        names = {str(path) for path in files}
        self._seconds, found, failed = _in_child(lambda: self._trace(names))
        if failed:
            raise SystemExit(f"these tests fail without a change: {', '.join(failed[:5])}")
        for number, lines in found.items():
            for line in lines:
                self._by_line[line].add(number)

    def _trace(self, names: set[str]) -> Any:
        seconds, found, failed = {}, {}, []
        for number, item in enumerate(self._items):
            lines: set[tuple[str, int]] = set()
            start = time.perf_counter()
            with _traced(names, lines):
                is_well = _passes(item)
            seconds[number], found[number] = time.perf_counter() - start, lines
            if not is_well:
                failed.append(item.nodeid)
        return seconds, found, failed

    def of(self, path: Path, change: Change) -> list[pytest.Item]:
        """The tests that run a line of the change, the quickest first."""
        lines = range(change.line, change.last_line + 1)
        numbers = set().union(*(self._by_line.get((str(path), line), set()) for line in lines))
        return [self._items[number] for number in sorted(numbers, key=self._seconds.__getitem__)]

    def files_of(self, path: Path, change: Change) -> list[Path]:
        """The files of tests that run a line of the change while they are collected."""
        lines = {(str(path), line) for line in range(change.line, change.last_line + 1)}
        return sorted(file for file, found in self._collected.items() if lines & found)


@contextlib.contextmanager
def _traced(names: set[str], lines: set[tuple[str, int]]) -> Iterator[None]:
    def inside(frame: FrameType, event: str, _arg: object) -> Callable[..., Any]:
        if event == "line":
            lines.add((frame.f_code.co_filename, frame.f_lineno))
        return inside

    def called(frame: FrameType, _event: str, _arg: object) -> Callable[..., Any] | None:
        return inside if frame.f_code.co_filename in names else None

    sys.settrace(called)
    try:
        yield
    finally:
        sys.settrace(None)


def _passes(item: pytest.Item) -> bool:
    """Whether a test passes, with fixtures of its own."""
    return all(not report.failed for report in runtestprotocol(item, log=False, nextitem=None))


def _in_child(work: Callable[[], Any]) -> Any:
    """What a function gives in a forked process, so that nothing of its run stays behind in this one."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        with os.fdopen(writer, "wb") as stream:
            stream.write(pickle.dumps(work()))
        os._exit(0)
    os.close(writer)
    with os.fdopen(reader, "rb") as stream:
        content = stream.read()
    os.waitpid(child, 0)
    return pickle.loads(content)


def try_change(path: Path, change: Change, items: Sequence[pytest.Item]) -> str:
    """Run the tests over the changed function, in a process of its own."""
    child = os.fork()
    if child == 0:
        signal.signal(signal.SIGPROF, signal.SIG_DFL)
        signal.setitimer(signal.ITIMER_PROF, PATIENCE)
        if not put_in_place(path, change):
            os._exit(_NO_CODE)
        os._exit(0 if all(_passes(item) for item in items) else 1)
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    return {0: UNNOTICED, _NO_CODE: UNTRIED, -signal.SIGPROF: ENDLESS}.get(status, NOTICED)


def try_from_start(path: Path, change: Change, files: Sequence[Path]) -> str:
    """Run files of tests with the module changed before they are collected."""
    with tempfile.NamedTemporaryFile("w", encoding="utf-8", suffix=".py") as source:
        source.write(ast.unparse(change.tree))
        source.flush()
        env = {**os.environ, changed_module.FILE: str(path), changed_module.SOURCE: source.name}
        env["PYTHONPATH"] = os.pathsep.join([str(HERE), env.get("PYTHONPATH", "")])
        command = [
            sys.executable,
            "-m",
            "pytest",
            "-x",
            "-p",
            "tests.mutation.changed_module",
            *PYTEST,
            *map(str, files),
        ]
        done = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, check=False)
    return NOTICED if done.returncode else UNNOTICED


def put_in_place(path: Path, change: Change) -> bool:
    """Give the loaded function its changed code, wherever it was imported to. False when it cannot be done."""
    code = _find_code(compile(change.tree, str(path), "exec"), change.function)
    found = [
        function
        for function in gc.get_objects()
        if isinstance(function, FunctionType)
        and function.__code__.co_filename == str(path)
        and function.__code__.co_qualname == change.function
    ]
    if code is None or not found:
        return False
    for function in found:
        if len(function.__code__.co_freevars) != len(code.co_freevars):
            return False
        function.__code__ = code
    for cached in gc.get_objects():
        if isinstance(cached, functools._lru_cache_wrapper):
            cached.cache_clear()
    return True


def _find_code(code: CodeType, name: str) -> CodeType | None:
    for inner in code.co_consts:
        if isinstance(inner, CodeType):
            found = inner if inner.co_qualname == name else _find_code(inner, name)
            if found is not None:
                return found
    return None


class _Collected:
    """A plugin that takes the tests in place of running them."""

    def __init__(self) -> None:
        self.names: set[str] = set()
        """The files whose lines are noted."""
        self.lines: dict[Path, set[tuple[str, int]]] = defaultdict(set)
        self.work: Callable[[Sequence[pytest.Item]], int] = lambda items: 0
        self.code = 0

    @pytest.hookimpl(wrapper=True)
    def pytest_make_collect_report(self, collector: pytest.Collector) -> Generator[None, Any, Any]:
        if not isinstance(collector, pytest.Module):
            return (yield)
        with _traced(self.names, self.lines[collector.path]):
            return (yield)

    def pytest_runtestloop(self, session: pytest.Session) -> bool | None:
        if session.testsfailed:
            # A file that could not be collected: pytest's own loop ends with its error.
            return None
        self.code = self.work(session.items)
        return True


def main() -> int:
    """Try the changes; gives 1 if one was not noticed."""
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("paths", nargs="*", default=["batchctl/reconcile"])
    parser.add_argument("--share", default="1/1")
    parser.add_argument("--tests", nargs="+", default=["tests/reconcile"])
    asked = parser.parse_args()
    files = sorted(found for path in asked.paths for found in _python_files(ROOT / path))
    part, parts = map(int, asked.share.split("/"))
    plugin = _Collected()
    plugin.names = {str(path) for path in files}
    plugin.work = lambda items: report(Tests(items, plugin.lines), files, part, parts)
    os.chdir(ROOT)
    code = pytest.main(["-s", *PYTEST, *asked.tests], plugins=[plugin])
    return plugin.code or int(code)


def _python_files(path: Path) -> list[Path]:
    return sorted(path.rglob("*.py")) if path.is_dir() else [path]


def report(tests: Tests, files: Sequence[Path], part: int, parts: int) -> int:
    """Try this part of all changes, and print what was not noticed and the figures."""
    start = time.monotonic()
    tests.measure(files)
    counts: Counter[str] = Counter()
    number = 0
    for path in files:
        for change in changes_of(path.read_text(encoding="utf-8")):
            number += 1
            if number % parts != part % parts:
                continue
            items = tests.of(path, change)
            with contextlib.redirect_stdout(io.StringIO()):
                came = try_change(path, change, items)
            if came in {UNNOTICED, UNTRIED} and (collected := tests.files_of(path, change)):
                came = try_from_start(path, change, collected)
            counts[came] += 1
            if came is not NOTICED:
                print(
                    f"{os.path.relpath(path, ROOT)}:{change.line}: {came} by {len(items)} tests: {change.words}",
                    flush=True,
                )
    seconds = time.monotonic() - start
    figures = ", ".join(f"{counts[came]} {came}" for came in (NOTICED, ENDLESS, UNNOTICED, UNTRIED))
    print(f"{sum(counts.values())} changes: {figures}; {seconds:.0f} s")
    return 1 if counts[UNNOTICED] else 0


if __name__ == "__main__":
    sys.exit(main())
