"""Counts the tokens of some rows of the jobs that a plan buys, by the API, so that the plan's costs go by them."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from msgspec.structs import replace

from batchctl.engine.providers import Providers
from batchctl.model.allowance import Allowance
from batchctl.model.desired import DesiredJob, DesiredStack
from batchctl.model.errors import ApiError, BatchctlError, ResultsError, RowsError
from batchctl.model.keys import Account
from batchctl.model.observed import Observed
from batchctl.model.plan import Plan
from batchctl.model.stack import Stack
from batchctl.model.token_counting import RowSampler, SampledRow, TokenCounter, TokenSample

_MOST_ROWS = 5
"""Of one job."""
_MOST_CALLS = 20
"""Of one run."""
_SECONDS = 15.0
"""For all calls of a plan together: a plan does not wait for a better estimate."""


class TokenSamples:
    """The samples of one run. A job is counted once; where a count fails, its account is asked no more."""

    def __init__(self, rows: RowSampler, note: Callable[[str], None]) -> None:
        """`note` is called with why an estimate goes without a sample."""
        self._rows = rows
        self._note = note
        self._calls_left = _MOST_CALLS
        self._known: dict[tuple[str, str], TokenSample | None] = {}
        self._failed: set[Account] = set()

    def add(self, desired: DesiredStack, planned: Plan, observed: Observed, providers: Providers) -> DesiredStack:
        """The stack with the samples of the jobs that the plan buys; the same one if there are no further ones."""
        if not _is_wanted(desired.stack):
            return desired
        buys = {job.job for job in planned.jobs if job.buys}
        asked = [job for job in desired.jobs if job.name in buys and job.sample is None]
        self._count([job for job in asked if _is_seen(job, observed)], providers)
        found = {job.name: sample for job in asked if (sample := self._known.get(_key(job))) is not None}
        if not found:
            return desired
        jobs = (replace(job, sample=found[job.name]) if job.name in found else job for job in desired.jobs)
        return replace(desired, jobs=tuple(jobs))

    def _count(self, jobs: Sequence[DesiredJob], providers: Providers) -> None:
        new = sorted((job for job in jobs if _key(job) not in self._known), key=lambda job: job.name)
        if not new:
            return
        rows = min(_MOST_ROWS, max(1, self._calls_left // len(new)))
        with Allowance(_SECONDS).holding():
            for job in new:
                self._known[_key(job)] = self._sample(job, min(rows, self._calls_left), providers)

    def _sample(self, job: DesiredJob, most: int, providers: Providers) -> TokenSample | None:
        if not most or job.account in self._failed:
            return None
        try:
            rows = self._rows.sample(job, most)
        except (RowsError, ResultsError) as error:
            self._say(job, error)
            return None
        try:
            provider = providers.get(job.account)
        except BatchctlError as error:
            self._say(job, error)
            return None
        if not rows or not isinstance(provider, TokenCounter):
            return None
        try:
            return self._ask(job, rows, provider)
        except ApiError as error:
            self._failed.add(job.account)
            self._say(job, error)
            return None

    def _ask(self, job: DesiredJob, rows: Sequence[SampledRow], provider: TokenCounter) -> TokenSample | None:
        tokens = 0
        for row in rows:
            self._calls_left -= 1
            counted = provider.count_tokens(job.model, row.request)
            if counted is None:
                return None
            tokens += counted
        return TokenSample(len(rows), sum(row.size for row in rows), tokens)

    def _say(self, job: DesiredJob, error: Exception) -> None:
        self._note(f"{job.name}: its tokens are estimated without countTokens: {error}")


def _is_wanted(stack: Stack) -> bool:
    """Whether anything depends on the number of tokens, and the stack allows the calls."""
    return stack.limits.count_tokens and (stack.prices is not None or stack.limits.spending.is_set)


def _is_seen(job: DesiredJob, observed: Observed) -> bool:
    """Whether the job's account could be read in this pass."""
    return job.account in observed and observed[job.account].complete


def _key(job: DesiredJob) -> tuple[str, str]:
    return job.name, job.digest
