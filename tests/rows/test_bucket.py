"""Two writers and one bucket: no index has files of both, and nothing that is there is sent again."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from batchctl.model.codes import ErrorCode
from batchctl.model.errors import ResultsError
from batchctl.model.state_objects import ABSENT, Version
from batchctl.rows.bucket.index import IndexedFile
from batchctl.rows.bucket.objects import why_not_same
from batchctl.rows.bucket.place import BucketPlace
from batchctl.rows.encode import RowEncoder
from tests.support.decisions import job
from tests.support.shared_bucket import Bucket, Line

URL = "gs://team/results/"
FOLDER = "abababab-1"
LARGE = 9 * 2**20


@pytest.fixture
def bucket(tmp_path: Path) -> Iterator[Bucket]:
    made = Bucket(tmp_path)
    yield made
    made.close()


class Writer:
    """A process that keeps results of the job `a`."""

    def __init__(self, bucket: Bucket) -> None:
        self.line: Line = bucket.line()
        self.place = BucketPlace(bucket.objects(self.line, URL), "shop", "abc123")
        self.place.mirror.indexes.refresh()

    def write(self, **files: bytes) -> None:
        folder = self.place.root / "a" / FOLDER
        folder.mkdir(parents=True, exist_ok=True)
        for name, content in files.items():
            # A new file, as the product makes it: the old one's time can be the same.
            (folder / f".{name}").write_bytes(content)
            (folder / f".{name}").replace(folder / name)

    def keep(self) -> None:
        self.place.mirror.keep("a", FOLDER)

    def sent(self, name: str) -> int:
        """How many calls wrote this object, or began to."""
        return sum(call.endswith(f"{FOLDER}/{name}") and call.startswith("POST") for call in self.line.calls)


def contents(bucket: Bucket) -> dict[str, bytes]:
    """The files that count, as a new process reads them."""
    reader = Writer(bucket).place
    reader.mirror.bring("a", bool, is_strict=True)
    folder = reader.root / "a" / FOLDER
    return {file.name: file.read_bytes() for file in folder.iterdir()} if folder.is_dir() else {}


def test_a_writer_that_was_overtaken_changes_nothing(bucket: Bucket) -> None:
    one, two = Writer(bucket), Writer(bucket)
    one.write(x=b"of one", y=b"of one")

    def overtake(request: httpx.Request) -> None:
        if request.url.params.get("name", "").endswith("/y"):
            one.line.before = lambda _request: None
            two.write(x=b"of two", y=b"of two")
            two.keep()

    one.line.before = overtake
    with pytest.raises(ResultsError) as caught:
        one.keep()
    assert caught.value.code == ErrorCode.RESULTS_CHANGED
    assert contents(bucket) == {"x": b"of two", "y": b"of two"}
    assert list((one.place.root / "a" / FOLDER).iterdir()) == [], "its own files are gone"
    one.place.mirror.indexes.refresh()
    one.write(x=b"of one", y=b"of one")
    one.keep()
    assert contents(bucket) == {"x": b"of one", "y": b"of one"}


def test_a_large_object_that_is_there_is_not_sent_again(bucket: Bucket) -> None:
    content = bytes(LARGE)
    killed, after = Writer(bucket), Writer(bucket)

    def die(request: httpx.Request) -> None:
        if request.url.params.get("name", "").endswith("index.json"):
            raise KeyboardInterrupt

    killed.line.before = die
    killed.write(x=content)
    with pytest.raises(KeyboardInterrupt):
        killed.keep()
    assert contents(bucket) == {}
    after.write(x=content)
    after.keep()
    assert (killed.sent("x"), after.sent("x")) == (1, 0)
    assert contents(bucket) == {"x": content}


def test_files_that_are_kept_already_cost_no_call(bucket: Bucket) -> None:
    writer = Writer(bucket)
    writer.write(x=b"1", y=b"2")
    writer.keep()
    before = len(writer.line.calls)
    writer.keep()
    writer.place.mirror.bring("a", bool)
    assert len(writer.line.calls) == before
    writer.write(y=b"3")
    writer.keep()
    assert (writer.sent("x"), contents(bucket)) == (1, {"x": b"1", "y": b"3"})
    names = [name for name, _ in writer.place.mirror._objects.list()]
    assert len([name for name in names if FOLDER in name]) == 2, "the former object is deleted"


def test_an_index_that_is_replaced_while_it_is_read(bucket: Bucket) -> None:
    writer, reader = Writer(bucket), Writer(bucket)
    writer.write(x=b"1")
    writer.keep()

    def replace(request: httpx.Request) -> None:
        if "alt" in request.url.params:
            reader.line.before = lambda _request: None
            writer.write(x=b"2")
            writer.keep()

    reader.line.before = replace
    reader.place.mirror.indexes.refresh()
    assert reader.place.mirror.index("a").serial == 2
    assert not reader.place.shelf.look().problem


@pytest.mark.parametrize(
    ("found", "words"),
    [
        (Version("7", size=3, md5="m"), None),
        (Version("8", size=3, md5="m"), None),
        (Version("8", size=4, md5="m"), "was overwritten"),
        (Version("8", size=3, md5="n"), "was overwritten"),
        (Version("8", size=3), "was overwritten"),
        (Version(ABSENT), "is not there any more"),
        (None, "is not there any more"),
    ],
)
def test_which_object_is_the_right_one(found: Version | None, words: str | None) -> None:
    why = why_not_same(IndexedFile("a/b/c", "7", 3, "s", "m"), found)
    assert (why is None) == (words is None)
    assert (words or "") in (why or "")


def test_no_rows_are_chosen_at_once(bucket: Bucket) -> None:
    ledger = Writer(bucket).place.ledger("abc123", RowEncoder())
    assert not ledger.is_quick(job("a"))
