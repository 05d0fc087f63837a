"""Any input gives a stack or a ManifestError with valid errors, within seconds and half a gigabyte."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from random import Random

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from batchctl.manifests import job_reader
from batchctl.manifests import references as references_module
from batchctl.model.locations import Diagnostic
from tests.support.broken_manifests import SOUND, STACK_FILE, complaints, found_faults
from tests.support.hostile_inputs import FILE_JOB, JOB, LIGHT, STACK
from tests.support.long_mode import effort
from tests.support.manifest_files import EXAMPLES
from tests.support.random_damage import DAMAGES, TOKENS, damaged_tree

CHILD = Path(__file__).parent / "hostile_child.py"
MOST_SECONDS = 5 * int(os.environ.get("BATCHCTL_TEST_SLOWNESS", "2"))
"""Seconds of processor time, doubled, because test machines run other programs too."""
MOST_MEGABYTES = 500

quick = settings(max_examples=effort(30, 1000), deadline=None)


def run_child(*names: str) -> dict[str, dict[str, object]]:
    """Load these inputs in one child process; returns the results by name."""
    # Coverage in the child would be measured instead of the child.
    env = {name: value for name, value in os.environ.items() if not name.startswith("COV")}
    done = subprocess.run([sys.executable, CHILD, *names], capture_output=True, text=True, env=env, check=False)
    assert done.returncode == 0, done.stderr
    found = [json.loads(line) for line in done.stdout.splitlines()]
    return {str(item["name"]): item for item in found}


def assert_harmless(found: Mapping[str, object]) -> None:
    assert found["complaints"] == []
    assert found["seconds"] < MOST_SECONDS, found
    assert found["megabytes"] < MOST_MEGABYTES, found


# Halves of one length, for two processors.
@pytest.mark.parametrize("names", [LIGHT[::2], LIGHT[1::2]], ids=["one half", "other half"])
def test_hostile_inputs_are_harmless(names: list[str]) -> None:
    found = run_child(*names)
    assert list(found) == names
    for item in found.values():
        assert_harmless(item)


def test_an_input_just_below_the_limits_is_harmless() -> None:
    """Others of this kind are slow: `python tests/manifests/hostile_child.py all` loads all of them."""
    assert_harmless(run_child("many rows")["many rows"])


def faults_of(files: Mapping[str, bytes]) -> list[Diagnostic]:
    """The errors of a stack with these files, each checked by the rules."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for file, data in files.items():
            (folder / file).write_bytes(data)
        faults = found_faults(folder / STACK_FILE)
        read = "".join(data.decode("utf-8", errors="replace") for data in files.values())
        assert [complaint for fault in faults for complaint in complaints(fault, folder, read)] == []
        return faults


@pytest.mark.skipif(os.name != "posix", reason="holes in files are made by POSIX systems")
def test_a_file_of_50_mb_is_not_read_completely(tmp_path: Path) -> None:
    (tmp_path / STACK_FILE).write_text(STACK, encoding="utf-8")
    with (tmp_path / "job.yaml").open("wb") as file:
        file.truncate(50 * 1024 * 1024)
    (fault,) = found_faults(tmp_path / STACK_FILE)
    assert str(fault) == (
        f"{tmp_path}/job.yaml:1:1: TooLarge the file is larger than 8 MB (put rows into a JSONL file: src: {{file: PATH}})"
    )


def test_errors_beyond_the_500th_are_not_reported() -> None:
    rows = "".join(f"  - {{key: {number}, text: x}}\n" for number in range(600))
    faults = faults_of(
        {STACK_FILE: STACK.encode(), "job.yaml": JOB.split("  src")[0].encode() + b"  src:\n" + rows.encode()}
    )
    assert len(faults) == 501
    assert [(fault.code, fault.message, fault.hint) for fault in faults if fault.code == "TooManyFaults"] == [
        ("TooManyFaults", "500 errors found up to here; batchctl stopped checking", "fix these first")
    ]


def test_the_defaults_of_all_jobs_together_are_limited(monkeypatch: pytest.MonkeyPatch) -> None:
    stack = STACK.encode() + b"  defaults: {extraBody: {a: [1, 2]}}\n"
    jobs = [JOB.replace("classify", name).encode() for name in ("one", "two", "three")]
    monkeypatch.setattr(job_reader, "MOST_DEFAULT_VALUES", 15)
    assert faults_of({STACK_FILE: stack, "job.yaml": b"---\n".join(jobs)}) == []
    monkeypatch.setattr(job_reader, "MOST_DEFAULT_VALUES", 14)
    (fault,) = faults_of({STACK_FILE: stack, "job.yaml": b"---\n".join(jobs)})
    assert (fault.code, fault.location.line, fault.message) == (
        "TooLarge",
        6,
        "the defaults, merged into every job, have more than 14 values, or too much text",
    )


def test_the_values_of_all_variables_together_are_limited(monkeypatch: pytest.MonkeyPatch) -> None:
    stack = STACK.encode() + b"  variables: {night: {default: abcde}}\n"
    manifest = JOB.encode() + b"  runId: x${var.night}\n  displayName: x${var.night}\n"
    monkeypatch.setattr(references_module, "MOST_REPLACED", 10)
    assert faults_of({STACK_FILE: stack, "job.yaml": manifest}) == []
    monkeypatch.setattr(references_module, "MOST_REPLACED", 9)
    (fault,) = faults_of({STACK_FILE: stack, "job.yaml": manifest})
    assert (fault.code, fault.location.line, fault.hint) == ("TooLarge", 8, "shorten them, or use them in fewer places")


def test_very_many_names_are_not_suggested() -> None:
    variables = "".join(f"    night{number}: {{}}\n" for number in range(201))
    manifest = JOB.encode() + b"  runId: ${var.night}\n"
    (fault,) = faults_of({STACK_FILE: f"{STACK}  variables:\n{variables}".encode(), "job.yaml": manifest})
    assert fault.hint == "declare it under spec.variables of the stack file"


@pytest.mark.parametrize("target", ["/etc/passwd", "../outside.jsonl"])
def test_a_link_to_outside_is_not_followed(tmp_path: Path, target: str) -> None:
    folder = tmp_path / "stack"
    folder.mkdir()
    (tmp_path / "outside.jsonl").write_text('{"key": "a", "text": "secret"}\n', encoding="utf-8")
    (folder / STACK_FILE).write_text(STACK, encoding="utf-8")
    (folder / "job.yaml").write_text(FILE_JOB, encoding="utf-8")
    (folder / "rows.jsonl").symlink_to(target)
    (folder / "linked.yaml").symlink_to(target)
    assert {fault.code for fault in found_faults(folder / STACK_FILE)} == {"OutsideStack"}


def test_a_special_file_is_an_error_and_does_not_block(tmp_path: Path) -> None:
    (tmp_path / STACK_FILE).write_text(STACK, encoding="utf-8")
    (tmp_path / "job.yaml").write_text(FILE_JOB, encoding="utf-8")
    os.mkfifo(tmp_path / "rows.jsonl")
    os.mkfifo(tmp_path / "pipe.yaml")
    (tmp_path / "circle.yaml").symlink_to("circle.yaml")
    assert [str(fault).replace(f"{tmp_path}/", "") for fault in found_faults(tmp_path / STACK_FILE)] == [
        "batchctl.yaml:1:1: UnreadableFile circle.yaml is not a regular file",
        "batchctl.yaml:1:1: UnreadableFile pipe.yaml is not a regular file",
        "job.yaml:6:15: UnreadableFile rows.jsonl is not a regular file (name one file of rows)",
    ]


yaml_like = st.lists(st.sampled_from(TOKENS), max_size=40).map("".join)
anything = st.binary(max_size=200) | st.text(max_size=100).map(lambda text: text.encode("utf-8", "replace"))
anything |= yaml_like.map(str.encode)


@quick
@given(anything)
def test_any_input_is_read_or_refused(data: bytes) -> None:
    faults_of({STACK_FILE: STACK.encode(), "job.yaml": data})
    faults_of({STACK_FILE: STACK.encode() + b"  " + data, "job.yaml": JOB.encode() + b"  " + data})
    faults_of({STACK_FILE: STACK.encode(), "job.yaml": FILE_JOB.encode(), "rows.jsonl": data})


def plain_example(path: str) -> object:
    return yaml.safe_load((EXAMPLES / path).read_text(encoding="utf-8"))


MANIFESTS = [plain_example(path.relative_to(EXAMPLES).as_posix()) for path in sorted(EXAMPLES.glob("*/*.yaml"))]
STACKS = [plain_example(STACK_FILE), yaml.safe_load((SOUND / STACK_FILE).read_text(encoding="utf-8"))]
ROW_LINES = (EXAMPLES / "search/data/articles.jsonl").read_bytes().splitlines(keepends=True)[:3]
ROWS = [json.loads(line) for line in ROW_LINES]
randoms = st.randoms(use_true_random=False)
counts = st.integers(1, 4)


def damaged(random: Random, tree: object, count: int) -> bytes:
    for _ in range(count):
        tree = damaged_tree(random, tree)
    return json.dumps(tree).encode()


@quick
@given(randoms, st.sampled_from(MANIFESTS), st.sampled_from(STACKS), counts)
def test_damaged_examples_are_read_or_refused(random: Random, manifest: object, stack: object, count: int) -> None:
    faults_of({STACK_FILE: STACK.encode(), "job.yaml": damaged(random, manifest, count)})
    faults_of({STACK_FILE: damaged(random, stack, count), "job.yaml": JOB.encode()})


@quick
@given(randoms, counts)
def test_damaged_rows_are_read_or_refused(random: Random, count: int) -> None:
    lines = b"\n".join(damaged(random, row, count) for row in ROWS)
    files = {STACK_FILE: STACK.encode(), "job.yaml": FILE_JOB.replace("BatchJob", "EmbeddingsBatchJob").encode()}
    faults_of({**files, "rows.jsonl": lines})
    data = b"".join(ROW_LINES)
    for _ in range(count):
        data = random.choice(DAMAGES)(random, data)
    faults_of({**files, "rows.jsonl": data})
