"""The mark as labels: how a Vertex job says which attempt of which job it is. Source: design section 6, reference 3.1.

Reading is strict: a label that is missing, foreign or odd means that there is no mark.
"""

from __future__ import annotations

from collections.abc import Mapping

from batchctl.model.desired import Json
from batchctl.model.keys import DIGEST_SCHEME, MARK_DIGEST_LENGTH, OWN_LABELS, BrokenMark, Mark, short_uid
from batchctl.providers.texts import capped

_PARTS = ("stack", "uid", "job", "attempt", "shard", "digest", "token")


def mark_labels(mark: Mark) -> dict[str, str]:
    """The labels that carry a mark."""
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
    """The mark that a job's labels carry; None when there is none, or not a whole one."""
    found = {OWN_LABELS + part: labels.get(OWN_LABELS + part) for part in _PARTS}
    stack, uid, job, attempt, shard, digest, token = found.values()
    mark = Mark.find(f"[bc1 {stack}/{job}@{attempt}.{shard} {digest} {token} {uid}]")
    # The text form decides what a part may be; that each label says what was read from it rules out all else.
    return mark if mark is not None and mark_labels(mark) == found else None


def find_broken(labels: Mapping[str, Json]) -> BrokenMark | None:
    """What is left of a mark in a job's labels; None when they carry a whole one, or nothing of any."""
    own = {name: value for name, value in sorted(labels.items()) if name.startswith(OWN_LABELS)}
    if not own or read_mark(labels) is not None:
        return None
    stack, job = (own.get(OWN_LABELS + part) for part in ("stack", "job"))
    text = capped(", ".join(f"{name}={value}" for name, value in own.items()))
    return BrokenMark(text, stack if isinstance(stack, str) else None, job if isinstance(job, str) and job else None)


def own_folder(mark: Mark) -> str:
    """The name of a folder that no other attempt writes to.

    The service names its folders by the time alone, and two jobs that began in one instant were seen in one (reference
    16). The token tells attempts apart that have one number, such as those of two stacks, or after a lost state.
    """
    shard = f".{mark.key.shard}" if mark.key.shard else ""
    return f"{mark.key.job}-{mark.key.attempt}{shard}-{mark.token}"


def own_labels(stack: str, uid: str) -> dict[str, str]:
    """The labels that all jobs of a stack have. `uid` may be the whole one or the short one."""
    return {f"{OWN_LABELS}stack": stack, f"{OWN_LABELS}uid": short_uid(uid)}


def label_filter(labels: Mapping[str, str]) -> str:
    """The list filter that shows jobs with these labels only."""
    return " AND ".join(f"labels.{name}={value}" for name, value in labels.items())
