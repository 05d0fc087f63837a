"""The effective configuration as text and as a document, `batchctl/config/v1` (schemas/)."""

from __future__ import annotations

from collections.abc import Iterator

import yaml

from batchctl.model.json_value import Json
from batchctl.model.origins import Config, ConfigTree, ConfigValue, Origin, OriginKind
from batchctl.report.console import Console
from batchctl.report.layout import outside, write_line
from batchctl.report.text import Text

_LONGEST = 2**20
"""Columns: YAML would fold a longer value."""


def config_document(config: Config) -> dict[str, Json]:
    """`batchctl/config/v1`."""
    return {
        "format": "batchctl/config/v1",
        "stack": config.stack,
        "target": config.target,
        "config": {key: _plain(part) for key, part in config.tree.items() if key != "target"},
        "origins": [_origin_entry(path, value) for path, value in _values(config.tree, "")],
    }


def _plain(tree: ConfigTree) -> Json:
    if isinstance(tree, ConfigValue):
        return tree.value
    if isinstance(tree, dict):
        return {key: _plain(part) for key, part in tree.items()}
    return [_plain(part) for part in tree]


def _values(tree: ConfigTree, path: str) -> Iterator[tuple[str, ConfigValue]]:
    """All values, each with its JSON Pointer (RFC 6901)."""
    if isinstance(tree, ConfigValue):
        yield path, tree
    elif isinstance(tree, dict):
        for key, part in tree.items():
            yield from _values(part, f"{path}/{key.replace('~', '~0').replace('/', '~1')}")
    else:
        for number, part in enumerate(tree):
            yield from _values(part, f"{path}/{number}")


def _origin_entry(path: str, value: ConfigValue) -> dict[str, Json]:
    variables = [{"name": name, "origin": _origin(origin)} for name, origin in value.variables.items()]
    return {"path": path, "origin": _origin(value.origin), "variables": variables}


def _origin(origin: Origin) -> dict[str, Json]:
    place = origin.place
    if origin.kind is OriginKind.FILE:
        return {"kind": origin.kind.value, "file": place.file, "line": place.line, "column": place.column}
    if origin.kind is OriginKind.DEFAULT:
        return {"kind": origin.kind.value}
    return {"kind": origin.kind.value, "name": place.file}


def write_config(config: Config, console: Console, *, show_origin: bool) -> None:
    """The configuration as YAML; with `show_origin`, each value with a comment that names its origin."""
    lines = list(_lines(config.tree, ""))
    width = max(len(text) for text, value in lines if value is not None)
    for text, value in lines:
        if value is None or not show_origin:
            write_line(console, outside(text))
        else:
            write_line(console, outside(text.ljust(min(width, 60))), Text("  # ", "dim"), outside(_words(value), "dim"))


def _words(value: ConfigValue) -> str:
    """`batchctl.yaml:9:3, night from --set night`."""
    variables = [f"{name} from {origin}" for name, origin in value.variables.items()]
    return ", ".join([str(value.origin), *variables])


def _lines(tree: ConfigTree, indent: str) -> Iterator[tuple[str, ConfigValue | None]]:
    """The lines of a mapping or a list, each with the value that is on it."""
    assert not isinstance(tree, ConfigValue), "a value is on the line of its key"
    parts = [(f"{_scalar(key)}:", part) for key, part in tree.items()] if isinstance(tree, dict) else []
    parts += [("-", part) for part in tree] if isinstance(tree, list) else []
    for head, part in parts:
        if isinstance(part, ConfigValue):
            yield f"{indent}{head} {_scalar(part.value)}", part
        else:
            yield f"{indent}{head}", None
            yield from _lines(part, f"{indent}  ")


def _scalar(value: Json) -> str:
    """A value as YAML on one line."""
    text = yaml.safe_dump(value, default_flow_style=True, allow_unicode=True, width=_LONGEST, sort_keys=False)
    return text.removesuffix("\n").removesuffix("\n...")
