"""The rows of a source at Cloud Storage, compared with the list of the attempts before."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from batchctl.model.desired import DesiredJob
from batchctl.model.errors import ResultsError
from batchctl.model.ports.inputs import InputRow, SourceFile
from batchctl.rows.input_list import read_input_list
from batchctl.rows.source_rows import Compared, SourceRows
from tests.support.decisions import job
from tests.support.values import replace

JOB = job()


class Source:
    """An encoder of a source with these rows, by the first letters of their fingerprints."""

    def __init__(self, rows: str) -> None:
        self.rows_now = rows
        self.generation = 1
        self.reads = 0

    def files(self, _job: DesiredJob) -> tuple[SourceFile, ...]:
        return (SourceFile("gs://b/in.jsonl", 1, str(self.generation)),)

    def rows(self, _job: DesiredJob, *, ahead: bool = False) -> Iterator[InputRow]:
        self.reads += 1
        if "?" in self.rows_now:
            raise ResultsError("row 1 cannot be sent", code="InvalidInput", hint="correct it")
        return (InputRow(name, None, fingerprint=name.encode() * 16) for name in self.rows_now)

    def overwrite(self, rows: str) -> None:
        self.rows_now = rows
        self.generation += 1


class Attempts:
    """The attempts of one process."""

    def __init__(self, root: Path, source: Source) -> None:
        self.root = root
        self.source = source
        self.compared: dict[str, Compared] = {}

    def choose(self, *, is_renewed: bool = False, wanted: DesiredJob = JOB) -> str:
        """Read all rows and keep their list; gives them."""
        with SourceRows(self.root, wanted, self.source, self.compared) as rows:  # type: ignore[arg-type]
            found = "".join(str(row.key) for row in rows.rows(is_renewed=is_renewed))
            rows.keep(is_renewed=is_renewed)
        return found

    def check(self) -> None:
        with SourceRows(self.root, JOB, self.source, self.compared) as rows:  # type: ignore[arg-type]
            rows.check_same()

    def listed(self) -> str:
        found = read_input_list(self.root, JOB.name, JOB.digest)
        return "" if found is None else "".join(str(row.key) for row in found.rows())


@pytest.fixture
def attempts(tmp_path: Path) -> Attempts:
    return Attempts(tmp_path, Source("abc"))


def test_the_same_rows_may_be_in_another_generation(attempts: Attempts) -> None:
    assert attempts.choose() == attempts.listed() == "abc"
    attempts.source.overwrite("abc")
    assert attempts.choose() == "abc"
    attempts.check()


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ("abd", "1 of 3 rows is new"),
        ("xyzabc", "3 of 6 rows are new"),
        ("cba", "other keys, or another order"),
        ("ab", "it has 2 rows in place of 3"),
    ],
)
def test_other_rows_are_refused_and_read_once(attempts: Attempts, rows: str, words: str) -> None:
    """`watch` tries again in each pass."""
    attempts.choose()
    attempts.source.overwrite(rows)
    for call in (attempts.choose, attempts.choose, attempts.check):
        with pytest.raises(ResultsError, match=words) as caught:
            call()
        assert caught.value.code == "SourceChanged"
    assert (attempts.source.reads, attempts.listed()) == (2, "abc")
    assert attempts.choose(is_renewed=True) == attempts.listed() == rows
    attempts.source.overwrite("abc")
    with pytest.raises(ResultsError):
        attempts.check()


def test_a_row_that_cannot_be_sent_is_read_once(attempts: Attempts) -> None:
    attempts.source.overwrite("a?")
    for renewed in (False, True, False):
        with pytest.raises(ResultsError, match="row 1 cannot be sent"):
            attempts.choose(is_renewed=renewed)
    assert attempts.source.reads == 1
    attempts.source.overwrite("abc")
    assert attempts.choose() == "abc"


def test_rows_that_were_compared_are_not_read_again(attempts: Attempts) -> None:
    attempts.choose()
    attempts.check()
    attempts.check()
    assert attempts.source.reads == 1
    assert attempts.choose(wanted=replace(JOB, digest=JOB.digest.replace("1", "2"))) == "abc", "other work"
    assert attempts.source.reads == 2
