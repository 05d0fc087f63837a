"""The terms of a planned change: the change itself and its preconditions.

`plan` writes them, and `apply FILE` and `apply --expect` refuse a plan whose terms no longer hold. They contain no age,
size, token or text: only what a reviewer agrees to, and what the change relies on.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from functools import cached_property
from typing import ClassVar

from batchctl.model.canonical import sha256_json
from batchctl.model.desired import DesiredJob
from batchctl.model.json_value import Json
from batchctl.model.partly_equal import PartlyEqual
from batchctl.model.settings import lifecycle_fields, row_fields, webhook_hashes

_HASH = 32
"""The hex digits of a manifest's fingerprint."""


class PhaseClass(StrEnum):
    """The phase of the current attempt, as far as a change relies on it. Queued and running are one class."""

    NEW = "new"
    """There is no attempt yet."""
    UNSENT = "unsent"
    """No remote job of it is known: not sent, refused, or without an answer."""
    ACTIVE = "active"
    SUCCEEDED = "succeeded"
    """Completely or partially."""
    FAILED = "failed"
    """Failed, expired or cancelled."""
    OTHER = "other"
    """A state whose meaning batchctl does not know."""


class Presence(StrEnum):
    """The remote job of the current attempt, as this plan observed it."""

    NONE = "none"
    """The attempt has none."""
    PRESENT = "present"
    MISSING = "missing"
    """It was not found, and a second look has not confirmed that yet."""
    GONE = "gone"
    UNKNOWN = "unknown"


class Terms(PartlyEqual, frozen=True, eq=False, dict=True):
    """The terms of one job's change."""

    BESIDE: ClassVar = frozenset({"desired"})
    NOT_WRITTEN: ClassVar = BESIDE
    """Fields that no bundle has."""

    change: str
    """An action; of a create that waits for its turn, the create. A removal has its `onRemove` policy."""
    needs_consent: bool
    """Whether the change needs a review; else it is free: settings, or the use of results that are here."""
    guard: str | None = None
    """The code of the guard that refuses it."""
    attempt: int | None = None
    digest: str | None = None
    """Of the recorded work of that attempt."""
    phase: PhaseClass = PhaseClass.NEW
    observed: Presence = Presence.NONE
    desired: DesiredJob | None = None

    @cached_property
    def fields(self) -> dict[str, Json]:
        """The terms for documents. Every member but `consent` is compared."""
        return {
            "change": self.change,
            "consent": self.needs_consent,
            "guard": self.guard,
            "manifest": None if self.desired is None else fingerprint(self.desired),
            "attempt": self.attempt,
            "digest": self.digest,
            "phase": self.phase.value,
            "observed": self.observed.value,
        }


def fingerprint(job: DesiredJob) -> str:
    """A hash of everything in a manifest that has an effect: its work and its settings, but not its place.

    The rows of a chain follow from the answers of another job, so its template counts in place of its digest.
    """
    chain = job.chain
    work = job.digest if chain is None else {"fromJob": chain.job, "template": chain.template, **_model(job)}
    settings: Mapping[str, Json] = {
        "work": work,
        "provider": job.provider,
        "labels": dict(job.labels),
        "displayName": job.display_name,
        "lifecycle": lifecycle_fields(job.lifecycle),
        "adopt": job.adopt,
        "extraBody": sha256_json(job.extra_body),
        "dependsOn": sorted(job.depends_on),
        "priority": job.priority,
        "webhook": webhook_hashes(job.webhook),
        **row_fields(job),
    }
    return sha256_json(settings)[:_HASH]


def _model(job: DesiredJob) -> dict[str, Json]:
    """The work of a chain, as far as its manifest has it."""
    return {
        "account": str(job.account),
        "kind": job.kind.value,
        "model": job.model,
        "dest": job.dest,
        "request": sha256_json(job.request),
        "runId": job.run_id,
    }
