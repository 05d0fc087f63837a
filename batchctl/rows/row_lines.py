"""The lines of `results.jsonl`: what a row is comes before its answer or error, which may be long."""

from __future__ import annotations

from functools import lru_cache

from batchctl.model.forms.templates import Template
from batchctl.model.json_value import Json
from batchctl.model.result_json import decoded, encoded
from batchctl.model.verdicts import RowVerdict
from batchctl.rows.arrivals import NOWHERE
from batchctl.rows.join import Join
from batchctl.rows.spool import NO_MEMBERS, Record
from batchctl.rows.written import as_written

_HEAD = b'{"key":%b,"index":%d,"verdict":"%b",'
_BEFORE_OUTCOME = b',"verdict":"OK",'
OUTCOME_LINE = Template((b'{"key":', b',"index":', _BEFORE_OUTCOME, b"\n"), (0, 1, 2))
ANSWER_LINE = Template((b'{"key":', b',"index":', _BEFORE_OUTCOME + b'"response":', b"}\n"), (0, 1, 2))
"""Lines of good answers: their key, their index, and the rest of the outcome or the response alone."""
AROUND_KEY = len(_HEAD % (b"", 0, b"OK")) - 1
"""Bytes of a line before its outcome, without the key and the index."""


@lru_cache(maxsize=8)
def line_of(answer: Template) -> Template:
    """Lines of good answers, given the template of their responses."""
    return ANSWER_LINE.with_last(answer)


def head_of(record: Record, row: int, position: int, join: Join, found: RowVerdict) -> bytes:
    """The start of a line of `results.jsonl`: its outcome follows as it was put aside, without the first brace."""
    key, _, members = record
    if members == NO_MEMBERS and row != NOWHERE and not join.members(row):
        return _HEAD % (encoded(join.key(row, decoded(key))), position, found.value.encode("ascii"))
    head: dict[str, Json] = {"key": decoded(key), "index": None, "verdict": found.value}
    came: dict[str, Json] = {} if members == NO_MEMBERS else decoded(members)
    if row != NOWHERE:
        head["key"], head["index"] = join.key(row, head["key"]), position
        own = join.members(row)
        came = as_written(came, own) if came or own else came
    # What a row is comes before its answer, which may be long.
    head |= {"input": came} if came else {}
    return encoded(head)[:-1] + b","
