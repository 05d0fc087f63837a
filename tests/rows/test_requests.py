"""Results beside the requests of their rows."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from batchctl.rows.requests import with_requests


def numbered(count: int) -> Iterator[dict]:
    yield from ({"n": number} for number in range(count))


@pytest.mark.parametrize(
    ("indexes", "requests"),
    [
        ([0, 1, 2], [{"n": 0}, {"n": 1}, {"n": 2}]),
        ([1, 3], [{"n": 1}, {"n": 3}]),
        ([1, None], [{"n": 1}, None]),
        ([2, 2, 1], [{"n": 2}, {"n": 2}, None]),
        ([3, 9], [{"n": 3}, None]),
        ([], []),
    ],
)
def test_each_row_gets_its_request(indexes: list[int | None], requests: list[dict | None]) -> None:
    rows = [{"index": index, "response": {}} for index in indexes]
    stream = numbered(5)
    found = list(with_requests(rows, stream))
    assert [row["request"] for row in found] == requests
    assert all(list(row) == ["index", "request", "response"] for row in found)
    assert next(stream, None) is None, "the whole input was read, so a changed file is noticed"
