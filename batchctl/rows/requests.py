"""Results beside the requests of their rows, for `results --join`. Holds one request at a time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from batchctl.model.json_value import Json


def with_requests(
    rows: Iterable[Mapping[str, Json]], requests: Iterable[Mapping[str, Json] | None]
) -> Iterator[dict[str, Json]]:
    """Each row with `request`; null for a row without a position. Rows come by position, requests are the whole input.

    Reads the input to its end, so that a change of the file during the run raises, as `requests` does it.
    """
    stream = iter(requests)
    position, request = -1, None
    for row in rows:
        index = row.get("index")
        if not isinstance(index, int) or index < position:
            yield with_request(row, None)
            continue
        while position < index:
            request = next(stream, None)
            position += 1
        yield with_request(row, request)
    for _ in stream:
        pass


def with_request(row: Mapping[str, Json], request: Mapping[str, Json] | None) -> dict[str, Json]:
    """The row with its request before the answer, which may be long."""
    outcome = {name: row[name] for name in ("response", "error") if name in row}
    rest = {name: value for name, value in row.items() if name not in outcome}
    return {**rest, "request": None if request is None else dict(request), **outcome}
