"""`explain --why-not ACTION`, as text and as a document: `batchctl/why-not/v1` (schemas/)."""

from __future__ import annotations

from typing import assert_never

from batchctl.model.json_value import Json
from batchctl.model.why_not import Cause, ChangeKind, RuleStage, Way, WhyNot
from batchctl.report.console import Console
from batchctl.report.layout import Row, count, named, outside, write_heading, write_table
from batchctl.report.text import Text

_PLACES = {
    ChangeKind.WAIT: "comes by itself",
    ChangeKind.FLAG: "option of apply",
    ChangeKind.COMMAND: "command",
    ChangeKind.MANIFEST: "manifest",
    ChangeKind.STACK: "stack file",
}


def write_why_not(answer: WhyNot, console: Console) -> None:
    """The rule that kept the job from the action, how the decision came about, and the ways to the action."""
    write_table(
        console,
        [
            named("Job", outside(answer.job, "bold")),
            named("Answer", Text(_answer(answer))),
            named("Rule", Text(f"{answer.stage.rule.id}: {answer.stage.rule.does}")),
            named("Why", outside(_why(answer))),
        ],
    )
    write_heading(console, "Course")
    write_table(console, [_stage(one) for one in answer.stages], indent=2)
    if answer.cause is Cause.PLANNED:
        return
    if answer.ways:
        write_heading(console, _heading(answer))
        write_table(console, [_way(answer, one) for one in answer.ways], indent=2)
    else:
        write_heading(console, f"None of the {count(answer.tried, 'change')} that were tried leads to `{answer.asked}`")


def _answer(answer: WhyNot) -> str:
    asked, action = answer.asked, answer.action
    match answer.cause:
        case Cause.PLANNED:
            return f"nothing is in the way: the plan has `{asked}`"
        case Cause.REFUSED:
            return f"the plan has `{asked}`, and a guard refuses it"
        case Cause.REPLACED:
            return f"`{asked}` was decided, and a later rule made it `{action}`"
        case Cause.OTHER:
            return f"no rule decided `{asked}`; the plan has `{action}`"
        case _:
            assert_never(answer.cause)


def _why(answer: WhyNot) -> str:
    guard = answer.stage.guard
    if answer.cause is Cause.REFUSED and guard is not None:
        return f"{guard.code}: {guard.message} ({guard.way_out})"
    return answer.stage.reason


def _heading(answer: WhyNot) -> str:
    if answer.is_exact:
        return f"It would have `{answer.asked}` with"
    return f"Nothing that was tried leads to `{answer.asked}`; something like it follows with"


def _stage(stage: RuleStage) -> Row:
    refused = f"refused: {stage.guard.code}" if stage.guard is not None else ""
    words = outside(stage.reason) if not refused else outside(f"{refused}; {stage.reason}")
    return Row((Text(stage.rule.id), Text(stage.action.value), words))


def _way(answer: WhyNot, way: Way) -> Row:
    changes = " and ".join(one.words for one in way.changes)
    places = ", ".join(dict.fromkeys(_PLACES[one.kind] for one in way.changes))
    after = "" if way.action is answer.asked else f"`{way.action}`, "
    return Row((outside(changes), Text(places), outside(f"{after}rule {way.stage.rule.id}: {way.stage.reason}")))


def why_not_document(answer: WhyNot) -> dict[str, Json]:
    """`batchctl/why-not/v1`."""
    return {
        "format": "batchctl/why-not/v1",
        "stack": answer.stack,
        "job": answer.job,
        "asked": answer.asked.value,
        "cause": answer.cause.value,
        **_stage_members(answer.stage),
        "action": answer.action.value,
        "course": [_stage_members(one) for one in answer.stages],
        "ways": [
            {
                "changes": [{"kind": one.kind.value, "change": one.words} for one in way.changes],
                **_stage_members(way.stage),
                "action": way.action.value,
            }
            for way in answer.ways
        ],
        "isExact": answer.is_exact,
        "tried": answer.tried,
    }


def _stage_members(stage: RuleStage) -> dict[str, Json]:
    guard = stage.guard
    return {
        "rule": stage.rule.id,
        "does": stage.rule.does,
        "action": stage.action.value,
        "reason": stage.reason,
        "reasonCode": stage.code.value,
        "guard": None if guard is None else {"code": guard.code, "message": guard.message, "wayOut": guard.way_out},
    }
