"""Reads the admission limits in `limits` of the stack and of a provider: active jobs, tokens, creates per minute."""

from __future__ import annotations

from collections.abc import Mapping

from batchctl.model.admission import AdmissionLimits, short_model
from batchctl.model.json_value import Json

FIELDS = ("active", "enqueuedTokens", "createsPerMinute")


def read_admission(given: Mapping[str, Json]) -> AdmissionLimits:
    """The admission limits in a `limits` that is valid by its schema."""
    active, tokens, creates = (_read(given.get(name)) for name in FIELDS)
    return AdmissionLimits(
        active=active[0],
        enqueued_tokens=tokens[0],
        creates_per_minute=creates[0],
        active_by_model=active[1],
        tokens_by_model=tokens[1],
        creates_by_model=creates[1],
    )


def _read(given: Json) -> tuple[int | None, Mapping[str, int]]:
    """A number for all models, or numbers by model."""
    if isinstance(given, Mapping):
        return None, {short_model(model): int(most) for model, most in given.items()}
    return None if given is None else int(given), {}
