"""Results that match no row of the input: they were paid for, so merged results have them at their end."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from collections.abc import Set as AbstractSet

from batchctl.disk.safe_open import open_stream
from batchctl.rows.ledger_file import Segment

_NOWHERE = re.compile(rb'^\{"key":(null|"[^"\\]*+(?:\\.[^"\\]*+)*+"),"index":null,"verdict":"[A-Z_]++",')
"""The start of such a line in a file of answers."""


def unmatched_lines(segment: Segment, attempt: int, keys: AbstractSet[str]) -> Iterator[bytes]:
    """The lines of such results, for the merged results of an attempt. Raises OSError.

    `keys` are those of the input: a row that the attempt was not given has its own result already.
    """
    is_other = segment.attempt not in (None, attempt)
    with open_stream(segment.answers) as stream:
        for line in stream:
            start = _NOWHERE.match(line)
            if start is not None and json.loads(start[1]) not in keys:
                member = b'"attempt":%d,' % segment.attempt if is_other and segment.attempt else b""
                yield line[: start.end()] + member + line[start.end() :]
