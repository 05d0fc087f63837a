"""Random small damage to values, tokens and bytes. Shared by the quick tests and the long loop."""

from __future__ import annotations

import copy
import re
from collections.abc import Callable
from random import Random
from typing import Any

VALUES: tuple[Any, ...] = (
    None,
    True,
    False,
    0,
    1,
    -1,
    1.5,
    1e308,
    2**63,
    10**30,
    "",
    "x",
    "no",
    "1d",
    "99999w",
    "gs://b/o",
    "files/x",
    "../x",
    "/etc",
    ".",
    "emulator",
    "https://example.com",
    "${var.night}",
    "${var.zzz}",
    "${var.",
    "$${",
    "a\nb",
    "é\u202e",
    "x" * 600,
    "[bc1 shop/classify@1.0 0123456789ab abcdefghij k3v9q2]",
    [],
    {},
    [[]],
    [None],
    ["x", "x"],
    {"": {}},
    {"key": "a", "text": "x"},
    [{"key": "a", "text": "x"}],
    {"file": "rows.jsonl"},
)
TOKENS = (
    *("{", "}", "[", "]", ":", ": ", "- ", "\n", "\n  ", "\n    ", ",", "? ", "&a ", "*a", "<<: *a", "!!str ", "!x "),
    *(
        "|\n",
        ">\n",
        "'",
        '"',
        "#",
        " #",
        "---\n",
        "...\n",
        "%YAML 1.2\n",
        "\t",
        "\r",
        "\x00",
        "\ufeff",
        "\u2028",
        "\x85",
    ),
    *(
        "\\",
        r"\u",
        r"\ud83d",
        "é",
        "😀",
        "null",
        "~",
        "true",
        "no",
        "1e3",
        ".inf",
        "0x1F",
        "2026-11-22",
        "12:30:00",
        "5",
    ),
    *("apiVersion", "kind", "BatchJob", "EmbeddingsBatchJob", "Stack", "metadata", "name", "labels", "spec", "model"),
    *("src", "key", "text", "file", "request", "lifecycle", "retryOn", "providers", "defaults", "variables", "limits"),
    *("${var.", "${var.night}", "$${", "gs://", "files/", "../", "[bc1 ", "9" * 30, "x" * 300),
)
"""Fragments of YAML, JSON and manifests."""
_TOKEN = re.compile(r"\w+|\s+|[^\w\s]")


def damaged_tree(random: Random, tree: Any) -> Any:
    """The value with one node deleted, doubled, exchanged or replaced, anywhere in it."""
    tree = copy.deepcopy(tree)
    holders = [holder for holder in _holders(tree) if holder]
    if not holders:
        return random.choice(VALUES)
    holder = random.choice(holders)
    if isinstance(holder, list):
        place: Any = random.randrange(len(holder))
        new: Any = place
    else:
        place = random.choice(list(holder))
        new = random.choice(["x", place + "s", place[:-1], place.upper(), "name", "spec"])
    what = random.randrange(4)
    if what == 0:
        del holder[place]
    elif what == 1:
        holder[place] = copy.deepcopy(random.choice(VALUES))
    elif what == 2 and isinstance(holder, list):
        holder.insert(place, copy.deepcopy(holder[place]))
    elif what == 2:
        holder[new] = holder.pop(place)
    else:
        holder[place] = copy.deepcopy(random.choice(_holders(tree)))
    return tree


def _holders(tree: Any) -> list[Any]:
    """All lists and mappings in a value."""
    if not isinstance(tree, list | dict):
        return []
    inner = tree if isinstance(tree, list) else list(tree.values())
    return [tree, *(found for item in inner for found in _holders(item))]


def damaged_tokens(random: Random, data: bytes) -> bytes:
    """The text with one token deleted, doubled, exchanged with another, or a foreign one put in."""
    tokens = _TOKEN.findall(data.decode("utf-8", errors="surrogateescape"))
    place = random.randrange(len(tokens) + 1)
    what = random.randrange(5)
    if what == 0 or place == len(tokens):
        tokens.insert(place, random.choice(TOKENS))
    elif what == 1:
        del tokens[place : place + random.choice([1, 1, 2, 5])]
    elif what == 2:
        tokens[place] = random.choice(TOKENS)
    elif what == 3:
        tokens[place:place] = tokens[place : place + random.choice([1, 3, 10])] * random.choice([1, 2, 50])
    else:
        other = random.randrange(len(tokens))
        tokens[place], tokens[other] = tokens[other], tokens[place]
    return "".join(tokens).encode("utf-8", errors="surrogateescape")


def damaged_bytes(random: Random, data: bytes) -> bytes:
    """The bytes with one changed, deleted or put in, cut off, or a run of them repeated."""
    place = random.randrange(len(data) + 1)
    what = random.randrange(5)
    if what == 0:
        return data[:place] + bytes([random.randrange(256)]) + data[place + 1 :]
    if what == 1:
        return data[:place] + bytes([random.randrange(256)]) + data[place:]
    if what == 2:
        return data[:place] + data[place + random.choice([1, 1, 2, 20]) :]
    if what == 3:
        return data[:place]
    return data[:place] + data[place : place + 20] * random.choice([2, 10, 200]) + data[place:]


DAMAGES: tuple[Callable[[Random, bytes], bytes], ...] = (damaged_tokens, damaged_bytes)
