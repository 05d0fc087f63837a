"""What tells one thing from another: attempts, accounts, marks, digests.

Owns the text form of the mark, because manifests refuse look-alikes of it and providers write and read it.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from enum import StrEnum


class Api(StrEnum):
    """The two services a job can run on; the values are those of a provider's `type`."""

    GEMINI = "gemini"
    VERTEX = "vertex"


@dataclass(frozen=True, order=True)
class AttemptKey:
    """One remote batch job made for a job. Attempts count from 1; shard is 0 unless the input is split."""

    job: str
    attempt: int
    shard: int = 0

    def __str__(self) -> str:
        return f"{self.job}@{self.attempt}.{self.shard}"


EMULATOR_ORIGIN = "emulator"
"""The origin of every provider with `endpoint: emulator`, embedded or served: one logical service."""


@dataclass(frozen=True, order=True)
class Account:
    """Where a remote job lives. Absence in one account says nothing about another.

    For Gemini the API key stands for the project, so `project` and `location` are empty there.
    """

    api: Api
    origin: str
    """Scheme, host and port of the endpoint, or `EMULATOR_ORIGIN`."""
    project: str = ""
    location: str = ""

    def __str__(self) -> str:
        parts = [part for part in (self.project, self.location) if part]
        return " ".join([f"{self.api}", self.origin, *parts])

    @classmethod
    def parse(cls, text: str) -> Account:
        """Read what `str()` wrote. Raises ValueError on anything else."""
        words = text.split(" ")
        if len(words) not in (2, 4):
            raise ValueError(f"not an account: {text!r}")
        return cls(Api(words[0]), *words[1:])


DIGEST_SCHEME = "d1:"
MARK_DIGEST_LENGTH = 12
TOKEN_LENGTH = 10
UID_LENGTH = 6
_PLAIN_UID = re.compile("[a-z0-9]{6}")


def same_digest(one: str, other: str) -> bool:
    """Whether two digests agree, as far as both are known: a digest read from a mark has 12 hex digits only."""
    length = min(len(one), len(other))
    return length >= len(DIGEST_SCHEME) + MARK_DIGEST_LENGTH and one[:length] == other[:length]


def short_uid(uid: str) -> str:
    """The six characters that stand for a stack's uid in marks and labels.

    A uid of six lower-case letters and digits (what `init` writes) stands as it is. Any other is hashed: hand-written
    uids tend to share their beginning, and labels take no capitals.
    """
    if _PLAIN_UID.fullmatch(uid):
        return uid
    return hashlib.sha256(uid.encode()).hexdigest()[:UID_LENGTH]


OWN_LABELS = "batchctl-"
"""How the names of all labels begin that batchctl itself sets, on remote jobs and in requests."""

MOST_ATTEMPTS = 999_999
"""The highest number of an attempt that a mark can carry."""

MARK_PATTERN = re.compile(
    r"\[bc1 (?P<stack>[a-z0-9-]{1,32})/(?P<job>[a-z0-9-]{1,40})@(?P<attempt>[1-9][0-9]{0,5})\.(?P<shard>[0-9]{1,5})"
    r" (?P<digest>[0-9a-f]{12}) (?P<token>[a-z0-9]{10}) (?P<uid>[A-Za-z0-9]{6})\]\Z"
)
"""A mark, at the end of a display name only."""


@dataclass(frozen=True)
class Mark:
    """What batchctl writes on a remote job so that it knows it again."""

    stack: str
    uid: str
    """The short form, see `short_uid`."""
    key: AttemptKey
    digest: str
    """`d1:` and the first 12 hex digits."""
    token: str

    def __str__(self) -> str:
        digest = self.digest.removeprefix(DIGEST_SCHEME)[:MARK_DIGEST_LENGTH]
        return f"[bc1 {self.stack}/{self.key} {digest} {self.token} {self.uid}]"

    @classmethod
    def find(cls, display_name: str) -> Mark | None:
        """Read the mark at the end of a display name; None when there is none."""
        match = MARK_PATTERN.search(display_name)
        if match is None:
            return None
        key = AttemptKey(match["job"], int(match["attempt"]), int(match["shard"]))
        return cls(match["stack"], match["uid"], key, DIGEST_SCHEME + match["digest"], match["token"])
