"""Uploads of any size, holding one chunk at a time: what the resumable protocols of all services have in common.

Owns the cutting into chunks, and the sending of each until the server has it. How a server is spoken to is told by a
session. Source: reference 2.1, chapter 4.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Protocol

from batchctl.model.allowance import Allowance
from batchctl.model.codes import ErrorCode
from batchctl.model.errors import ApiError, BadReply, ReplyLost
from batchctl.providers.http.calls import Reply, Timeouts
from batchctl.providers.http.endpoint import Endpoint
from batchctl.providers.http.urls import read_url
from batchctl.providers.retry import Retry

CHUNK = 8 * 2**20
"""Bytes of one request: a multiple of the 256 KiB that all services want (reference 2.1)."""
TIMEOUTS = Timeouts(read=120.0, total=900.0)
"""Of one chunk, all tries and questions together."""


@dataclass(frozen=True)
class Standing:
    """How far an upload is, by the server's word."""

    received: int
    """Bytes that the server holds, from the start."""
    end: Reply | None = None
    """The answer that ended the upload."""


class Session(Protocol):
    """One upload that the server has agreed to. Each method makes its call once and raises ApiError."""

    @property
    def what(self) -> str:
        """The method's name in messages."""
        ...

    def post(self, body: bytes, offset: int, *, last: bool) -> Standing:
        """Send bytes. An answer that does not fit them is a BadReply; only with the last ones it may be the end."""
        ...

    def ask(self) -> Standing | None:
        """Ask how far the upload is; None when the server does not say."""
        ...

    def again(self, error: ApiError) -> bool:
        """Whether bytes may be sent again after this failure, once the server was asked."""
        ...


def send_all(session: Session, retry: Retry, content: Iterable[bytes], size: int, chunk_size: int) -> Reply:
    """Send the whole content; gives the answer that ended the upload.

    Raises ApiError; with code `InputChanged`, and without having ended the upload, when the content does not have
    `size` bytes.
    """
    offset = 0
    for chunk, last in cut(content, size, chunk_size, session.what):
        with Allowance(TIMEOUTS.total).holding():
            end = _send(session, retry, chunk, offset, last=last)
        if end is not None:
            return end
        offset += len(chunk)
    raise AssertionError("the last chunk ends the upload")


def _send(session: Session, retry: Retry, chunk: bytes, offset: int, *, last: bool) -> Reply | None:
    """Send one chunk, the rest of it again after a failure, until the server has it all."""
    done = 0
    for attempt in range(1, retry.attempts + 1):
        try:
            standing = session.post(chunk[done:], offset + done, last=last)
        except ApiError as error:
            if attempt == retry.attempts or not session.again(error) or retry.pause(attempt, error) is None:
                raise
            standing = _asked(session, retry, error, last=last)
        if standing.end is not None:
            return standing.end
        done = standing.received - offset
        if not 0 <= done <= len(chunk):
            raise ReplyLost(f"{session.what}: the server lost a part of the file; upload it again")
        if done == len(chunk) and not last:
            return None
    raise ReplyLost(f"{session.what}: the server does not take all bytes that it is sent; upload the file again")


def _asked(session: Session, retry: Retry, error: ApiError, *, last: bool) -> Standing:
    """Ask how far the upload is. A server that cannot say leaves us with the first error."""
    try:
        standing = retry.run(session.ask)
    except ApiError as exc:
        raise error from exc
    if standing is None or (standing.end is not None and not last):
        raise error
    return standing


def cut(content: Iterable[bytes], size: int, chunk_size: int, what: str) -> Iterator[tuple[bytes, bool]]:
    """Cut the content into chunks, each with whether it is the last; the last comes only when the size fits."""
    held = bytearray()
    sent = 0
    for piece in content:
        held += piece
        while len(held) > chunk_size:
            sent += chunk_size
            if sent >= size:
                raise other_size(what, size)
            yield bytes(held[:chunk_size]), False
            del held[:chunk_size]
    if sent + len(held) != size:
        raise other_size(what, size)
    yield bytes(held), True


def input_changed(what: str, found: str) -> ApiError:
    """The error for content that is not what was announced."""
    return ApiError(
        f"{what}: {found}",
        code=ErrorCode.INPUT_CHANGED,
        hint="something wrote to it meanwhile; run the command again",
    )


def other_size(what: str, size: int) -> ApiError:
    """The same for content of another size."""
    return input_changed(what, f"the file does not have the {size} bytes that were announced")


def session_url(endpoint: Endpoint, url: str, what: str) -> str:
    """The address that a server gave for the bytes. Raises BadReply unless it is the server's own, or Google's."""
    try:
        place = read_url(url)
    except ValueError as exc:
        raise BadReply(f"{what}: the address for the bytes is not a URL") from exc
    if not endpoint.trusts(place):
        raise BadReply(
            f"{what}: the API wants the bytes at an address that is not its own",
            hint="check the endpoint: input goes to it and to nothing else that it names",
        )
    return url
