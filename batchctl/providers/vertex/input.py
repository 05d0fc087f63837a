"""Reads inputs that batchctl did not upload where the API reads them, to match results to rows and to send a part.

Defines the order of rows over several files. Source: reference 3.1, 8.2.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence

from batchctl.model.errors import NotFound
from batchctl.model.ports.inputs import UNREADABLE, InputRow, SourceFile
from batchctl.model.sources import RemoteSource
from batchctl.model.wildcards import literal_part, matches
from batchctl.providers.cloud.addresses import ObjectPath, parse_gs
from batchctl.providers.cloud.storage import Storage, StoredObject
from batchctl.providers.job_members import key_text
from batchctl.providers.result_lines import leading_members
from batchctl.providers.streamed_lines import LINE_LIMIT, LongLine, lines
from batchctl.providers.untrusted_text import parse_json

_HOLDERS = ("request", "body")
"""Members that hold a row's request; the second one for other publishers' models (reference 16)."""
_BOM = b"\xef\xbb\xbf"


def find_input(source: RemoteSource, storage: Storage) -> tuple[SourceFile, ...] | None:
    """The files in Cloud Storage, in the order of URIs, then of names that match a wildcard.

    None for BigQuery and datasets, which have no order. Raises ApiError. A permanent one is a BadRequest, NotFound or
    PermissionDenied: the input was deleted, or batchctl may not read it.
    """
    if not all(uri.startswith("gs://") for uri in source.uris):
        return None
    found = (item for uri in source.uris for item in _objects(parse_gs(uri), storage))
    return tuple(SourceFile(str(item.path), item.size, item.generation, item.created) for item in found)


def read_input(files: Sequence[SourceFile], storage: Storage, limit: int = LINE_LIMIT) -> Generator[InputRow]:
    """The rows of the files. A line of more than `limit` bytes counts as a row without a request.

    Raises ApiError, possibly midway: BadRequest when a file was overwritten in the meantime.
    """
    for file in files:
        yield from _file_rows(storage.read(StoredObject(parse_gs(file.name), file.size, file.generation, None)), limit)


def _objects(path: ObjectPath, storage: Storage) -> list[StoredObject]:
    start = literal_part(path.name)
    if start == path.name:
        return [storage.get(path)]
    below = storage.list(ObjectPath(path.bucket, start))
    found = sorted((item for item in below if matches(path.name, item.path.name)), key=lambda item: item.path.name)
    if not found:
        raise NotFound(f"no object is named {path}", http=404, hint="the input was moved or deleted")
    return found


def _file_rows(chunks: Iterator[bytes], limit: int) -> Iterator[InputRow]:
    for number, line in enumerate(lines(chunks, limit)):
        if isinstance(line, LongLine):
            beside = leading_members(line.start)
            yield InputRow(key_text(beside.pop("key", None)), UNREADABLE, beside)
            continue
        text = line.removeprefix(_BOM) if number == 0 else line
        if text.strip():
            yield _row(text)


def _row(line: bytes) -> InputRow:
    """One line, which contains a request or is one. A line that is neither still counts as a row."""
    try:
        value = parse_json(line)
    except ValueError:
        value = None
    if not isinstance(value, dict):
        return InputRow(None, UNREADABLE)
    holder = next((name for name in _HOLDERS if name in value), None)
    if holder is None:
        return InputRow(None, value)
    request, key = value[holder], key_text(value.get("key"))
    beside = {name: member for name, member in value.items() if name != holder and (name != "key" or key is None)}
    found = request if isinstance(request, dict) else UNREADABLE
    return InputRow(key, found, beside, in_body=holder == "body")
