"""Compares a job's input with the limits of its account. Source: reference chapter 10."""

from __future__ import annotations

from collections.abc import Mapping
from typing import assert_never

from msgspec import Struct

from batchctl.manifests.fault_codes import Code
from batchctl.manifests.fault_list import Faults
from batchctl.model.canonical import compact_json
from batchctl.model.capabilities import CAPABILITIES, ApiLimits
from batchctl.model.json_value import Json
from batchctl.model.locations import Location
from batchctl.model.ports.row_reader import RowsSummary
from batchctl.model.sources import AwaitedRows, InlineRows, LocalFile, RemoteSource, Source, UnknownSource, UploadedFile
from batchctl.model.stack import ProviderConfig
from batchctl.model.work_size import TOKEN_BYTES

_LOWER = "or lower maxOutputTokens or candidateCount"
_TO_A_FILE = "put the rows into a JSONL file: src: {file: PATH}"


def limits_of(config: ProviderConfig) -> ApiLimits:
    """The limits of a provider: its own, else those of its API."""
    return config.limits or CAPABILITIES[config.api].limits


class InputLimits(Struct, frozen=True):
    """The limits for the input of one job. Without a provider, everything is allowed."""

    config: ProviderConfig | None
    place: Location
    """The place of the input in the manifest, for errors."""
    faults: Faults

    def allow_inline(self, source: InlineRows, defaults: Mapping[str, Json]) -> bool:
        """Whether the rows with the defaults merged in fit into one create call."""
        size = least_bytes(source, defaults)
        limit = None if self.config is None else limits_of(self.config).inline_bytes
        if limit is None or size <= limit:
            return True
        found = f"the rows, with their defaults, have {size:,} bytes as JSON"
        message = f"{found}, and the provider's limits.inlineBytes is {limit:,}"
        self.faults.add(self.place, Code.TOO_LARGE, message, _TO_A_FILE)
        return False

    def warn_of_inline_results(self, tokens: int) -> None:
        """Warn if the answers may be too large for one reply, which contains them twice."""
        limit = None if self.config is None else CAPABILITIES[self.config.api].inline_result_bytes
        said = "replies with inline results have failed at"
        self._warn(2 * tokens * TOKEN_BYTES, limit, said, f"{_TO_A_FILE}, {_LOWER}")

    def warn_of_result_file(self, tokens: int, most: int | None) -> None:
        """Warn if the answers may be too large for a result file of the API. `most` is `sharding.maxResultBytes`."""
        limit = None if self.config is None else CAPABILITIES[self.config.api].result_file_bytes
        if limit is None or (most is not None and most <= limit):
            return
        hint = f"set sharding: {{maxResultBytes: {limit}}}, {_LOWER}"
        self._warn(tokens * TOKEN_BYTES, limit, "the API keeps no file larger than", hint)

    def _warn(self, size: int, limit: int | None, said: str, hint: str) -> None:
        if limit is not None and size > limit:
            message = f"maxOutputTokens of all rows allows results of about {size:,} bytes, and {said} {limit:,}"
            self.faults.warn(self.place, Code.LARGE_RESULTS, message, hint)


def input_bytes(source: Source, defaults: Mapping[str, Json]) -> int | None:
    """The approximate bytes of the rows with the defaults merged in; None if batchctl does not send them."""
    match source:
        case InlineRows():
            return least_bytes(source, defaults)
        case LocalFile():
            return source.size
        case AwaitedRows() | UploadedFile() | RemoteSource() | UnknownSource():
            return None
        case _:
            assert_never(source)


def sent_bytes(size: int, summary: RowsSummary, defaults: Mapping[str, Json]) -> int:
    """The approximate bytes that are sent for a file: a default counts for each row without that member."""
    under = _default_bytes(defaults)
    return size + sum(each * (summary.rows - summary.members.get(name, 0)) for name, each in under.items())


def least_bytes(source: InlineRows, defaults: Mapping[str, Json]) -> int:
    """The least bytes of the requests: a row's member counts as written, even if a default is merged into it."""
    under = _default_bytes(defaults)
    return sum(
        len(compact_json(row.request)) + sum(size for name, size in under.items() if name not in row.request)
        for row in source.rows
    )


def _default_bytes(defaults: Mapping[str, Json]) -> dict[str, int]:
    return {name: len(compact_json({name: value})) - len("{}") for name, value in defaults.items()}
