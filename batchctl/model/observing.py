"""The work of a run that observers see, such as those that count it for metrics or trace it.

Work inside work has the context (`contextvars`) of the work around it, on worker threads too, so an observer can tell
what belongs to what. An observer never raises, never waits, and gets no prompt, row or secret.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from enum import StrEnum
from typing import Protocol, TypeAlias

from msgspec import Struct

from batchctl.model.cost.tokens import Tokens
from batchctl.model.errors import ApiStatus, BatchctlError
from batchctl.model.keys import Api


class PassKind(StrEnum):
    """The two kinds of turns of the loop, and the look of a command that makes none."""

    FULL = "full"
    """It observes, plans and executes."""
    QUICK_CHECK = "quick check"
    """It looks whether a pass is needed. What finds that is followed by a full pass, in the same turn."""
    LOOK = "look"
    """It observes and plans, for a command that only shows: `plan`, `status` and others."""


class PassWork(Struct, frozen=True):
    """One pass, or a quick check in its place."""

    kind: PassKind = PassKind.FULL


class ActionWork(Struct, frozen=True):
    """The steps of one job's action in one pass."""

    job: str
    action: str
    """The name of the action, such as `create`."""
    reason: str
    """The code of the reason."""
    model: str | None = None
    api: Api | None = None
    attempt: int | None = None
    """The current attempt of the plan; None if there is none yet."""


class CallWork(Struct, frozen=True):
    """One API call, until its reply is read. A call that is sent again is one of its own."""

    method: str
    """The API's name of the method, such as `batches.list`."""
    verb: str
    """GET, POST …"""
    host: str
    port: int | None = None
    """None: the usual one of the scheme."""


class TokenUse(Struct, frozen=True):
    """Tokens that the API counted for the answers of one attempt, or of one of its shards."""

    api: Api
    model: str
    is_embedding: bool
    tokens: Tokens | None
    """None where only their sum is known."""
    input: int | None = None
    """The sum of the input; None: the API counted none."""


Work: TypeAlias = PassWork | ActionWork | CallWork


class Ending(Struct):
    """How some work ended."""

    error: BaseException | None = None
    """The exception that ended it; None: it came to its end."""
    http: int | None = None
    """The HTTP status of a call; None without one."""

    @property
    def code(self) -> str:
        """The HTTP status, else the code of the error, `Stopped` for another exception, else `OK`."""
        if self.http is not None:
            return str(self.http)
        if self.error is None:
            return "OK"
        return self.error.code if isinstance(self.error, BatchctlError) else "Stopped"


End: TypeAlias = Callable[[Ending], None]


class Observer(Protocol):
    """Sees the work of a run. Thread-safe."""

    def begin(self, work: Work) -> End:
        """Some work begins; the returned function is called at its end, in the same context."""
        ...

    def used(self, tokens: TokenUse) -> None:
        """The results of an attempt were collected."""
        ...


def observed(observers: Sequence[Observer], work: Work) -> AbstractContextManager[Ending]:
    """Let all observers see the work of the block. The block may set what the ending has."""
    # Most runs have no observer.
    return _observed(observers, work) if observers else nullcontext(Ending())


@contextmanager
def _observed(observers: Sequence[Observer], work: Work) -> Iterator[Ending]:
    ending = Ending()
    ends = [observer.begin(work) for observer in observers]
    try:
        yield ending
    except BaseException as error:
        ending.error = error
        if isinstance(work, CallWork) and isinstance(error, ApiStatus):
            ending.http = error.http
        raise
    finally:
        for end in reversed(ends):
            end(ending)
        # Its traceback has this frame: without this, a call's body waits for the collector of garbage.
        ending.error = None
