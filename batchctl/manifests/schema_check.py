"""Checks values against a JSON Schema."""

from __future__ import annotations

from functools import cached_property

from batchctl.manifests.fault_list import Faults
from batchctl.manifests.nodes import Node
from batchctl.manifests.schema import bundled
from batchctl.manifests.schema_decision import decision_by
from batchctl.model.json_value import Json


class Checker:
    """Checks documents against one schema."""

    def __init__(self, schema: Json) -> None:
        self._schema = schema
        self._is_valid = decision_by(schema)

    def check(self, root: Node, faults: Faults) -> bool:
        """Whether the value is valid; errors go to `faults`."""
        if self._is_valid(root):
            return True
        from batchctl.manifests.schema_faults import tell_faults

        tell_faults(root, self._bundle, faults)
        return False

    @cached_property
    def _bundle(self) -> Json:
        return bundled(self._schema)
