"""The decision whether a value is valid agrees with `jsonschema`, which explains the errors of those that are not."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Any

import pytest

from batchctl.manifests import stack
from batchctl.manifests.compose import compose
from batchctl.manifests.fault_list import Faults
from batchctl.manifests.job_reader import job_schema
from batchctl.manifests.nodes import Items, Member, Members, Node, Scalar, changed, plain
from batchctl.manifests.schema import bundled
from batchctl.manifests.schema_decision import LONGEST_MATCHED, decision_at, decision_by, text_decision_at
from batchctl.manifests.schema_faults import _strict
from batchctl.manifests.sources import without_rows
from batchctl.model.errors import ManifestError
from batchctl.model.json_value import Json
from batchctl.model.kinds import Kind
from batchctl.model.locations import Location
from tests.support.broken_manifests import BROKEN
from tests.support.manifest_files import EXAMPLES, REPOSITORY

RAW = {"stack": stack._schema(), **{str(kind): job_schema(kind) for kind in Kind}}
SCHEMAS = {name: bundled(schema) for name, schema in RAW.items()}
"""As validators need them; decisions follow the references to other files by themselves."""
DECISIONS = {name: decision_by(schema) for name, schema in RAW.items()}
HERE = Location("x")
CORPUS = [
    path
    for folder in (BROKEN, EXAMPLES, REPOSITORY / "tests" / "corpus")
    for path in sorted(folder.rglob("*"))
    if path.suffix in {".yaml", ".yml", ".json"}
]
FULL = """
apiVersion: batchctl.dev/v1
kind: BatchJob
metadata: {name: a, labels: {team: search}, annotations: {note: x}}
spec:
  provider: main
  model: gemini-2.5-flash
  displayName: A
  src: {fromJob: other, template: {text: "x"}}
  dest: {gcsUri: gs://demo/out/}
  request: {}
  extraRequest: {}
  extraBody: {}
  runId: "1"
  matrix: {axes: {lang: [fr, 1]}, include: [{lang: fr, x: y}], exclude: null}
  dependsOn: [b, c]
  priority: 3
  webhookConfig: {uris: ["https://example.com/hook"]}
  lifecycle: {backoffLimit: 1, retryOn: [FAILED], pendingDeadline: 12h, suspend: false, maxFailedRows: 5%}
  rows: {reuse: true, accept: [MAX_TOKENS], maxAttempts: 3, fallback: [{model: m, when: [SAFETY]}]}
  sharding: {maxRows: 10}
  canary: {rows: 5, maxFailedRows: 5%}
"""
FULL_STACK = """
apiVersion: batchctl.dev/v1
kind: Stack
metadata: {name: shop, uid: abc123}
spec:
  manifests: [jobs]
  providers:
    main: {type: gemini, endpoint: emulator}
    europe: {type: vertex, project: p, location: l, stagingBucket: gs://bucket/prefix/, limits: {active: 3}}
  defaults: {provider: main, model: gemini-2.5-flash, lifecycle: {backoffLimit: 1}}
  variables: {run: {type: string, default: x, enum: [x], sensitive: false}, all: {type: list, default: [x, 1]}}
  targets:
    dev: {name: shop, defaults: {model: m}, providers: {main: {endpoint: emulator}}, variables: {run: x}, state: s.db}
  defaultTarget: dev
  state: .batchctl/state.db
  results: results/
  suspend: false
  limits: {concurrency: 4, maxCreate: 10, readTimeout: 5m}
  moved: [{from: a, to: b}]
"""
VALUES: list[Node] = [
    *(Scalar(HERE, value, str(value)) for value in (None, True, 0, 1, -1, 1.0, 1.5, 10**12, "", "x", "x\n", "12h")),
    Scalar(HERE, "x" * (LONGEST_MATCHED + 1), ""),
    Items(HERE, ()),
    Items(HERE, (Scalar(HERE, "x", "x"), Scalar(HERE, "x", "x"), Scalar(HERE, 1, "1"))),
    Members(HERE, {}),
    Members(HERE, {name: Member(HERE, Scalar(HERE, "x", "x")) for name in ("x", "No Name!", "fromJob")}),
]


def roots(data: bytes) -> list[Node]:
    try:
        return list(compose(data, "x", Faults()))
    except ManifestError:
        return []


def check(name: str, node: Node) -> bool:
    """Whether a value is valid. Rows are never checked by a schema."""
    node = changed(node, ("spec", "src"), without_rows)
    errors: list[Any] = list(islice(_strict()(SCHEMAS[name]).iter_errors(plain(node)), 1))
    assert DECISIONS[name](node) is not bool(errors), plain(node)
    return not errors


def variants(node: Node) -> Iterator[Node]:
    """The same tree with each of its nodes replaced by other values, removed, or with one more member."""
    yield from VALUES
    if isinstance(node, Items):
        for place, item in enumerate(node.values):
            for other in variants(item):
                yield Items(HERE, (*node.values[:place], other, *node.values[place + 1 :]))
    if isinstance(node, Members):
        yield Members(HERE, {**node.entries, "unknown": Member(HERE, VALUES[0])})
        for name, member in node.entries.items():
            yield Members(HERE, {key: one for key, one in node.entries.items() if key != name})
            for other in variants(member.node):
                yield Members(HERE, {**node.entries, name: Member(HERE, other)})


@pytest.mark.parametrize("name", SCHEMAS)
def test_over_all_files_of_the_corpus(name: str) -> None:
    outcomes = {check(name, root) for path in CORPUS for root in roots(path.read_bytes())}
    assert outcomes == {True, False}


@pytest.mark.no_cover
@pytest.mark.parametrize("name", SCHEMAS)
def test_over_every_change_of_a_manifest(name: str) -> None:
    text = FULL_STACK if name == "stack" else FULL.replace("BatchJob", name)
    (root,) = roots(text.encode())
    assert check(name, root)
    outcomes = [check(name, other) for other in variants(root)]
    assert len(outcomes) > 500
    assert set(outcomes) == {True, False}


def test_members_are_asked_for_of_mappings_alone() -> None:
    schema = {"properties": {"a": {"type": "string"}}}
    one = Scalar(HERE, 1, "1")
    nodes = [one, Members(HERE, {"a": Member(HERE, one)})]
    found = [decision_by(schema)(node) for node in nodes]
    assert found == [not list(_strict()(schema).iter_errors(plain(node))) for node in nodes] == [True, False]


def test_references_lead_into_other_files() -> None:
    labels = {"$ref": "batchjob.schema.json#/definitions/request/properties/labels"}
    schema = {"properties": {"labels": labels}, "definitions": {"unused": {}}}
    texts = ("{labels: {a: x}}", "{labels: {a: 1}}", "{labels: x}", "{}")
    nodes = [root for text in texts for root in roots(text.encode())]
    found = [decision_by(schema)(node) for node in nodes]
    assert found == [not list(_strict()(bundled(schema)).iter_errors(plain(node))) for node in nodes]
    assert found == [True, False, False, True]


def test_an_unknown_keyword_is_refused() -> None:
    with pytest.raises(ValueError, match="unknown keywords: multipleOf"):
        decision_by({"multipleOf": 3})
    with pytest.raises(ValueError, match="only texts"):
        decision_by({"enum": [1]})


def test_a_value_that_other_schemas_decide_about_is_refused() -> None:
    schema = {"properties": {"a": {"anyOf": [{"type": "object"}], "properties": {"b": {"type": "string"}}}}}
    with pytest.raises(ValueError, match="the value of b is not decided by its own schema alone"):
        decision_at(schema, ("a", "b"))
    assert decision_at(schema, ("a",))(Members(HERE, {}))


TEXTS = ("", "a", "ab", "A", "a" * 9, "a" * (LONGEST_MATCHED + 1))


@pytest.mark.parametrize(
    "part",
    [
        {"type": "string"},
        {"type": ["string", "null"], "minLength": 1, "maxLength": 8},
        {"type": "string", "pattern": "^[a-z]*$", "description": "a name"},
        {"pattern": "^[a-z]*$", "maxLength": 2, "minLength": 2},
        {"$ref": "#/definitions/short"},
    ],
)
def test_a_text_has_the_verdict_of_a_value(part: Json) -> None:
    schema = {"properties": {"a": part}, "definitions": {"short": {"type": "string", "maxLength": 1}}}
    decide, decide_text = decision_at(schema, ("a",)), text_decision_at(schema, ("a",))
    assert [decide_text(text) for text in TEXTS] == [decide(Scalar(HERE, text, text)) for text in TEXTS]


@pytest.mark.parametrize("part", [{"type": "number"}, {"type": "string", "enum": ["a"]}])
def test_texts_that_more_decides_about_are_refused(part: Json) -> None:
    with pytest.raises(ValueError, match="more than the length and the pattern of a text decide about a"):
        text_decision_at({"properties": {"a": part}}, ("a",))
