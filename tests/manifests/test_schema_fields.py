"""Fields of the schemas by their path."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from batchctl.manifests.schema_fields import find_field, is_field_path
from batchctl.model.errors import UsageError
from batchctl.model.field_doc import FieldDoc


def walk(field: FieldDoc, path: str = "") -> Iterator[tuple[str, FieldDoc]]:
    for inner in field.fields:
        yield f"{path}{inner.name}", inner
        yield from walk(inner, f"{path}{inner.name}.")


@pytest.mark.no_cover
@pytest.mark.parametrize("kind", ["batchjob", "embeddingsbatchjob", "stack"])
def test_every_field_is_found_by_its_path_and_has_a_description(kind: str) -> None:
    fields = dict(walk(find_field(kind).field))
    assert len(fields) > 50
    for path, field in fields.items():
        assert field.description, path
        assert field.type, path
        if path.count(".") < 4:
            assert find_field(f"{kind}.{path}").field.description == field.description, path


def facts(path: str) -> tuple[str, object, object, str]:
    field = find_field(path).field
    return field.type, field.default if field.has_default else "-", field.allowed[:2], field.range


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("spec.lifecycle.backoffLimit", ("integer", 0, (), "0 to 100")),
        ("spec.lifecycle.onChange", ("string", "replace", ("replace", "keep"), "")),
        ("spec.lifecycle.retryOn", ("[]string", ["FAILED", "EXPIRED"], ("FAILED", "EXPIRED"), "")),
        ("spec.lifecycle.pendingDeadline", ("string", None, (), "must be a duration such as 90s, 12h or 1d12h")),
        ("spec.canary.maxFailedRows", ("integer or string", "5%", (), "at least 0")),
        ("kind", ("string", "-", ("BatchJob",), "")),
        ("metadata.labels", ("map[string]string", "-", (), "")),
        ("spec.src", ("string or []object or object", "-", (), "")),
        ("batchjobs.spec.src.file", ("string", "-", (), "may not contain line breaks or control characters")),
        ("BatchJob.spec.request.generationConfig.temperature", ("number", "-", (), "0 to 2")),
        ("stack.spec.providers", ("map[string]object", "-", (), "")),
        ("stack.spec.providers.type", ("string", "-", ("gemini", "vertex"), "")),
        ("stack.spec.providers.my-own.type", ("string", "-", ("gemini", "vertex"), "")),
    ],
)
def test_type_default_and_values(path: str, found: tuple[str, object, object, str]) -> None:
    assert facts(path) == found


def test_the_document_itself() -> None:
    found = find_field("stack")
    assert (found.kind, found.path, found.field.name) == ("Stack", "", "Stack")
    assert [field.name for field in found.field.fields] == ["apiVersion", "kind", "metadata", "spec"]
    assert [field.is_required for field in found.field.fields] == [True, True, True, True]


def test_a_form_that_contains_itself_ends() -> None:
    names = [path for path, _ in walk(find_field("spec.request").field)]
    assert names
    assert max(path.count(".") for path in names) < 20


@pytest.mark.parametrize(
    ("path", "message", "hint"),
    [
        (
            "spec.lifecycle.backofLimit",
            "no field backofLimit in BatchJob.spec.lifecycle",
            "spec.lifecycle.backoffLimit?",
        ),
        ("spec.backoffLimit", "no field backoffLimit in BatchJob.spec", "did you mean spec.lifecycle.backoffLimit?"),
        ("spec.targets", "no field targets in BatchJob.spec", "did you mean stack.spec.targets?"),
        ("spec.limits.maxCreate", "no field limits in BatchJob.spec", "did you mean stack.spec.limits.maxCreate?"),
        ("stack.spec.privoders", "no field privoders in Stack.spec", "did you mean stack.spec.providers?"),
        ("stack.maxCreate", "no field maxCreate in Stack", "did you mean stack.spec.limits.maxCreate"),
        ("spec.model.x", "no field x in BatchJob.spec.model", "BatchJob.spec.model has no fields inside"),
        ("spec.canary.zzz", "no field zzz in BatchJob.spec.canary", "it has rows, maxFailedRows, maxTokensPerRow"),
        ("translate.fr", "no field translate in BatchJob", "it has apiVersion, kind, metadata, spec"),
        ("spec..model", "no field  in BatchJob.spec", "it has provider"),
    ],
)
def test_unknown_paths(path: str, message: str, hint: str) -> None:
    with pytest.raises(UsageError) as raised:
        find_field(path)
    assert message in raised.value.message
    assert hint in raised.value.hint


@pytest.mark.parametrize(
    ("word", "is_path"),
    [("spec", True), ("spec.src", True), ("Stack", True), ("a.b", True), ("translate-fr", False), ("job", False)],
)
def test_which_words_are_paths(word: str, *, is_path: bool) -> None:
    assert is_field_path(word) is is_path
