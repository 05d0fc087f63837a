from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import jsonschema
import pytest

from batchctl.manifests import schema as schema_module
from batchctl.manifests.compose import compose
from batchctl.manifests.fault_codes import Code
from batchctl.manifests.fault_list import Faults
from batchctl.manifests.nodes import plain
from batchctl.manifests.schema import load_schema, schema_names, schema_text
from batchctl.manifests.schema_faults import _Sentences
from batchctl.manifests.starters import new_manifest, new_stack_file
from batchctl.model.errors import UsageError
from tests.support.manifest_files import EXAMPLES, JOB, REPOSITORY, STACK, lines, load_in, with_spec, write

OURS = ("batchjob", "embeddingsbatchjob", "list", "manifest", "stack")


def parts(schema: object, path: str = "") -> Iterator[tuple[str, dict[str, object]]]:
    """All schemas inside a schema, without those of rows, which are checked row by row."""
    if isinstance(schema, dict) and not path.endswith("/row"):
        yield path, schema
        for key in ("items", "additionalProperties", "propertyNames"):
            yield from parts(schema.get(key), f"{path}/{key}")
        for key in ("properties", "definitions"):
            for name, part in schema.get(key, {}).items():
                yield from parts(part, f"{path}/{name}")
        for number, part in enumerate(schema.get("anyOf", [])):
            yield from parts(part, f"{path}/{number}")


def value(text: str) -> object:
    (root,) = compose(text.encode(), "x", Faults())
    return plain(root)


@pytest.mark.no_cover
@pytest.mark.parametrize("name", OURS)
def test_a_schema_is_valid_and_needs_no_other_file(name: str) -> None:
    text = schema_text(name)
    jsonschema.Draft7Validator.check_schema(json.loads(text))
    assert '"$ref": "#/' in text
    assert "schema.json#" not in text
    assert '.schema.json"' not in text
    assert name in schema_names()


def test_every_reference_leads_somewhere() -> None:
    for name in OURS:
        schema = load_schema(name)
        validator = jsonschema.Draft7Validator(schema)
        for found in json.dumps(schema).split('"$ref": "')[1:]:
            assert validator._resolver.lookup(found.split('"')[0]).contents


def test_a_schema_that_refers_to_no_other_file_stays_as_it_is() -> None:
    text = (REPOSITORY / "schemas" / "version.schema.json").read_text(encoding="utf-8")
    assert load_schema("version") == json.loads(text)
    assert "$ref" not in text


def test_an_unknown_schema_is_wrong_usage() -> None:
    with pytest.raises(UsageError, match="there is no schema 'batchjobs'"):
        schema_text("batchjobs")
    with pytest.raises(UsageError):
        schema_text("../schemas/stack")


def test_an_installed_package_has_the_schemas_inside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "schemas").mkdir()
    (tmp_path / "schemas/only.schema.json").write_text("{}")
    monkeypatch.setattr(schema_module, "_PACKAGE", tmp_path)
    assert schema_names() == ("only",)


@pytest.mark.no_cover
@pytest.mark.parametrize("name", ["batchjob", "embeddingsbatchjob", "stack"])
def test_every_field_is_described_and_nothing_undescribed_is_let_through(name: str) -> None:
    for path, part in parts(load_schema(name)):
        for field, schema in part.get("properties", {}).items():
            assert schema.get("description") or schema.get("$ref"), f"{path}/{field}"
        if "properties" in part:
            # A row may have members of the user's own.
            assert part.get("additionalProperties", True) is (part.get("title") == "Row"), path
        assert "pattern" not in part or part["patternErrorMessage"].strip(), path
        if part.get("$ref"):
            target = load_schema(name)
            for step in part["$ref"].removeprefix("#/").split("/"):
                target = target[step]
            assert target.get("description") or target.get("$ref"), path


def test_every_keyword_of_the_schemas_has_its_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    silent = {"$schema", "$ref", "title", "description", "default", "examples", "definitions", "properties", "items"}
    silent |= {"patternErrorMessage", "propertyNames", "patternProperties"}
    silent |= {"oneOf"}  # of a row, which is checked by the code that reads rows
    silent |= {"if", "then", "else"}  # whose parts use the other keywords
    used = {
        key
        for name in ("batchjob", "embeddingsbatchjob", "stack")
        for _, part in parts(load_schema(name))
        for key in part
    }
    assert used - silent == set(_Sentences.TELLERS)


@pytest.mark.parametrize(
    ("text", "good"),
    [
        (JOB, True),
        (with_spec("", "EmbeddingsBatchJob"), True),
        (with_spec("request: {generationConfig: {}}"), True),
        (with_spec("request: {generationConfig: {}}", "EmbeddingsBatchJob"), False),
        (with_spec("request: {taskType: CLUSTERING}", "EmbeddingsBatchJob"), True),
        (with_spec("request: {taskType: CLUSTERING}"), True),
        (with_spec("request: {taskType: CLUSTERING, generationConfig: {}}"), False),
        (
            with_spec("request: null\nlifecycle: {retryOn: null, onChange: null, pendingDeadline: null}\nrunId: null"),
            True,
        ),
        (STACK, False),
        ("{apiVersion: batchctl.dev/v1, kind: List, items: []}", True),
        ("{apiVersion: batchctl.dev/v1, kind: List, items: [{kind: List, items: []}]}", False),
        ("{apiVersion: batchctl.dev/v1, kind: List, items: [5]}", False),
    ],
)
def test_the_schema_of_any_manifest_goes_by_kind(text: str, good: bool) -> None:
    assert jsonschema.Draft7Validator(load_schema("manifest")).is_valid(value(text)) is good


@pytest.mark.parametrize(
    ("row", "good"),
    [
        ("{key: a, text: x}", True),
        ("{key: a, request: {}}", True),
        ("{key: a}", False),
        ("{text: x}", True),
        ("{custom_id: r1, lang: fr, request: {}}", True),
        ("{request: {}, metadata: {key: r1}}", True),
        ("{contents: [], config: {temperature: 1}}", True),
        ("{key: a, text: x, request: {}}", False),
    ],
)
def test_editors_check_rows(row: str, good: bool) -> None:
    assert jsonschema.Draft7Validator(load_schema("batchjob")).is_valid(value(with_spec(f"src: [{row}]"))) is good


def test_the_examples_in_the_schemas_keep_to_them() -> None:
    for name in ("batchjob", "embeddingsbatchjob", "list", "stack"):
        schema = load_schema(name)
        for example in schema["examples"]:
            jsonschema.Draft7Validator(schema).validate(example)
        for path, part in parts(schema):
            for example in part.get("examples", []):
                whole = {**part, "definitions": schema["definitions"]}
                assert jsonschema.Draft7Validator(whole).is_valid(example), f"{name}{path}: {example}"
            if "default" in part:
                whole = {**part, "definitions": schema["definitions"]}
                assert jsonschema.Draft7Validator(whole).is_valid(part["default"]), f"{name}{path}"


def test_every_example_keeps_to_the_schema_that_it_names() -> None:
    files = sorted(EXAMPLES.rglob("*.yaml"))
    assert len(files) == 13
    for file in files:
        first = file.read_text(encoding="utf-8").splitlines()[0]
        target = (file.parent / first.removeprefix("# yaml-language-server: $schema=")).resolve()
        assert target.parent == REPOSITORY / "schemas", file
        schema = load_schema(target.name.removesuffix(".schema.json"))
        jsonschema.Draft7Validator(schema).validate(value(file.read_text(encoding="utf-8")))


def test_the_files_of_init_are_valid(tmp_path: Path) -> None:
    write(tmp_path, {"batchctl.yaml": new_stack_file("shop", "123456"), "jobs/first.yaml": new_manifest("first")})
    desired = load_in(tmp_path)
    assert (desired.stack.name, desired.stack.uid) == ("shop", "123456")
    assert [(job.name, job.account.origin) for job in desired.jobs] == [("first", "emulator")]


def test_what_init_comments_out_is_valid_too(tmp_path: Path) -> None:
    def opened(text: str) -> str:
        return "\n".join(
            line.replace("  # ", "  ", 1) if line.startswith("  # ") else line for line in text.splitlines()
        )

    write(
        tmp_path,
        {"batchctl.yaml": opened(new_stack_file("shop", "123456")), "jobs/first.yaml": opened(new_manifest("first"))},
    )
    (job,) = load_in(tmp_path).jobs
    assert (job.run_id, job.lifecycle.backoff_limit) == ("1", 1)


def test_every_code_is_camel_case_and_has_an_explanation() -> None:
    for code in Code:
        assert code.value.isalnum()
        assert code.value[0].isupper()
        assert code.__doc__.endswith((".", "`."))
        assert str(code) == code.value
    assert len({code.__doc__ for code in Code}) == len(Code)


def test_sentences_never_show_words_of_the_schema_language(tmp_path: Path) -> None:
    write(
        tmp_path,
        {"batchctl.yaml": STACK, "job.yaml": with_spec("src: {gcsUri: 5}\ndest: 5\nlifecycle: {maxFailedRows: []}")},
    )
    assert lines(tmp_path) == [
        'job.yaml:5:17: WrongType "gcsUri" must be a string or a list, not a number (it must look like gs://bucket/path.jsonl)',
        'job.yaml:6:9: WrongType "dest" must be a string or a mapping, not a number (it must be gs://… or bq://…)',
        'job.yaml:7:30: WrongType "maxFailedRows" must be a whole number or a string, not a list',
    ]
