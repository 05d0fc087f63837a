"""Consent: `--yes`, or an answer on a terminal."""

from __future__ import annotations

import sys

import click
from msgspec import Struct

from batchctl.engine.preview import Approve
from batchctl.model.codes import ErrorCode
from batchctl.model.errors import GuardError
from batchctl.model.plan import Plan

_NAMED = 5
"""Jobs that a message names."""


class Consent(Struct, frozen=True):
    """The options about consent."""

    yes: bool
    no_input: bool

    @property
    def can_ask(self) -> bool:
        """Whether a person can answer on the terminal."""
        return not self.yes and not self.no_input and sys.stdin.isatty() and sys.stderr.isatty()


def needs_asking(plan: Plan) -> bool:
    """Whether the plan needs consent."""
    return any(job.needs_consent and job.guard is None for job in plan.jobs)


def require_consent(consent: Consent, question: str, message: str) -> None:
    """Ask, unless `--yes` was given. Raises GuardError with `message` if there is no terminal to ask on."""
    if consent.yes:
        return
    if not consent.can_ask:
        raise GuardError(message, code=ErrorCode.CONSENT_NEEDED, hint="--yes")
    ask(question)


def ask(question: str) -> None:
    """Ask on the terminal. Raises GuardError if the answer is no."""
    if not click.confirm(question, default=False, err=True):
        raise GuardError(
            "you answered no, so nothing was changed", code=ErrorCode.DECLINED, hint="nothing needs to be undone"
        )


def ask_for_name(question: str, name: str) -> None:
    """Ask for a name, so that a habitual `y` does not confirm. Raises GuardError for another answer."""
    typed = click.prompt(f"{question} Type {name} to agree", default="", show_default=False, err=True)
    if typed.strip() != name:
        message = f"the answer is not {name}, so nothing was changed"
        raise GuardError(message, code=ErrorCode.DECLINED, hint="nothing needs to be undone")


def only_as_shown(shown: Plan) -> Approve:
    """Approve the plan that was shown; refuse one that differs from it."""

    def approve(plan: Plan) -> None:
        before, now = _substance(shown), _substance(plan)
        changed = sorted(name for name in before.keys() | now.keys() if before.get(name) != now.get(name))
        if changed:
            more = len(changed) - _NAMED
            names = f"{', '.join(changed[:_NAMED])}{f' and {more} more' if more > 0 else ''}"
            message = f"the plan has changed since it was shown ({names}), so nothing was changed"
            raise GuardError(message, code=ErrorCode.PLAN_CHANGED, hint="run the command again to see the new plan")

    return approve


def _substance(plan: Plan) -> dict[str, tuple[str, tuple[object, ...]]]:
    return {job.job: (job.action, job.changes) for job in plan.jobs if job.needs_consent}
