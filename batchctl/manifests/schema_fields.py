"""Finds fields in the schemas of manifests and of the stack file, by their path: `spec.lifecycle.backoffLimit`.

Lists and maps are passed through: a path names the fields of their items.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from batchctl.manifests.schema import load_schema
from batchctl.model.errors import UsageError
from batchctl.model.field_doc import FieldDoc, KindDoc
from batchctl.model.json_value import Json
from batchctl.model.suggest import similar

_SCHEMAS: Mapping[str, str] = {
    "batchjob": "batchjob",
    "batchjobs": "batchjob",
    "embeddingsbatchjob": "embeddingsbatchjob",
    "embeddingsbatchjobs": "embeddingsbatchjob",
    "stack": "stack",
}
"""Schemas by the first word of a path, in lower case."""
_ROOTS = frozenset({"apiVersion", "kind", "metadata", "spec"})
"""Fields of every document: a path that begins with one is of a BatchJob."""
_DEEPEST = 4
"""How deep a misplaced field is searched."""


def is_field_path(word: str) -> bool:
    """Whether a word is the path of a field. No job has a dot in its name; a job called `spec` is found by `-f`."""
    return "." in word or word in _ROOTS or word.lower() in _SCHEMAS


def find_field(path: str) -> KindDoc:
    """The documentation of a field. Raises UsageError with a suggestion."""
    first, *rest = path.rstrip(".").split(".")
    schema = _SCHEMAS.get(first.lower())
    steps = rest if schema is not None else [first, *rest]
    tree = _Tree(load_schema(schema or "batchjob"), "" if schema is None else f"{first}.")
    part, is_required, name = tree.root, True, tree.kind
    for number, step in enumerate(steps):
        inside = tree.children(part)
        if step not in inside and tree.is_map(part):
            name = step
            continue
        if step not in inside:
            meant = f"stack.{path}" if schema is None and _exists(f"stack.{path}") else None
            raise _unknown(tree, steps[:number], step, inside, meant)
        part, is_required = inside[step]
        name = step
    return KindDoc(tree.kind, ".".join(steps), tree.doc(name, part, is_required=is_required))


def _exists(path: str) -> bool:
    try:
        find_field(path)
    except UsageError:
        return False
    return True


def _unknown(
    tree: _Tree, before: Sequence[str], step: str, inside: Mapping[str, object], meant: str | None
) -> UsageError:
    place = ".".join([tree.kind, *before])
    near = similar(step, inside)
    elsewhere = [] if near is not None else tree.paths_to(step)
    if meant is not None:
        hint = f"did you mean {meant}?"
    elif near is not None:
        hint = f"did you mean {tree.prefix}{'.'.join([*before, near])}?"
    elif elsewhere:
        hint = f"did you mean {' or '.join(elsewhere[:3])}?"
    elif inside:
        hint = f"it has {', '.join(inside)}"
    else:
        hint = f"{place} has no fields inside"
    return UsageError(f"there is no field {step} in {place}", hint=hint)


class _Tree:
    """One schema."""

    def __init__(self, schema: Json, prefix: str) -> None:
        self.prefix = prefix
        """The kind as the path has it, for suggestions."""
        self.root: Mapping[str, Json] = schema
        self.kind = str(schema["title"]).removesuffix(" file")

    def resolve(self, part: Json) -> Mapping[str, Json]:
        """A part without its reference; what is beside the reference wins."""
        if "$ref" not in part:
            return dict(part)
        target: Json = self.root
        for step in part["$ref"].removeprefix("#/").split("/"):
            target = target[step]
        return {**self.resolve(target), **{key: member for key, member in part.items() if key != "$ref"}}

    def alternatives(self, part: Json) -> Iterator[Mapping[str, Json]]:
        """The part, and what it may be instead, without null."""
        found = self.resolve(part)
        choices = [*found.get("anyOf", ()), *found.get("oneOf", ()), *found.get("allOf", ())]
        if not choices or "properties" in found:
            yield found
        for choice in choices:
            if self.resolve(choice).get("type") != "null":
                yield from self.alternatives(choice)

    def children(self, part: Json) -> dict[str, tuple[Json, bool]]:
        """The fields inside, each with whether it is required; those of items for lists and maps."""
        found: dict[str, tuple[Json, bool]] = {}
        for choice in self.alternatives(part):
            required = choice.get("required", ())
            for name, field in choice.get("properties", {}).items():
                found.setdefault(name, (field, name in required))
            for items in (choice.get("items"), choice.get("additionalProperties")):
                found = {**(self.children(items) if isinstance(items, dict) else {}), **found}
        return found

    def is_map(self, part: Json) -> bool:
        """Whether the names inside are free."""
        return any(isinstance(choice.get("additionalProperties"), dict) for choice in self.alternatives(part))

    def type_of(self, part: Json) -> str:
        """The type in kubectl's notation."""
        names = (name for choice in self.alternatives(part) for name in self._types(choice))
        return " or ".join(dict.fromkeys(names)) or "any"

    def _types(self, part: Mapping[str, Json]) -> Iterator[str]:
        given = part.get("type", "string" if "const" in part or "enum" in part else ())
        for name in [given] if isinstance(given, str) else given:
            if name == "array":
                yield f"[]{self.type_of(part.get('items', {}))}"
            elif name == "object" and isinstance(part.get("additionalProperties"), dict) and "properties" not in part:
                yield f"map[string]{self.type_of(part['additionalProperties'])}"
            elif name != "null":
                yield name

    def doc(self, name: str, part: Json, *, is_required: bool, above: tuple[str, ...] = ()) -> FieldDoc:
        """The documentation of a part, with all fields inside; `above`: the definitions that it is a part of."""
        found, reference = self.resolve(part), part.get("$ref", "") if isinstance(part, dict) else ""
        above = (*above, reference) if reference else above
        inside = [] if above.count(reference) > 1 else list(self.children(part).items())
        fields = tuple(self.doc(one, field, is_required=needed, above=above) for one, (field, needed) in inside)
        examples = found.get("examples") or [None]
        return FieldDoc(
            name,
            self.type_of(part),
            str(found.get("description", "")),
            is_required=is_required,
            has_default="default" in found,
            default=found.get("default"),
            allowed=self._allowed(part),
            range=_range(found),
            example=examples[0],
            fields=fields,
        )

    def _allowed(self, part: Json) -> tuple[Json, ...]:
        values: list[Json] = []
        for choice in self.alternatives(part):
            items = self.resolve(choice.get("items", {}))
            for one in (choice, items):
                values += [one["const"]] if "const" in one else one.get("enum", ())
        return tuple(value for value in dict.fromkeys(values) if value is not None)

    def paths_to(self, name: str) -> list[str]:
        """The paths of all fields of a name that are not too deep, the shortest first."""
        found: list[str] = []

        def search(part: Json, path: tuple[str, ...]) -> None:
            for inner, (field, _) in self.children(part).items():
                if inner == name:
                    found.append(self.prefix + ".".join([*path, inner]))
                if len(path) < _DEEPEST:
                    search(field, (*path, inner))

        search(self.root, ())
        return sorted(found, key=lambda path: (path.count("."), path))


def _range(part: Mapping[str, Json]) -> str:
    least, most = part.get("minimum"), part.get("maximum")
    if least is not None:
        return f"at least {least}" if most is None else f"{least} to {most}"
    return str(part.get("patternErrorMessage", ""))
