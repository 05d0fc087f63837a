"""Traps of the reference in uploads: the job is made once, of a file that is whole."""

from __future__ import annotations

import httpx
import pytest

from tests.support.engine import job, results
from tests.support.trap_stories import KEYS, Asked, Trap, refused, tell_unharmed, told

STATUS = "x-goog-upload-status"
STARTS = "start"


@pytest.fixture(autouse=True)
def small_chunks(monkeypatch):
    """Three chunks for three rows."""
    monkeypatch.setattr("batchctl.providers.gemini.file_upload.CHUNK", 100)


def command(asked: Asked) -> str:
    return asked.request.headers.get("x-goog-upload-command", "")


def on_chunk(number: int, change):
    """Changes the answer to the chunk of that number, from 1; later ones are answered truly."""
    chunks = []

    def twist(asked: Asked) -> httpx.Response | None:
        if asked.what != "upload" or not command(asked).startswith("upload"):
            return None
        chunks.append(asked)
        return change(asked) if len(chunks) == number else None

    return twist


def without_status(asked: Asked) -> httpx.Response:
    asked.answer()
    return told({})


def never_came(asked: Asked) -> httpx.Response:
    return told({}, 500)


def early_final(asked: Asked) -> httpx.Response:
    return told({"file": {"name": "files/short"}}, x_goog_upload_status="final")


def still_active(asked: Asked) -> httpx.Response:
    return told({}, x_goog_upload_status="active")


def reply_lost(asked: Asked) -> httpx.Response:
    asked.answer()
    raise httpx.ReadError("reset")


def half_received(asked: Asked) -> httpx.Response:
    raise httpx.WriteError("reset")


def clash(asked: Asked) -> httpx.Response:
    return refused(409, "ALREADY_EXISTS", "File files/x already exists.")


def on_start(change):
    """Changes the answer to the first start of an upload."""
    starts = []

    def twist(asked: Asked) -> httpx.Response | None:
        if command(asked) != STARTS:
            return None
        starts.append(asked)
        return change(asked) if len(starts) == 1 else None

    return twist


# Made anew for each test, because they count.
TRAPS = {
    "chunk answered without status": ("2.1", lambda: on_chunk(2, without_status)),
    "chunk not taken, answered without status": ("2.1", lambda: on_chunk(2, never_came)),
    "last chunk answered without status": ("2.1", lambda: on_chunk(3, without_status)),
    "reply to a middle chunk lost": ("2.1", lambda: on_chunk(2, reply_lost)),
    "reply to the last chunk lost": ("2.1", lambda: on_chunk(3, reply_lost)),
    "chunk lost on its way": ("2.1", lambda: on_chunk(2, half_received)),
    "final comes early": ("2.1", lambda: on_chunk(1, early_final)),
    "active after the last byte": ("2.1", lambda: on_chunk(3, still_active)),
    "name clash at the start": ("2.1", lambda: on_start(clash)),
    "name clash at the end": ("2.1", lambda: on_chunk(3, clash)),
}


@pytest.mark.parametrize("name", TRAPS)
def test_the_file_is_whole(world, name):
    section, twist = TRAPS[name]
    trap = Trap(name, section, twist())
    tell_unharmed(world, trap)
    (made,) = [one for one in world.here.jobs() if one["inputFile"]]
    assert made["requestCount"] == 3
    assert made["inputFile"] != "files/short"


def test_a_name_that_somebody_else_has_is_passed_over(world):
    """2.1: names follow from the content; a file under that name which is not this one is never used."""
    world.line.twist = on_start(clash)
    file, other = job("file", world.write_rows("rows.jsonl", *KEYS)), job("other")
    report = world.apply(file, other)
    assert results(report) == {"file": "done", "other": "done"}
    assert world.writes() == {"create file@1.0": 1, "create other@1.0": 1}
    assert results(world.watch(file, other)) == {"file": "done", "other": "done"}


@pytest.mark.parametrize("status", [403, 404])
def test_an_upload_that_is_gone_at_create_is_made_anew(world, status):
    """2.3: whether the API calls a missing input file forbidden or not found."""
    source = world.write_rows("rows.jsonl", *KEYS)
    world.watch(job("first", source))
    gone = []

    def twist(asked):
        if asked.what == "create" and not gone:
            gone.append(asked)
            return refused(status, "PERMISSION_DENIED" if status == 403 else "NOT_FOUND")
        return None

    world.line.twist = twist
    report = world.watch(job("first", source), job("second", source))
    assert results(report) == {"first": "done", "second": "done"}
    assert (len(gone), world.here.calls("files.create")) == (1, 2)
    assert world.result_rows("second").keys() == set(KEYS)
