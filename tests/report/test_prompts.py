"""The prompts that `plan --show-prompts` finds in a manifest for the paths of a plan."""

from __future__ import annotations

import pytest

from batchctl.model.decision import Change
from batchctl.model.plan import Plan
from batchctl.model.plan_terms import Terms
from batchctl.report.prompts import with_prompts
from tests.support.decisions import job
from tests.support.sample_plan import PLAN
from tests.support.values import replace

REQUEST = {
    "systemInstruction": {"parts": [{"text": "one"}, {"text": "two"}]},
    "labels": {"a.b": "dotted", "a": {"b": "nested"}, "c[0]": "brackets"},
    "a": "x",
}


def shown(path: str) -> object:
    planned = next(one for one in PLAN.jobs if one.job == "classify")
    decision = replace(planned.decision, changes=(Change(path, None, "sha256:0123"),))
    wanted = replace(job("classify"), request=REQUEST)
    (found,) = with_prompts(
        Plan("shop", (replace(planned, decision=decision, terms=Terms("create", needs_consent=True, desired=wanted)),))
    ).jobs
    return found.changes[0].after


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("spec.request", REQUEST),
        ("spec.request.systemInstruction.parts[1].text", "two"),
        ("spec.request.systemInstruction.parts[2].text", "sha256:0123"),
        ("spec.request.systemInstruction.parts[x]", "sha256:0123"),
        ("spec.request.labels.a.b", "dotted"),
        ("spec.request.labels.c[0]", "brackets"),
        ("spec.request.a", "x"),
        ("spec.request.unknown", "sha256:0123"),
        ("spec.model", "sha256:0123"),
    ],
)
def test_the_value_at_a_path(path: str, value: object) -> None:
    assert shown(path) == value


def test_a_job_without_a_manifest_stays_as_it_is() -> None:
    assert with_prompts(PLAN).jobs[0] == PLAN.jobs[0]
    assert [one.job for one in with_prompts(PLAN).jobs] == [one.job for one in PLAN.jobs]
