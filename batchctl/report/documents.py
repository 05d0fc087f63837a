"""Documents as JSON, YAML and plain names. Decides their notation, not their content."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping

import yaml

from batchctl.model.canonical import with_escapes
from batchctl.model.json_value import Json
from batchctl.model.pattern import Pattern


def to_json(document: Mapping[str, Json]) -> str:
    r"""Indented JSON with a line end, ASCII only.

    Escaped beyond ASCII because output lands on terminals and in CI logs, where bidirectional overrides and C1 controls
    act, and because a lone surrogate from an API cannot be written as UTF-8. `##` is escaped because runners read
    commands from it. Readers of JSON see the same values.
    """
    return _harmless(json.dumps(document, indent=2, allow_nan=False)) + "\n"


def job_list(documents: Iterable[Mapping[str, Json]]) -> dict[str, Json]:
    """`batchctl/job-list/v1`: documents of single jobs, each with its own format."""
    return {"format": "batchctl/job-list/v1", "items": [dict(document) for document in documents]}


def to_json_line(document: Mapping[str, Json]) -> str:
    """The same on one line, for logs."""
    return _harmless(json.dumps(document, separators=(",", ":"), allow_nan=False)) + "\n"


def to_readable_json_line(document: Mapping[str, Json]) -> str:
    """The same for a person's terminal: printable characters of every script stay as they are."""
    return readable_json_line(json.dumps(document, ensure_ascii=False, separators=(",", ":"), allow_nan=False))


def readable_json_line(text: str) -> str:
    """JSON on one line, with escapes for all characters that cannot be printed."""
    shown = text if text.isprintable() else "".join(map(_printable, text))
    return _harmless(shown) + "\n"


def _printable(character: str) -> str:
    # A character that cannot be printed is inside a JSON string only, where its escape means the same.
    return character if character.isprintable() else json.dumps(character)[1:-1]


def ascii_json_lines(lines: bytes) -> bytes:
    """Lines of JSON in UTF-8 as `to_json_line` writes them."""
    found = with_escapes(lines)
    # The search for one character is much faster than that for two.
    return found.replace(b"##", b"#\\u0023") if b"#" in found else found


def _harmless(text: str) -> str:
    # Both can stand inside JSON strings only, where the escaped form means the same.
    return text.replace("##", "#\\u0023").replace("\x7f", "\\u007f")


def to_yaml(document: Mapping[str, Json]) -> str:
    """The same document as YAML, ASCII only, members in their order; `##` is escaped as in JSON."""
    # It can stand inside double quotes only, see `_represent_text`.
    return yaml.dump(document, Dumper=_PlainDumper, sort_keys=False, width=4096).replace("##", r"#\x23")


SURELY_A_STRING = Pattern(r"[A-Za-z][A-Za-z0-9_./-]*( [A-Za-z0-9_./-]+)*")
"""Text that no version of YAML takes for a number or a time; the dumper itself quotes words such as `no`."""


class _PlainDumper(yaml.SafeDumper):
    """Quotes what YAML 1.2 reads otherwise than 1.1, and repeats a value instead of writing anchors."""

    def ignore_aliases(self, data: object) -> bool:
        del data
        return True


def to_names(jobs: Iterable[str]) -> str:
    """One job name a line."""
    return "".join(f"{job}\n" for job in jobs)


def _represent_text(dumper: _PlainDumper, value: str) -> yaml.ScalarNode:
    style = None if SURELY_A_STRING.fullmatch(value) else '"'
    return dumper.represent_scalar("tag:yaml.org,2002:str", str(value), style=style)


_PlainDumper.add_representer(str, _represent_text)
_PlainDumper.add_multi_representer(str, _represent_text)  # our enums of words
