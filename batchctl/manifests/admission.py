"""Reads the bounds on what is at work at once: in `limits` of the stack, and of a provider."""

from __future__ import annotations

from collections.abc import Mapping

from batchctl.model.admission import AdmissionLimits, short_model
from batchctl.model.desired import Json

FIELDS = ("active", "enqueuedTokens", "createsPerMinute")


def read_admission(given: Mapping[str, Json]) -> AdmissionLimits:
    """The bounds in a `limits` that keeps to its schema."""
    active, tokens, creates = (given.get(name) for name in FIELDS)
    by_model = tokens if isinstance(tokens, Mapping) else {}
    return AdmissionLimits(
        active=None if active is None else int(active),
        enqueued_tokens=None if tokens is None or isinstance(tokens, Mapping) else int(tokens),
        tokens_by_model={short_model(model): int(most) for model, most in by_model.items()},
        creates_per_minute=None if creates is None else int(creates),
    )
