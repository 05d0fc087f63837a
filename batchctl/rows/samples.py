"""Some rows of a job's input as they are sent, for a count of tokens. Implements RowSampler."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice

from batchctl.model.capabilities import is_partner_model
from batchctl.model.desired import DesiredJob
from batchctl.model.kinds import Kind
from batchctl.model.sources import InlineRows, LocalFile, RequestRow
from batchctl.model.stack import LINE_BYTES
from batchctl.model.token_counting import SampledRow
from batchctl.model.wire_json import wire_json
from batchctl.rows.whole_files import read_rows
from batchctl.rows.wire_form import WireForm

_FIRST = 200
"""Only so many rows are read: a file may have gigabytes."""
_MOST_BYTES = 2**20
"""Of a row that is counted: longer ones have media, and each would be sent once more."""


class RowSamples:
    """Implements RowSampler."""

    def __init__(self, line_bytes: int = LINE_BYTES) -> None:
        self._line_bytes = line_bytes

    def sample(self, job: DesiredJob, most: int) -> Sequence[SampledRow]:
        if job.row_kind is not Kind.BATCH_JOB or is_partner_model(job.model):
            return ()
        rows = self._first_rows(job)
        wire, is_file, found = WireForm(job), isinstance(job.source, LocalFile), []
        for position in _spread(len(rows), most):
            request = wire.request(rows[position])
            size = len(wire.line(rows[position], position) if is_file else wire_json(request))
            if size > _MOST_BYTES:
                # Without the long rows, the others would stand for them.
                return ()
            found.append(SampledRow(request, size))
        return found

    def _first_rows(self, job: DesiredJob) -> Sequence[RequestRow]:
        match job.source:
            case InlineRows(rows):
                return rows[:_FIRST]
            case LocalFile() as source:
                return list(islice(read_rows(source.path, job.row_kind, self._line_bytes), _FIRST))
            case _:
                return ()


def _spread(number: int, most: int) -> list[int]:
    """So many positions among `number`, evenly spread, the first one included."""
    chosen = min(number, most)
    return [index * number // chosen for index in range(chosen)]
