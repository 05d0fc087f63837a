"""The stack and its providers, as the stack file describes them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path

import msgspec
from msgspec import Struct

from batchctl.model.admission import AdmissionLimits
from batchctl.model.capabilities import ApiLimits
from batchctl.model.cost.prices import Prices
from batchctl.model.cost.spending import SpendingLimits
from batchctl.model.forecast import STUCK_FACTOR
from batchctl.model.keys import Api
from batchctl.model.locations import Location
from batchctl.model.notices import Hook

LINE_BYTES = 256 * 2**20
"""The default length limit of a line: one row may contain 100 MB of media (reference 16)."""


class ProviderConfig(Struct, frozen=True):
    """One entry of the stack's `providers`."""

    name: str
    api: Api
    endpoint: str | None = None
    """`emulator`, a base URL, or None: the environment's base URL, else Google's."""
    project: str = ""
    location: str = ""
    staging_bucket: str | None = None
    """`gs://bucket/prefix/` for local files on an API that does not store them itself."""
    limits: ApiLimits | None = None
    """The API's limits, overridden by the stack's; None: those of `capabilities`."""
    admission: AdmissionLimits = msgspec.field(default_factory=AdmissionLimits)
    """The provider's own admission limits, which override the stack's."""
    api_version: str = "v1"
    """The version in the paths of calls. It is not part of the account: every version shows the same jobs."""
    user_project: str | None = None
    """The project that is billed for requester-pays buckets; None: `project`, if a bucket requires one."""


class Limits(Struct, frozen=True):
    """The stack's `limits` for one pass, and the timings of the exactly-once rules."""

    concurrency: int = 8
    """Calls in flight at once."""
    max_create: int = 100
    max_replace: int = 10
    max_delete: int = 10
    display_name: int = 128
    """The most characters of a display name, mark included."""
    create_timeout: timedelta = timedelta(seconds=60)
    settle_grace: timedelta = timedelta(seconds=180)
    """How long batchctl looks for an unanswered create before sending it again; longer than lease + create timeout."""
    file_min_life: timedelta = timedelta(hours=36)
    """An uploaded file is reused only if this much of its 48 hours is left."""
    admission: AdmissionLimits = msgspec.field(default_factory=AdmissionLimits)
    """Admission limits for each provider without its own."""
    spending: SpendingLimits = msgspec.field(default_factory=SpendingLimits)
    line_bytes: int = LINE_BYTES
    """The most bytes of a line in a file of rows or results."""
    read_timeout: timedelta = timedelta(minutes=5)
    """The time limit of a read: all tries, all pages, and all accounts of a pass together."""
    stuck_factor: float = STUCK_FACTOR
    """An attempt is stuck when it has been in its state for longer than this many times what nine of ten took."""
    pause_when_stalled: bool = True
    """Whether few jobs are added to a queue at the API in which none begins."""
    count_tokens: bool = True
    """Whether the API counts some rows of a job before it is bought, where costs go by the number of tokens."""


class Moved(Struct, frozen=True):
    """One rename of a job (`spec.moved`)."""

    before: str
    after: str
    location: Location


class SharedPlace(Struct, frozen=True):
    """An address that machines share: of a state, such as `gs://bucket/name`, or of results; that ends with a `/`."""

    url: str

    def __str__(self) -> str:
        return self.url


class Stack(Struct, frozen=True):
    """One `batchctl.yaml`, checked and defaulted."""

    name: str
    uid: str
    folder: Path
    file: Path
    providers: Mapping[str, ProviderConfig]
    state: Path | SharedPlace
    results: Path | SharedPlace
    suspend: bool = False
    limits: Limits = msgspec.field(default_factory=Limits)
    moved: tuple[Moved, ...] = ()
    """In the order of the file. Each name is moved once, no manifest has a former name, and there are no circles."""
    notify: tuple[Hook, ...] = ()
    """The hooks that are notified of the ends of jobs."""
    variables_given: tuple[str, ...] = ()
    """The names of variables whose values the command line or the environment gives, sorted."""
    target: str | None = None
    """The target that lies over the stack file. It is in `name` and `uid`, too, unless it goes on with the stack's own
    jobs."""
    prices: Prices | None = None
    """The costs of tokens; None if the stack names no price list."""
