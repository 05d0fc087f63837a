"""Identities: attempts, accounts, marks, digests.

The text form of the mark is here because manifests refuse look-alikes of it, and providers write and read it.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from enum import StrEnum
from functools import lru_cache

from msgspec import Struct

from batchctl.model.pattern import Pattern


class Api(StrEnum):
    """The two services a job can run on; the values are those of a provider's `type`."""

    GEMINI = "gemini"
    VERTEX = "vertex"


API_NAMES: Mapping[Api, str] = {Api.GEMINI: "Gemini", Api.VERTEX: "Vertex"}
"""The names of the services in messages and docs."""


JOB_NAME = Pattern(r"[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?")
"""A job's name, complete (design section 2)."""


class AttemptKey(Struct, frozen=True, order=True, gc=False):
    """One remote batch job made for a job. Attempts count from 1; shard is 0 unless the input is split."""

    job: str
    attempt: int
    shard: int = 0

    def __str__(self) -> str:
        return f"{self.job}@{self.attempt}.{self.shard}"


EMULATOR_ORIGIN = "emulator"
"""The origin of every provider with `endpoint: emulator`, embedded or served: one logical service."""


class Account(Struct, frozen=True, order=True, cache_hash=True):
    """The account of a remote job. Absence in one account means nothing for another.

    On Gemini the API key selects the project, so `project` and `location` are empty.
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
        """Read the text from `str()`. Raises ValueError for anything else."""
        words = text.split(" ")
        if len(words) not in (2, 4):
            raise ValueError(f"not an account: {text!r}")
        return cls(Api(words[0]), *words[1:])


DIGEST_SCHEME = "d1:"
MARK_DIGEST_LENGTH = 12
_SHORTEST_DIGEST = len(DIGEST_SCHEME) + MARK_DIGEST_LENGTH
_SHOWN_DIGITS = 8
TOKEN_LENGTH = 10
UID_LENGTH = 6
_PLAIN_UID = Pattern("[a-z0-9]{6}")


def same_digest(one: str, other: str) -> bool:
    """Whether two digests agree in their common length: a digest from a mark has only 12 hex digits."""
    if one == other:
        return len(one) >= _SHORTEST_DIGEST  # nearly always
    length = min(len(one), len(other))
    return length >= _SHORTEST_DIGEST and one[:length] == other[:length]


def shown_digest(digest: str) -> str:
    """The first eight hex digits of a digest, as in the name of its results folder."""
    return digest.removeprefix(DIGEST_SCHEME)[:_SHOWN_DIGITS]


@lru_cache(maxsize=16)
def short_uid(uid: str) -> str:
    """The six characters of a stack's uid in marks and labels.

    A uid of six lower-case letters and digits (what `init` writes) is used as it is. Any other is hashed: hand-written
    uids tend to share their beginning, and labels take no capitals.
    """
    if _PLAIN_UID.fullmatch(uid):
        return uid
    return hashlib.sha256(uid.encode()).hexdigest()[:UID_LENGTH]


OWN_LABELS = "batchctl-"
"""The prefix of all labels that batchctl sets, on remote jobs and in requests."""

MOST_ATTEMPTS = 999_999
"""The highest attempt number that a mark can contain."""

_MARK = Pattern(
    r"\[ ?bc1 (?P<stack>[a-z0-9-]{1,32})/(?P<job>[a-z0-9-]{1,40})@(?P<attempt>[1-9][0-9]{0,5})\.(?P<shard>[0-9]{1,5})"
    r" (?P<digest>[0-9a-f]{12}) (?P<token>[a-z0-9]{10}) (?P<uid>[A-Za-z0-9]{6}) ?\]?\Z"
)
"""A mark at the end of a display name. The closing bracket is optional, because it adds no information."""

_BROKEN = Pattern(r"\[ ?bc1\b.*|\[?\bbc1 ?[a-z0-9-]{1,32} ?/ ?[a-z0-9-]{1,40} ?@.*", re.IGNORECASE)
_NAMED = Pattern(r"bc1 ?(?P<stack>[a-z0-9-]{1,32}) ?/ ?(?:(?P<job>[a-z0-9-]{1,40}) ?@)?", re.IGNORECASE)
_INVISIBLE = dict.fromkeys(map(ord, "\u00ad\u200b\u200c\u200d\u200e\u200f\u2060\ufeff"))


def spaced(display_name: str) -> str:
    """The display name with one plain space for each run of white space, and none at its ends.

    Services trim names and replace spaces; a mark stays the same.
    """
    if not display_name.isascii():
        display_name = display_name.translate(_INVISIBLE)
    return " ".join(display_name.split())


def without_mark(display_name: str) -> str:
    """The part of a display name before its mark or damaged mark."""
    name = spaced(display_name)
    found = _MARK.search(name) or _BROKEN.search(name)
    return name[: found.start()].rstrip() if found else name


class Mark(Struct, frozen=True, gc=False):
    """The mark that batchctl writes on a remote job to recognise it."""

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
        """Read the mark at the end of a display name; None if there is none, or an incomplete one."""
        if display_name.isascii() and "bc1" not in display_name:
            return None  # nearly all names in manifests; other characters may be invisible
        match = _MARK.search(spaced(display_name))
        if match is None:
            return None
        key = AttemptKey(match["job"], int(match["attempt"]), int(match["shard"]))
        return cls(match["stack"], match["uid"], key, DIGEST_SCHEME + match["digest"], match["token"])


class BrokenMark(Struct, frozen=True):
    """The rest of a damaged mark on a remote job, which cannot be read."""

    text: str
    """As the API shows it."""
    stack: str | None = None
    """None if it cannot be read. The same applies to `job`."""
    job: str | None = None

    @classmethod
    def find(cls, display_name: str) -> BrokenMark | None:
        """Find a damaged mark in a display name; None if the mark is complete, or there is none."""
        name = spaced(display_name)
        found = _BROKEN.search(name)
        if found is None or _MARK.search(name) is not None:
            return None
        named = _NAMED.search(found.group())
        if named is None:
            return cls(found.group())
        return cls(found.group(), named["stack"].lower(), named["job"].lower() if named["job"] else None)
