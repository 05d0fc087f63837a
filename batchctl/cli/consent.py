"""Whether somebody agrees: `--yes`, or an answer on a terminal."""

from __future__ import annotations

import sys
from dataclasses import dataclass

import click

from batchctl.engine.passes import Approve
from batchctl.model.codes import ErrorCode
from batchctl.model.errors import GuardError
from batchctl.model.plan import Plan


@dataclass(frozen=True)
class Consent:
    """What the flags and the terminal allow."""

    yes: bool
    no_input: bool

    @property
    def can_ask(self) -> bool:
        """Whether there is a person to ask."""
        return not self.yes and not self.no_input and sys.stdin.isatty() and sys.stderr.isatty()


def needs_asking(plan: Plan) -> bool:
    """Whether anything in the plan has to be agreed to."""
    return any(job.needs_consent and job.guard is None for job in plan.jobs)


def require_consent(consent: Consent, question: str, message: str) -> None:
    """Ask, or take `--yes` for the answer. Raises GuardError when there is neither: `message` says what is refused."""
    if consent.yes:
        return
    if not consent.can_ask:
        raise GuardError(message, code=ErrorCode.CONSENT_NEEDED, hint="--yes")
    ask(question)


def ask(question: str) -> None:
    """Ask on the terminal. Raises GuardError when the answer is no."""
    if not click.confirm(question, default=False, err=True):
        raise GuardError("you said no, so nothing was done", code=ErrorCode.DECLINED, hint="nothing needs to be undone")


def ask_for_name(question: str, name: str) -> None:
    """Ask for a name to be typed, which no habit of saying yes does. Raises GuardError when another one is."""
    typed = click.prompt(f"{question} Type {name} to agree", default="", show_default=False, err=True)
    if typed.strip() != name:
        message = f"that is not {name}, so nothing was done"
        raise GuardError(message, code=ErrorCode.DECLINED, hint="nothing needs to be undone")


def only_as_shown(shown: Plan) -> Approve:
    """An approval of just what was shown: a plan that came out otherwise meanwhile is refused."""

    def approve(plan: Plan) -> None:
        if _substance(plan) != _substance(shown):
            message = "the plan has changed since it was shown, so nothing was done"
            raise GuardError(
                message, code=ErrorCode.PLAN_CHANGED, hint="run the command again and look at the new plan"
            )

    return approve


def _substance(plan: Plan) -> list[tuple[str, str, tuple[object, ...]]]:
    return [(job.job, job.action, job.changes) for job in plan.jobs if job.needs_consent]
