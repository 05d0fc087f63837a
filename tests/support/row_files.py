"""Files of rows as programs of users write them: of a few forms, with any texts, and damaged if that is wanted."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Sequence
from typing import Any

TEXTS = [
    "hi",
    "",
    'a "quoted" word',
    "é",
    "Ж" * 20,
    "😀",
    "\n\t",
    "\\",
    "\\x41",
    "%b %",
    "\x7f",
    "a/b",
    "\u2028",
    "x" * 90,
]


def content(text: str, **more: Any) -> dict[str, Any]:
    return {"role": "user", "parts": [{"text": text}], **more}


FORMS: list[Callable[[str, str, random.Random], dict[str, Any]]] = [
    lambda key, text, draw: {"key": key, "text": text},
    lambda key, text, draw: {"key": key, "request": {"contents": [content(text)]}},
    lambda key, text, draw: {
        "key": key,
        "request": {
            "contents": [content(text)],
            "generationConfig": {"temperature": 0.2, "maxOutputTokens": draw.choice([5, 5, 5, 6])},
        },
    },
    lambda key, text, draw: {
        "request": {
            "contents": [{"parts": [{"text": text}]}],
            "generation_config": {"temperature": 1.0, "top_p": 1},
            "system_instruction": {"parts": [{"text": text}]},
        },
        "key": key,
    },
    lambda key, text, draw: {
        "request": {"contents": [content(text)] * draw.randint(1, 3)},
        "lang": text,
        "n": len(text) - 5,
    },
    lambda key, text, draw: {"request": {"contents": [content(text)]}, "metadata": {"key": key, "lang": "fr"}},
    lambda key, text, draw: {"contents": [content(text)], "custom_id": key, "labels": {"a": text}},
    lambda key, text, draw: {
        "key": key,
        "request": {
            "contents": [
                {
                    "role": "user",
                    "parts": [{"inlineData": {"mimeType": "image/png", "data": "aGk="}}, {"text": text}],
                }
            ],
            "serviceTier": draw.choice(["flex", "flex", "gold"]),
        },
    },
    lambda key, text, draw: {"key": key, "contents": [content(text)], "config": {"temperature": 1}},
    lambda key, text, draw: {"key": key, "request": {"contents": {"role": "user", "parts": {"text": text}}}},
    lambda key, text, draw: {"key": key, "request": {"content": {"parts": [{"text": text}]}, "title": text or "t"}},
    lambda key, text, draw: {"custom_id": key, "body": {"messages": [text]}},
]
DAMAGE = [
    b'"',
    b"\\u0022",
    b"\\ud800",
    b"\xff",
    b"\n",
    b"{}",
    b'"text": "x", ',
    b"\x00",
    b"batchctl-r1",
    b"\\/",
    b" ",
    b"\xed\xa0\x80",
]


EMBEDDING = FORMS[-2]
"""The form for an EmbeddingsBatchJob; the first one is for both kinds."""


def file_of(
    draw: random.Random, forms: Sequence[Callable[..., dict[str, Any]]] = FORMS, *, is_sound: bool = False
) -> bytes:
    """Rows of a few forms, as several programs write them, some of them damaged."""
    forms = draw.sample(forms, min(len(forms), draw.choice([1, 1, 2, 4])))
    ascii_, end = draw.random() < 0.5, draw.choice([b"\n", b"\n", b"\r\n"])
    harm = 0 if is_sound else draw.choice([0, 0, 0, 0.02, 0.1])
    repeats = 0 if is_sound else draw.choice([0, 0, 0, 0.05])
    lines: list[bytes] = []
    for number in range(draw.randint(1, 120)):
        key = f"k{draw.randrange(number) if number and draw.random() < repeats else number}"
        row = draw.choice(forms)(key, draw.choice(TEXTS[:3] if draw.random() < 0.8 else TEXTS), draw)
        if is_sound and row.get("text") == "":
            row["text"] = "not empty"
        line = json.dumps(row, ensure_ascii=ascii_).encode()
        if draw.random() < harm:
            place = draw.randrange(len(line))
            line = line[:place] + draw.choice(DAMAGE) + line[place + draw.randint(0, 2) :]
        lines.append(line)
    return end.join(lines) + draw.choice([b"", end, end + end])
