"""The rows of a chain in reports: the job whose answers they are made from, and the answers that gave no row."""

from __future__ import annotations

from batchctl.model.json_value import Json
from batchctl.model.plan import JobPlan
from batchctl.model.sources import AwaitedRows, ChainedFile, ChainRows


def chain_source(source: ChainedFile | AwaitedRows) -> dict[str, Json]:
    """The source of a chain, for `describe`."""
    found = {"type": "chain", **chain_fields(ChainRows.of(source))}
    return {**found, "sha256": source.sha256} if isinstance(source, ChainedFile) else found


def chain_fields(chain: ChainRows) -> dict[str, Json]:
    """The rows of a chain; null where they are not made yet."""
    count = chain.count
    if count is None:
        return {"fromJob": chain.job, "rows": None, "leftOut": None, "missing": None, "examples": []}
    examples = [{"key": one.key, "reason": one.reason} for one in count.examples]
    return {
        "fromJob": chain.job,
        "rows": count.rows,
        "leftOut": count.left_out,
        "missing": count.missing,
        "examples": examples,
    }


def chain_member(job: JobPlan) -> dict[str, Json]:
    """The member `chain` of a job with such rows; no member for other jobs."""
    return {} if job.chain is None else {"chain": chain_fields(job.chain)}


def left_out_words(job: JobPlan) -> str:
    """The answers that give no row, for people; empty if there are none."""
    words = "" if job.chain is None or job.chain.count is None else job.chain.count.words
    return f"from {job.chain.job}: {words}" if job.chain is not None and words else ""
