"""How two redacted trees differ, in the words of the manifest."""

from __future__ import annotations

from typing import Any

import pytest

from batchctl.model.decision import Change
from batchctl.reconcile.view.changes import describe_changes

HASH = "0123456789abcdef" * 4
OTHER = "fedcba9876543210" * 4


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        pytest.param({}, {}, [], id="nothing"),
        pytest.param({"model": "m", "runId": "1"}, {"runId": "1", "model": "m"}, [], id="the same"),
        pytest.param({"model": "m"}, {"model": "n"}, [("spec.model", "m", "n")], id="a member of spec"),
        pytest.param({}, {"dest": "gs://b"}, [("spec.dest", None, "gs://b")], id="added"),
        pytest.param({"runId": "1"}, {}, [("spec.runId", "1", None)], id="taken away"),
        pytest.param({"kind": "BatchJob"}, {"kind": "X"}, [("kind", "BatchJob", "X")], id="kind"),
        *(
            pytest.param({name: "x"}, {name: "y"}, [(path, "x", "y")], id=name)
            for name, path in (
                ("api", "provider.type"),
                ("endpoint", "provider.endpoint"),
                ("project", "provider.project"),
                ("location", "provider.location"),
                ("source", "spec.src"),
            )
        ),
        pytest.param(
            {"runId": "1", "model": "m", "dest": "x"},
            {"runId": "2", "model": "n", "dest": "y"},
            [("spec.dest", "x", "y"), ("spec.model", "m", "n"), ("spec.runId", "1", "2")],
            id="several, sorted by path",
        ),
        pytest.param(
            {"request": {"generationConfig": {"temperature": 0.2, "topK": 1}}},
            {"request": {"generationConfig": {"temperature": 0.9, "topK": 1}}},
            [("spec.request.generationConfig.temperature", 0.2, 0.9)],
            id="deep inside",
        ),
        pytest.param(
            {"request": {"a": 1}},
            {"request": {"b": 1}},
            [("spec.request.a", 1, None), ("spec.request.b", None, 1)],
            id="moved",
        ),
        pytest.param({"request": {"a": 1}}, {"request": [1]}, [("spec.request", {"a": 1}, [1])], id="another shape"),
        pytest.param(
            {"request": [1, 2]},
            {"request": [2, 1]},
            [("spec.request[0]", 1, 2), ("spec.request[1]", 2, 1)],
            id="a list's order",
        ),
        pytest.param(
            {"request": {"safetySettings": [{"category": "A", "threshold": "x"}]}},
            {"request": {"safetySettings": [{"category": "A", "threshold": "y"}, {"category": "B"}]}},
            [
                ("spec.request.safetySettings[0].threshold", "x", "y"),
                ("spec.request.safetySettings[1]", None, {"category": "B"}),
            ],
            id="items of a list, by index",
        ),
        pytest.param(
            {"request": {"systemInstruction": {"sha256": HASH}}},
            {"request": {"systemInstruction": {"sha256": OTHER}}},
            [("spec.request.systemInstruction", "sha256:0123456789ab", "sha256:fedcba987654")],
            id="a redacted text: the beginning of its hash",
        ),
        pytest.param(
            {"source": {"sha256": HASH, "rows": 3}},
            {"source": ["gs://b/x"]},
            [("spec.src", "3 rows, sha256:0123456789ab", ["gs://b/x"])],
            id="rows against a bucket",
        ),
        pytest.param(
            {"request": {"x": {"sha256": HASH}}},
            {"request": {"x": {"y": 1}}},
            [("spec.request.x", "sha256:0123456789ab", {"y": 1})],
            id="redacted against open",
        ),
        pytest.param(
            {"request": {"a": 1}}, {"request": {"a": True}}, [("spec.request.a", 1, True)], id="1 is not true"
        ),
        pytest.param({"request": [1]}, {"request": [True]}, [("spec.request[0]", 1, True)], id="nor in a list"),
        pytest.param(
            {"request": {"a": [None]}}, {"request": {"a": []}}, [("spec.request.a", [None], [])], id="a null in a list"
        ),
        pytest.param({"request": {"a": 1, "b": [1]}}, {"request": {"a": 1.0, "b": [1.0]}}, [], id="1 is 1.0"),
        pytest.param(
            {"request": {"a": 0}}, {"request": {"a": None}}, [("spec.request.a", 0, None)], id="0 is not null"
        ),
    ],
)
def test_changes(before: dict[str, Any], after: dict[str, Any], expected: list[tuple[str, Any, Any]]) -> None:
    found = describe_changes(before, after)

    assert found == tuple(Change(*change) for change in expected)
    assert [type(change.after) for change in found] == [type(change[2]) for change in expected]
    assert describe_changes(after, before) == tuple(Change(path, new, old) for path, old, new in expected)
