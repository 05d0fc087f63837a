"""A change of the requests of one attempt: its rows are sent with another model or other members."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Self, TypeAlias

from msgspec import Struct, field

from batchctl.model.canonical import compact_json
from batchctl.model.quoting import cut

_Json: TypeAlias = Any
_MODEL, _REQUEST = "model", "request"


class SentWith(Struct, frozen=True):
    """The change of `batchctl retry --rows … --set …`. The rows stay those of the manifest, and so do their answers."""

    model: str | None = None
    """In place of the manifest's; None: the same."""
    request: Mapping[str, _Json] = field(default_factory=dict)
    """Goes over each row's request, as RFC 7396 says: null takes a member away."""

    def __hash__(self) -> int:
        # Without the mapping, which has no hash.
        return hash(self.model)

    @classmethod
    def read(cls, value: _Json) -> Self:
        """Read what `plain` wrote. Raises ValueError, also for members that this release does not know."""
        match value:
            case {**members} if not members.keys() - {_MODEL, _REQUEST}:
                model, request = members.get(_MODEL), members.get(_REQUEST, {})
                if isinstance(model, str | None) and isinstance(request, Mapping):
                    return cls(model, dict(request))
        raise ValueError("not a change of requests")

    @property
    def plain(self) -> dict[str, _Json]:
        """As JSON."""
        found = {} if self.model is None else {_MODEL: self.model}
        return {**found, _REQUEST: dict(self.request)} if self.request else found

    def __str__(self) -> str:
        """As options: `--set model=gemini-2.5-pro --set request.generationConfig.seed=7`."""
        return " ".join(f"--set {path}={_text(value)}" for path, value in _leaves("", self.plain))


def _leaves(path: str, value: Mapping[str, _Json]) -> Iterator[tuple[str, _Json]]:
    for name, member in value.items():
        place = f"{path}.{name}" if path else name
        if isinstance(member, Mapping) and member:
            yield from _leaves(place, member)
        else:
            yield place, member


def _text(value: _Json) -> str:
    return cut(value if isinstance(value, str) else compact_json(value).decode("utf-8", "surrogatepass"))
