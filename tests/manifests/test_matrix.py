"""`spec.matrix`: the jobs that a manifest becomes, their names, and what is refused."""

from __future__ import annotations

import json
import re
import tempfile
from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from batchctl.manifests import matrix as matrix_module
from batchctl.manifests.known_files import KnownFiles
from tests.support.long_mode import effort
from tests.support.manifest_files import STACK, lines, load_in, with_spec, with_stack, write

TRANSLATE = """\
src: [{key: a, text: 'Into ${matrix.lang}, ${matrix.tone}'}]
request: {generationConfig: {temperature: '${matrix.heat}'}}
matrix:
  axes: {lang: [fr, zh_TW], tone: [formal, plain], heat: [0.5]}
"""
AXES = "axes: {lang: [fr, de], tone: [formal, plain]}"


def names(folder: Path, spec: str, stack: str = STACK, **options: object) -> list[str]:
    write(folder, {"batchctl.yaml": stack, "job.yaml": with_spec(spec)})
    return [job.name for job in load_in(folder, **options).jobs]


def test_each_combination_is_a_job_with_the_values_in_its_texts(tmp_path: Path) -> None:
    write(tmp_path, {"batchctl.yaml": STACK, "job.yaml": with_spec(TRANSLATE, name="t")})
    jobs = {job.name: job for job in load_in(tmp_path).jobs}
    assert sorted(jobs) == ["t-fr-formal-0-5", "t-fr-plain-0-5", "t-zh-tw-formal-0-5", "t-zh-tw-plain-0-5"]
    job = jobs["t-zh-tw-plain-0-5"]
    assert job.source.rows[0].request["contents"][0]["parts"] == [{"text": "Into zh_TW, plain"}]
    assert job.request == {"generationConfig": {"temperature": 0.5}}
    assert (job.expansion.name, job.expansion.values) == ("t", {"lang": "zh_TW", "tone": "plain", "heat": 0.5})
    assert str(job.expansion) == "lang=zh_TW, tone=plain, heat=0.5"
    assert {one.location.line for one in jobs.values()} == {1}


@pytest.mark.parametrize(
    ("matrix", "found"),
    [
        (AXES, ["fr-formal", "fr-plain", "de-formal", "de-plain"]),
        (f"{AXES}\n  exclude: [{{lang: fr, tone: plain}}, {{tone: formal}}]", ["de-plain"]),
        (f"{AXES}\n  include: [{{lang: ja, tone: formal}}]", ["fr-formal", "fr-plain", "de-formal", "de-plain", "ja-formal"]),
        (f"{AXES}\n  exclude: [{{lang: de}}]\n  include: [{{lang: de, tone: rude}}]", ["fr-formal", "fr-plain", "de-rude"]),
        ("axes: {n: [1, 2.5, true]}", ["1", "2-5", "true"]),
        ("axes: {n: [1, 2]}\n  exclude: [{n: '1'}]", ["2"]),
        ("axes: {lang: '${var.langs}'}", ["fr", "ja"]),
        ("axes: {lang: [fr]}\n  include: null\n  exclude: null", ["fr"]),
    ],
)  # fmt: skip
def test_the_combinations(tmp_path: Path, matrix: str, found: list[str]) -> None:
    stack = with_stack("variables: {langs: {type: list, default: [fr, ja]}}\n")
    assert names(tmp_path, f"matrix:\n  {matrix}\n", stack) == sorted(f"classify-{name}" for name in found)


def test_a_matrix_of_null_is_none(tmp_path: Path) -> None:
    assert names(tmp_path, "matrix: null") == ["classify"]


def test_members_that_include_adds(tmp_path: Path) -> None:
    spec = """\
    model: ${matrix.model}
    runId: ${matrix.lang}
    matrix:
      axes: {lang: [fr, ja]}
      include: [{model: small}, {lang: ja, model: large}]
    """
    write(tmp_path, {"batchctl.yaml": STACK, "job.yaml": with_spec(spec)})
    found = {job.name: (job.model, job.run_id, dict(job.expansion.values)) for job in load_in(tmp_path).jobs}
    assert found == {
        "classify-fr": ("small", "fr", {"lang": "fr"}),
        "classify-ja": ("large", "ja", {"lang": "ja"}),
    }


def test_a_name_may_have_references_itself(tmp_path: Path) -> None:
    spec = "matrix: {axes: {lang: [FR, zh_TW], size: [s]}}"
    write(tmp_path, {"batchctl.yaml": STACK, "job.yaml": with_spec(spec, name='"${matrix.size}-${matrix.lang}-x"')})
    assert [job.name for job in load_in(tmp_path).jobs] == ["s-fr-x", "s-zh-tw-x"]


def test_a_value_that_is_added_renames_no_job(tmp_path: Path) -> None:
    before = names(tmp_path, "matrix: {axes: {lang: [fr, de]}}")
    after = names(tmp_path, "matrix: {axes: {lang: [ja, de, fr]}}")
    assert set(after) - set(before) == {"classify-ja"}


def test_variables_and_escapes_are_read_once(tmp_path: Path) -> None:
    spec = """\
    runId: "${var.x} ${matrix.a} $${matrix.a} $${x}"
    matrix: {axes: {a: ["${var.x}", "$${var.x}"]}}
    """
    stack = with_stack('variables: {x: {default: "${matrix.a}"}}\n')
    write(tmp_path, {"batchctl.yaml": stack, "job.yaml": with_spec(spec)})
    assert sorted(job.run_id for job in load_in(tmp_path).jobs) == [
        "${matrix.a} ${matrix.a} ${matrix.a} ${x}",
        "${matrix.a} ${var.x} ${matrix.a} ${x}",
    ]


def test_chains_and_dependencies_name_the_jobs(tmp_path: Path) -> None:
    one = with_spec("matrix: {axes: {lang: [fr, de]}}", name="extract")
    template = "{request: {contents: [{parts: [{text: '${row.text} in ${matrix.lang}'}]}]}}"
    spec = f"src: {{fromJob: 'extract-${{matrix.lang}}', template: {template}}}\nmatrix: {{axes: {{lang: [fr, de]}}}}"
    after = with_spec("dependsOn: [extract-fr, b-de]", name="c")
    write(tmp_path, {"batchctl.yaml": STACK, "a.yaml": with_spec(spec, name="b"), "b.yaml": one, "c.yaml": after})
    jobs = {job.name: job for job in load_in(tmp_path).jobs}
    assert {name: jobs[name].depends_on for name in ("b-fr", "b-de", "c")} == {
        "b-fr": ("extract-fr",),
        "b-de": ("extract-de",),
        "c": ("extract-fr", "b-de"),
    }
    assert jobs["b-fr"].chain.template != jobs["b-de"].chain.template
    write(tmp_path, {"c.yaml": with_spec("dependsOn: [extract]", name="c")})
    assert lines(tmp_path) == [
        (
            'c.yaml:5:15: UnknownJob "dependsOn" names "extract", which is a manifest with a matrix '
            "(name its jobs: extract-fr, extract-de)"
        )
    ]


def test_known_files_keep_the_matrix(tmp_path: Path) -> None:
    write(tmp_path, {"batchctl.yaml": STACK, "job.yaml": with_spec("matrix: {axes: {lang: [fr, 1, true]}}")})
    known = KnownFiles()
    known.remember()
    first, again = (load_in(tmp_path, known=known).jobs for _ in range(2))
    assert first == again
    write(tmp_path, {"c.yaml": with_spec("dependsOn: [classify]", name="c")})
    assert "name its jobs: classify-fr, classify-1, classify-true" in lines(tmp_path, known=known)[0]


@pytest.mark.parametrize(
    ("spec", "faults"),
    [
        ("matrix: {}", ['5:11: MissingField the field "axes" is missing in "matrix" (The values of each axis)']),
        ("matrix: [a]", ['5:11: WrongType "matrix" must be a mapping, not a list']),
        ("matrix: {axes: {}}", ['5:18: InvalidValue "axes" may not be empty']),
        ("matrix: {axes: {a: []}}", ['5:22: InvalidValue "a" may not be empty']),
        ("matrix: {axes: {a: b}}", ['5:22: InvalidValue "a" cannot be "b" (it must be a list, or a reference to a variable such as ${var.langs})']),
        ("matrix: {axes: {a: ['${var.x}']}}", ['5:23: UnknownVariable there is no variable "x" (declare it under spec.variables of the stack file)']),
        ("matrix: {axes: {a: [{b: c}]}}", ['5:23: WrongType an item of "a" must be a string, a number or true or false, not a mapping']),
        ("matrix: {axes: {a: [x, y]}, exclude: [{b: x}]}", ['5:42: UnknownField the matrix has no axis "b" (one of: a)']),
        ("matrix: {axes: {a: [x, y]}, exclude: [{a: z}]}", ['5:41: InvalidValue an entry of "exclude" matches no combination (check its values)']),
        ("matrix: {axes: {a: [x]}, exclude: [{a: x}]}", ["5:11: InvalidValue the matrix has no job (remove an entry of exclude, or the manifest)"]),
        ("matrix: {axes: {a: [x]}, include: [{a: x}]}", ['5:38: InvalidValue an entry of "include" adds nothing (check its values)']),
        ("matrix: {axes: {a: [x], b: [y]}, include: [{a: z, c: 1}]}", ['5:46: InvalidValue an entry of "include" matches no combination (name the other axes, too, to add a combination: b)']),
        ("matrix: {axes: {a: [zh_TW, zh-tw]}}", ['5:30: DuplicateName two jobs of the matrix have the name "classify-zh-tw": a=zh_TW and a=zh-tw (first at job.yaml:5:23)']),
        ("matrix: {axes: {a: [x, '…']}}", ['5:26: InvalidValue the axis value "…" has no letter or digit for a name (names have only a-z, 0-9 and dashes)']),
        (f"matrix: {{axes: {{a: [{'x' * 40}, y]}}}}", [f"3:18: InvalidValue names of jobs are longer than 40 characters: classify-{'x' * 40} (shorten metadata.name or values, or write the name with references such as ${{matrix.NAME}})"]),
        ("runId: ${matrix.b}\nmatrix: {axes: {a: [x]}}", ['5:10: UnknownVariable the matrix has no axis "b" (one of: a)']),
        ("runId: ${matrix.b}\nmatrix: {axes: {a: [x, y]}, include: [{a: x, b: 1}]}", ['5:10: UnknownVariable the matrix has no value "b" for the job with a=y (give it one in include: an entry without axis values is for all jobs)', '5:10: WrongType "runId" must be a string, not a number, with a=x (quote it: "1")']),
        ("runId: x ${matrix.a\nmatrix: {axes: {a: [x]}}", ["5:10: InvalidValue a ${matrix.…} reference is not closed (write $${ for a plain ${)"]),
        ("runId: x ${matrix.a}", ["5:10: UnknownVariable there is no matrix for a ${matrix.…} reference (declare spec.matrix in the manifest, or write $${ for a plain ${)"]),
        ("src: {fromJob: other, template: {text: '${matrix.a}'}}", None),
    ],
)  # fmt: skip
def test_faults(tmp_path: Path, spec: str, faults: list[str] | None) -> None:
    write(tmp_path, {"batchctl.yaml": STACK, "job.yaml": with_spec(spec), "other.yaml": with_spec("", name="other")})
    found = lines(tmp_path)
    if faults is None:
        assert ["there is no matrix" in line for line in found] == [True]
    else:
        assert sorted(found) == sorted(f"job.yaml:{fault}" for fault in faults)


@pytest.mark.parametrize(
    ("spec", "says"),
    [
        ("modle: x\nmatrix: {axes: {a: [x, y, z]}}", ", in all 3 jobs of the matrix"),
        ("modle: x\nmatrix: {axes: {a: [x]}}", ", with a=x"),
        ("priority: '${matrix.a}'\nmatrix: {axes: {a: [1, x, y]}}", ", in 2 of 3 jobs of the matrix, such as a=x"),
        ("priority: '${matrix.a}'\nmatrix: {axes: {a: [1, x], b: [z]}}", ", with a=x, b=z"),
    ],
)
def test_an_error_says_which_jobs_have_it(tmp_path: Path, spec: str, says: str) -> None:
    write(tmp_path, {"batchctl.yaml": STACK, "job.yaml": with_spec(spec)})
    (line,) = lines(tmp_path)
    assert line.startswith("job.yaml:5:")
    assert says in line


def test_names_are_unique_beyond_the_matrix(tmp_path: Path) -> None:
    write(tmp_path, {"batchctl.yaml": STACK, "job.yaml": with_spec("matrix: {axes: {a: [x, y]}}")})
    write(tmp_path, {"other.yaml": with_spec("", name="classify-y")})
    assert lines(tmp_path) == ['other.yaml:3:18: DuplicateName the name "classify-y" is taken (first at job.yaml:3:18)']


def test_a_manifest_without_a_name_is_one_error(tmp_path: Path) -> None:
    text = with_spec("matrix: {axes: {a: [x, y]}}").replace("{name: classify}", "{}")
    write(tmp_path, {"batchctl.yaml": STACK, "job.yaml": text})
    assert ['the field "name" is missing' in line for line in lines(tmp_path)] == [True]


def test_the_bounds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def axes(*sizes: int) -> str:
        axes = {f"a{number}": list(range(size)) for number, size in enumerate(sizes)}
        return f"matrix: {json.dumps({'axes': axes})}"

    assert len(names(tmp_path, axes(16, 16))) == 256
    write(tmp_path, {"job.yaml": with_spec(axes(257))})
    assert lines(tmp_path) == ["job.yaml:5:11: TooLarge the matrix has 257 jobs; at most 256 jobs are allowed (divide it into several manifests)"]  # fmt: skip
    write(tmp_path, {"job.yaml": with_spec(axes(1025))})
    assert "more than 1024 combinations" in lines(tmp_path)[0]
    many = json.dumps([{"a": 1}] * 257)
    write(tmp_path, {"job.yaml": with_spec(f"matrix: {{axes: {{a: [1, 2]}}, exclude: {many}}}")})
    assert "more than 256 entries of exclude" in lines(tmp_path)[0]
    monkeypatch.setattr(matrix_module, "MOST_VALUES", 30)
    write(tmp_path, {"job.yaml": with_spec(axes(3))})
    assert lines(tmp_path) == ["job.yaml:5:11: TooLarge the jobs of all matrices have more than 30 values together, or too much text (put rows into a JSONL file: src: {file: PATH})"]  # fmt: skip


VALUES = st.one_of(st.sampled_from(["fr", "zh_TW", "a ${b}", "$${x}", "${var.v}"]), st.integers(0, 99), st.booleans())


@settings(max_examples=effort(25, 500), deadline=None)
@given(st.dictionaries(st.sampled_from("abc"), st.lists(VALUES, min_size=1, max_size=3, unique_by=str), min_size=1))
def test_an_expansion_is_the_job_written_out_by_hand(axes: dict[str, list[object]]) -> None:
    """The same digest, the same tree, the same everything."""
    stack = with_stack("variables: {v: {default: Var}}\n")
    manifest = {
        "apiVersion": "batchctl.dev/v1",
        "kind": "BatchJob",
        "metadata": {"name": "j", "labels": {"all": "x"}},
        "spec": {
            "model": "m",
            "displayName": "x " + " ".join(f"${{matrix.{axis}}}" for axis in axes),
            "src": [{"key": "k", "text": "t " + " and ".join(f"${{matrix.{axis}}}" for axis in axes), "n": f"${{matrix.{min(axes)}}}"}],
            "matrix": {"axes": axes},
        },
    }  # fmt: skip
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write(folder, {"batchctl.yaml": stack, "job.yaml": json.dumps(manifest)})
        jobs = load_in(folder).jobs
        for job in jobs:
            (folder / "job.yaml").write_text(yaml.safe_dump(by_hand(manifest, job.name, job.expansion.values)))
            (hand,) = load_in(folder).jobs
            assert (hand.name, hand.digest, hand.tree, hand.source) == (job.name, job.digest, job.tree, job.source)
            assert hand.display_name == job.display_name


def by_hand(manifest: dict[str, object], name: str, values: dict[str, object]) -> dict[str, object]:
    """The manifest of one job, as a person would write it: with a plain `${` escaped."""

    def written(value: object) -> str:
        return ("true" if value else "false") if isinstance(value, bool) else str(value)

    def filled(value: object) -> object:
        if isinstance(value, dict):
            return {key: filled(one) for key, one in value.items() if key != "matrix"}
        if isinstance(value, list):
            return [filled(one) for one in value]
        if not isinstance(value, str):
            return value
        whole = re.fullmatch(r"\$\{matrix\.(\w)\}", value)
        if whole and not isinstance(values[whole[1]], str):
            return values[whole[1]]
        return re.sub(r"\$\{matrix\.(\w)\}", lambda match: written(values[match[1]]).replace("${", "$${"), value)

    document = filled(manifest)
    document["metadata"]["name"] = name
    return document
