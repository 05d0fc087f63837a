"""The digest of a plan: `plan` prints it, and `apply --expect DIGEST` acts only on a plan that has it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Self

from msgspec import Struct

from batchctl.model.canonical import sha256_json
from batchctl.model.json_value import Json
from batchctl.model.pattern import Pattern
from batchctl.model.plan import Plan

_SCHEME = "p1:"
_CHANGES, _FREE, _LINEAGE = 40, 16, 8
_NOTHING = sha256_json([])[:_FREE]
_NO_STATE = sha256_json([""])[:_LINEAGE]
_TEXT = Pattern(rf"{_SCHEME}[0-9a-f]{{{_CHANGES + _FREE + _LINEAGE}}}")


class PlanDigest(Struct, frozen=True):
    """Three hashes, because they are compared differently."""

    changes: str
    """Of all changes that need consent, with their preconditions."""
    free: str
    """Of the changes that are free."""
    lineage: str
    """Of the state's lineage."""

    @classmethod
    def of(cls, plan: Plan) -> Self:
        """The digest of a plan."""
        return cls.of_terms(plan.stack, plan.uid, plan.lineage, reviewed_terms(plan))

    @classmethod
    def of_terms(cls, stack: str, uid: str, lineage: str, terms: Mapping[str, Mapping[str, Json]]) -> Self:
        """The digest of a plan with these terms, which are `Terms.fields` by job name."""
        named = sorted(terms.items())
        agreed = [[name, one] for name, one in named if one["consent"]]
        free = [[name, one["change"], one["manifest"]] for name, one in named if not one["consent"]]
        return cls(
            sha256_json([stack, uid, agreed])[:_CHANGES],
            sha256_json(free)[:_FREE],
            sha256_json([lineage])[:_LINEAGE],
        )

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read the text from `str()`. Raises ValueError for anything else."""
        if not _TEXT.fullmatch(text):
            raise ValueError(f"{text!r} is not the digest of a plan")
        hexes = text.removeprefix(_SCHEME)
        return cls(hexes[:_CHANGES], hexes[_CHANGES : _CHANGES + _FREE], hexes[_CHANGES + _FREE :])

    def __str__(self) -> str:
        return f"{_SCHEME}{self.changes}{self.free}{self.lineage}"

    def allows(self, present: PlanDigest) -> bool:
        """Whether the present plan does nothing else than the reviewed one, which has this digest.

        Free changes may be made already, by a watcher. A state that had no record then may have one now.
        """
        free = present.free in {self.free, _NOTHING}
        return present.changes == self.changes and free and self.fits_state(present)

    def fits_state(self, present: PlanDigest) -> bool:
        """Whether the state is the one of the reviewed plan, or that had none yet."""
        return self.lineage in {present.lineage, _NO_STATE}


def reviewed_terms(plan: Plan) -> dict[str, Mapping[str, Json]]:
    """The terms of all changes that a review covers, by job name."""
    return {job.job: job.terms.fields for job in plan.jobs if job.terms is not None}
