"""Takes prompts, rows, request bodies and addresses of webhooks out of the input of a decision, and out of its plan.

The decision does not depend on them, but on hashes of them: the plan of a redacted input is the redacted plan.
"""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from typing import Any

from msgspec import Struct
from msgspec.structs import replace as with_members

from batchctl.engine.bundles.typed_json import members
from batchctl.model.canonical import sha256_json
from batchctl.model.cost.prices import Price
from batchctl.model.decision import Change
from batchctl.model.desired import DesiredJob, DesiredStack
from batchctl.model.json_value import Json
from batchctl.model.packed_rows import PackedRows
from batchctl.model.plan import JobPlan
from batchctl.model.recorded import JobRow, Recorded
from batchctl.model.row_work import RowsSent
from batchctl.model.sent_with import SentWith
from batchctl.model.settings import webhook_hashes
from batchctl.model.sources import InlineRows
from batchctl.model.stack import ProviderConfig, Stack

_WEBHOOK = "spec.webhookConfig."
_NOT_READ: Mapping[type, Mapping[str, object]] = {
    DesiredStack: {"warnings": ()},
    Stack: {"notify": ()},
    Price: {"source": ""},
    ProviderConfig: {"endpoint": None},
    Recorded: {"outbox": ()},
    RowsSent: {"listed": ""},
}
"""Members that no decision reads, with what is in their place."""


class Redaction:
    """Redacts the values of one decision: first the input, then the plan, whose sentences quote the input."""

    def __init__(self) -> None:
        self._quoted: dict[str, str] = {}
        """Texts of the input that sentences quote, with those in their place."""

    def of(self, value: object) -> object:
        """The value without what must not leave the machine."""
        match value:
            case str() | bool() | int() | float() | None:
                return self._sentence(value) if type(value) is str and self._quoted else value
            case SentWith():
                return self._sent_with(value)
            case Struct():
                return self._members(_without_bodies(value))
            case Mapping():
                return {self.of(name): self.of(one) for name, one in value.items()}
            case AbstractSet():
                return frozenset(map(self.of, value))
            case tuple() if type(value) is tuple:
                return tuple(map(self.of, value))
            case list():
                return list(map(self.of, value))
        return value

    def _members(self, value: Any) -> object:  # noqa: ANN401 - any value
        cls: Any = type(value)
        changed = {}
        for member in members(cls):
            found = getattr(value, member.name)
            redacted = self.of(found)
            if redacted is not found:
                changed[member.name] = redacted
        return with_members(value, **changed) if changed else value

    def _sent_with(self, value: SentWith) -> SentWith:
        redacted = with_members(value, request={name: _leaf(one) for name, one in value.request.items()})
        if redacted.request != value.request:
            self._quoted[str(value)] = str(redacted)
        return redacted

    def _sentence(self, text: str) -> str:
        for quoted, other in self._quoted.items():
            text = text.replace(quoted, other)
        return text


def _without_bodies(value: Any) -> object:  # noqa: ANN401 - any value
    """The value without the bodies that it has itself."""
    match value:
        case DesiredJob():
            return with_members(
                value,
                request=_hashed(value.request),
                extra_body=_hashed(value.extra_body),
                webhook=webhook_hashes(value.webhook),
                annotations={},
            )
        case JobPlan():
            return with_members(value, pricing=value.cost)
        case InlineRows():
            return with_members(value, rows=PackedRows(b"", len(value.rows)))
        case JobRow(webhook=Mapping() as hashes):
            # The input has hashes in place of the members, and so the record has hashes of hashes.
            return with_members(value, webhook=webhook_hashes(hashes))
        case Change() if value.path.startswith(_WEBHOOK):
            return with_members(value, before=_hash_again(value.before), after=_hash_again(value.after))
    dropped = _NOT_READ.get(type(value))
    return value if dropped is None else with_members(value, **dropped)


def _hash_again(found: Json) -> Json:
    return webhook_hashes({"": found})[""] if isinstance(found, str) else found


def _hashed(body: Mapping[str, Json]) -> Mapping[str, Json]:
    return {"sha256": sha256_json(body)} if body else body


def _leaf(value: Json) -> Json:
    """A value of a request with a hash in place of each text."""
    match value:
        case str():
            return f"sha256:{sha256_json(value)}"
        case Mapping():
            return {name: _leaf(one) for name, one in value.items()}
        case list():
            return list(map(_leaf, value))
    return value
