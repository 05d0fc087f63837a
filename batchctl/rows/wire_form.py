"""The form in which the rows of one job are sent: merged with its defaults, and under the names that results have.

Source: reference 8.1, 8.2.
"""

from __future__ import annotations

from collections.abc import Mapping

from batchctl.model.capabilities import CAPABILITIES, RowMark, is_partner_model
from batchctl.model.desired import DesiredJob
from batchctl.model.json_value import Json
from batchctl.model.kinds import Kind
from batchctl.model.request.merging import with_defaults
from batchctl.model.row_marks import key_of, labels_of
from batchctl.model.sources import RequestRow
from batchctl.model.wire_json import wire_json
from batchctl.rows.identities import names_of
from batchctl.rows.spelling import spell_request, with_lists


class WireForm:
    """The form in which the rows of one job are sent in a file.

    Members beside a request are not sent, but for the name that the API joins by: they say nothing to a model, and an
    importer fails the whole job where they are not of one type. They come back from the input.
    """

    def __init__(self, job: DesiredJob) -> None:
        self._job = job
        self._defaults = request_defaults(job)
        labels = CAPABILITIES[job.account.api].row_mark is RowMark.LABEL
        self.is_echoed = labels
        """Whether results repeat the request."""
        self._by_custom_id = labels and is_partner_model(job.model)
        # A request for an embedding has no labels, and another publisher's knows none (8.2).
        self._has_labels = labels and not self._by_custom_id and job.row_kind is not Kind.EMBEDDINGS_BATCH_JOB

    @property
    def has_keys(self) -> bool:
        """Whether rows with a `request` are sent by their keys, and not by a `custom_id`."""
        return not self._by_custom_id

    def names(self, row: RequestRow, index: int) -> dict[str, str]:
        """The names of a row in the file: those of the user, else batchctl's mark."""
        if row.in_body or self._by_custom_id:
            own = names_of(None, row.members).get("custom_id", row.key)
            return {"custom_id": key_of(index) if own is None else own}
        return {"key": key_of(index) if row.key is None else row.key}

    def request(self, row: RequestRow) -> Mapping[str, Json]:
        """A row's request, merged with the defaults and the change of the attempt."""
        return _in_place(self._job, with_lists(merged_request(self._job, self._defaults, row.request)))

    def described(self, row: RequestRow, sent: Mapping[str, Json]) -> Mapping[str, Json]:
        """A row's request as the manifest describes it; `sent` is the same without a change of the attempt."""
        if self._job.sent_with is None:
            return sent
        return _in_place(self._job, with_lists(with_defaults(self._defaults, row.request, self._job.row_kind)))

    def labels(self, index: int) -> Mapping[str, str]:
        """The labels with batchctl's mark, by position; empty if rows have none."""
        return labels_of(index) if self._has_labels else {}

    def line(self, row: RequestRow, index: int) -> bytes:
        """A row as a line of the file."""
        return self.line_with(row, self.names(row, index), self.labels(index))

    def line_with(self, row: RequestRow, names: Mapping[str, str], labels: Mapping[str, str]) -> bytes:
        """The same with these names and labels."""
        request = self.request(row)
        if row.in_body:
            found = {**row.members, **names, "body": request}
        else:
            marked = {**request, "labels": {**(request.get("labels") or {}), **labels}} if labels else request
            found = {**names, "request": marked}
        # Members keep the user's order: the order of a response schema's properties may shape the answer.
        return wire_json(found) + b"\n"


def merged_request(job: DesiredJob, defaults: Mapping[str, Json], request: Mapping[str, Json]) -> Mapping[str, Json]:
    """A row's request over the defaults, and over it the change of the attempt."""
    found = with_defaults(defaults, request, job.row_kind)
    if job.sent_with is None or not job.sent_with.request:
        return found
    return with_defaults(found, spell_request(job.sent_with.request, job.row_kind), job.row_kind)


def request_defaults(job: DesiredJob) -> Mapping[str, Json]:
    """The job's `request` in REST form: a system instruction given as text becomes a content."""
    defaults = spell_request(job.request, job.row_kind)
    instruction = defaults.get("systemInstruction")
    if isinstance(instruction, str):
        defaults["systemInstruction"] = {"parts": [{"text": instruction}]}
    return defaults


_EMBED_CONFIG = "embed_content_config"
_EMBED_CONFIGS = frozenset({_EMBED_CONFIG, "embedContentConfig"})
_EMBED_SETTINGS = frozenset({"taskType", "title", "outputDimensionality"})


def _in_place(job: DesiredJob, request: Mapping[str, Json]) -> Mapping[str, Json]:
    """The request with the settings of an embedding where the API of the job wants them (reference 1.3, 8.2)."""
    if job.kind is job.row_kind or not _EMBED_SETTINGS & request.keys():
        return request
    settings = {name: value for name, value in request.items() if name in _EMBED_SETTINGS}
    others = {name: value for name, value in request.items() if name not in _EMBED_SETTINGS | _EMBED_CONFIGS}
    own: Mapping[str, Json] = next((value for name, value in request.items() if name in _EMBED_CONFIGS and value), {})
    return {**others, _EMBED_CONFIG: {**settings, **own}}
