"""Rows and files of rows: what is taken, what is refused, and on which line."""

from __future__ import annotations

import gzip
import io
import json
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from batchctl.model.canonical import RowsHasher
from batchctl.model.errors import RowsError
from batchctl.model.keys import Api
from batchctl.model.kinds import Kind
from batchctl.model.locations import RowProblem
from batchctl.model.observing import Ending, TokenUse, Work
from batchctl.model.ports.row_reader import RowReader, RowRules
from batchctl.model.sources import RequestRow
from batchctl.rows import jsonl
from batchctl.rows.jsonl import parse_json, read_lines
from batchctl.rows.reader import RowFiles

BATCH, EMBED = Kind.BATCH_JOB, Kind.EMBEDDINGS_BATCH_JOB
READER: RowReader = RowFiles()
FORMS = 'one row per line: {"key": …, "text": …} or {"key": …, "request": …}'
CONTENTS = [{"role": "user", "parts": [{"text": "hi"}]}]

Writer = Callable[[bytes], Path]


@pytest.fixture
def write(tmp_path: Path) -> Writer:
    def to_file(content: bytes) -> Path:
        path = tmp_path / "rows.jsonl"
        path.write_bytes(content)
        return path

    return to_file


def line(key: str, text: str = "hi") -> bytes:
    return json.dumps({"key": key, "text": text}).encode() + b"\n"


def problems(path: Path, kind: Kind = BATCH) -> tuple[RowProblem, ...]:
    with pytest.raises(RowsError) as caught:
        READER.fingerprint(path, kind)
    assert caught.value.exit_code == 65
    return caught.value.problems


@pytest.mark.parametrize(
    ("value", "kind", "request_"),
    [
        ({"key": "a", "text": "hi"}, BATCH, {"contents": CONTENTS}),
        ({"key": "a", "text": "hi"}, EMBED, {"content": {"parts": [{"text": "hi"}]}}),
        ({"key": "a", "request": {"contents": CONTENTS}}, BATCH, {"contents": CONTENTS}),
        (
            {"key": "a", "request": {"content": {"parts": []}, "output_dimensionality": 5, "task_type": "X"}},
            EMBED,
            {"content": {"parts": []}, "outputDimensionality": 5, "taskType": "X"},
        ),
        (
            {
                "key": "a",
                "request": {
                    "contents": CONTENTS,
                    "system_instruction": {"parts": []},
                    "safety_settings": [],
                    "tool_config": {},
                    "cached_content": "cachedContents/1",
                    "generation_config": {"max_output_tokens": 5, "top_p": 1, "response_schema": {"max_items": 1}},
                },
            },
            BATCH,
            {
                "contents": CONTENTS,
                "systemInstruction": {"parts": []},
                "safetySettings": [],
                "toolConfig": {},
                "cachedContent": "cachedContents/1",
                "generationConfig": {"maxOutputTokens": 5, "topP": 1, "responseSchema": {"max_items": 1}},
            },
        ),
        (
            {"key": "a", "request": {"contents": CONTENTS, "new_thing": 1, "generationConfig": {"new_thing": 2}}},
            BATCH,
            {"contents": CONTENTS, "new_thing": 1, "generationConfig": {"new_thing": 2}},
        ),
        (
            {"key": "a", "request": {"contents": CONTENTS, "output_dimensionality": 5, "generationConfig": 7}},
            BATCH,
            {"contents": CONTENTS, "output_dimensionality": 5, "generationConfig": 7},
        ),
    ],
)
def test_a_row_becomes_a_request_in_rest_form(value: object, kind: Kind, request_: object) -> None:
    assert READER.parse(value, kind) == RequestRow("a", request_)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("value", "row"),
    [
        # Vertex's own form, and members that both APIs take and repeat.
        ({"request": {"contents": CONTENTS}}, RequestRow(None, {"contents": CONTENTS})),
        (
            {"id": 1, "custom_id": "r1", "lang": None, "request": {"contents": CONTENTS}},
            RequestRow(None, {"contents": CONTENTS}, {"id": 1, "custom_id": "r1", "lang": None}),
        ),
        ({"text": "hi", "shelf": "A"}, RequestRow(None, {"contents": CONTENTS}, {"shelf": "A"})),
        # The shape of Google's public sample.
        (
            {"id": 1, "request": {"contents": {"parts": {"text": "Soup"}, "role": "user"}}},
            RequestRow(None, {"contents": {"parts": {"text": "Soup"}, "role": "user"}}, {"id": 1}),
        ),
        # Inline rows of the REST reference.
        ({"request": {"contents": CONTENTS}, "metadata": {"key": "r1"}}, RequestRow("r1", {"contents": CONTENTS})),
        (
            {"request": {"contents": CONTENTS}, "metadata": {"key": "r1", "lang": "fr"}},
            RequestRow("r1", {"contents": CONTENTS}, {"metadata": {"lang": "fr"}}),
        ),
        (
            {"key": "k", "request": {"contents": CONTENTS}, "metadata": {"key": "r1"}},
            RequestRow("k", {"contents": CONTENTS}, {"metadata": {"key": "r1"}}),
        ),
        # Inline rows of the SDKs, in both spellings.
        (
            {
                "model": "models/m",
                "contents": CONTENTS,
                "metadata": {"key": "r1"},
                "config": {
                    "temperature": 0.2,
                    "max_output_tokens": 5,
                    "systemInstruction": "Be brief.",
                    "safety_settings": [],
                    "labels": {"a": "b"},
                },
            },
            RequestRow(
                "r1",
                {
                    "model": "models/m",
                    "contents": CONTENTS,
                    "generationConfig": {"temperature": 0.2, "maxOutputTokens": 5},
                    "systemInstruction": {"parts": [{"text": "Be brief."}]},
                    "safetySettings": [],
                    "labels": {"a": "b"},
                },
            ),
        ),
        ({"contents": "hi"}, RequestRow(None, {"contents": CONTENTS})),
        ({"contents": ["hi"], "config": None}, RequestRow(None, {"contents": CONTENTS})),
        (
            {"contents": ["hi"], "config": {"model_armor_config": {"promptTemplateName": "t"}, "model": "m"}},
            RequestRow(
                None,
                {
                    "contents": CONTENTS,
                    "modelArmorConfig": {"promptTemplateName": "t"},
                    "generationConfig": {"model": "m"},
                },
            ),
        ),
        # Texts, parts and contents side by side, as the SDKs take them.
        ({"contents": {"text": "hi"}}, RequestRow(None, {"contents": CONTENTS})),
        (
            {"contents": ["hi", {"inline_data": {}}, {"role": "model", "parts": []}, {"text": "hi"}]},
            RequestRow(
                None,
                {
                    "contents": [
                        {"role": "user", "parts": [{"text": "hi"}, {"inline_data": {}}]},
                        {"role": "model", "parts": []},
                        *CONTENTS,
                    ]
                },
            ),
        ),
        *(
            (
                {"contents": "hi", "config": {"system_instruction": given}},
                RequestRow(None, {"contents": CONTENTS, "systemInstruction": sent}),
            )
            for given, sent in [
                (["Be", {"text": "brief."}], {"parts": [{"text": "Be"}, {"text": "brief."}]}),
                ({"text": "Be brief."}, {"parts": [{"text": "Be brief."}]}),
                ([], []),
                ([CONTENTS[0]], [CONTENTS[0]]),
            ]
        ),
        # A bare request, as a sample of the guide uploads it.
        (
            {"contents": CONTENTS, "generation_config": {"top_p": 1}},
            RequestRow(None, {"contents": CONTENTS, "generationConfig": {"topP": 1}}),
        ),
        # Other publishers' models.
        (
            {"custom_id": "r1", "request": {"messages": [1], "service_tier": "x"}},
            RequestRow(None, {"messages": [1], "service_tier": "x"}, {"custom_id": "r1"}),
        ),
        (
            {"custom_id": "r1", "method": "POST", "url": "/v1/chat/completions", "body": {"messages": [1]}},
            RequestRow(
                None,
                {"messages": [1]},
                {"custom_id": "r1", "method": "POST", "url": "/v1/chat/completions"},
                in_body=True,
            ),
        ),
    ],
)
def test_documented_forms_are_taken_as_they_are(value: object, row: RequestRow) -> None:
    assert READER.parse(value, BATCH) == row


def test_a_bare_request_for_an_embedding() -> None:
    found = READER.parse({"content": {"parts": []}, "task_type": "X", "id": 1}, EMBED)
    assert found == RequestRow(None, {"content": {"parts": []}, "taskType": "X"}, {"id": 1})


def test_a_name_of_a_partners_row_stands_once(write: Writer) -> None:
    twice = json.dumps({"custom_id": "r1", "body": {"messages": [1]}}).encode() + b"\n"
    assert problems(write(twice + twice)) == (RowProblem(2, 'custom_id "r1" is used on line 1 already'),)
    numbers = b"".join(json.dumps({"custom_id": name, "body": {"messages": [1]}}).encode() + b"\n" for name in (1, "1"))
    assert problems(write(numbers)) == (RowProblem(2, 'custom_id "1" is used on line 1 already'),)
    other = json.dumps({"custom_id": "r1", "text": "x"}).encode() + b"\n"
    assert READER.fingerprint(write(other + other), BATCH).rows == 2


def test_a_key_may_have_256_characters_of_any_script() -> None:
    key = "ключ/1 é" * 32
    assert READER.parse({"key": key, "text": "x"}, BATCH).key == key


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ([], "a row is an object"),
        ("text", "a row is an object"),
        ({"kye": "a", "text": "x"}, r'unknown member "kye" \(did you mean "key"\?\)'),
        ({"key": "batchctl-r0", "text": "x"}, "batchctl's own name for a row without a key"),
        ({"key": "a", "text": "x", "response": {}}, 'a row cannot have "response"'),
        ({"key": "a", "body": {}}, "body has to be an object"),
        ({"contents": CONTENTS, "config": 5}, "config has to be an object"),
        ({"contents": ""}, "contents has to be a string that is not empty"),
        ({"contents": CONTENTS, "config": {}, "generationConfig": {}}, "both config and generationConfig are given"),
        ({"contents": CONTENTS, "config": {"http_options": {}}}, "config.http_options is for the SDK alone: remove it"),
        ({"text": "x", "metadata": {"batchctl-row": "r1"}}, "metadata.batchctl-row is batchctl's own"),
        ({"text": "x", "metadata": {"key": ""}}, "key has 0 characters"),
        ({"key": 7, "text": "x"}, "key is 7, but has to be a string: quote it"),
        ({"key": "", "text": "x"}, "key has 0 characters"),
        ({"key": "x" * 257, "text": "x"}, "key has 257 characters, but has to have 1 to 256"),
        ({"key": "a\nb", "text": "x"}, "control character"),
        ({"key": "a\x85b", "text": "x"}, "control character"),
        ({"key": "a\udc00", "text": "x"}, "control character"),
        ({"key": "a"}, "exactly one of request, text, contents and body"),
        ({"key": "a", "text": "x", "request": {}}, "exactly one of request, text, contents and body"),
        ({"key": "a", "text": 5}, "text has to be a string"),
        ({"key": "a", "text": ""}, "text has to be a string that is not empty"),
        ({"key": "a", "request": "x"}, "request has to be an object"),
        ({"key": "a", "requst": {}}, r'unknown member "requst" \(did you mean "request"\?\)'),
        ({"key": "a", "contents": []}, "request.contents is missing"),
        ({"key": "a", "text": "x", 5: 1}, "unknown member 5:"),
        ({"key": "a", "x" * 99: 1}, "exactly one of"),
        ({"key": "a", "request": {}}, "request.contents is missing"),
        ({"key": "a", "request": {"contents": []}}, "request.contents is missing or not a list with at least one"),
        ({"key": "a", "request": {"contents": {}}}, "not a list"),
        ({"key": "a", "request": {"contents": "x"}}, r"a string: write contents: \[\{role: user, parts"),
        (
            {"key": "a", "request": {"contents": CONTENTS, "tool_config": 1, "toolConfig": 1}},
            "both tool_config and toolConfig are given",
        ),
        (
            {"key": "a", "request": {"contents": CONTENTS, "generation_config": {"topK": 1, "top_k": 1}}},
            "both top_k and topK are given",
        ),
    ],
)
def test_what_is_no_row_is_refused(value: object, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        READER.parse(value, BATCH)


@pytest.mark.parametrize("request_", [{}, {"contents": CONTENTS}, {"content": "text"}])
def test_an_embedding_needs_one_content(request_: object) -> None:
    with pytest.raises(ValueError, match=r"request\.content is missing or not an object"):
        READER.parse({"key": "a", "request": request_}, EMBED)


def test_a_file_has_the_hash_of_its_rows(write: Writer) -> None:
    found = READER.fingerprint(write(line("a", "one") + line("b", "two")), BATCH)
    assert found.members == {"contents": 2}
    hasher = RowsHasher()
    for key, text in (("a", "one"), ("b", "two")):
        hasher.add(READER.parse({"key": key, "text": text}, BATCH))
    assert (found.sha256, found.rows) == (hasher.hexdigest(), 2)


@pytest.mark.parametrize(
    "content",
    [
        b'\xef\xbb\xbf{"key": "a", "text": "\xc3\xa9"}\n{"key": "b", "text": "x"}\n',
        b'{"text":"\\u00e9","key":"a"}\r\n\r\n  \r\n{"key":"b","text":"x"}\r\n',
        b'\n{"key": "a", "text": "\xc3\xa9"}\n{"key": "b", "text": "x"}',
        b'{"key": "a", "request": {"contents": [{"parts": [{"text": "\xc3\xa9"}], "role": "user"}]}}\n{"key": "b", "text": "x"}',
    ],
    ids=["bom", "crlf, blank lines, order, escapes", "no last line end", "written out"],
)
def test_spelling_does_not_change_the_hash(write: Writer, content: bytes) -> None:
    same = line("a", "é") + line("b", "x")
    assert READER.fingerprint(write(content), BATCH) == READER.fingerprint(write(same), BATCH)


@pytest.mark.parametrize("content", [line("a", "x") + line("b"), line("b") + line("a"), line("a")])
def test_other_rows_have_another_hash(write: Writer, content: bytes) -> None:
    assert (
        READER.fingerprint(write(content), BATCH).sha256
        != READER.fingerprint(write(line("a") + line("b")), BATCH).sha256
    )


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        (b"{", "not JSON at column 2: expected a name in double quotes"),
        (b'{"key": "a"} {}', "not JSON at column 14: the line continues after the end of its value"),
        (b'{"key": "a"}\f', "not JSON at column 13: the line continues after the end of its value"),
        (b'{"key": "a"}\v\r', "not JSON at column 13: the line continues after the end of its value"),
        (b'\f{"key": "a"}', "not JSON at column 1: expected a value"),
        (b" \f", "not JSON at column 2: expected a value"),
        (b"\xff\xfe{\x00", "not UTF-8 at byte 1 of the line"),
        (b'{"key": "a", "text": "\xe9"}', "not UTF-8 at byte 23 of the line"),
        (b'{"key": "a", "key": "b", "text": "x"}', 'member "key" is given twice'),
        (b'{"key": "a", "request": {"a": {"b": 1, "c": 2, "b": 1}}}', 'member "b" is given twice'),
        (b'{"key": NaN}', "NaN is not JSON"),
        (b'{"key": -Infinity}', "-Infinity is not JSON"),
        (b'{"key": 1e999}', "the number 1e999 is too large"),
        (b'{"key": ' + b"9" * 5000 + b"}", "a number has too many digits"),
        (b"[" * 101 + b"]" * 101, "nested deeper than 100 levels"),
        (b"[" * 100_000 + b"]" * 100_000, "nested deeper than 100 levels"),
        (b'{"a":' * 100_000, "nested deeper than 100 levels"),
        (b'{"key": "a", "text": "\\ud800"}', "half of a surrogate pair: not a character"),
        (b'{"key": "a"}', "a row has exactly one of request, text, contents and body"),
        (b"7", "a row is an object with a request in it"),
        (b"null", "a row is an object with a request in it"),
    ],
)
def test_a_faulty_line_is_named(write: Writer, raw: bytes, message: str) -> None:
    hint = FORMS if message.startswith(("not JSON", "a row ")) else ""
    assert problems(write(line("first") + b"\r\n" + raw + b"\n" + line("last"))) == (RowProblem(3, message, hint),)


def test_what_only_looks_deep_or_broken_is_taken() -> None:
    wide = "[" + "[1]," * 200 + "{}]"
    assert parse_json(wide.encode()) == [[1]] * 200 + [{}]
    assert parse_json(b"[" * 100 + b"]" * 100) is not None
    assert parse_json(b'"\\ud83d\\ude00"') == "😀"
    assert parse_json(b"[1, 1.5, 1e5, true]") == [1, 1.5, 100000.0, True]


def test_a_key_twice_names_both_lines(write: Writer) -> None:
    path = write(line("a") + line("b") + b"\n" + line("a") + line("a"))
    assert problems(path) == (
        RowProblem(4, 'key "a" is used on line 1 already'),
        RowProblem(5, 'key "a" is used on line 1 already'),
    )


def test_a_line_too_long_is_skipped_whole(write: Writer) -> None:
    limit = 1024 * 1024
    fits = b'{"key": "a", "text": "' + b"x" * (limit - 25) + b'"}'
    long = line("b", "x" * 3 * limit)
    assert READER.fingerprint(write(fits + b"\n"), BATCH, limit).rows == 1
    with pytest.raises(RowsError) as caught:
        READER.fingerprint(write(fits + b"\n" + long + b"{\n" + long[:-1]), BATCH, limit)
    words = "longer than 1,048,576 bytes, which is the stack's limits.lineBytes"
    assert caught.value.problems == (
        RowProblem(2, words),
        RowProblem(3, "not JSON at column 2: expected a name in double quotes", FORMS),
        RowProblem(4, words),
    )


def test_a_line_with_a_document_of_30_megabytes_is_taken(write: Writer) -> None:
    assert READER.fingerprint(write(line("a", "x" * 40_000_000)), BATCH).rows == 1


def test_the_first_faults_are_told_and_the_others_counted(write: Writer) -> None:
    assert len(problems(write(b"{\n" * 100))) == 100
    found = problems(write(b"{\n" * 500))
    assert len(found) == 101
    way_out = "correct the ones above, then run the command again"
    assert found[-1] == RowProblem(500, "400 more faults up to this line, which are not shown", way_out)
    assert problems(write(b"{\n" * 101))[-1].message.startswith("1 more fault up to")


CONTENTS = [{"role": "user", "parts": [{"text": "x"}]}]


def checked(path: Path, rules: RowRules, kind: Kind = BATCH) -> list[str]:
    """The problems of a file whose requests are checked, or its warnings."""
    try:
        found = READER.fingerprint(path, kind, rules=rules).warnings
    except RowsError as error:
        found = error.problems
    return [f"{one.line} {one.code} {one.message} ({one.hint})" for one in found]


def asked(key: str, **members: object) -> bytes:
    return json.dumps({"key": key, "request": {"contents": CONTENTS, **members}}).encode() + b"\n"


def test_requests_of_rows_are_checked(write: Writer) -> None:
    rows = asked("good", labels={"a": "b"}) + asked("bad", temperature=0.3) + asked("new", serviceTier="gold")
    assert checked(write(rows), RowRules(Api.GEMINI)) == [
        (
            '2 UnknownField request.temperature: there is no field "temperature" in "request"'
            " (it belongs into generationConfig: generationConfig.temperature)"
        )
    ]
    assert checked(write(asked("new", serviceTier="gold")), RowRules(Api.GEMINI)) == [
        (
            '1 UnknownValue request.serviceTier: "serviceTier" has the unknown value "gold"'
            " (known are: unspecified, standard, flex, priority)"
        )
    ]
    assert checked(write(asked("new", store=True)), RowRules(Api.VERTEX)) == [
        '1 WrongProvider request.store: "store" is for Gemini only (leave it out)'
    ]
    assert checked(write(rows), RowRules(Api.GEMINI, is_google_model=False)) == []


def test_a_row_for_another_publishers_model_is_no_row_for_a_gemini_model(write: Writer) -> None:
    row = write(json.dumps({"custom_id": "a", "body": {"messages": [{"role": "user", "content": "x"}]}}).encode())
    says = 'request: the row has "body", which is for models of other publishers on Vertex AI'
    way_out = (
        "(write custom_id as key, and body as request: {contents: [{role: user, parts: [{text: …}]}]}; the role assistant"
        " is model here, and a system message is systemInstruction: {parts: [{text: …}]})"
    )
    assert checked(row, RowRules(Api.VERTEX)) == [f"1 WrongProvider {says} {way_out}"]
    assert READER.fingerprint(row, BATCH, rules=RowRules(Api.GEMINI)).rows == 1
    assert checked(row, RowRules(Api.GEMINI)) == [f"1 UnknownValue {says} {way_out}"]
    assert checked(row, RowRules(Api.VERTEX, is_google_model=False)) == []


def test_what_another_api_calls_the_contents_is_named(write: Writer) -> None:
    [problem] = problems(write(b'{"request": {"prompt": "x", "labels": {}}}'))
    assert problem.message.endswith('; for "prompt" write contents: [{role: user, parts: [{text: \u2026}]}]')


def test_rows_are_checked_with_their_defaults(write: Writer) -> None:
    cached = RowRules(Api.GEMINI, {"cachedContent": "cachedContents/a"})
    assert checked(write(asked("a", tools=[{"codeExecution": {}}])), cached) == [
        (
            '1 InvalidValue request.tools: "tools" cannot be used with "cachedContent"'
            " (put it into the cached content, or leave cachedContent out)"
        )
    ]
    assert checked(write(asked("a", tools=[{"codeExecution": {}}], cached_content=None)), cached) == []


def test_rows_for_vertex_are_checked_as_its_importer_reads_them(write: Writer) -> None:
    schemas = [{"responseSchema": {"type": kind}} for kind in ("STRING", ["STRING"])]
    rows = b"".join(asked(str(index), generationConfig=schema) for index, schema in enumerate(schemas))
    assert checked(write(rows), RowRules(Api.GEMINI)) == []
    (found,) = checked(write(rows), RowRules(Api.VERTEX))
    assert found.startswith(
        '2 InvalidValue request.generationConfig.responseSchema.type: "type" is a list, and everywhere else in a schema a string'
    )


@pytest.mark.parametrize(
    "row", [{"custom_id": "r1", "method": "POST", "url": "/v1", "body": {"x": 1}}, {"request": {"messages": [1]}}]
)
def test_requests_for_other_publishers_models_are_not_checked(write: Writer, row: object) -> None:
    assert checked(write(json.dumps(row).encode()), RowRules(Api.VERTEX, is_google_model=False)) == []


def test_messages_for_a_model_of_google_are_named(write: Writer) -> None:
    row = json.dumps({"request": {"messages": [{"role": "user", "content": "x"}]}}).encode()
    for api in Api:
        assert [found.partition(":")[0] for found in checked(write(row), RowRules(api))] == [
            "1 UnknownField request.messages",
            "1 MissingField request",
        ]


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (
            gzip.compress(b'{"key": "a", "text": "x"}\n' * 9, mtime=0),
            "compressed with gzip, not lines of JSON in UTF-8: decompress it first",
        ),
        (b"PK\x03\x04" + b"x" * 2**10, "a zip archive, not lines of JSON in UTF-8: decompress it first"),
        ('{"key": "a", "text": "x"}\n'.encode("utf-16-le") * 9, "UTF-16, not lines of JSON in UTF-8: save it as UTF-8"),
        ('{"key": "a", "text": "x"}\n'.encode("utf-32") * 9, "UTF-32, not lines of JSON in UTF-8: save it as UTF-8"),
        (b"PAR1\x15\x04\n{}", "a Parquet file, not lines of JSON in UTF-8: convert it to lines of JSON"),
    ],
)
def test_a_file_of_another_form_is_named_once(write: Writer, content: bytes, says: str) -> None:
    assert problems(write(content)) == (RowProblem(1, f"the file is {says}"),)


@pytest.mark.parametrize("content", [b"", b"\n\r\n  \n", b"\xef\xbb\xbf"])
def test_a_file_without_rows_is_refused(write: Writer, content: bytes) -> None:
    assert problems(write(content)) == (RowProblem(1, "the file has no rows", FORMS),)


def test_a_file_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    assert problems(tmp_path / "none") == (RowProblem(1, "the file cannot be read: No such file or directory"),)
    assert problems(tmp_path) == (RowProblem(1, "the file cannot be read: Is a directory"),)


@given(st.binary(max_size=60))
def test_no_bytes_make_a_traceback(content: bytes) -> None:
    for found in read_lines(io.BytesIO(content)):
        assert (found.fault is None) or (found.value is None and found.fault)


@given(
    st.lists(
        st.tuples(
            st.text(st.characters(codec="utf-8", exclude_categories=["Cc"]), min_size=1, max_size=9),
            st.text(min_size=1),
        ),
        min_size=1,
        max_size=9,
        unique_by=lambda pair: pair[0],
    ),
    st.booleans(),
)
def test_any_texts_can_be_rows(rows: list[tuple[str, str]], ascii_: bool) -> None:
    content = "\n".join(json.dumps({"key": key, "text": text}, ensure_ascii=ascii_) for key, text in rows)
    values = [found.value for found in read_lines(io.BytesIO(content.encode()))]
    assert [READER.parse(value, BATCH).key for value in values] == [key for key, _ in rows]


def test_a_line_holds_so_many_values_and_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jsonl, "LINE_VALUES", 4)
    assert parse_json(b'{"a": [1, 2]}') == {"a": [1, 2]}
    assert parse_json(rb'{"a": ", , \", {[,,\\", "b": 1}') == {"a": ', , ", {[,,\\', "b": 1}
    with pytest.raises(ValueError, match="holds more than 4 values"):
        parse_json(b'{"a": [1, 2, 3]}')


class Counting:
    """Counts the bytes that are said to have gone over."""

    def __init__(self) -> None:
        self.what: list[tuple[str, int | None]] = []
        self.bytes = 0

    @contextmanager
    def running(self, what: str, total: int | None = None) -> Iterator[Counting]:
        self.what.append((what, total))
        yield self

    def add(self, size: int) -> None:
        self.bytes += size

    def expect(self, total: int) -> None:
        raise AssertionError(total)

    def observing(self, work: Work) -> AbstractContextManager[Ending]:
        raise AssertionError(work)

    def used(self, tokens: TokenUse) -> None:
        raise AssertionError(tokens)

    def trying_again(self, why: str, seconds: float) -> None:
        raise AssertionError(why, seconds)


def test_whoever_looks_on_sees_how_far_the_reading_is(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_bytes(b'{"key": "a", "text": "x"}\n\n{"key": "b", "text": "y"}\n')
    counting = Counting()
    RowFiles(counting).fingerprint(path, Kind.BATCH_JOB)
    assert (counting.what, counting.bytes) == ([("reading rows.jsonl", 53)], 53)


def test_a_file_that_is_not_there_has_no_size(tmp_path: Path) -> None:
    counting = Counting()
    with pytest.raises(RowsError):
        RowFiles(counting).fingerprint(tmp_path / "none.jsonl", Kind.BATCH_JOB)
    assert counting.what == [("reading none.jsonl", None)]
