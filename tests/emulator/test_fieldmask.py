from __future__ import annotations

from typing import Any

import pytest

from batchctl.emulator.fieldmask import parse_mask
from batchctl.emulator.wire import Refused

REPLY = {
    "name": "n",
    "done": True,
    "labels": {},
    "metadata": {"state": "S", "batchStats": {"requestCount": "1", "x": 2}, "output": {"file": "f"}},
    "items": [{"a": 1, "b": {"c": 2, "d": 3}}, {"a": 4}, {"e": 5}],
}


@pytest.mark.parametrize(
    ("mask", "expected"),
    [
        (None, REPLY),
        ("", REPLY),
        ("*", REPLY),
        ("name", {"name": "n"}),
        ("name,done", {"name": "n", "done": True}),
        ("labels,unknown", {"labels": {}}),
        ("metadata/state", {"metadata": {"state": "S"}}),
        ("metadata(state,output/file)", {"metadata": {"state": "S", "output": {"file": "f"}}}),
        (
            "metadata(batch_stats(request_count)), name",
            {"metadata": {"batchStats": {"requestCount": "1"}}, "name": "n"},
        ),
        ("metadata/*/x", {"metadata": {"batchStats": {"x": 2}, "state": "S"}}),
        ("items(a,b/c)", {"items": [{"a": 1, "b": {"c": 2}}, {"a": 4}, {}]}),
        ("metadata/state,metadata/output", {"metadata": {"state": "S", "output": {"file": "f"}}}),
        ("metadata/nothing", {}),
    ],
)
def test_a_mask_keeps_what_it_names(mask: str | None, expected: Any) -> None:
    assert parse_mask(mask).keep(REPLY) == expected


@pytest.mark.parametrize("mask", [",", "a,", "a/", "a(", "a()", "a(b", "a)b", "a b?", "a(b)c", "(a)", "/a"])
def test_a_malformed_mask_is_refused(mask: str) -> None:
    with pytest.raises(Refused) as caught:
        parse_mask(mask)
    assert caught.value.status == 400


@pytest.mark.parametrize(
    ("mask", "path", "wanted"),
    [
        (None, ("a", "b"), True),
        ("a", ("a", "b"), True),
        ("a/b", ("a",), True),
        ("a/b/c", ("a", "b"), True),
        ("a/c", ("a", "b"), False),
        ("*/b", ("a", "b"), True),
        ("c", ("a",), False),
    ],
)
def test_a_mask_tells_which_members_are_needed(mask: str | None, path: tuple[str, ...], wanted: bool) -> None:
    assert parse_mask(mask).wants(*path) is wanted
