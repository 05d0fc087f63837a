"""The job that a source belongs to."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct

from batchctl.model.capabilities import is_partner_model
from batchctl.model.json_value import Json
from batchctl.model.kinds import Kind
from batchctl.model.ports.row_reader import RowRules
from batchctl.model.stack import ProviderConfig


class Purpose(Struct, frozen=True):
    """The job that a source belongs to. A value that an error hides is None."""

    job: str
    config: ProviderConfig | None
    model: str | None
    rows: Kind
    """The kind of its rows."""
    request: Mapping[str, Json]
    """The defaults for the rows that batchctl sends."""
    most_result_bytes: int | None = None
    """`sharding.maxResultBytes`."""

    @property
    def rules(self) -> RowRules:
        """The rules for checking the rows."""
        api = None if self.config is None else self.config.api
        is_partner = self.model is not None and is_partner_model(self.model)
        return RowRules(api, self.request, is_google_model=not is_partner)
