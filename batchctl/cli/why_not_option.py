"""`--why-not ACTION`, of `explain` and `replay`."""

from __future__ import annotations

from typing import Any

import click

from batchctl.cli.common import F
from batchctl.model.actions import Action


def why_not_option(command: F) -> F:
    """`--why-not`. The command gets an action, or None."""
    return click.option(
        "--why-not",
        "why_not",
        type=ActionType(),
        metavar="ACTION",
        help="Name the rule that keeps the job from this action, and what would lead to it.",
    )(command)


class ActionType(click.Choice[str]):
    """An action, such as `create`."""

    name = "action"

    def __init__(self) -> None:
        super().__init__([action.value for action in Action])

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:  # noqa: ANN401
        """The action. Raises UsageError."""
        return Action(super().convert(value, param, ctx))
