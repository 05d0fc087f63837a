"""Uploads of any size with one chunk in memory: the common part of all services' resumable protocols.

Cuts the content into chunks, and sends each until the server has it. A session speaks the protocol of one service.
Source: reference 2.1, chapter 4.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Protocol

from msgspec import Struct

from batchctl.model.allowance import Allowance
from batchctl.model.codes import ErrorCode
from batchctl.model.errors import ApiError, BadReply, ReplyLost
from batchctl.providers.http.calls import Reply, Timeouts
from batchctl.providers.http.endpoint import Endpoint
from batchctl.providers.http.urls import read_url
from batchctl.providers.retry import Retry

CHUNK = 8 * 2**20
"""Bytes of one request: a multiple of 256 KiB, as all services require (reference 2.1)."""
TIMEOUTS = Timeouts(read=120.0, total=900.0)
"""For one chunk, including retries and status queries."""


class UploadProgress(Struct, frozen=True):
    """How far an upload is, according to the server."""

    received: int
    """Bytes that the server has stored, from the start."""
    end: Reply | None = None
    """The reply that completed the upload."""


class Session(Protocol):
    """One upload that the server has accepted. Each method makes its call once and raises ApiError."""

    @property
    def what(self) -> str:
        """The method's name in messages."""
        ...

    def post(self, body: bytes, offset: int, *, last: bool) -> UploadProgress:
        """Send bytes. A reply that does not match them is a BadReply; only the last bytes may complete the upload."""
        ...

    def ask(self) -> UploadProgress | None:
        """Ask how far the upload is; None when the server does not know."""
        ...

    def may_repeat(self, error: ApiError) -> bool:
        """Whether bytes may be sent again after this failure, after asking the server."""
        ...


def send_all(session: Session, retry: Retry, content: Iterable[bytes], size: int, chunk_size: int) -> Reply:
    """Send the content; gives the reply that completed the upload.

    Raises ApiError: with code `InputChanged`, and the upload not completed, when the content does not have `size`
    bytes.
    """
    offset = 0
    for chunk, last in cut(content, size, chunk_size, session.what):
        with Allowance(TIMEOUTS.total).holding():
            end = _send(session, retry, chunk, offset, last=last)
        if end is not None:
            return end
        offset += len(chunk)
        del chunk  # before the next one is put together
    raise AssertionError("the last chunk ends the upload")


def _send(session: Session, retry: Retry, chunk: bytes, offset: int, *, last: bool) -> Reply | None:
    """Send one chunk, and its rest again after a failure, until the server has all of it."""
    done = 0
    for attempt in range(1, retry.attempts + 1):
        try:
            progress = session.post(chunk[done:], offset + done, last=last)
        except ApiError as error:
            if attempt == retry.attempts or not session.may_repeat(error) or retry.pause(attempt, error) is None:
                raise
            progress = _asked(session, retry, error, last=last)
        if progress.end is not None:
            return progress.end
        done = progress.received - offset
        if not 0 <= done <= len(chunk):
            raise ReplyLost(f"{session.what}: the server lost a part of the file; upload it again")
        if done == len(chunk) and not last:
            return None
    raise ReplyLost(f"{session.what}: the server does not store all bytes that it gets; upload the file again")


def _asked(session: Session, retry: Retry, error: ApiError, *, last: bool) -> UploadProgress:
    """Ask how far the upload is. If the server does not know, the first error is raised."""
    try:
        progress = retry.run(session.ask)
    except ApiError as exc:
        raise error from exc
    if progress is None or (progress.end is not None and not last):
        raise error
    return progress


def cut(content: Iterable[bytes], size: int, chunk_size: int, what: str) -> Iterator[tuple[bytes, bool]]:
    """Cut the content into chunks, each with whether it is the last; the last is given only when the size is right."""
    held: list[bytes] = []
    waiting = sent = 0
    for piece in content:
        rest = piece
        while waiting + len(rest) > chunk_size:
            sent += chunk_size
            if sent >= size:
                raise other_size(what, size)
            fits = chunk_size - waiting
            held.append(rest[:fits])
            joined = [b"".join(held)]
            held, waiting, rest = [], 0, rest[fits:]
            yield joined.pop(), False
        held.append(rest)
        waiting += len(rest)
    if sent + waiting != size:
        raise other_size(what, size)
    yield b"".join(held), True


def input_changed(what: str, found: str) -> ApiError:
    """The error for content that differs from what was announced."""
    return ApiError(
        f"{what}: {found}",
        code=ErrorCode.INPUT_CHANGED,
        hint="it was changed in the meantime; run the command again",
    )


def other_size(what: str, size: int) -> ApiError:
    """The error for content of another size."""
    return input_changed(what, f"the file does not have the {size} bytes that were announced")


def session_url(endpoint: Endpoint, url: str, what: str) -> str:
    """The upload URL from a reply. Raises BadReply unless it belongs to the server, or to Google."""
    try:
        place = read_url(url)
    except ValueError as exc:
        raise BadReply(f"{what}: the upload address is not a URL") from exc
    if not endpoint.trusts(place):
        raise BadReply(
            f"{what}: the upload address belongs to another server",
            hint="check the endpoint: batchctl sends input to no other server",
        )
    return url
