"""Rules: the outcome of the jobs and rows that match a glob.

The course of a job is fixed when the job is created, from the rules in force at that time; later rules do not change
it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from fractions import Fraction
from functools import lru_cache

from msgspec import Struct, field

from batchctl.emulator.clock import parse_duration
from batchctl.emulator.globs import matches
from batchctl.emulator.lifecycle import Fate, Limits, State
from batchctl.emulator.row_outcomes import (
    RowRule,
    concerns_rows,
    forget_tries,
    read_stored_rules,
    rules_for_rows,
    stored_rules,
)
from batchctl.emulator.schemas import Invalid, check
from batchctl.emulator.settings import Settings
from batchctl.emulator.store import Store
from batchctl.emulator.wire import JsonObject


class OutputRule(Struct, frozen=True):
    """How a Vertex job writes its rows to Cloud Storage."""

    early: Fraction = Fraction(0)
    """The share of rows that is also written early."""
    repeated: Fraction = Fraction(0)
    """The share of rows that is preceded by an error for the same row."""
    as_numbers: bool = False


_KEPT = 1000
"""The courses that are not read again."""


class Course(Struct, frozen=True):
    """The future of one job, fixed when it was created. Durations are in nanoseconds."""

    pending: int
    running: int
    fate: Fate | None = None
    rows: tuple[RowRule, ...] = ()
    error: tuple[int, str] | None = None
    """The error of a FAILED job, if it is not the default."""
    limits: Limits | None = None
    """The limits of Vertex on its time."""
    fixed_state: State | None = None
    """A fixed state from a seed, which the job leaves only by a call."""
    output: OutputRule = field(default_factory=OutputRule)
    done: Fraction | None = None
    """The share of rows that is processed when the job ends early; None: the usual one."""
    shuffle: int | None = None
    """The seed of the order in which rows are processed; None: the usual order."""

    def to_json(self) -> str:
        """The stored form."""
        rows = stored_rules(self.rows)
        limits = None if self.limits is None else [self.limits.wait, self.limits.run, self.limits.overdue]
        output = [str(self.output.early), str(self.output.repeated), self.output.as_numbers]
        more = [output, [None if self.done is None else str(self.done), self.shuffle]]
        return json.dumps([self.pending, self.running, self.fate, rows, self.error, limits, self.fixed_state, *more])

    @staticmethod
    @lru_cache(maxsize=_KEPT)
    def from_json(text: str) -> Course:
        """The course that `to_json` stored. Jobs of one rule mostly have the same."""
        pending, running, fate, rows, error, limits, fixed_state, *more = json.loads(text)
        early, repeated, numbers = more[0] if more else _NO_OUTPUT_RULE
        done, shuffle = more[1] if more[1:] else (None, None)
        return Course(
            pending,
            running,
            None if fate is None else Fate(fate),
            read_stored_rules(rows),
            None if error is None else (error[0], error[1]),
            None if limits is None else Limits(limits[0], limits[1], State(limits[2])),
            None if fixed_state is None else State(fixed_state),
            OutputRule(Fraction(early), Fraction(repeated), numbers),
            None if done is None else Fraction(done),
            shuffle,
        )


_NO_OUTPUT_RULE = ("0", "0", False)


def get_rules(store: Store) -> list[JsonObject]:
    """The rules in force, as they were given."""
    rules: list[JsonObject] = store.meta("rules") or []
    return rules


def put_rules(store: Store, rules: object, place: str = "rules") -> None:
    """Replace all rules; `place` is what messages call the list. Raises Invalid with the place."""
    check(rules, "emulator-rules.schema.json", place)
    assert isinstance(rules, list)
    for position, rule in enumerate(rules):
        _check_rule(rule, f"{place}[{position}]")
    with store.transaction():
        store.put_meta("rules", rules)
        forget_tries(store)


def _check_rule(rule: JsonObject, place: str) -> None:
    """Raise Invalid for a rule that could have no effect."""
    fate = rule.get("fate")
    _check_rows(rule, fate, place)
    if "error" in rule and fate not in _ENDS_IN_ERROR:
        raise Invalid(f"{place}.error: allowed only with the fates fail and failExport")
    for name in ("pending", "running"):
        if name in rule and fate == Fate.STUCK:
            raise Invalid(f"{place}.{name}: not allowed with the fate stuck, which never leaves PENDING")
    if "done" in rule and fate not in _ENDS_EARLY:
        raise Invalid(f"{place}.done: allowed only with the fates expire and partial")
    if "output" in rule and (fate in _WRITES_NOTHING or (fate == Fate.EXPIRE and "done" not in rule)):
        raise Invalid(f"{place}.output: a job with the fate {fate} writes no output")
    reasons = _reasons(rule)
    if len(reasons) > 1:
        raise Invalid(f"{place}: matches no job, because {' and '.join(reasons.values())} belong to different APIs")


def _check_rows(rule: JsonObject, fate: str | None, place: str) -> None:
    """Raise Invalid for members about rows that could have no effect."""
    if "row" in rule.get("match", {}) and not concerns_rows(rule):
        raise Invalid(f"{place}.match.row: allowed only with the fate rows, rowError or rowOutcomes")
    for name in ("rowError", "rowOutcomes", "order"):
        if name in rule and fate in _ANSWERS_NOTHING:
            raise Invalid(f"{place}.{name}: a job with the fate {fate} answers no rows")
    if "rowError" in rule and "rowOutcomes" in rule:
        raise Invalid(f"{place}.rowError: not allowed beside rowOutcomes, which can hold an error, too")
    by_content = any(outcome.get("by") == "content" for outcome in rule.get("rowOutcomes", []))
    if "seed" in rule and not by_content and rule.get("order") != "shuffled":
        raise Invalid(f"{place}.seed: allowed only with order: shuffled, or with by: content in rowOutcomes")


_ENDS_IN_ERROR = frozenset({Fate.FAIL, Fate.FAIL_EXPORT})
_ENDS_EARLY = frozenset({Fate.EXPIRE, Fate.PARTIAL})
_ANSWERS_NOTHING = frozenset({Fate.STUCK, Fate.FAIL})
_WRITES_NOTHING = frozenset({Fate.STUCK, Fate.FAIL, Fate.FAIL_EXPORT})
_OF_VERTEX_ALONE = frozenset({Fate.PARTIAL, Fate.FAIL_EXPORT})
_OF_GEMINI = re.compile(r"(models|tunedModels)/")
_OF_VERTEX = re.compile(r"(publishers|projects)/")


def _reasons(rule: JsonObject) -> dict[str, str]:
    """The APIs to which the rule is limited, each with the member that limits it; empty if it applies to both."""
    match, found = rule.get("match", {}), {}
    model = match.get("model", "")
    if rule.get("fate") in _OF_VERTEX_ALONE:
        found["vertex"] = f"fate: {rule['fate']}"
    if "output" in rule:
        found["vertex"] = "output"
    if "labels" in match:
        found["vertex"] = "match.labels"
    if _OF_GEMINI.match(model):
        found["gemini"] = "match.model"
    if _OF_VERTEX.match(model):
        found["vertex"] = "match.model"
    return found | ({match["api"]: f"match.api: {match['api']}"} if "api" in match else {})


class NewJob(Struct, frozen=True):
    """The properties of a new job that rules match."""

    api: str
    model: str
    display_name: str | None
    writes_objects: bool = False
    """Whether the job writes its output to Cloud Storage."""
    labels: Mapping[str, str] = field(default_factory=dict)


def course_for(store: Store, settings: Settings, job: NewJob) -> Course:
    """The course of a job that is created now: that of the first rule that matches."""
    fitting = [rule for rule in get_rules(store) if _covers(rule, job) and _is_nth(store, rule)]
    if not fitting:
        return Course(settings.pending, settings.running)
    first = fitting[0]
    fate = Fate(first["fate"]) if "fate" in first else None
    return Course(
        parse_duration(first["pending"]) if "pending" in first else settings.pending,
        parse_duration(first["running"]) if "running" in first else settings.running,
        fate,
        rules_for_rows(fitting) if concerns_rows(first) else (),
        (first["error"]["code"], first["error"]["message"]) if "error" in first else None,
        output=_output_rule(first.get("output", {})),
        done=Fraction(str(first["done"])) if "done" in first else None,
        shuffle=first.get("seed", 0) if first.get("order") == "shuffled" else None,
    )


def _output_rule(given: JsonObject) -> OutputRule:
    early, repeated = (Fraction(str(given.get(name, 0))) for name in ("early", "repeated"))
    return OutputRule(early, repeated, bool(given.get("asNumbers", False)))


def _covers(rule: JsonObject, job: NewJob) -> bool:
    if not _reasons(rule).keys() <= {job.api} or ("output" in rule and not job.writes_objects):
        return False
    match = rule.get("match", {})
    bare = job.model.rpartition("models/")[2]
    glob = match.get("model", "*")
    is_model = matches(glob, bare) or matches(glob, job.model)
    labels = match.get("labels", {}).items()
    is_labelled = all(name in job.labels and matches(value, job.labels[name]) for name, value in labels)
    return is_model and is_labelled and matches(match.get("displayName", "*"), job.display_name or "")


def _is_nth(store: Store, rule: JsonObject) -> bool:
    """Whether the new job has a number that the rule names, counted over all jobs that the rest of `match` covers."""
    wanted = rule.get("match", {}).get("nth")
    if wanted is None:
        return True
    earlier = store.rows("SELECT api, model, display_name, labels, body FROM jobs")
    jobs = (
        NewJob(api, model, name, "gcsDestination" in json.loads(body).get("outputConfig", {}), json.loads(labels))
        for api, model, name, labels, body in earlier
    )
    number = 1 + sum(_covers(rule, job) for job in jobs)
    return number in (wanted if isinstance(wanted, list) else [wanted])
