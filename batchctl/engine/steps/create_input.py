"""The input of a create call."""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO, assert_never

from msgspec import Struct

from batchctl.model.activity import Flow
from batchctl.model.ports.providers import CreateRequest
from batchctl.model.recorded import RecordedFile
from batchctl.model.sources import InlineRows, RemoteSource, UploadedFile
from batchctl.reconcile import NO_FILE


class CreateInput(Struct, frozen=True):
    """The parts of a create call besides its mark. `reused` is an upload that an earlier attempt made."""

    request: CreateRequest
    reused: RecordedFile | None = None


def file_of(source: InlineRows | UploadedFile | RemoteSource) -> str:
    """The name of the uploaded file that is sent along; the user's own are never ours to delete."""
    match source:
        case UploadedFile(name):
            return name
        case InlineRows() | RemoteSource():
            return NO_FILE
        case _:
            assert_never(source)


def chunks(stream: BinaryIO, flow: Flow) -> Iterator[bytes]:
    """Read a stream to its end, and show the progress."""
    while chunk := stream.read(1 << 20):
        yield chunk
        flow.add(len(chunk))
