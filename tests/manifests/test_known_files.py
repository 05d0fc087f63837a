"""Files that are not read again give what they gave: jobs, warnings and errors are those of a reading of all files."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from batchctl.manifests import file_forms, job_reader, reading_settings, references, slim_jobs
from batchctl.manifests.compose import compose
from batchctl.manifests.fault_list import Faults
from batchctl.manifests.file_forms import FileForms
from batchctl.manifests.known_files import KnownFiles
from batchctl.manifests.trust import Trust
from batchctl.model.desired import DesiredJob
from batchctl.model.errors import ManifestError
from batchctl.rows.reader import RowFiles
from tests.manifests.test_properties import free, quick, specs
from tests.support.broken_manifests import SOUND, SOUND_VERTEX, STACK_FILE, arrange, cases
from tests.support.long_mode import effort
from tests.support.manifest_files import EXAMPLES, JOB, STACK, load_in, with_spec, with_stack, write

Outcome = tuple[object, ...]


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The files whose YAML is read, by their names in messages."""
    found: list[str] = []

    def noting(data: bytes, shown: str, faults: Faults) -> Any:
        found.append(Path(shown).name)
        return compose(data, shown, faults)

    # The package has a function of the module's name.
    monkeypatch.setattr(sys.modules["batchctl.manifests.load"], "compose", noting)
    return found


def outcome(folder: Path, known: KnownFiles | None, **options: Any) -> Outcome:
    """All that a reading gives, with the order of members, and what is not compared."""
    faults = Faults()
    try:
        found = load_in(folder, known=known, faults=faults, rows=RowFiles(), **options)
    except ManifestError as error:
        return (error.diagnostics, error.warnings)
    return (found, found.warnings, found.accounts, [parts(job) for job in found.jobs])


def parts(job: DesiredJob) -> Outcome:
    source = {name: getattr(job.source, name) for name in getattr(job.source, "__annotations__", {})}
    ordered = json.dumps([dict(job.tree), job.request, job.labels, job.extra_body, job.webhook])
    return (job, source, ordered, str(job.location), repr(source.get("rows")))


@pytest.fixture(autouse=True)
def _two_are_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(file_forms, "LEAST_ALIKE", 2)


@contextmanager
def no_forms() -> Iterator[None]:
    """While each file is read as if no other one had its form."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(FileForms, "learn", lambda *_: None)
        yield


def remembering() -> KnownFiles:
    known = KnownFiles()
    known.remember()
    return known


def assert_same(folder: Path, known: KnownFiles | None = None, **options: Any) -> None:
    """Each file read for itself, with forms, and with what is in memory then."""
    with no_forms():
        each = outcome(folder, None, **options)
    known = known or remembering()
    for _ in range(3):
        assert outcome(folder, known, **options) == each


JOBS = {f"jobs/{name}.yaml": JOB.replace("classify", name) for name in ("a", "b", "c")}
SAMPLES = [
    with_spec("request: {systemInstruction: Be brief., generationConfig: {temperature: 0.5, seed: 3}}"),
    with_spec(
        "request: {generationConfig: {responseSchema: {type: OBJECT, properties: {z: {type: STRING}, a: {type: STRING}}}}}"
    ),
    with_spec("lifecycle: {backoffLimit: 2, retryOn: [FAILED], pendingDeadline: 1h, maxFailedRows: 5%, protect: true}"),
    with_spec("src: {fileName: files/abc}"),
    with_spec("adopt: batches/abc\nsrc: null"),
    with_spec(
        "dependsOn: [classify]\npriority: 3\nrunId: nightly\ndisplayName: Shown\nextraBody: {z: 1, a: {b: [1.5, null]}}"
    ),
    with_spec("canary: {rows: 1}\nsharding: {maxRows: 1}\nrows: {accept: [SAFETY], maxAttempts: 2}"),
    with_spec("src: [{key: a, request: {contents: [{parts: [{text: x}]}], model: y}}]"),
    with_spec("src: [{text: without a key}, {text: another}]"),
    with_spec("matrix: {axes: {lang: [de, fr], size: [1, 2.5]}}"),
    with_spec("kind: x"),
    JOB + "---\n" + JOB.replace("classify", "second"),
    JOB + "---\n" + JOB,
    "apiVersion: v1\nkind: List\nitems: []\n",
    "# nothing\n",
    JOB.replace("{name: classify}", "{name: classify, labels: {team: search, a: b}}"),
]


@pytest.mark.parametrize("manifest", SAMPLES)
def test_a_known_file_gives_what_it_gave(tmp_path: Path, manifest: str) -> None:
    write(tmp_path, {"batchctl.yaml": STACK, "job.yaml": manifest, **JOBS})
    assert_same(tmp_path)


@pytest.mark.parametrize("folder", [EXAMPLES, SOUND, SOUND_VERTEX], ids=lambda folder: folder.name)
def test_the_examples_are_the_same(folder: Path, tmp_path: Path) -> None:
    shutil.copytree(folder, tmp_path / "stack")
    assert_same(tmp_path / "stack")


@pytest.mark.no_cover
@pytest.mark.parametrize("group", sorted({case.parent.name for case in cases()}))
def test_broken_files_have_the_same_errors(group: str, tmp_path: Path) -> None:
    for number, case in enumerate(case for case in cases() if case.parent.name == group):
        if number % effort(4, 1):
            continue
        folder = tmp_path / f"{number}"
        folder.mkdir()
        stack = arrange(case, folder)
        if stack.name == STACK_FILE:
            write(folder, {"sound-a.yaml": JOB.replace("classify", "sound-a")})
            assert_same(folder)


@quick
@given(
    st.dictionaries(st.sampled_from(["a", "b", "c", "d"]), specs, max_size=4), st.dictionaries(free, free, max_size=2)
)
def test_random_stacks_are_the_same(jobs: dict[str, Any], labels: dict[str, str]) -> None:
    import tempfile

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        documents = []
        for job, spec in jobs.items():
            for copy in range(3):
                document = yaml.safe_load(JOB)
                document["metadata"] = {"name": f"{job}-{copy}", "labels": labels}
                document["spec"].update(spec)
                documents.append(json.dumps(document))
        write(folder, {"batchctl.yaml": STACK})
        for number, text in enumerate(documents):
            (folder / f"{number}.json").write_text(text, encoding="utf-8")
        assert_same(folder)


def test_only_changed_files_are_read_again(tmp_path: Path, read: list[str]) -> None:
    write(tmp_path, {"batchctl.yaml": STACK, **JOBS})
    known = remembering()
    with no_forms():
        first = load_in(tmp_path, known=known)
        again = load_in(tmp_path, known=known)
        assert read == ["a.yaml", "b.yaml", "c.yaml"]
        assert [job is other for job, other in zip(first.jobs, again.jobs, strict=True)] == [True] * 3
        write(tmp_path, {"jobs/b.yaml": JOBS["jobs/b.yaml"].replace("hello", "bye")})
        load_in(tmp_path, known=known)
        assert read[3:] == ["b.yaml"]
    assert_same(tmp_path, known)


VARIED = with_stack("""\
    variables: {model: {default: gemini-2.5-flash}}
    defaults: {model: "${var.model}"}
    providers: {gemini: {type: gemini}}
    """)


@pytest.mark.parametrize(
    ("stack", "options"),
    [
        (VARIED.replace("gemini-2.5-flash", "gemini-2.5-pro"), {}),
        (VARIED, {"set_values": ["model=gemini-2.5-pro"]}),
        (VARIED.replace("defaults: {", "defaults: {priority: 3, "), {}),
        (VARIED.replace("{type: gemini}", "{type: gemini, endpoint: emulator}"), {}),
        (VARIED + "  results: elsewhere\n", {}),
        (VARIED + "  limits: {lineBytes: 100000000}\n", {}),
        (VARIED, {"trust": Trust(allow_endpoint=frozenset({"b", "a"}))}),
        (VARIED, {"trust": Trust(allow_outside=True)}),
    ],
)
def test_other_settings_read_all_files_again(
    tmp_path: Path, stack: str, options: dict[str, Any], read: list[str]
) -> None:
    job = "apiVersion: batchctl.dev/v1\nkind: BatchJob\nmetadata: {name: a}\nspec: {src: [{key: a, text: b}]}\n"
    write(tmp_path, {"batchctl.yaml": VARIED, "a.yaml": job})
    known = remembering()
    load_in(tmp_path, known=known)
    write(tmp_path, {"batchctl.yaml": stack})
    read.clear()
    assert_same(tmp_path, known, **options)
    assert read == ["a.yaml"] * 2  # for itself, and once of three times


@pytest.mark.parametrize("setting", ["suspend: true", "limits: {maxCreate: 5}", "moved: [{from: x, to: a}]"])
def test_settings_that_concern_no_manifest_keep_what_is_known(tmp_path: Path, setting: str, read: list[str]) -> None:
    write(tmp_path, {"batchctl.yaml": STACK, **JOBS})
    known = remembering()
    load_in(tmp_path, known=known)
    write(tmp_path, {"batchctl.yaml": f"{STACK}  {setting}\n"})
    read.clear()
    load_in(tmp_path, known=known)
    assert read == []


def test_what_is_no_part_of_a_key_is_refused() -> None:
    with pytest.raises(TypeError, match="object"):
        reading_settings._plain(object())


def test_the_same_file_seen_from_another_folder_has_other_places(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path / "stack", {"batchctl.yaml": STACK, **JOBS})
    known = remembering()
    monkeypatch.chdir(tmp_path)
    assert_same(Path("stack"), known)
    monkeypatch.chdir(tmp_path / "stack")
    assert_same(Path(), known)
    assert str(load_in(Path(), known=known).jobs[0].location) == "jobs/a.yaml:1:1"


def test_jobs_that_depend_on_other_files_are_read_each_time(tmp_path: Path, read: list[str]) -> None:
    row = json.dumps({"key": "a", "text": "b"})
    files = {"rows.jsonl": row, "file.yaml": with_spec("src: {file: rows.jsonl}", name="file")}
    chain = with_spec('src: {fromJob: a, template: {text: "${row.text}"}}', name="chain")
    write(tmp_path, {"batchctl.yaml": STACK, **JOBS, **files, "chain.yaml": chain})
    known = remembering()
    assert_same(tmp_path, known)
    read.clear()
    load_in(tmp_path, known=known)
    assert read == ["chain.yaml", "file.yaml"]


def test_a_file_with_an_error_is_read_each_time(tmp_path: Path, read: list[str]) -> None:
    write(tmp_path, {"batchctl.yaml": STACK, **JOBS, "jobs/b.yaml": JOBS["jobs/b.yaml"] + "  zzz: 1\n"})
    known = remembering()
    assert_same(tmp_path, known)
    read.clear()
    outcome(tmp_path, known)
    assert read == ["b.yaml"]


def test_warnings_are_repeated_and_scoped(tmp_path: Path) -> None:
    doubtful = with_spec("request: {generationConfig: {mediaResolution: MEDIA_RESOLUTION_NEW}}", name="doubtful")
    write(tmp_path, {"batchctl.yaml": STACK, **JOBS, "doubtful.yaml": doubtful})
    assert load_in(tmp_path).warnings
    known = remembering()
    assert_same(tmp_path, known)
    for _ in range(2):
        faults = Faults(lambda path: path.startswith("jobs"), only_asked=True)
        assert load_in(tmp_path, known=known, faults=faults).warnings == ()


def test_limits_of_all_files_together_hold(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stack = with_stack("variables: {x: {default: abc}}\ndefaults: {priority: 1}\n")
    jobs = {f"{name}.yaml": with_spec("runId: is-${var.x}", name=name) for name in ("a", "b", "c")}
    write(tmp_path, {"batchctl.yaml": stack, **jobs})
    known = remembering()
    assert_same(tmp_path, known)
    for module in (job_reader, references):
        monkeypatch.setattr(module, "MOST_REPLACED", 6)
    assert_same(tmp_path, known)
    assert_same(tmp_path)
    assert "more than 6 characters" in str(outcome(tmp_path, known))
    monkeypatch.undo()
    monkeypatch.setattr(job_reader, "MOST_DEFAULT_VALUES", 4)
    assert_same(tmp_path, known)
    assert_same(tmp_path)
    assert "more than 4 values" in str(outcome(tmp_path, known))
    monkeypatch.undo()
    matrix = {f"{name}.yaml": with_spec("matrix: {axes: {lang: [de, fr]}}", name=name) for name in ("a", "b", "c")}
    write(tmp_path, matrix)
    assert_same(tmp_path, known)
    monkeypatch.setattr("batchctl.manifests.matrix.MOST_VALUES", 50)
    assert_same(tmp_path, known)
    assert "more than 50 values together" in str(outcome(tmp_path, known))


@pytest.mark.parametrize(
    "changed",
    [
        {"jobs/b.yaml": JOB.replace("classify", "a")},
        {"jobs/b.yaml": with_spec("dependsOn: [a]", name="b"), "jobs/a.yaml": with_spec("dependsOn: [b]", name="a")},
        {"jobs/b.yaml": with_spec("dependsOn: [zzz]", name="b")},
        {name: with_spec("adopt: batches/x\nsrc: null", name=name[5]) for name in ("jobs/a.yaml", "jobs/b.yaml")},
        {"batchctl.yaml": f"{STACK}  moved: [{{from: a, to: b}}]\n"},
        {"batchctl.yaml": f"{STACK}  zzz: 1\n", "jobs/a.yaml": "# nothing\n"},
    ],
)
def test_errors_between_known_files_are_the_same(tmp_path: Path, changed: dict[str, str]) -> None:
    write(tmp_path, {"batchctl.yaml": STACK, **JOBS})
    known = remembering()
    assert_same(tmp_path, known)
    write(tmp_path, changed)
    assert_same(tmp_path, known)
    assert isinstance(outcome(tmp_path, known)[0], list | tuple)


def test_standard_input_replaces_known_manifests(tmp_path: Path) -> None:
    write(tmp_path, {"batchctl.yaml": STACK, **JOBS})
    known = remembering()
    assert_same(tmp_path, known)
    given = JOBS["jobs/b.yaml"].replace("hello", "bye").encode()
    with no_forms():
        each = load_in(tmp_path, "-", stdin=given)
    assert load_in(tmp_path, "-", stdin=given, known=known) == each
    assert load_in(tmp_path, "-", stdin=given, known=known) == each


def test_values_that_jobs_have_in_common_are_shared(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path, {"batchctl.yaml": STACK, **JOBS})
    for forms in (True, False):
        if not forms:
            monkeypatch.setattr(FileForms, "learn", lambda *_: None)
        first, second, third = load_in(tmp_path).jobs
        assert first.lifecycle is second.lifecycle is third.lifecycle
    monkeypatch.setattr(slim_jobs, "_MOST_SHARED", 1)
    assert_same(tmp_path)


def test_an_upper_half_of_a_pair_stays_as_it_is(tmp_path: Path) -> None:
    stack = with_stack("variables: {x: {default: a}}\n")
    jobs = {f"{name}.yaml": with_spec('src: [{key: a, text: "${var.x}"}]', name=name) for name in ("a", "b")}
    write(tmp_path, {"batchctl.yaml": stack, **jobs})
    found, _ = load_in(tmp_path, set_values=["x=\udcff"], rows=RowFiles()).jobs
    assert found.source.rows[0].request["contents"][0]["parts"] == [{"text": "\udcff"}]
    assert_same(tmp_path, set_values=["x=\udcff"])


def test_a_text_that_is_not_utf_8_is_no_obstacle(tmp_path: Path) -> None:
    stack = with_stack("variables: {x: {default: a}}\n")
    jobs = {f"{name}.yaml": with_spec('runId: "${var.x}"', name=name) for name in ("a", "b", "c")}
    write(tmp_path, {"batchctl.yaml": stack, **jobs})
    assert_same(tmp_path, set_values=["x=\udcff"])
    assert load_in(tmp_path, set_values=["x=\udcff"]).jobs[2].run_id == "\udcff"
