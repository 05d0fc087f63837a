"""How one job sends the rows of one line form: their requests, their lines, and the answers that they ask for.

All of it is made once, from a row with marks in its gaps, by the same functions that handle rows one by one. So a row
of the form gets the same bytes, and its texts are only put into the gaps.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from msgspec import Struct

from batchctl.model.canonical import canonical_json
from batchctl.model.forms.gap_texts import GapTexts
from batchctl.model.forms.templates import Template, mark_of, marks_in
from batchctl.model.json_value import Json
from batchctl.model.request.rules import most_output
from batchctl.model.result_json import encoded
from batchctl.model.row_marks import key_of, labels_of
from batchctl.model.sources import RequestRow
from batchctl.rows.expectation import asked_of
from batchctl.rows.wire_form import WireForm


class JobForm(Struct, frozen=True):
    """The rows of one form, as one job sends them."""

    request: Template
    """The canonical request as the manifest describes it."""
    sent: Template
    """The canonical request as it is sent."""
    line: Template
    """The line of the uploaded file, without escapes that JSON does not need."""
    members: Template
    """The members beside the request, as JSON."""
    has_members: bool
    marks: tuple[str, ...]
    """The gaps of a line that follow from the position of the row: `key`, then the names of labels."""
    asked: Mapping[str, Json]
    """The part of the request that says what its answer has to be."""
    output: int
    """The most output tokens of a row, defaults included."""

    def requests(self, rows: GapTexts) -> tuple[bytes, Sequence[bytes]]:
        """The canonical requests: a text that all of them begin with, and what follows in that of each row."""
        return self.request.texts(rows.canonical, len(rows))

    def sent_requests(self, rows: GapTexts) -> Sequence[bytes]:
        """The canonical request of each row as it is sent."""
        return _split(self.sent, rows)

    def members_of(self, rows: GapTexts) -> Sequence[bytes]:
        """The members of each row, as JSON."""
        return _split(self.members, rows)

    def lines(self, rows: GapTexts, positions: Sequence[int]) -> bytes:
        """The lines of rows at these positions of the input."""
        columns = [*rows.plain, *zip(*map(self._marks_of, positions), strict=True)] if self.marks else rows.plain
        return self.line.lines(columns, len(rows))

    def fits(self, last: int) -> bool:
        """Whether rows up to this position have the same members, marks included."""
        return set(self.marks) <= {"key"} or bool(labels_of(last))

    def _marks_of(self, position: int) -> Sequence[bytes]:
        labels = labels_of(position)
        found = (key_of(position) if name == "key" else labels[name] for name in self.marks)
        return [mark.encode("ascii") for mark in found]


class JobShape:
    """Makes the forms of one job."""

    def __init__(self, wire: WireForm) -> None:
        self._wire = wire

    def constants(self, row: RequestRow) -> frozenset[str]:
        """The marks of a row that the answer depends on: texts that have to be the same in all rows of a form."""
        return frozenset(marks_in(encoded(asked_of(self._wire.request(row)))))

    def form(self, row: RequestRow, marks: Sequence[str]) -> JobForm | None:
        """The form of a row with these marks in its gaps; None if its rows have to be handled one by one."""
        if not self._wire.has_keys:
            return None
        own = dict(self._own_marks(row, len(marks)))
        names = {"key": own.get("key") or str(row.key)}
        labels = {name: mark for name, mark in own.items() if name != "key"}
        sent = self._wire.request(row)
        described = self._wire.described(row, sent)
        line = self._wire.line_with(row, names, labels)[:-1]
        request_template = Template.of_some(canonical_json(described), marks)
        sent_template = Template.of_some(canonical_json(sent), marks)
        line_template = Template.of_some(line, [*marks, *own.values()])
        members = Template.of_some(encoded(dict(row.members)), marks)
        if not (request_template and sent_template and line_template and members):
            return None
        facts = bool(row.members), tuple(own), asked_of(sent), most_output(sent)
        return JobForm(request_template, sent_template, line_template, members, *facts)

    def _own_marks(self, row: RequestRow, gaps: int) -> Iterator[tuple[str, str]]:
        """The marks of a row that follow from its position, each with a mark of a gap."""
        names = [*(["key"] if row.key is None else []), *self._wire.labels(0)]
        for number, name in enumerate(names, gaps):
            yield name, mark_of(number)


def _split(template: Template, rows: GapTexts) -> Sequence[bytes]:
    """The lines of rows without their ends."""
    return template.lines(rows.canonical, len(rows)).split(b"\n")[:-1]
