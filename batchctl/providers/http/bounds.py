"""The limits of one call: total time, transfer rate, size of the body, and the time budget that it shares with others.

Reads the body, so that nothing is read beyond the limits, and words the error for each limit.
"""

from __future__ import annotations

from collections.abc import Iterator

import httpx
from msgspec import Struct

from batchctl.model.activity import Flow
from batchctl.model.allowance import Allowance, in_force
from batchctl.model.errors import ApiError, BadReply, ConnectionFailed, ReplyLost
from batchctl.providers.http.calls import Call
from batchctl.providers.http.watch import Watch

_SLOW = "the API or the network is slow; run the command again"
_LONGER = f"{_SLOW}, or raise limits.readTimeout in the stack file"


class Bounds(Struct, frozen=True):
    """The limits of one call in progress."""

    call: Call
    watch: Watch
    allowed: Allowance
    ends_with_budget: bool = False
    """Whether the time budget ends before the time of the call itself."""

    def require_time_left(self) -> None:
        """Raise ReplyLost when the call has to end."""
        if self.watch.over():
            raise self.too_slow()

    def too_slow(self) -> ApiError:
        """The error for a call that exceeded its time or was too slow."""
        limits = self.call.timeouts
        if limits.pace is not None and self.watch.is_slow():
            words = f"fewer than {limits.pace.size:,} bytes arrived within {limits.pace.seconds:g} seconds"
            return ReplyLost(f"{self.call.what}: {words}", hint=_SLOW)
        if self.ends_with_budget or self.allowed.is_over():
            return ReplyLost(f"{self.call.what}: no complete reply: {_time_up(self.allowed)}", hint=_LONGER)
        return ReplyLost(f"{self.call.what}: no complete reply within {limits.total:g} seconds", hint=_SLOW)

    def chunks(self, response: httpx.Response, flow: Flow) -> Iterator[bytes]:
        """The body, decompressed. Raises ApiError, also midway."""
        call, watch = self.call, self.watch
        ready = response.is_stream_consumed  # the embedded emulator's transport may return a complete body
        size, declared = 0, response.headers.get("content-length", "")
        if declared.isdecimal() and "content-encoding" not in response.headers:
            flow.expect(int(declared))
        for chunk in response.iter_bytes():
            self.require_time_left()
            size += len(chunk)
            flow.add(len(chunk))
            self._require_size(size, len(chunk))
            watch.came(len(chunk))
            yield chunk
            watch.wait_on()
        if not (ready and "content-encoding" in response.headers):
            _check_length(call, response, size if ready else response.num_bytes_downloaded)

    def _require_size(self, size: int, more: int) -> None:
        if size > self.call.limit:
            raise BadReply(f"{self.call.what}: the reply is larger than {self.call.limit} bytes")
        self.allowed.take(more)
        full = self.allowed.full()
        if full is not None:
            raise BadReply(f"{self.call.what}: all pages together are larger than {full.size:,.0f} bytes")


def require_time(call: Call) -> Allowance:
    """The time budget of this thread. Raises ConnectionFailed (nothing was sent) when it is used up before the call."""
    allowed = in_force()
    if allowed.is_over():
        raise ConnectionFailed(f"{call.what}: not sent: {_time_up(allowed)}", hint=_LONGER)
    return allowed


def _time_up(allowed: Allowance) -> str:
    return f"the time limit for all calls of this read was reached ({round(allowed.overdue().seconds, 1):g} seconds)"


def _check_length(call: Call, response: httpx.Response, came: int) -> None:
    declared = response.headers.get("content-length", "")
    if declared.isdecimal() and declared.lstrip("0") != str(came).lstrip("0"):
        raise ReplyLost(f"{call.what}: the reply ended after {came} of {declared} bytes")
