from __future__ import annotations

import io
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from batchctl.providers.json_stream import JsonStream
from batchctl.providers.streamed_lines import LongLine
from batchctl.providers.untrusted_text import parse_json

VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=4),
    max_leaves=12,
)


def stream(text: str, chunk: int = 3, limit: int = 1000) -> JsonStream:
    return JsonStream(io.StringIO(text).read, value_limit=limit, chunk=chunk)


@given(st.dictionaries(st.text(max_size=5), st.lists(VALUES, max_size=4), max_size=4), st.sampled_from([None, 1]))
def test_walking_through_gives_the_complete_content(value, indent):
    walked = stream(json.dumps(value, indent=indent), limit=100_000)
    assert {name: list(walked.elements()) for name in walked.members()} == value


@given(VALUES)
def test_what_is_skipped_leaves_the_position_behind_it(value):
    walked = stream(json.dumps({"a": value, "b": 7}), limit=100_000)
    found = {}
    for name in walked.members():
        if name == "a":
            walked.skip()
        else:
            found[name] = walked.value()
    assert found == {"b": 7}


def walk(walked: JsonStream) -> None:
    for _ in walked.members():
        walked.skip()


@pytest.mark.parametrize("text", ["12", "-1.5e3", "true", '"x"', " [1, 2] ", "{}"])
def test_single_values(text):
    assert stream(text, chunk=1).value() == json.loads(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        '{"a"',
        '{"a" 1}',
        '{"a": 1',
        '{"a": 1 "b": 2}',
        "{1: 2}",
        '{"a": [1 2]}',
        '{"a": [1,]}',
        '{"a": [',
        "[1]",
        '{"a": NaN}',
        '{"a": tru}',
        '{"a": ' + "[" * 5000,
        '{"a":' * 200,
        '{"a": "' + "x" * 2000 + '"}',
    ],
)
def test_a_faulty_text_raises(text):
    with pytest.raises(ValueError):  # noqa: PT011  # every fault of a text is a plain ValueError
        walk(stream(text))


def test_nesting_that_only_the_decoder_could_fail_on():
    with pytest.raises(ValueError, match="deeply"):
        stream("[" * 100_000, limit=10**6, chunk=10**6).value()


def test_large_containers_are_skipped_in_little_memory():
    held = 0

    class Spy(io.StringIO):
        def read(self, size: int | None = -1) -> str:
            nonlocal held
            held = max(held, size or 0)
            return super().read(size)

    text = Spy(json.dumps({"big": {"rows": [{"n": n} for n in range(10_000)]}, "end": 1}))
    walked = JsonStream(text.read, value_limit=100, chunk=64)
    for name in walked.members():
        if name == "end":
            assert walked.value() == 1
        else:
            walked.skip()
    assert held <= 256


@pytest.mark.parametrize("body", [b"\xff", b"NaN", b"", b"[1", b"[" * 100_000, b"\xef\xbb\xbf{}", b"1" * 5000])
def test_strict_parser_raises_value_error(body):
    with pytest.raises(ValueError):  # noqa: PT011  # see above
        parse_json(body)


LONG = [
    '"a, b] \\\\"',
    '"' + r"\\\"" * 20 + '"',
    '{"a": ["}]", {"b": "\\\\"}], "c": {}}',
    "[[], [[]], {}]",
    "12345678901234567890",
    '{"broken": NaN, nonsense}',
    '"\u00e4\u00f6\u00fc and more of it"',
]


@pytest.mark.parametrize("chunk", [1, 2, 3, 1000])
@pytest.mark.parametrize("text", LONG)
def test_an_element_beyond_the_limit_is_put_aside_and_costs_no_other(text: str, chunk: int) -> None:
    walked = JsonStream(io.StringIO(f"[1, {text} ,2]").read, value_limit=5, chunk=chunk)
    first, long, last = (
        element.content.read().decode() if isinstance(element, LongLine) else element for element in walked.elements()
    )
    assert (first, str(long).rstrip(), last) == (1, text, 2)


@pytest.mark.parametrize("text", ['["a long text without an end', '[{"a": "long enough"', '["long enough \\'])
def test_an_element_beyond_the_limit_has_to_end(text: str) -> None:
    with pytest.raises(ValueError, match="ends early"):
        list(JsonStream(io.StringIO(text).read, value_limit=5, chunk=2).elements())


def test_what_is_put_aside_is_never_held() -> None:
    largest = 0

    class Measured(io.StringIO):
        def read(self, size: int | None = -1) -> str:
            nonlocal largest
            largest = max(largest, len(walked._buffer))
            return super().read(size)

    walked = JsonStream(Measured(f'["{"x" * 100_000}"]').read, value_limit=1000, chunk=64)
    [element] = [one.size for one in walked.elements() if isinstance(one, LongLine)]
    assert element == 100_002
    assert largest < 1100
