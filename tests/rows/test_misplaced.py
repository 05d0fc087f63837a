"""Settings that stand beside the request of a row, where nothing would send them."""

from __future__ import annotations

from typing import Any

import pytest

from batchctl.model.keys import Api
from batchctl.model.kinds import Kind
from batchctl.model.ports.row_reader import RowRules
from batchctl.model.request.catalogue import ROOTS
from batchctl.model.request.spelling import snake_case
from batchctl.rows.reader import RowFiles

BATCH, EMBED = Kind.BATCH_JOB, Kind.EMBEDDINGS_BATCH_JOB
CONTENTS = {"contents": [{"role": "user", "parts": [{"text": "hi"}]}]}
CONTENT = {"content": {"parts": [{"text": "hi"}]}}
READER = RowFiles()


def found(row: dict[str, Any], kind: Kind = BATCH, api: Api = Api.GEMINI, *, is_google_model: bool = True) -> list[str]:
    """The problems of a row, in its file or its manifest."""
    rules = RowRules(api=api, defaults={}, is_google_model=is_google_model)
    return [
        f"{problem.message} ({problem.hint})" for _, problem in READER.check([READER.parse(row, kind)], kind, rules)
    ]


@pytest.mark.parametrize("api", Api)
@pytest.mark.parametrize("beside", [{"request": CONTENTS}, {"text": "hi"}], ids=repr)
@pytest.mark.parametrize(
    ("name", "value", "place"),
    [
        ("generationConfig", {"temperature": 0}, "generationConfig"),
        ("generation_config", {"temperature": 0}, "generationConfig"),
        ("systemInstruction", "Be brief.", "systemInstruction"),
        ("cachedContent", "cachedContents/a", "cachedContent"),
        ("tools", [{"googleSearch": {"excludeDomains": []}}], "tools"),
        ("maxOutputTokens", 5, "generationConfig.maxOutputTokens"),
        ("response_schema", {"type": "OBJECT"}, "generationConfig.responseSchema"),
        ("thinking_budget", 0, "generationConfig.thinkingConfig.thinkingBudget"),
    ],
)
def test_a_setting_beside_the_request_is_not_dropped_silently(
    api: Api, beside: dict[str, Any], name: str, value: object, place: str
) -> None:
    (problem,) = found({"key": "a", **beside, name: value}, api=api)
    assert problem == (
        f'"{name}" is beside the request of the row, where it is not sent'
        f" (its place in a request is {place}; spec.request sets it for all rows)"
    )


@pytest.mark.parametrize(
    ("name", "place"),
    [
        ("taskType", "taskType"),
        ("output_dimensionality", "outputDimensionality"),
        ("embed_content_config", "embedContentConfig"),
        ("autoTruncate", "embedContentConfig.autoTruncate"),
    ],
)
def test_so_do_settings_of_embeddings(name: str, place: str) -> None:
    for beside in ({"request": CONTENT}, {"text": "hi"}):
        (problem,) = found({**beside, name: {}}, EMBED)
        assert f"its place in a request is {place};" in problem


def test_the_config_of_an_sdk_is_for_rows_with_contents() -> None:
    (problem,) = found({"key": "a", "text": "hi", "config": {"top_p": 1}})
    assert problem.startswith('"config" is beside the request')
    assert found({"contents": "hi", "config": {"top_p": 1}}) == []


@pytest.mark.parametrize(
    "member",
    [
        {"title": "Moby Dick"},
        {"labels": {"shelf": "A"}},
        {"model": "T"},
        {"tools": "hammer"},
        {"config": "prod"},
        {"config": {"region": "eu"}},
        {"mime_type": "text/html"},
        {"temperature": 21.5},
        {"metadata": {"generationConfig": 1}},
    ],
    ids=repr,
)
def test_other_members_are_the_user_s_own(member: dict[str, Any]) -> None:
    assert found({"request": CONTENTS, **member}) == []
    assert found({"request": CONTENT, **member}, EMBED) == []


def test_rows_for_models_of_other_publishers_are_not_checked() -> None:
    row = {"custom_id": "a", "request": {"messages": [{}]}, "toolConfig": {}}
    assert found(row, api=Api.VERTEX, is_google_model=False) == []


@pytest.mark.parametrize("kind", Kind)
def test_a_bare_request_has_all_members_of_a_request(kind: Kind) -> None:
    """`embedContentConfig` beside `content` was taken for a member of the user's own, and not sent."""
    base: dict[str, Any] = CONTENTS if kind is BATCH else CONTENT
    for field in ROOTS[kind].fields:
        for name in {field.name, snake_case(field.name)} - base.keys():
            row = READER.parse({**base, name: {"a": 1}}, kind)
            assert (field.name in row.request or name in row.request, row.members) == (True, {})
