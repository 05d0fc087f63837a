"""A run that did not do its work has no figure."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.benchmarks.in_benchmarks import in_benchmarks

IDLE = Path(__file__).with_name("idle_competitors.py")
WITH_PEERS = {"validate", "upload", "collect", "results", "plan", "creates"}
ALL = {*WITH_PEERS, "version", "help", "completion", "status"}
"""In those that are not in `WITH_PEERS`, the peer has nothing to do."""


@pytest.mark.parametrize(("who", "cases"), [("batchctl", ALL), ("peers", WITH_PEERS)])
def test_no_case_accepts_a_program_that_does_nothing(who: str, cases: set[str], tmp_path: Path) -> None:
    command = [sys.executable, str(IDLE), str(tmp_path), who]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    assert set(said) == cases
    assert all(said.values()), said


PROOFS = [
    ("prints_nothing", "", ""),
    ("prints_nothing", "a\n", "it printed 1 lines"),
    ("prints('b')", "a\nb\n", ""),
    ("prints('c')", "a\nb\n", "it did not print 'c'"),
    ("prints_lines(2, 'job-')", "job-1\njob-2\nother\n", ""),
    ("prints_lines(2, 'job-')", "job-1\njob-1\n", "1 of its lines begin with 'job-', not 2"),
    ("has_lines(2, '{')", "{1\n{2\n", ""),
    ("has_lines(2, '{')", "{1\n", "it printed 1 lines, not 2"),
    ("has_lines(2, '{')", "{1\n{2\n{3\n", "it printed 3 lines, not 2"),
    ("has_lines(2, '{')", "{1\noops\n", "a line does not begin with '{'"),
    ("has_at_least(2)", "a\nb\nc\n", ""),
    ("has_at_least(2)", "a\n", "it printed 1 lines, fewer than 2"),
    ("counted(3)", 'x\n{"done": 3}\n', ""),
    ("counted(3)", '{"done": 2}\n', "it did 2 of 3"),
    ("counted(3)", "done\n", "it did None of 3"),
    ("all_of(prints('a'), prints('b'))", "a\nb\n", ""),
    ("all_of(prints('a'), prints('z'))", "a\n", "it did not print 'z'"),
    ("wrote(lambda: Path('nowhere'), 1)", "", "nowhere has 0 lines, not 1"),
    ("wrote(lambda: Path('creates.mjs'), 29)", "", ""),
    ("wrote(lambda: Path('creates.mjs'), 28)", "", "creates.mjs has 29 lines, not 28"),
]
PROVE = f"""
from proofs import *
outputs = {[output for _, output, _ in PROOFS]!r}
proofs = [{", ".join(proof for proof, _, _ in PROOFS)}]
runs = [Run(0, 0, 0, lines=one.count("\\n"), start=one, end=one) for one in outputs]
print(json.dumps([proof(run) for proof, run in zip(proofs, runs, strict=True)]))
"""


def test_a_proof_says_what_is_missing() -> None:
    said = json.loads(in_benchmarks(PROVE))
    assert [(*one[:2], words) for one, words in zip(PROOFS, said, strict=True)] == PROOFS


def test_a_long_output_is_counted_and_its_ends_are_kept() -> None:
    program = (
        "from timing import run_once; import sys\n"
        "run = run_once([sys.executable, '-c', 'for n in range(300000): print(n)'])\n"
        "print(run.lines, run.start[:4].split(), len(run.start), run.end[-7:].split(), len(run.end))"
    )
    assert in_benchmarks(program) == "300000 ['0', '1'] 65536 ['299999'] 65536\n"


FAILING = """
import sys
from timing import *
one = Measure("it", lambda _: [sys.executable, "-c", "import sys; sys.exit('broken')"], lambda _: "")
try:
    one.run(0)
except NotDoneError as error:
    print(len(one.runs), error)
"""


def test_a_run_that_fails_has_no_figure_and_says_why() -> None:
    found = in_benchmarks(FAILING)
    assert found.startswith("0 ")
    assert found.endswith("ended with 1: broken\n\n")


PASSES = """
from watch_pass import *
before = {"listed": 0, "calls": {"GET": 2}}
for listed, posts, jobs in ((4, 0, 10), (5, 0, 10), (3, 0, 10), (4, 1, 10), (4, 0, 11)):
    after = {"listed": listed, "jobs": jobs, "calls": {"GET": 10, **({"POST": posts} if posts else {})}}
    try: print(looked_at_all(before, after, 10, 4))
    except NotDoneError as error: print(error)
"""


def test_passes_of_watch_see_all_jobs_and_create_none() -> None:
    assert in_benchmarks(PASSES).splitlines() == [
        "2.0",
        "2.0",
        "one of 10 jobs was in 3 lists; 4 passes over 10 jobs made 8 calls, 0 of them creates",
        "one of 10 jobs was in 4 lists; 4 passes over 10 jobs made 9 calls, 1 of them creates",
        "one of 11 jobs was in 4 lists; 4 passes over 10 jobs made 8 calls, 0 of them creates",
    ]


STORE = """
from emulator_store import *
def store(reply):
    one = object.__new__(Store)
    one.names, one._last_token, one._call = ["a", "b", "c"], "", lambda *_: reply
    return one
for call, reply in (
    (Store.get, {"name": "a"}), (Store.get, {"name": "b"}),
    (Store.first_page, {"operations": [1, 2, 3]}), (Store.first_page, {"operations": [1, 2]}),
    (Store.last_page, {"operations": []}),
    (Store._find_last_token, {"operations": [1, 2, 3]}), (Store._find_last_token, {"operations": [1, 2]}),
):
    try: print(call(store(reply)) or "well")
    except NotDoneError as error: print(error)
"""


def test_calls_of_the_emulator_find_the_jobs_that_were_stored() -> None:
    assert in_benchmarks(STORE).splitlines() == [
        "well",
        "a get of a gave b",
        "well",
        "a page has 2 jobs",
        "a page has 0 jobs",
        "well",
        "the list has 2 jobs, not 3",
    ]
