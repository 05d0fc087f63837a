"""The mark as labels, which identify the job and attempt of a Vertex job. Source: design section 6, reference 3.1.

Reading is strict: with a missing, foreign or invalid label there is no mark.
"""

from __future__ import annotations

from collections.abc import Mapping

from batchctl.model.json_value import Json
from batchctl.model.keys import DIGEST_SCHEME, MARK_DIGEST_LENGTH, OWN_LABELS, BrokenMark, Mark, short_uid
from batchctl.providers.untrusted_text import capped

_PARTS = ("stack", "uid", "job", "attempt", "shard", "digest", "token")


def mark_labels(mark: Mark) -> dict[str, str]:
    """The labels for a mark."""
    values = (
        mark.stack,
        mark.uid,
        mark.key.job,
        str(mark.key.attempt),
        str(mark.key.shard),
        mark.digest.removeprefix(DIGEST_SCHEME)[:MARK_DIGEST_LENGTH],
        mark.token,
    )
    return {OWN_LABELS + part: value for part, value in zip(_PARTS, values, strict=True)}


def read_mark(labels: Mapping[str, Json]) -> Mark | None:
    """The mark in a job's labels; None when there is none, or it is incomplete."""
    found = {OWN_LABELS + part: labels.get(OWN_LABELS + part) for part in _PARTS}
    stack, uid, job, attempt, shard, digest, token = found.values()
    mark = Mark.find(f"[bc1 {stack}/{job}@{attempt}.{shard} {digest} {token} {uid}]")
    # The text form defines valid parts. Comparing each label with the parsed mark rules out everything else.
    return mark if mark is not None and mark_labels(mark) == found else None


def find_broken(labels: Mapping[str, Json]) -> BrokenMark | None:
    """The remains of a mark in a job's labels; None when the mark is complete, or absent."""
    own = {name: value for name, value in sorted(labels.items()) if name.startswith(OWN_LABELS)}
    if not own or read_mark(labels) is not None:
        return None
    stack, job = (own.get(OWN_LABELS + part) for part in ("stack", "job"))
    text = capped(", ".join(f"{name}={value}" for name, value in own.items()))
    return BrokenMark(text, stack if isinstance(stack, str) else None, job if isinstance(job, str) and job else None)


def own_folder(mark: Mark) -> str:
    """A folder name that no other attempt uses.

    The service names its folders by time only, and two jobs that started at the same instant were observed in one
    folder (reference 16). The token separates attempts with the same number, such as those of two stacks, or after a
    lost state.
    """
    shard = f".{mark.key.shard}" if mark.key.shard else ""
    return f"{mark.key.job}-{mark.key.attempt}{shard}-{mark.token}"


def own_labels(stack: str, uid: str) -> dict[str, str]:
    """The labels that all jobs of a stack have. `uid` may be complete or short."""
    return {f"{OWN_LABELS}stack": stack, f"{OWN_LABELS}uid": short_uid(uid)}


def label_filter(labels: Mapping[str, str]) -> str:
    """The list filter that selects jobs with these labels."""
    return " AND ".join(f"labels.{name}={value}" for name, value in labels.items())
