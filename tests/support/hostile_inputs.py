"""Hostile inputs: as large, as deep or as wide as the limits allow, and beyond.

Each is made when it is asked for; none lies in the repository. Those of `HEAVY` and `SLOW` take seconds each.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping

from batchctl.manifests.compose import MAX_BYTES, MAX_VALUES

HEAD = "apiVersion: batchctl.dev/v1\nkind: BatchJob\nmetadata: {name: classify}\nspec:\n  model: gemini-2.5-flash\n"
ROWS = "  src: [{key: a, text: hello}]\n"
JOB = HEAD + ROWS
STACK_HEAD = "apiVersion: batchctl.dev/v1\nkind: Stack\nmetadata: {name: shop, uid: k3v9q2}\nspec:\n"
STACK = STACK_HEAD + "  providers: {gemini: {type: gemini, endpoint: emulator}}\n"
FILE_JOB = HEAD + "  src: {file: rows.jsonl}\n"
ROOM = MAX_BYTES - 1000
FULL = MAX_VALUES - 100

Files = Mapping[str, bytes]


def laughs() -> str:
    text = "a: &a [x,x,x,x,x,x,x,x,x,x]\n"
    for one, other in zip("abcdefghijklm", "bcdefghijklmn", strict=True):
        text += f"{other}: &{other} [{','.join([f'*{one}'] * 10)}]\n"
    return text


def numbered(template: str, count: int) -> str:
    return "".join(template.replace("#", str(number)) for number in range(count))


MANIFESTS: dict[str, Callable[[], str]] = {
    "100,000 brackets": lambda: "[" * 100_000,
    "100,000 brackets, closed": lambda: "[" * 100_000 + "]" * 100_000,
    "100,000 braces": lambda: "{a: " * 100_000,
    "4,000,000 dashes": lambda: "- " * 4_000_000,
    "4,000,000 question marks": lambda: "? " * 4_000_000,
    "colons": lambda: "a: " * 2_600_000,
    "deep json": lambda: '{"a":' * 100_000,
    "quotes in brackets": lambda: "['" * 2_000_000,
    "a billion laughs": laughs,
    "quadratic aliases": lambda: JOB + f"  extraBody: {{x: &a {'y' * 800}, b: [{','.join(['*a'] * 40_000)}]}}\n",
    "one long comment": lambda: "#" * ROOM,
    "one long text": lambda: JOB + "  displayName: " + "x" * ROOM,
    "one long key": lambda: JOB + "  ? " + "x" * ROOM + "\n  : 1\n",
    "long keys": lambda: "{" + ("a" * 1100 + ",") * 7000,
    "escapes": lambda: JOB + '  displayName: "' + r"\n" * (ROOM // 2) + '"\n',
    "surrogate pairs": lambda: '{"a": "' + r"\ud83d\ude00" * (ROOM // 12) + '"}',
    "a text over 2,000,000 lines": lambda: "a\n " * 2_600_000,
    "a quote that never ends": lambda: "'" + "a\n" * 4_000_000,
    "a million tags": lambda: "- !x 1\n" * 1_000_000,
    "a million anchors": lambda: "".join(f"- &a{number} 1\n" for number in range(600_000)),
    "the same key 500,000 times": lambda: JOB + "  extraBody:\n" + "   a: 1\n" * 490_000,
    "empty documents": lambda: "---\n" * 2_000_000,
    "documents that are no manifests": lambda: "--- 1\n" * 1_300_000,
    "one reference 900,000 times": lambda: JOB + "  runId: '" + "${var.x}" * (ROOM // 8) + "'\n",
    "references without an end": lambda: JOB + "  runId: '" + "${var." * (ROOM // 6) + "'\n",
    "a model of 8 MB": lambda: HEAD.replace("gemini-2.5-flash", "g" * ROOM) + ROWS,
    "a provider of 8 MB": lambda: JOB + "  provider: " + "g" * ROOM,
    "a duration of 8 MB": lambda: JOB + "  lifecycle: {pendingDeadline: " + "1s" * (ROOM // 2) + "}",
    "a number of 8 MB": lambda: JOB + "  runId: " + "1" * ROOM,
    "a fraction of 8 MB": lambda: JOB + "  runId: 0." + "1" * ROOM,
    "a mark of 8 MB": lambda: JOB + "  displayName: '" + "[bc1 " * 100 + "'\n  runId: '" + "[bc1 a/b@1" * 700_000 + "'",
    "lists in retryOn": lambda: JOB + "  lifecycle: {retryOn: [" + numbered("{a: #},", 20_000) + "]}\n",
}
"""Manifests, each beside a valid stack file."""

HEAVY: dict[str, Callable[[], str]] = {
    "many numbers": lambda: JOB + "  extraBody: {a: [" + "1," * FULL + "]}\n",
    "too many numbers": lambda: JOB + "  extraBody: {a: [" + "1," * (ROOM // 2) + "]}\n",
    "many members": lambda: JOB + "  extraBody:\n" + numbered("   a#: 1\n", FULL // 2),
    "many rows": lambda: HEAD + "  src:\n" + numbered("   - {key: k#, text: b}\n", FULL // 5),
    "many wrong rows": lambda: HEAD + "  src:\n" + "   - a\n" * FULL,
    "many unknown fields": lambda: JOB + numbered("  a#: 1\n", FULL // 2),
    "many labels": lambda: JOB.replace("fy}", "fy, labels: {" + numbered("a#: x,", FULL // 2) + "}}"),
    "many wrong labels": lambda: JOB.replace("fy}", "fy, labels: {" + numbered("A#: X,", FULL // 2) + "}}"),
    "many stop sequences": lambda: (
        JOB + "  request: {generationConfig: {stopSequences: [" + numbered("s#,", FULL) + "]}}\n"
    ),
    "many wrong safety settings": lambda: JOB + "  request: {safetySettings: [" + "{}," * FULL + "]}\n",
    "many states to retry on": lambda: JOB + "  lifecycle: {retryOn: [" + "FAILED," * FULL + "]}\n",
    "many sources": lambda: HEAD + "  src: {gcsUri: [" + "5," * FULL + "]}\n",
    "many jobs": lambda: numbered("---\n" + JOB.replace("classify", "c#"), FULL // 20),
    "many jobs of one name": lambda: numbered("---\n" + JOB, FULL // 20),
    "many levels of many values": lambda: (
        JOB + "  extraBody: {a: " + ("[" + "1," * (FULL // 90)) * 90 + "]" * 90 + "}\n"
    ),
}
"""Manifests just below the limits, so that they are read completely."""

_VARIABLE = STACK + "  variables: {big: {default: '" + "v" * 1_000_000 + "'}}\n"

STACKS: dict[str, Callable[[], Files]] = {
    "many unknown variables among many": lambda: {
        "batchctl.yaml": (STACK + "  variables:\n" + numbered("    variable-number-#: {}\n", 40_000)).encode(),
        "job.yaml": (JOB + "  extraBody: {a: [" + numbered("'${var.variable-numbr-#}',", 5_000) + "]}\n").encode(),
    },
    "a long variable, used often": lambda: {
        "batchctl.yaml": _VARIABLE.encode(),
        "job.yaml": (JOB + "  extraBody: {a: '" + "${var.big}" * 700_000 + "'}\n").encode(),
    },
    "a long variable in many texts": lambda: {
        "batchctl.yaml": _VARIABLE.encode(),
        "job.yaml": (JOB + "  extraBody: {a: [" + "'x${var.big}'," * 100_000 + "]}\n").encode(),
    },
    "many providers, none named": lambda: {
        "batchctl.yaml": (STACK_HEAD + "  providers:\n" + numbered("    p#: {type: gemini}\n", 45_000)).encode(),
        "job.yaml": JOB.encode(),
    },
    "providers and jobs of long names": lambda: {
        "batchctl.yaml": (STACK_HEAD + "  providers: {? '" + "ab" * 1_000_000 + "' : {type: gemini}}\n").encode(),
        "job.yaml": (JOB + "  provider: '" + "ba" * 1_000_000 + "'\n").encode(),
    },
    "a long endpoint": lambda: {
        "batchctl.yaml": STACK.replace("emulator", "https://" + "h" * 7_000_000).encode(),
        "job.yaml": JOB.encode(),
    },
    "many malformed endpoints": lambda: {
        "batchctl.yaml": (
            STACK_HEAD + "  providers:\n" + numbered("    p#: {type: gemini, endpoint: x}\n", 28_000)
        ).encode(),
        "job.yaml": JOB.encode(),
    },
    "large defaults under many jobs": lambda: {
        "batchctl.yaml": (STACK + "  defaults: {extraBody: {a: [" + "1," * (MAX_VALUES // 2) + "]}}\n").encode(),
        "job.yaml": numbered("---\n" + JOB.replace("classify", "c#"), 1000).encode(),
    },
}
"""Stacks whose single files are harmless."""

_ROW = '{"key": "k", "request": {"contents": [{}], "x": #}}\n'


def rows(text: str) -> Files:
    return {"batchctl.yaml": STACK.encode(), "job.yaml": FILE_JOB.encode(), "rows.jsonl": text.encode()}


MEGABYTE = 1024 * 1024
JSONL: dict[str, Callable[[], Files]] = {
    "a line of 40 MB": lambda: rows('{"key": "a", "text": "' + "x" * 40 * MEGABYTE + '"}\n{"key": "b"}\n'),
    "a line of 31 MB": lambda: rows('{"key": "a", "text": "' + "x" * 31 * MEGABYTE + '"}\n{"key": "b"}\n'),
    "31 MB of empty objects": lambda: rows(_ROW.replace("#", "[" + "{}," * (10 * MEGABYTE) + "{}]")),
    "31 MB of empty lists": lambda: rows(_ROW.replace("#", "[" + "[]," * (10 * MEGABYTE) + "[]]")),
    "31 MB of escapes": lambda: rows(_ROW.replace("#", '"' + r"\u00e9" * (5 * MEGABYTE) + '"')),
    "a number of 31 MB": lambda: rows(_ROW.replace("#", "1" * (31 * MEGABYTE))),
    "a fraction of 31 MB": lambda: rows(_ROW.replace("#", "0." + "1" * (31 * MEGABYTE))),
    "a quote that never ends in 31 MB": lambda: rows('{"key": "' + "\\\\" * (15 * MEGABYTE)),
    "100,000 brackets in a row": lambda: rows(_ROW.replace("#", "[" * 100_000)),
    "100,000 brackets in a row, closed": lambda: rows(_ROW.replace("#", "[" * 100_000 + "]" * 100_000)),
    "100,000 objects in a row": lambda: rows(_ROW.replace("#", '{"a":' * 100_000 + "1" + "}" * 100_000)),
    "a row with 100,000 members": lambda: rows("{" + ",".join(f'"m{n}": 1' for n in range(100_000)) + "}\n"),
    "100,000 faulty lines": lambda: rows("x\n" * 100_000),
    "5,000,000 blank lines": lambda: rows("\n" * 5_000_000),
}
"""Files of rows, each beside a valid stack."""


def beside_a_stack(make: Callable[[], str]) -> Files:
    return {"batchctl.yaml": STACK.encode(), "job.yaml": make().encode()}


def as_stack_file(make: Callable[[], str]) -> Files:
    return {"batchctl.yaml": make().encode(), "job.yaml": JOB.encode()}


ALL: dict[str, Callable[[], Files]] = {
    **{name: functools.partial(beside_a_stack, make) for name, make in {**MANIFESTS, **HEAVY}.items()},
    **STACKS,
    **JSONL,
    **{f"stack file: {name}": functools.partial(as_stack_file, make) for name, make in MANIFESTS.items()},
}

SLOW = {
    "a long variable, used often",
    "many unknown variables among many",
    "surrogate pairs",
    "a million anchors",
    "documents that are no manifests",
    "empty documents",
    "many malformed endpoints",
    "many providers, none named",
    "one reference 900,000 times",
}
"""Slow inputs that show little that others do not."""
LIGHT = sorted((MANIFESTS.keys() | STACKS.keys() | JSONL.keys()) - SLOW)
