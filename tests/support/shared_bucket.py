"""A bucket in an embedded emulator, the shared states in it, and a line to it that breaks on demand."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import httpx

from batchctl.emulator.core import Emulator
from batchctl.emulator.embedded import EmbeddedTransport
from batchctl.emulator.storage.seeding import load_buckets
from batchctl.model.stack import Limits
from batchctl.providers.cloud.state_objects import BucketObjects, open_bucket_objects
from batchctl.providers.google_credentials import StaticToken
from batchctl.providers.wire import Place, Wire
from batchctl.state.migrations import Identity
from batchctl.state.shared.bucket import BucketPlace
from batchctl.state.shared.lease import Lease
from batchctl.state.shared.store import LockTerms, SharedState
from tests.support.state_samples import NOW

URL = "gs://team/prod/state.db"
PATH = "prod/state.db"
_START = 1_795_341_600 * 10**9


class BucketClock:
    """The one clock of a bucket and its clients; it moves only by sleeps and by hand."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self.slept: list[float] = []

    def now(self) -> datetime:
        return NOW + timedelta(seconds=self.seconds)

    def elapsed(self) -> float:
        return self.seconds

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.seconds += seconds


class Line(httpx.BaseTransport):
    """Carries calls to the emulator. Tests put something in their way."""

    def __init__(self, inner: httpx.BaseTransport) -> None:
        self._inner = inner
        self.before: Callable[[httpx.Request], None] = lambda _request: None
        self.after: Callable[[httpx.Request], None] = lambda _request: None
        self.ignores_preconditions = False
        self.hides_refusals = False
        """Whether a missing object is answered without an error from the API."""
        self.calls: list[str] = []

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        name = request.url.params.get("name") or request.url.path.rpartition("/o/")[2]
        self.calls.append(f"{request.method} {name.removeprefix(PATH)}")
        self.before(request)
        if self.ignores_preconditions:
            url = request.url.copy_remove_param("ifGenerationMatch")
            request = httpx.Request(
                request.method, url, headers=request.headers, content=request.read(), extensions=request.extensions
            )
        response = self._inner.handle_request(request)
        self.after(request)
        if self.hides_refusals and response.status_code == httpx.codes.NOT_FOUND:
            return httpx.Response(response.status_code, content=b"Not Found")
        return response

    def puts(self, suffix: str = "") -> int:
        """How often an object was written, or its writing was tried."""
        return self.calls.count(f"POST {suffix}")


class Bucket:
    """The bucket of a team."""

    def __init__(self, folder: Path) -> None:
        self.clock = BucketClock()
        self.emulator = Emulator(folder / "emulator.db", real_time=lambda: _START + int(self.clock.seconds * 10**9))
        load_buckets(self.emulator.store, {"team": {}}, "buckets")
        self._inner = EmbeddedTransport(self.emulator, self.clock.sleep)

    def close(self) -> None:
        self.emulator.close()

    def line(self) -> Line:
        return Line(self._inner)

    def objects(self, line: Line | None = None, url: str = URL) -> BucketObjects:
        wire = Wire(self.clock, lambda: 0.5, line or self.line())
        place = Place("http://bucket.test", "http://bucket.test", "http://bucket.test", is_emulator=True)
        return open_bucket_objects(url, place, wire, Limits(), StaticToken("somebody"))

    def state(self, who: str = "ada", line: Line | None = None, **more: object) -> SharedState:
        identity = Identity(str(more.pop("stack", "demo")), "abc123")
        terms = LockTerms(**more)  # type: ignore[arg-type]
        return SharedState(
            BucketPlace(self.objects(line), Lease(), self.clock.elapsed), identity, self.clock, who, terms
        )


def is_put(request: httpx.Request, suffix: str = "") -> bool:
    """Whether a call writes an object."""
    return request.method == "POST" and request.url.params.get("name") == PATH + suffix
