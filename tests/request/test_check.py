"""Each kind of problem in "request", with its place, its sentence and its way out."""

from __future__ import annotations

from typing import Any

import pytest

from batchctl.model.keys import Api
from batchctl.model.kinds import Kind
from batchctl.model.request.check import check_defaults, check_row_request
from batchctl.model.request.problems import Problem

TURN = [{"role": "user", "parts": [{"text": "x"}]}]
SAY_TEXT = "write {parts: [{text: …}]}"
SYSTEM = "write systemInstruction: {parts: [{text: …}]} beside contents"


def words(problems: list[Problem]) -> list[str]:
    return [f"{p.place or '.'}: {p.fault} {p.message}" + (f" ({p.hint})" if p.hint else "") for p in problems]


def row(api: Api = Api.GEMINI, **members: Any) -> list[str]:
    return words(list(check_row_request({"contents": TURN} | members, Kind.BATCH_JOB, api)))


def config(**members: Any) -> list[str]:
    return row(generationConfig=members)


GOOD = [
    {
        "generation_config": {
            "thinking_config": {"thinking_budget": 0},
            "topK": 40.0,
            "seed": "7",
            "stopSequences": None,
        }
    },
    {"safetySettings": [{"category": "HARM_CATEGORY_JAILBREAK", "threshold": "OFF"}]},
    {"safetySettings": [{"category": 7, "threshold": 1}]},
    {"tools": [{"google_search": {}}, {"codeExecution": {}}], "toolConfig": {"includeServerSideToolInvocations": True}},
    {"systemInstruction": {"role": "anything", "parts": {"text": "be brief"}}},
    {"contents": {"role": "user", "parts": {"text": "x"}}},
    {
        "contents": [
            {"role": "user", "parts": [{"functionResponse": {"name": "f", "response": {"any_name": {"b": 1}}}}]}
        ]
    },
    {"generationConfig": {"responseSchema": {"type": "OBJECT", "properties": {"any thing": {"type": "STRING"}}}}},
    {"generationConfig": {"responseJsonSchema": True}},
    {"labels": {"team": "search"}, "cachedContent": "cachedContents/abc", "serviceTier": "flex", "store": False},
]


@pytest.mark.parametrize("members", GOOD)
def test_what_the_api_takes_is_no_problem(members: dict[str, Any]) -> None:
    assert row(**members) == []


BAD = [
    (
        {"config": {"temperature": 0.2}},
        (
            """config: UnknownField there is no field "config" in "request" (write its sampling settings under"""
            " generationConfig, and systemInstruction, tools, toolConfig and safetySettings beside it)"
        ),
    ),
    (
        {"temperature": 0.3},
        (
            """temperature: UnknownField there is no field "temperature" in "request" (it belongs into generationConfig:"""
            " generationConfig.temperature)"
        ),
    ),
    (
        {"thinking_config": {"thinking_budget": 0}},
        (
            """thinking_config: UnknownField there is no field "thinking_config" in "request" (it belongs into"""
            " generationConfig: generationConfig.thinkingConfig)"
        ),
    ),
    (
        {"system_instructions": {"parts": [{"text": "x"}]}},
        (
            """system_instructions: UnknownField there is no field "system_instructions" in \"request\""""
            " (did you mean systemInstruction?)"
        ),
    ),
    (
        {"max_tokens": 5},
        """max_tokens: UnknownField there is no field "max_tokens" in "request" (write generationConfig.maxOutputTokens)""",
    ),
    (
        {"systemInstruction": "be brief"},
        f'systemInstruction: WrongType "systemInstruction" must be an object, not a string ({SAY_TEXT})',
    ),
    (
        {"system_instruction": [{"text": "be brief"}]},
        'system_instruction: WrongType "system_instruction" must be an object, not a list (write {parts: […]})',
    ),
    (
        {"contents": [{"role": "assistant", "parts": [{"text": "x"}]}]},
        'contents[0].role: InvalidValue "role" cannot be "assistant" (write model)',
    ),
    (
        {"contents": [{"role": "system", "parts": [{"text": "x"}]}]},
        f'contents[0].role: InvalidValue "role" cannot be "system" ({SYSTEM})',
    ),
    (
        {"contents": ["x"]},
        f'contents[0]: WrongType an item of "contents" must be an object, not a string ({SAY_TEXT})',
    ),
    (
        {"contents": [{"role": "user", "parts": [{}]}]},
        (
            'contents[0].parts[0]: InvalidValue an item of "parts" may not be empty'
            " (give one of: text, inlineData, fileData, functionCall, functionResponse, …)"
        ),
    ),
    ({"contents": []}, 'contents: InvalidValue "contents" may not be empty'),
    (
        {"tools": [{"cachedContent": "cachedContents/abc"}]},
        (
            'tools[0].cachedContent: UnknownField there is no field "cachedContent" in an item of "tools"'
            " (it belongs beside generationConfig, into the request itself: cachedContent)"
        ),
    ),
    (
        {"generationConfig": {"cachedContent": "cachedContents/abc"}},
        (
            'generationConfig.cachedContent: UnknownField there is no field "cachedContent" in "generationConfig"'
            " (it belongs beside generationConfig, into the request itself: cachedContent)"
        ),
    ),
    (
        {"generationConfig": {"temperatur": 1}},
        (
            'generationConfig.temperatur: UnknownField there is no field "temperatur" in "generationConfig"'
            " (did you mean temperature?)"
        ),
    ),
    (
        {"generationConfig": {"temperature": "warm"}},
        'generationConfig.temperature: WrongType "temperature" must be a number, not a string',
    ),
    (
        {"generationConfig": {"temperature": 3}},
        'generationConfig.temperature: InvalidValue "temperature" must be at most 2',
    ),
    (
        {"generationConfig": {"maxOutputTokens": 0.5}},
        'generationConfig.maxOutputTokens: WrongType "maxOutputTokens" must be a whole number, not a number',
    ),
    (
        {"generationConfig": {"maxOutputTokens": 5, "max_output_tokens": 5}},
        "generationConfig.max_output_tokens: InvalidValue both max_output_tokens and maxOutputTokens are given (keep one)",
    ),
    (
        {"store": "true"},
        'store: WrongType "store" must be true or false, not a string (write it as true, without quotes)',
    ),
    (
        {"generationConfig": {"thinkingConfig": {"thinkingLevel": "ULTRA"}}},
        (
            'generationConfig.thinkingConfig.thinkingLevel: UnknownValue "thinkingLevel" has the unknown value "ULTRA"'
            " (known are: THINKING_LEVEL_UNSPECIFIED, MINIMAL, LOW, MEDIUM, HIGH, XHIGH)"
        ),
    ),
    (
        {"generationConfig": {"thinkingConfig": {"thinkingLevel": "hihg"}}},
        (
            'generationConfig.thinkingConfig.thinkingLevel: UnknownValue "thinkingLevel" has the unknown value "hihg"'
            " (did you mean HIGH?)"
        ),
    ),
    (
        {"generationConfig": {"audioTimestamp": True}},
        ('generationConfig.audioTimestamp: WrongProvider "audioTimestamp" is for Vertex only (leave it out)'),
    ),
    (
        {"tools": [{"googleSearchRetrieval": {}}]},
        'tools[0].googleSearchRetrieval: Deprecated "googleSearchRetrieval" is deprecated (write googleSearch)',
    ),
    (
        {"cachedContent": "abc"},
        'cachedContent: InvalidValue "cachedContent" cannot be "abc" (it must look like cachedContents/abc123)',
    ),
    (
        {"contents": [{"role": "user", "parts": [{"inlineData": {"mimeType": "image/png", "data": "%%"}}]}]},
        'contents[0].parts[0].inlineData.data: InvalidValue "data" is not base64 (encode the bytes in base64)',
    ),
    (
        {"contents": [{"role": "user", "parts": [{"text": "x", "videoMetadata": {"startOffset": "1:30"}}]}]},
        (
            'contents[0].parts[0].videoMetadata.startOffset: InvalidValue "startOffset" cannot be "1:30"'
            " (it must be seconds, such as 1.5s)"
        ),
    ),
    ({"labels": ["a"]}, 'labels: WrongType "labels" must be an object, not a list'),
    ({"labels": {"a": 1}}, 'labels.a: WrongType "a" must be a string, not a number (quote it)'),
    (
        {"generationConfig": {"stopSequences": "END"}},
        'generationConfig.stopSequences: WrongType "stopSequences" must be a list, not a string (write it as a list: [END])',
    ),
    (
        {"generationConfig": {"responseSchema": "x"}},
        'generationConfig.responseSchema: WrongType "responseSchema" must be an object, not a string',
    ),
    (
        {"tools": [{"functionDeclarations": [{"name": "1f"}]}]},
        (
            'tools[0].functionDeclarations[0].name: InvalidValue "name" cannot be "1f"'
            " (it must start with a letter or `_` and hold only letters, digits, `_`, `.`, `:` and `-`)"
        ),
    ),
    (
        {"safetySettings": [{"category": "HARM_CATEGORY_HARASSMENT"}]},
        (
            'safetySettings[0]: MissingField the field "threshold" is missing in an item of "safetySettings"'
            " (From which likelihood on content is blocked)"
        ),
    ),
    (
        {"generationConfig": {"speechConfig": {"voiceConfig": {"prebuiltVoiceConfig": {"voiceName": ""}}}}},
        'generationConfig.speechConfig.voiceConfig.prebuiltVoiceConfig.voiceName: InvalidValue "voiceName" may not be empty',
    ),
]


@pytest.mark.parametrize(("members", "says"), BAD)
def test_each_problem_has_its_place_and_its_way_out(members: dict[str, Any], says: str) -> None:
    assert row(**members) == [says]


def test_vertex_needs_a_role_and_has_fields_of_its_own() -> None:
    contents = [{"parts": [{"text": "x"}]}]
    missing = ['contents[0]: MissingField the field "role" is missing in an item of "contents" (write role: user)']
    assert row(Api.VERTEX, contents=contents) == missing
    assert row(Api.GEMINI, contents=contents) == []
    assert row(Api.VERTEX, generationConfig={"audioTimestamp": True, "routingConfig": {"autoMode": {}}}) == []
    says = '"store" is for Gemini only'
    assert row(Api.VERTEX, store=True) == [f"store: WrongProvider {says} (leave it out)"]


@pytest.mark.parametrize(
    ("part", "place"),
    [
        ({"mediaResolution": {"numTokens": 64}}, "mediaResolution.numTokens"),
        ({"videoMetadata": {"contentLayers": ["AUDIO"]}}, "videoMetadata.contentLayers"),
        ({"document_metadata": {"startPage": 1}}, "document_metadata"),
        (
            {"functionResponse": {"name": "f", "response": {}, "parts": [{"videoMetadata": {"fps": 1}}]}},
            "functionResponse.parts[0].videoMetadata",
        ),
    ],
)
def test_what_only_the_sdk_sends_to_vertex_is_a_warning(part: dict[str, Any], place: str) -> None:
    contents = [{"role": "user", "parts": [part]}]
    name = place.rpartition(".")[2]
    assert row(Api.VERTEX, contents=contents) == [
        (
            f'contents[0].parts[0].{place}: Undocumented "{name}" is not in the documentation of Vertex, although'
            " Google's SDK sends it (try it on one row before you run many)"
        )
    ]
    assert row(Api.GEMINI, contents=contents) == []
    assert words(list(check_row_request({"contents": contents}, Kind.BATCH_JOB, None))) == []


@pytest.mark.parametrize(("role", "usual"), [("USER", "user"), ("Model", "model"), ("FUNCTION", "function")])
@pytest.mark.parametrize("api", Api)
def test_a_role_in_another_case_is_a_warning(api: Api, role: str, usual: str) -> None:
    contents = [{"role": role, "parts": [{"text": "x"}]}]
    says = f'contents[0].role: UnknownValue "role" is "{role}", which the API documents as "{usual}" (write {usual})'
    assert row(api, contents=contents) == [says]


def test_rows_of_an_embedding_job() -> None:
    def embed(**members: Any) -> list[str]:
        return words(list(check_row_request(members, Kind.EMBEDDINGS_BATCH_JOB, Api.GEMINI)))

    content = {"parts": [{"text": "x"}]}
    assert embed(content=content, embedContentConfig={"outputDimensionality": 4, "taskType": "CLUSTERING"}) == []
    assert embed(content=content, embed_content_config={"task_type": "CLUSTERING", "auto_truncate": True}) == []
    assert embed(content=content, taskType="CLUSTERING", title="x", outputDimensionality=4) == []
    (missing,) = embed()
    assert missing.startswith('.: MissingField the field "content" is missing in "request"')


def test_a_place_is_printable_and_short_whatever_names_are_in_it() -> None:
    found = check_row_request({"contents": TURN, "\ufefftext\n": 1, "x" * 70: 1}, Kind.BATCH_JOB, Api.GEMINI)
    assert sorted(problem.place for problem in found) == [r"\ufefftext\n", "x" * 60 + "…"]


def test_defaults_need_nothing_and_take_an_instruction_as_text() -> None:
    def defaults(**members: Any) -> list[str]:
        return words(list(check_defaults(members, Kind.BATCH_JOB, Api.GEMINI)))

    assert defaults(systemInstruction="be brief", generationConfig={"temperature": 0}) == []
    assert defaults(systemInstruction="") == ['systemInstruction: InvalidValue "systemInstruction" may not be empty']
    (unknown,) = defaults(contents=TURN)
    assert unknown.startswith('contents: UnknownField there is no field "contents" in "request"')


def test_without_an_api_nothing_is_wrong_for_belonging_to_the_other() -> None:
    assert words(list(check_row_request({"contents": TURN, "store": True}, Kind.BATCH_JOB, None))) == []
    both = {"contents": TURN, "generationConfig": {"audioTimestamp": True}}
    assert words(list(check_row_request(both, Kind.BATCH_JOB, None))) == []


def test_only_growing_enums_and_deprecations_are_warnings() -> None:
    problems = check_row_request(
        {"contents": TURN, "tools": [{"googleSearchRetrieval": {}}], "serviceTier": "gold", "x": 1},
        Kind.BATCH_JOB,
        Api.GEMINI,
    )
    assert {p.place: p.is_warning for p in problems} == {
        "tools[0].googleSearchRetrieval": True,
        "serviceTier": True,
        "x": False,
    }


@pytest.mark.parametrize("value", [None, 1, "x", [], True])
def test_a_request_that_is_no_object_is_said_to_be_none(value: Any) -> None:
    (problem,) = check_row_request(value, Kind.BATCH_JOB, None)
    assert problem.message.startswith('"request" must be an object, not ')


@pytest.mark.parametrize(
    ("members", "says"),
    [
        ({"labels": {"a": None}}, ['labels.a: WrongType "a" must be a string, not null']),
        ({"serviceTier": True}, ['serviceTier: WrongType "serviceTier" must be a string, not a boolean']),
        (
            {"contents": None},
            ['.: MissingField the field "contents" is missing in "request" (The turns of the conversation)'],
        ),
        ({"tools": None, "toolConfig": {"retrievalConfig": {"latLng": {"latitude": 1, "longitude": 2}}}}, []),
        ({"generationConfig": {"speechConfig": {"languageCode": None}}}, []),
        (
            {"generationConfig": {"stopSequences": 5}},
            ['generationConfig.stopSequences: WrongType "stopSequences" must be a list, not a number'],
        ),
    ],
)
def test_values_at_the_edges(members: dict[str, Any], says: list[str]) -> None:
    assert row(**members) == says


@pytest.mark.parametrize(
    ("members", "way_out"),
    [
        ({"contents": [{"role": "user", "content": "x"}]}, "write parts: [{text: …}]"),
        ({"system_instruction": {"text": "x"}}, "write parts: [{text: …}]"),
        ({"contents": [{"role": "user", "parts": ["x"]}]}, "write {text: …}"),
        ({"contents": [{"role": "user", "parts": [{"type": "text", "text": "x"}]}]}, "remove it"),
        ({"contents": [{"role": "user", "parts": [{"image_url": {"url": "x"}}]}]}, "write fileData: {fileUri"),
        ({"contents": [{"role": "user", "parts": [{"file_uri": "gs://b/x"}]}]}, "write fileData: {fileUri"),
        ({"tools": {"googleSearch": {}}}, "write it as a list: [{…}]"),
        ({"tools": ["google_search"]}, "write {googleSearch: {…}}"),
        ({"tools": ["search"]}, ""),
        ({"tools": [["search"]]}, ""),
        ({"tools": "[Tool(google_search=GoogleSearch())]"}, "Python repr"),
        ({"tools": ["google_search=GoogleSearch() retrieval=None"]}, "Python repr"),
        ({"systemInstruction": "parts=[Part(text='x')] role='user'"}, "Python repr"),
        ({"systemInstruction": ["x"]}, "write {parts: […]}"),
        ({"generationConfig": {"response_schema": "<class 'Recipe'>"}}, "Python repr"),
        ({"generationConfig": {"response_schema": "list[Recipe]"}}, "Python repr"),
        ({"tools": [{"type": "function", "function": {"name": "f"}}]}, "write functionDeclarations: [{name: …"),
        ({"tools": [{"functionDeclarations": [{"name": "f"}], "input_schema": {}}]}, "write functionDeclarations"),
        ({"function_call": "auto"}, "write toolConfig.functionCallingConfig.mode"),
        ({"generationConfig": {"imageConfig": {"output_mime_type": "image/png"}}}, "write imageOutputOptions.mimeType"),
        ({"generationConfig": {"mediaResolution": "low"}}, "did you mean MEDIA_RESOLUTION_LOW?"),
        ({"safetySettings": [{"category": "NEW", "threshold": "OFF"}]}, "known are: "),
        ({"cachedContent": "projects/p/locations/l/cachedContents/a"}, "it must look like cachedContents/abc123"),
    ],
)
def test_forms_of_sdks_and_of_other_apis_have_a_way_out(members: dict[str, Any], way_out: str) -> None:
    problems = check_row_request({"contents": TURN} | members, Kind.BATCH_JOB, Api.GEMINI)
    hints = [problem.hint for problem in problems]
    assert any(way_out in hint if way_out else not hint for hint in hints), hints


@pytest.mark.parametrize(
    ("members", "way_out"),
    [
        ({"thinking_budget": 0}, "it belongs into thinkingConfig: generationConfig.thinkingConfig.thinkingBudget"),
        ({"generationConfig": {"voiceName": "A"}}, ": speechConfig.voiceConfig.prebuiltVoiceConfig.voiceName"),
        ({"functionCallingConfig": {}}, "it belongs into toolConfig: toolConfig.functionCallingConfig"),
        ({"mode": "ANY"}, "did you mean model?"),  # two settings have one
        ({"contents": [{"role": "user", "parts": [{"text": "x", "cachedContent": "y"}]}]}, "into the request itself"),
        ({"generationConfig": {"thinkingConfig": {"cached_content": "y"}}}, "into the request itself: cachedContent"),
        ({"tools": "googleSearch"}, "write [{googleSearch: {…}}]"),
        ({"contents": [{"role": "user", "parts": "x"}]}, "write [{text: …}]"),
        ({"safetySettings": "off"}, ""),
    ],
)
def test_a_member_in_another_place_is_sent_home(members: dict[str, Any], way_out: str) -> None:
    problems = check_row_request({"contents": TURN} | members, Kind.BATCH_JOB, Api.GEMINI)
    hints = [problem.hint for problem in problems]
    assert any(way_out in hint if way_out else not hint for hint in hints), hints


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("retrieval_query", "RETRIEVAL_QUERY"),
        ("retrieval-query", "RETRIEVAL_QUERY"),
        ("TASK_TYPE_RETRIEVAL_DOCUMENT", "RETRIEVAL_DOCUMENT"),
        ("document", "RETRIEVAL_DOCUMENT"),
        ("Code", "CODE_RETRIEVAL_QUERY"),
        ("QUERY", ""),
    ],
)
def test_the_task_that_is_meant(written: str, meant: str) -> None:
    """`retrieval_query` was to be CODE_RETRIEVAL_QUERY, which is another task."""
    request = {"content": {"parts": [{"text": "x"}]}, "taskType": written}
    (problem,) = check_row_request(request, Kind.EMBEDDINGS_BATCH_JOB, Api.GEMINI)
    assert problem.hint == f"did you mean {meant}?" if meant else problem.hint.startswith("known are: ")


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("HARASSMENT", "HARM_CATEGORY_HARASSMENT"),
        ("hate", "HARM_CATEGORY_HATE_SPEECH"),
        ("IMAGE_HATE", "HARM_CATEGORY_IMAGE_HATE"),
        ("HARM_CATEGORY_DANGEROUS", "HARM_CATEGORY_DANGEROUS_CONTENT"),
        ("HARM_CATEGORY_NEW", ""),
        ("HARM_CATEGORY_DEROGATORY", ""),
    ],
)
def test_what_all_values_begin_with_is_no_likeness(written: str, meant: str) -> None:
    (hint,) = [
        problem.hint
        for problem in check_row_request(
            {"contents": TURN, "safetySettings": [{"category": written, "threshold": "OFF"}]},
            Kind.BATCH_JOB,
            Api.GEMINI,
        )
    ]
    assert hint == f"did you mean {meant}?" if meant else hint.startswith("known are: ")


@pytest.mark.parametrize(
    ("part", "says"),
    [
        ({"text": "a", "inlineData": {"mimeType": "a/b", "data": ""}}, 'has both "text" and "inlineData"'),
        ({"file_data": {"fileUri": "gs://a", "mimeType": "a/b"}, "text": ""}, 'has both "file_data" and "text"'),
        ({"text": None}, "may not be empty"),
        ({"inlineData": {"mimeType": "png", "data": ""}}, '"mimeType" cannot be "png"'),
        ({"text": "a", "inlineData": None, "thought": True}, None),
        ({"fileData": {"fileUri": "a", "mimeType": "video/mp4"}, "videoMetadata": {"fps": 1}}, None),
        ({"fileData": {"fileUri": "a", "mimeType": ""}}, None),
        ({"inlineData": {"mimeType": "audio/L16;codec=pcm;rate=24000", "data": ""}}, None),
    ],
)
@pytest.mark.parametrize("api", Api)
def test_a_part_has_one_kind_of_data(api: Api, part: dict[str, Any], says: str | None) -> None:
    found = row(api, contents=[{"role": "user", "parts": [part]}])
    assert [says in line for line in found] == [True] if says else found == []


def test_a_tool_whose_only_member_is_null_is_none() -> None:
    assert "may not be empty" in row(tools=[{"google_search": None}])[0]


def test_members_that_defaults_do_not_have() -> None:
    found = words(list(check_defaults({"contents": TURN, "model": "m"}, Kind.BATCH_JOB, Api.GEMINI)))
    assert found == [
        'contents: UnknownField there is no field "contents" in "request" (each row has its own, in src)',
        'model: UnknownField there is no field "model" in "request" (write spec.model)',
    ]


@pytest.mark.parametrize("spelling", ["displayName", "display_name"])
@pytest.mark.parametrize("api", Api)
def test_data_may_have_a_name_on_both_apis(api: Api, spelling: str) -> None:
    named = {"mimeType": "text/plain", spelling: "notes.txt"}
    parts = [{"inlineData": {"data": "aGk=", **named}}, {"fileData": {"fileUri": "gs://b/notes.txt", **named}}]
    assert row(api, contents=[{"role": "user", "parts": parts}]) == []
