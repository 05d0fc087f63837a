"""Bind recorded jobs to another account, after that account has shown their remote jobs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from msgspec import Struct

from batchctl.model.attempts import RecordedAttempt
from batchctl.model.codes import ErrorCode
from batchctl.model.errors import GuardError, NotFound, PermissionDenied
from batchctl.model.ports.providers import Provider
from batchctl.model.recorded import Recorded, RecordedJob
from batchctl.model.writes import SaveIdentity, Write
from batchctl.reconcile import attempts_to_show, bind_job


def bind_jobs(
    jobs: Sequence[RecordedJob], recorded: Recorded, provider: Provider, name: str, *, force: bool
) -> Iterator[Write]:
    """The writes that bind the jobs to the account of a provider, which is called `name` in the stack.

    Raises GuardError unless the account shows them, and ApiError.
    """
    names = {job.name for job in jobs}
    _require_shown(attempts_to_show(recorded, names, provider.account, force=force), provider)
    if provider.identity:
        yield SaveIdentity(provider.account, provider.identity)
    for job in jobs:
        yield from bind_job(job, name, provider.account)


class _Shown(Struct, frozen=True):
    """The jobs that the account shows."""

    names: frozenset[str]
    tokens: frozenset[str]
    provider: Provider

    def has(self, attempt: RecordedAttempt) -> bool:
        """Whether an attempt's remote job is there. A job that is not in the list, or has no mark, is asked for."""
        if attempt.remote is None:
            return attempt.token in self.tokens
        if attempt.remote in self.names:
            return True
        try:
            self.provider.get_job(attempt.remote)
        except (NotFound, PermissionDenied):
            return False
        return True


def _require_shown(attempts: Iterable[RecordedAttempt], provider: Provider) -> None:
    listed = tuple(provider.list_jobs())
    tokens = frozenset(job.mark.token for job in listed if job.mark is not None)
    shown = _Shown(frozenset(job.name for job in listed), tokens, provider)
    for attempt in attempts:
        if not shown.has(attempt):
            message = f"{provider.account} does not show {attempt.remote or 'the create call'} of {attempt.key.job}"
            hint = "check provider and credentials; --force binds it anyway; it then counts as gone"
            raise GuardError(message, code=ErrorCode.NOT_SHOWN, hint=hint)
