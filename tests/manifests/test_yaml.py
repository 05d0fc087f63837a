from __future__ import annotations

import pytest

from batchctl.manifests import compose as compose_module
from batchctl.manifests.compose import MAX_BYTES, MAX_DEPTH, compose
from batchctl.manifests.fault_list import Faults
from batchctl.manifests.nodes import find, key_place, plain
from batchctl.manifests.scalars import resolve
from batchctl.model.errors import ManifestError


def read(data: bytes | str) -> tuple[list[object], list[str]]:
    faults = Faults()
    roots = compose(data.encode() if isinstance(data, str) else data, "m.yaml", faults)
    try:
        faults.raise_if_any()
    except ManifestError as error:
        return [plain(root) for root in roots], [str(fault) for fault in error.diagnostics]
    return [plain(root) for root in roots], []


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("", None),
        ("~", None),
        ("null", None),
        ("Null", None),
        ("nULL", "nULL"),
        ("true", True),
        ("FALSE", False),
        ("yes", "yes"),
        ("no", "no"),
        ("on", "on"),
        ("off", "off"),
        ("12", 12),
        ("-12", -12),
        ("+12", 12),
        ("007", 7),
        ("0o17", 15),
        ("0x1F", 31),
        ("-0x1F", "-0x1F"),
        ("0b11", "0b11"),
        ("1_000", "1_000"),
        ("1:30", "1:30"),
        ("2026-11-22", "2026-11-22"),
        ("2026-11-22T10:00:00Z", "2026-11-22T10:00:00Z"),
        ("1.5", 1.5),
        ("1.", 1.0),
        (".5", 0.5),
        (".", "."),
        ("1e3", 1000.0),
        ("-1.5E-2", -0.015),
        ("1e", "1e"),
        ("1.2.3", "1.2.3"),
        ("9223372036854775807", 2**63 - 1),
    ],
)
def test_plain_scalars_follow_the_core_rules(text: str, value: object) -> None:
    found = resolve(text)
    assert (type(found), found) == (type(value), value)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (".inf", "is not a number that JSON can represent"),
        ("-.INF", "is not a number that JSON can represent"),
        (".nan", "is not a number that JSON can represent"),
        ("1e999", "is a number that JSON readers cannot represent"),
        ("9223372036854775808", "is an integer beyond 64 bits"),
        ("9" * 5000, "is an integer beyond 64 bits"),
        ("0x" + "f" * 17, "is an integer beyond 64 bits"),
    ],
)
def test_numbers_that_json_cannot_represent_are_refused(text: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        resolve(text)


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("", []),
        ("# nothing\n", []),
        ("---\n---\n# nothing\n", []),
        ("a: 1\n---\nb: 2\n", [{"a": 1}, {"b": 2}]),
        ("\ufeffa: 1\n", [{"a": 1}]),
        ("a: 'yes'\nb: \"1\"\nc: |\n  2\n", [{"a": "yes", "b": "1", "c": "2\n"}]),
        ("a: !!str 5\nb: !!map {}\nc: !!seq []\nd: ! 7\n", [{"a": "5", "b": {}, "c": [], "d": "7"}]),
        ("a: &x {k: 1}\nb: *x\nc: [*x, *x]\n", [{"a": {"k": 1}, "b": {"k": 1}, "c": [{"k": 1}, {"k": 1}]}]),
        ("a: &x 1\nb: &x 2\nc: *x\n", [{"a": 1, "b": 2, "c": 2}]),
        ("'<<': 1\n'1': 2\n", [{"<<": 1, "1": 2}]),
        ("a: 1\r\nb: 2\r\n", [{"a": 1, "b": 2}]),
        ('{"a": [1, null, "x\\u0000"]}', [{"a": [1, None, "x\x00"]}]),
        (r'{"a": "\ud83d\uDE00 \\ud83d\\ude00 \\\ud83d\ude00"}', [{"a": "😀 \\ud83d\\ude00 \\😀"}]),
        (r"a: '\ud83d\ude00'", [{"a": r"\ud83d\ude00"}]),
        ("%YAML 1.2\n---\na: 1\n", [{"a": 1}]),
    ],
)
def test_documents_are_read(text: str, values: list[object]) -> None:
    assert read(text) == (values, [])


@pytest.mark.parametrize(
    ("data", "fault"),
    [
        ("a: 1\na: 2\n", 'm.yaml:2:1: DuplicateKey the key "a" appears twice (first at 1:1)'),
        ("a: {x: 1, 'x': 2}\n", 'm.yaml:1:11: DuplicateKey the key "x" appears twice (first at 1:5)'),
        ("1: a\n", 'm.yaml:1:1: WrongType a key must be a string (quote it: "1")'),
        ("true: a\n", 'm.yaml:1:1: WrongType a key must be a string (quote it: "true")'),
        (
            "[a]: b\n",
            "m.yaml:1:1: WrongType a key must be a string, not a list or a mapping (quote a text that starts with { or [)",
        ),
        (
            "a: &x {b: 1}\nc:\n  <<: *x\n",
            "m.yaml:3:3: InvalidYaml merge keys are not supported (write the fields out, or use the stack's defaults)",
        ),
        ("a: !secret x\n", "m.yaml:1:4: InvalidYaml the tag !secret is not supported (write the value without it)"),
        (
            "a: !!timestamp 2026-11-22\n",
            "m.yaml:1:4: InvalidYaml the tag !!timestamp is not supported (write the value without it)",
        ),
        ("a: *x\n", "m.yaml:1:4: InvalidYaml the alias *x has no anchor before it (quote a text that starts with *)"),
        (
            "a: &x 1\n---\nb: *x\n",
            "m.yaml:3:4: InvalidYaml the alias *x has no anchor before it (quote a text that starts with *)",
        ),
        ("a: &x [*x]\n", "m.yaml:1:8: InvalidYaml the alias *x is inside its own anchor"),
        (
            "a: .nan\n",
            "m.yaml:1:4: InvalidValue .nan is not a number that JSON can represent (write another number, or quote it to make it a string)",
        ),
        (
            "a:\n\tb: 1\n",
            "m.yaml:2:1: InvalidYaml found character that cannot start any token (indent with spaces, not with tabs; quote texts that start with @, ` or %)",
        ),
        (
            "a: b: c\n",
            'm.yaml:1:5: InvalidYaml mapping values are not allowed in this context (quote texts that contain ": "; check that the line before is complete)',
        ),
        (
            "a: [1\n",
            "m.yaml:2:1: InvalidYaml did not find expected ',' or ']' (a comma or the closing bracket is missing; opened at 1:4)",
        ),
        (
            "é: 1\nb: x\x00y\n",
            "m.yaml:2:5: InvalidYaml the character U+0000 is not allowed (remove it; if the file is UTF-16, save it as UTF-8)",
        ),
        (b"a: 1\r\nb: \xc3\xa9\xff\n", "m.yaml:2:5: InvalidYaml the file is not UTF-8 (save it as UTF-8)"),
        ("a: 1\n".encode("utf-16"), "m.yaml:1:1: InvalidYaml the file is UTF-16 or UTF-32 (save it as UTF-8)"),
        (
            b" " * (MAX_BYTES + 1),
            "m.yaml:1:1: TooLarge the file is larger than 8 MB (put rows into a JSONL file: src: {file: PATH})",
        ),
        ("[" * 101 + "]" * 101, "m.yaml:1:101: TooLarge nested deeper than 100 levels"),
        (
            r'a: "\ud83d\ude00"',
            "m.yaml:1:7: InvalidYaml found invalid Unicode character escape code (write the character itself)",
        ),
        ("[" * 50_000 + r"\ud83d\ude00", "m.yaml:1:101: TooLarge nested deeper than 100 levels"),
        ("[" * 50_000, "m.yaml:1:101: TooLarge nested deeper than 100 levels"),
        ("{a: " * 2_000_000, "m.yaml:1:398: TooLarge nested deeper than 100 levels"),
        ("- " * 50_000, "m.yaml:1:201: TooLarge nested deeper than 100 levels"),
        ('"\u00e9": ' + "[" * 1_500, "m.yaml:1:105: TooLarge nested deeper than 100 levels"),
        (
            "a: &x " + "[" * 60 + "]" * 60 + "\nb: " + "[" * 50 + "*x" + "]" * 50 + "\n",
            "m.yaml:2:54: TooLarge nested deeper than 100 levels",
        ),
    ],
)
def test_each_fault_has_its_place(data: str | bytes, fault: str) -> None:
    assert read(data)[1] == [fault]


def test_the_deepest_allowed_nesting_is_read() -> None:
    assert read("[" * MAX_DEPTH + "]" * MAX_DEPTH)[1] == []


def test_several_errors_of_a_file_are_reported_at_once_and_valid_documents_kept() -> None:
    values, faults = read("a: 1\na: 2\n1: x\n---\nb: 1\n---\nc: [\n")
    assert values == [{"a": 1}, {"b": 1}]
    assert [fault.split(" ")[0] for fault in faults] == ["m.yaml:2:1:", "m.yaml:3:1:", "m.yaml:8:1:"]


def test_aliases_cannot_expand_a_small_file_beyond_the_limits() -> None:
    laughs = "a: &a [x,x,x,x,x,x,x,x,x,x]\n"
    for one, other in zip("abcdefg", "bcdefgh", strict=True):
        laughs += f"{other}: &{other} [{','.join([f'*{one}'] * 10)}]\n"
    (fault,) = read(laughs)[1]
    assert fault == (
        "m.yaml:6:8: TooLarge more than 200,000 values, or 8,388,608 characters, with all aliases expanded"
    )


@pytest.mark.parametrize("text", ["a: &a {}\nb: [{}]\n", "a: &a {{{}: 1}}\nb: [{}]\n"])
def test_aliases_of_one_long_text_are_limited_too(text: str) -> None:
    long = "x" * 900
    value = text.replace("{}", long, 1).replace("{}", ",".join(["*a"] * 40_000)).replace("{{", "{").replace("}}", "}")
    (fault,) = read(value)[1]
    assert " TooLarge " in fault


def test_places_count_characters_from_one_and_keys_have_their_own() -> None:
    (root,) = compose("é: {ü: [1, x]}\nb:\n  - c: 2\n".encode(), "m.yaml", Faults())
    assert str(key_place(root, "é", "ü")) == "m.yaml:1:5"
    assert str(find(root, "é", "ü").location) == "m.yaml:1:8"
    assert str(key_place(root, "b", "zzz")) == "m.yaml:2:1"
    assert find(root, "b", "c") is None


def test_libyaml_reads_every_character_that_is_allowed() -> None:
    everything = "".join(map(chr, range(0x20, 0x11000))) + "\U00010ffff"
    allowed = compose_module._NOT_TEXT.sub("", everything).replace("'", "").replace("\x85", "")
    values, faults = read("'" + allowed.replace("\u2028", "").replace("\u2029", "").lstrip() + "'")
    assert faults == []
    assert len(values[0]) > 60_000
