"""`src: {fromJob: NAME, template: …}`: the rows of a job from the answers of another."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from batchctl.model.chain import ChainCount, LeftOut, Obstacle
from batchctl.model.desired import DesiredJob, DesiredStack
from batchctl.model.kinds import Kind
from batchctl.model.ports.row_reader import MadeRows, RowReader, RowsOrder
from batchctl.model.sources import AwaitedRows, ChainedFile
from batchctl.rows.reader import RowFiles
from tests.support.chains import collect_answers, failed, good
from tests.support.manifest_files import STACK, lines, load_in, with_stack, write

UP = """\
apiVersion: batchctl.dev/v1
kind: BatchJob
metadata: {name: up}
spec:
  model: gemini-2.5-flash
  src: [{key: a, text: hello}, {key: b, text: world}]
"""
DOWN = """\
apiVersion: batchctl.dev/v1
kind: BatchJob
metadata: {name: down}
spec:
  model: gemini-2.5-flash
  src: {fromJob: up, template: {text: "Say ${row.text}"}}
"""
RESULTS = [good("a", "one"), failed("b")]


def down_of(template: str, kind: str = "BatchJob", model: str = "gemini-2.5-flash", **spec: Any) -> str:
    more = "".join(f"  {name}: {json.dumps(value)}\n" for name, value in spec.items())
    return (
        f"apiVersion: batchctl.dev/v1\nkind: {kind}\nmetadata: {{name: down}}\nspec:\n  model: {model}\n"
        f"  src: {{fromJob: up, template: {template}}}\n{more}"
    )


def read(
    folder: Path, up: str = UP, down: str = DOWN, stack: str = STACK, rows: RowReader | None = None, **options: Any
) -> DesiredStack:
    write(folder, {"batchctl.yaml": stack, "a-down.yaml": down, "b-up.yaml": up})
    return load_in(folder, rows=rows or RowFiles(), **options)


def job(found: DesiredStack, name: str = "down") -> DesiredJob:
    (one,) = [each for each in found.jobs if each.name == name]
    return one


def answer(folder: Path, items: Any = RESULTS, keys: Any = ("a", "b"), **more: Any) -> None:
    """Collect results of the present work of `up`."""
    digest = more.pop("digest", None) or job(load_in(folder, rows=RowFiles()), "up").digest
    collect_answers(folder / "results", items, keys, digest=digest, **more)


def made(folder: Path, **files: Any) -> ChainedFile:
    """The rows of `down` after `up` was collected."""
    read(folder, **files)
    answer(folder)
    source = job(load_in(folder, rows=RowFiles())).source
    assert isinstance(source, ChainedFile), source
    return source


def rows_in(source: ChainedFile) -> list[Any]:
    return [json.loads(line) for line in source.path.read_bytes().splitlines()]


def test_rows_are_awaited_until_the_other_job_has_results(tmp_path: Path) -> None:
    found = job(read(tmp_path))

    assert isinstance(found.source, AwaitedRows)
    assert found.source.obstacle is None
    assert found.chain is not None
    assert (found.chain.job, found.depends_on, found.input_bytes, found.row_hashes) == ("up", ("up",), None, None)
    assert found.tree["source"] == {"fromJob": "up", "template": {"sha256": found.chain.template}}
    assert found.chain_rows is not None
    assert found.chain_rows.count is None
    assert job(load_in(tmp_path, rows=RowFiles()), "up").chain_rows is None


def test_collected_answers_make_the_rows(tmp_path: Path) -> None:
    source = made(tmp_path)

    assert rows_in(source) == [{"key": "a", "text": "Say one"}]
    assert source.count == ChainCount(1, 1, 0, (LeftOut("b", "INVALID_ARGUMENT"),))
    found = job(load_in(tmp_path, rows=RowFiles()))
    assert found.tree["source"] == {"rows": 1, "sha256": source.sha256}
    assert found.input_bytes == source.size > 0
    assert found.row_hashes is not None
    assert found.chain_rows is not None
    assert found.chain_rows.count == source.count


def test_the_digest_is_that_of_the_same_rows_in_a_file(tmp_path: Path) -> None:
    made(tmp_path)
    chained = job(load_in(tmp_path, rows=RowFiles())).digest

    write(tmp_path, {"rows.jsonl": '{"key": "a", "text": "Say one"}\n'})
    plain = DOWN.replace('{fromJob: up, template: {text: "Say ${row.text}"}}', "{file: rows.jsonl}")

    assert job(read(tmp_path, down=plain)).digest == chained


def test_answers_of_earlier_work_are_not_used_unless_the_change_is_kept(tmp_path: Path) -> None:
    read(tmp_path)
    answer(tmp_path, digest="d1:" + "cd" * 32)

    assert isinstance(job(load_in(tmp_path, rows=RowFiles())).source, AwaitedRows)
    kept = UP + "  lifecycle: {onChange: keep}\n"
    assert isinstance(job(read(tmp_path, up=kept)).source, ChainedFile)


def test_accepted_verdicts_are_those_of_the_other_job(tmp_path: Path) -> None:
    source = made(tmp_path, up=UP + "  rows: {accept: [INVALID_ARGUMENT]}\n", down=down_of("{text: '${row.key}'}"))

    assert rows_in(source) == [{"key": "a", "text": "a"}, {"key": "b", "text": "b"}]


def test_dependencies_are_named_once(tmp_path: Path) -> None:
    found = job(read(tmp_path, down=DOWN + "  dependsOn: [up]\n"))

    assert found.depends_on == ("up",)


def test_a_chain_of_three_is_read_from_its_start(tmp_path: Path) -> None:
    end = DOWN.replace("name: down", "name: a-end").replace("fromJob: up", "fromJob: down")
    read(tmp_path, down=f"{end}---\n{DOWN}")
    answer(tmp_path)
    middle = job(load_in(tmp_path, rows=RowFiles()))
    collect_answers(tmp_path / "results", [good("a", "two")], ["a"], job="down", digest=middle.digest)

    source = job(load_in(tmp_path, rows=RowFiles()), "a-end").source

    assert isinstance(source, ChainedFile)
    assert rows_in(source) == [{"key": "a", "text": "Say two"}]


VARIABLES = with_stack("variables: {tone: {default: kind}, cost: {default: '$'}, n: {type: number, default: 2}}")


@pytest.mark.parametrize(
    ("template", "row"),
    [
        ("{text: '${var.tone}: ${row.text}'}", {"text": "kind: one"}),
        ("{text: '$${row.text} ${row.text}'}", {"text": "${row.text} one"}),
        ("{text: '$${'}", {"text": "${"}),
        ("{text: '${shell} ${row.key}'}", {"text": "${shell} a"}),
        ("{text: '${var.cost}${row.key}'}", {"text": "$a"}),
        ("{text: '${var.cost}{row.key}'}", {"text": "${row.key}"}),
        ("{text: '${row.key}', n: '${var.n}', m: 'x${var.n}'}", {"text": "a", "n": 2, "m": "x2"}),
        ("{text: '${row.key}', list: [1, '${row.text}', {a: true}]}", {"text": "a", "list": [1, "one", {"a": True}]}),
    ],
)
def test_variables_and_placeholders_are_read_in_one_step(tmp_path: Path, template: str, row: dict[str, Any]) -> None:
    source = made(tmp_path, down=down_of(template), stack=VARIABLES)

    assert rows_in(source) == [{"key": "a", **row}]


def test_the_value_of_a_variable_is_no_placeholder(tmp_path: Path) -> None:
    stack = with_stack("variables: {tone: {default: '${row.key}'}}")

    assert rows_in(made(tmp_path, down=down_of("{text: '${var.tone}'}"), stack=stack)) == [
        {"key": "a", "text": "${row.key}"}
    ]


def test_variables_in_templates_count_against_the_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("batchctl.manifests.references.MOST_REPLACED", 7)
    down = down_of("{text: '${var.tone} ${var.tone} ${row.key}'}")
    write(tmp_path, {"batchctl.yaml": VARIABLES, "b-up.yaml": UP, "a-down.yaml": down})

    assert lines(tmp_path, rows=RowFiles()) == [
        (
            "a-down.yaml:6:39: TooLarge the expanded variables have more than 7 characters"
            " (shorten them, or use them in fewer places)"
        )
    ]


@pytest.mark.parametrize(
    ("kind", "model", "template"),
    [
        ("EmbeddingsBatchJob", "gemini-embedding-001", "{text: '${row.text}'}"),
        ("EmbeddingsBatchJob", "gemini-embedding-001", "{request: {content: {parts: [{text: '${row.text}'}]}}}"),
        ("BatchJob", "gemini-2.5-flash", "{contents: [{parts: [{text: '${row.text}'}]}], config: {temperature: 1}}"),
        ("BatchJob", "gemini-2.5-flash", "{text: '${row.json.a}', score: '${row.json.b}'}"),
        (
            "BatchJob",
            "gemini-2.5-flash",
            (
                "{request: {contents: [{role: user, parts: [{text: '${row.json.a}'}]}],"
                " generationConfig: {maxOutputTokens: '${row.json.n}', stopSequences: '${row.json.l}'}}}"
            ),
        ),
    ],
)
def test_every_form_of_a_row_can_be_a_template(tmp_path: Path, kind: str, model: str, template: str) -> None:
    found = job(read(tmp_path, down=down_of(template, kind, model)))

    assert found.row_kind is Kind(kind)


def test_a_warning_about_the_request_is_given_once(tmp_path: Path) -> None:
    template = "{request: {contents: [{role: USER, parts: [{text: '${row.text}'}]}]}}"
    warned = read(tmp_path, down=down_of(template)).warnings
    assert [(one.code, one.location.line) for one in warned] == [("UnknownValue", 6)]
    answer(tmp_path)

    again = load_in(tmp_path, rows=RowFiles())

    assert isinstance(job(again).source, ChainedFile)
    assert again.warnings == warned


def test_a_warning_about_all_rows_is_given_at_the_chain(tmp_path: Path) -> None:
    huge = {"maxOutputTokens": 65_536, "candidateCount": 8}
    template = f"{{request: {{contents: [{{parts: [{{text: x}}]}}], generationConfig: {json.dumps(huge)}}}}}"
    read(tmp_path, down=down_of(template))
    keys = [f"k{number}" for number in range(1200)]
    answer(tmp_path, [good(key, "x") for key in keys], keys)

    (warning,) = load_in(tmp_path, rows=RowFiles()).warnings

    assert (warning.code, warning.location.line, warning.location.column) == ("LargeResults", 6, 9)


def test_no_usable_answer_is_an_obstacle_and_no_error(tmp_path: Path) -> None:
    read(tmp_path)
    answer(tmp_path, [failed("a"), failed("b")])

    found = job(load_in(tmp_path, rows=RowFiles()))

    assert isinstance(found.source, AwaitedRows)
    assert found.source.obstacle is not None
    assert found.source.obstacle.words == "no answer of up can be used"
    assert found.chain_rows is not None
    assert found.chain_rows.count == found.source.obstacle.count


class OddRows(RowFiles):
    """Makes rows, and then writes others into the file."""

    def __init__(self, content: bytes, times: int) -> None:
        super().__init__()
        self._content = content
        self._left = times

    def make(self, results: Path, order: RowsOrder, *, afresh: bool = False) -> MadeRows | Obstacle | None:
        found = super().make(results, order, afresh=afresh)
        if isinstance(found, MadeRows) and self._left:
            self._left -= 1
            found.path.write_bytes(self._content)
        return found


OTHER = b'{"key":"a","text":"Say two"}\n'


@pytest.mark.parametrize("content", [OTHER, b"{]"])
def test_a_file_with_other_rows_is_made_again(tmp_path: Path, content: bytes) -> None:
    read(tmp_path)
    answer(tmp_path)

    source = job(load_in(tmp_path, rows=OddRows(content, 1))).source

    assert isinstance(source, ChainedFile)
    assert rows_in(source) == [{"key": "a", "text": "Say one"}]


@pytest.mark.parametrize(
    ("content", "words"),
    [(OTHER, "they are not the ones that were made"), (b"{]", "not JSON at column 2: expected a name")],
)
def test_a_file_that_cannot_be_read_back_is_a_passing_obstacle(tmp_path: Path, content: bytes, words: str) -> None:
    read(tmp_path)
    answer(tmp_path)

    source = job(load_in(tmp_path, rows=OddRows(content, 2))).source

    assert isinstance(source, AwaitedRows)
    assert source.obstacle is not None
    assert source.obstacle.words.startswith(f"the rows cannot be read back: {words}")
    assert not source.obstacle.is_lasting


def test_an_error_in_the_other_manifest_is_the_only_one(tmp_path: Path) -> None:
    write(tmp_path, {"batchctl.yaml": STACK, "b-up.yaml": UP.replace("text: hello", "txt: hello"), "a-down.yaml": DOWN})

    assert [line.split(" ")[0] for line in lines(tmp_path, rows=RowFiles())] == ["b-up.yaml:6:9:"]


VERTEX = """\
apiVersion: batchctl.dev/v1
kind: Stack
metadata: {name: shop, uid: k3v9q2}
spec:
  providers: {vertex: {type: vertex, project: p, location: europe-west4%s}}
"""


def test_vertex_needs_a_bucket_for_the_rows(tmp_path: Path) -> None:
    up = UP.replace("[{key: a, text: hello}, {key: b, text: world}]", "gs://demo/in.jsonl") + "  dest: gs://demo/out/\n"
    down = DOWN + "  dest: gs://demo/out/\n"
    write(tmp_path, {"batchctl.yaml": VERTEX % "", "b-up.yaml": up, "a-down.yaml": down})

    assert lines(tmp_path, rows=RowFiles()) == [
        (
            'a-down.yaml:6:8: MissingField the provider vertex has no "stagingBucket" to upload rows made from another job to'
            " (give it one in the stack file, such as gs://bucket/staging/)"
        )
    ]
    bucket = VERTEX % ", stagingBucket: gs://demo/staging/"
    assert isinstance(job(read(tmp_path, up, down, bucket)).source, AwaitedRows)


def test_old_embedding_models_of_vertex_get_no_rows(tmp_path: Path) -> None:
    up = UP.replace("[{key: a, text: hello}, {key: b, text: world}]", "gs://demo/in.jsonl") + "  dest: gs://demo/out/\n"
    down = down_of("{text: '${row.text}'}", model="text-embedding-005", dest="gs://demo/out/")
    write(
        tmp_path,
        {"batchctl.yaml": VERTEX % ", stagingBucket: gs://demo/s/", "b-up.yaml": up, "a-down.yaml": down},
    )

    assert [line.split(" ")[1] for line in lines(tmp_path, rows=RowFiles())] == ["InvalidValue"]
