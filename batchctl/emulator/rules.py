"""Rules: what becomes of jobs and rows that match a glob.

A job's course is fixed from the rules in force when it is created, so that what it will do does not change under it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction

from batchctl.emulator.clock import parse_duration
from batchctl.emulator.globs import matches
from batchctl.emulator.lifecycle import Fate, Limits, State
from batchctl.emulator.schemas import Invalid, check
from batchctl.emulator.settings import Settings
from batchctl.emulator.store import Store
from batchctl.emulator.wire import RPC_CODES, JsonObject

_DEFAULT_ROW_ERROR: JsonObject = {"code": RPC_CODES["INTERNAL"], "message": "The emulator's rules fail this row."}


@dataclass(frozen=True)
class RowRule:
    """Makes a share of the matching rows fail."""

    glob: str
    code: int
    message: str
    share: Fraction

    def hits(self, position: int) -> bool:
        """Whether the matching row at this 0-based position fails: the first one, then evenly spread ones."""
        return -(-(position + 1) * self.share // 1) > -(-position * self.share // 1)


@dataclass(frozen=True)
class OutputRule:
    """How a Vertex job writes its rows to Cloud Storage."""

    early: Fraction = Fraction(0)
    """Which part of the rows is written early as well."""
    repeated: Fraction = Fraction(0)
    """Which part of the rows comes as an error before."""
    as_numbers: bool = False


@dataclass(frozen=True)
class Course:
    """What one job will do, as fixed when it was created. Durations in nanoseconds."""

    pending: int
    running: int
    fate: Fate | None = None
    rows: tuple[RowRule, ...] = ()
    error: tuple[int, str] | None = None
    """What a FAILED job reports, when it is not the usual error."""
    limits: Limits | None = None
    """The times that Vertex gives it."""
    stands: State | None = None
    """A state that a seed put it in, and that it never leaves on its own."""
    output: OutputRule = field(default_factory=OutputRule)

    def to_json(self) -> str:
        """The stored form."""
        rows = [[rule.glob, rule.code, rule.message, str(rule.share)] for rule in self.rows]
        limits = None if self.limits is None else [self.limits.wait, self.limits.run, self.limits.overdue]
        output = [str(self.output.early), str(self.output.repeated), self.output.as_numbers]
        return json.dumps([self.pending, self.running, self.fate, rows, self.error, limits, self.stands, output])

    @staticmethod
    def from_json(text: str) -> Course:
        """What `to_json` stored."""
        pending, running, fate, rows, error, limits, stands, *output = json.loads(text)
        return Course(
            pending,
            running,
            None if fate is None else Fate(fate),
            tuple(RowRule(glob, code, message, Fraction(share)) for glob, code, message, share in rows),
            None if error is None else (error[0], error[1]),
            None if limits is None else Limits(limits[0], limits[1], State(limits[2])),
            None if stands is None else State(stands),
            *(OutputRule(Fraction(early), Fraction(repeated), numbers) for early, repeated, numbers in output),
        )


def get_rules(store: Store) -> list[JsonObject]:
    """The rules in force, as they were put."""
    rules: list[JsonObject] = store.meta("rules") or []
    return rules


def put_rules(store: Store, rules: object, place: str = "rules") -> None:
    """Replace all rules; `place` is what messages call them. Raises Invalid, which names the place."""
    check(rules, "emulator-rules.schema.json", place)
    assert isinstance(rules, list)
    for position, rule in enumerate(rules):
        _check_rule(rule, f"{place}[{position}]")
    store.put_meta("rules", rules)


def _check_rule(rule: JsonObject, place: str) -> None:
    """Raise Invalid for what could never show."""
    fate = rule.get("fate")
    if "row" in rule.get("match", {}) and fate != Fate.ROWS:
        raise Invalid(f"{place}.match.row: only rules whose fate is rows look at rows")
    if "rowError" in rule and fate != Fate.ROWS:
        raise Invalid(f"{place}.rowError: only rules whose fate is rows have one")
    if "output" in rule and fate in _WRITES_NOTHING:
        raise Invalid(f"{place}.output: a job whose fate is {fate} writes no output")
    reasons = _reasons(rule)
    if len(reasons) > 1:
        raise Invalid(f"{place}: no job can be of both APIs, as {' and '.join(reasons.values())} ask")


_WRITES_NOTHING = frozenset({Fate.STUCK, Fate.FAIL, Fate.FAIL_EXPORT, Fate.EXPIRE})
_OF_VERTEX_ALONE = frozenset({Fate.PARTIAL, Fate.FAIL_EXPORT})
_OF_GEMINI = re.compile(r"(models|tunedModels)/")
_OF_VERTEX = re.compile(r"(publishers|projects)/")


def _reasons(rule: JsonObject) -> dict[str, str]:
    """The APIs whose jobs alone a rule can cover, each with the member that says so; none for a rule for both."""
    match, found = rule.get("match", {}), {}
    model = match.get("model", "")
    if rule.get("fate") in _OF_VERTEX_ALONE:
        found["vertex"] = f"fate: {rule['fate']}"
    if "output" in rule:
        found["vertex"] = "output"
    if _OF_GEMINI.match(model):
        found["gemini"] = "match.model"
    if _OF_VERTEX.match(model):
        found["vertex"] = "match.model"
    return found | ({match["api"]: f"match.api: {match['api']}"} if "api" in match else {})


@dataclass(frozen=True)
class Newcomer:
    """What rules look at in a job that is created."""

    api: str
    model: str
    display_name: str | None
    writes_objects: bool = False
    """Whether its output goes to Cloud Storage."""


def course_for(store: Store, settings: Settings, job: Newcomer) -> Course:
    """What a job that is created now will do: the first rule that covers it counts."""
    fitting = [rule for rule in get_rules(store) if _covers(rule, job)]
    if not fitting:
        return Course(settings.pending, settings.running)
    first = fitting[0]
    fate = Fate(first["fate"]) if "fate" in first else None
    return Course(
        parse_duration(first["pending"]) if "pending" in first else settings.pending,
        parse_duration(first["running"]) if "running" in first else settings.running,
        fate,
        _row_rules(fitting) if fate is Fate.ROWS else (),
        (first["error"]["code"], first["error"]["message"]) if "error" in first else None,
        output=_output_rule(first.get("output", {})),
    )


def _output_rule(given: JsonObject) -> OutputRule:
    early, repeated = (Fraction(str(given.get(name, 0))) for name in ("early", "repeated"))
    return OutputRule(early, repeated, bool(given.get("asNumbers", False)))


def _covers(rule: JsonObject, job: Newcomer) -> bool:
    if not _reasons(rule).keys() <= {job.api} or ("output" in rule and not job.writes_objects):
        return False
    match = rule.get("match", {})
    bare = job.model.rpartition("models/")[2]
    glob = match.get("model", "*")
    is_model = matches(glob, bare) or matches(glob, job.model)
    return is_model and matches(match.get("displayName", "*"), job.display_name or "")


def row_error(rules: Sequence[RowRule], texts: Sequence[str], hits: dict[RowRule, int]) -> JsonObject | None:
    """The error of the first rule that covers one of the row's texts, if that rule's share takes the row.

    `hits` counts the rows of the job that each rule has covered so far.
    """
    for rule in rules:
        if any(matches(rule.glob, text) for text in texts):
            position = hits.get(rule, 0)
            hits[rule] = position + 1
            return {"code": rule.code, "message": rule.message} if rule.hits(position) else None
    return None


def _row_rules(fitting: Sequence[JsonObject]) -> tuple[RowRule, ...]:
    found = []
    for rule in fitting:
        if rule.get("fate") == Fate.ROWS:
            error = {**_DEFAULT_ROW_ERROR, **rule.get("rowError", {})}
            share = Fraction(str(error.get("share", 1)))
            found.append(RowRule(rule.get("match", {}).get("row", "*"), error["code"], error["message"], share))
    return tuple(found)
