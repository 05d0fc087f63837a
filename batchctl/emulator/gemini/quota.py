"""The quota on enqueued tokens: the tokens of all active jobs of a model. Source: reference 10, 16."""

from __future__ import annotations

from batchctl.emulator.exchange import Exchange
from batchctl.emulator.gemini.envelope import API
from batchctl.emulator.job_store import all_jobs
from batchctl.emulator.store import Store
from batchctl.emulator.wire import JsonObject, Refused

_BYTES_A_TOKEN = 4
"""An estimate from the size of the stored input: stable, but not exact."""
_WORDS = (
    "You exceeded your current quota, please check your plan and billing details. For more information on this error,"
    " head to: https://ai.google.dev/gemini-api/docs/rate-limits."
)
_HELP: JsonObject = {
    "@type": "type.googleapis.com/google.rpc.Help",
    "links": [
        {
            "description": "Learn more about Gemini API quotas",
            "url": "https://ai.google.dev/gemini-api/docs/rate-limits",
        }
    ],
}
"""The details of a refusal for this quota: without RetryInfo, because waiting alone does not help.

Source: reference 9.
"""


def check_tokens(exchange: Exchange, model: str, blob: str) -> None:
    """Raise Refused (429) if this input and the active jobs of the model together exceed the quota."""
    most, store = exchange.settings.enqueued_tokens, exchange.store
    if most is None:
        return
    active = (
        job.input_blob
        for job in all_jobs(store)
        if (job.api, job.model, job.deleted) == (API, model, None)
        and not job.progress(exchange.settings, exchange.now).done
    )
    if _tokens(store, blob) + sum(_tokens(store, other) for other in active) > most:
        store.drop_unused(blob)
        raise Refused(429, _WORDS, details=[_HELP])


def _tokens(store: Store, blob: str) -> int:
    size: int = store.rows("SELECT coalesce(sum(length(data)), 0) FROM pieces WHERE blob = ?", blob)[0][0]
    return -(-size // _BYTES_A_TOKEN)
