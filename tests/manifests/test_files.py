from __future__ import annotations

import errno
import os
from collections.abc import Mapping
from pathlib import Path

import pytest

from batchctl.manifests import manifest_files
from batchctl.manifests.fault_list import Faults
from batchctl.manifests.manifest_files import find_stack_file
from batchctl.manifests.trust import Trust
from batchctl.manifests.unread import unread_manifests
from batchctl.model.errors import ManifestError
from tests.support.manifest_files import JOB, STACK, faults_in, lines, load_in, with_spec, with_stack, write


def job(name: str) -> str:
    return JOB.replace("classify", name)


def names(folder: Path, *filenames: str, **options: object) -> list[str]:
    return [job.name for job in load_in(folder, *filenames, **options).jobs]


def paths(folder: Path, *filenames: str, **options: object) -> dict[str, str]:
    return {job.name: job.path for job in load_in(folder, *filenames, **options).jobs}


# The stack file


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    write(tmp_path, {"a/batchctl.yaml": "", "a/deep/er/job.yaml": "", "b/batchctl.yaml": "", "b/x.yaml": ""})
    return tmp_path


def test_the_search_order_of_the_stack_file(tree: Path) -> None:
    a, b = tree / "a", tree / "b"
    here = a / "deep"
    found = {
        "config": find_stack_file("../../b/batchctl.yaml", {"BATCHCTL_CONFIG": "../batchctl.yaml"}, [], here),
        "folder": find_stack_file(str(b), {}, [], here),
        "environment": find_stack_file(None, {"BATCHCTL_CONFIG": str(b / "batchctl.yaml")}, [str(here)], here),
        "file": find_stack_file(None, {}, ["-", "../../b/x.yaml", "er"], here),
        "missing": find_stack_file(None, {}, ["er/none.yaml"], here),
        "elsewhere": find_stack_file(None, {}, [str(tree)], here),
        "upwards": find_stack_file(None, {"BATCHCTL_CONFIG": ""}, [], here / "er"),
        "here": find_stack_file(None, {}, [], a),
    }
    assert {name: os.path.normpath(path) for name, path in found.items()} == {
        "config": str(b / "batchctl.yaml"),
        "folder": str(b / "batchctl.yaml"),
        "environment": str(b / "batchctl.yaml"),
        "file": str(b / "batchctl.yaml"),
        "missing": str(a / "batchctl.yaml"),
        "elsewhere": str(a / "batchctl.yaml"),
        "upwards": str(a / "batchctl.yaml"),
        "here": str(a / "batchctl.yaml"),
    }


def test_a_stack_file_below_the_working_folder_is_named_as_the_user_would(
    tree: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tree)
    assert str(find_stack_file(None, {}, ["a/deep"], Path())) == "a/batchctl.yaml"
    monkeypatch.chdir(tree / "b")
    assert str(find_stack_file(None, {}, [], Path())) == "batchctl.yaml"


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ("none.yaml", r"none.yaml: StackNotFound there is no such stack file \(name another one with --config\)"),
        (
            None,
            r"batchctl.yaml: StackNotFound no batchctl.yaml in .* above \(run `batchctl init` to create one, or",
        ),
    ],
)
def test_no_stack_file(tmp_path: Path, config: str | None, message: str) -> None:
    with pytest.raises(ManifestError, match=message):
        find_stack_file(config, {}, [], tmp_path)


# The manifests


def test_a_folder_is_read_recursively_without_hidden_files_and_results(tmp_path: Path) -> None:
    write(
        tmp_path,
        {
            "batchctl.yaml": STACK,
            "b.yaml": job("b"),
            "a.yml": job("a") + "---\n" + job("a2"),
            "deep/er/c.YAML": job("c"),
            "deep/d.json": '{"apiVersion": "batchctl.dev/v1", "kind": "BatchJob", "metadata": {"name": "d"},'
            ' "spec": {"model": "m", "src": "files/x"}}',
            "deep/README.md": "no manifest",
            "deep/rows.jsonl": "no manifest",
            ".hidden/x.yaml": "no: manifest",
            ".pre-commit-config.yaml": "no: manifest",
            "results/current/manifest.json": "{}",
            "deep/results/e.yaml": job("e"),
        },
    )
    assert paths(tmp_path) == {
        "a": "a.yml",
        "a2": "a.yml",
        "b": "b.yaml",
        "c": "deep/er/c.YAML",
        "d": "deep/d.json",
        "e": "deep/results/e.yaml",
    }


def test_named_files_and_folders_are_read_once(tmp_path: Path) -> None:
    write(
        tmp_path,
        {
            "batchctl.yaml": with_stack("manifests: [jobs, jobs/a.yaml, jobs/deep, other/x.txt]\nresults: jobs/out\n"),
            "jobs/a.yaml": job("a"),
            "jobs/deep/b.yaml": job("b"),
            "jobs/out/manifest.json": "{}",
            "other/x.txt": job("x"),
            "other/y.yaml": job("y"),
        },
    )
    assert names(tmp_path) == ["a", "b", "x"]


def test_filenames_add_manifests_that_the_stack_file_does_not_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(
        tmp_path,
        {"batchctl.yaml": with_stack("manifests: [jobs]\n"), "jobs/a.yaml": job("a"), "drafts/b.yaml": job("b")},
    )
    monkeypatch.chdir(tmp_path)
    assert names(tmp_path) == ["a"]
    assert names(tmp_path, "drafts") == ["a", "b"]
    assert names(tmp_path, "jobs/a.yaml", "drafts/b.yaml", str(tmp_path / "drafts")) == ["a", "b"]
    assert names(tmp_path, ".") == ["a"]
    assert lines(tmp_path, "dratfs") == ["-f dratfs: FileNotFound there is no file or folder dratfs"]


def test_places_are_named_through_the_folder_that_the_user_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(
        tmp_path,
        {
            "stack/batchctl.yaml": STACK,
            "stack/jobs/a.yaml": with_spec("src: {file: rows.jsonl}"),
            "stack/jobs/rows.jsonl": "{}",
        },
    )
    monkeypatch.chdir(tmp_path)
    (fault,) = faults_in(Path("stack"))
    assert str(fault.location) == "stack/jobs/rows.jsonl:1:1"
    write(tmp_path, {"stack/jobs/a.yaml": job("a")})
    (found,) = load_in(Path("stack")).jobs
    assert (str(found.location), found.path) == ("stack/jobs/a.yaml:1:1", "jobs/a.yaml")


def test_one_name_twice(tmp_path: Path) -> None:
    write(tmp_path, {"batchctl.yaml": STACK, "a.yaml": JOB, "b.yaml": "\n" + JOB + "---\n" + job("other")})
    assert lines(tmp_path) == ['b.yaml:4:18: DuplicateName the name "classify" is taken (first at a.yaml:3:18)']


def test_nameless_documents_are_no_duplicates(tmp_path: Path) -> None:
    nameless = JOB.replace("metadata: {name: classify}", "metadata: {}")
    write(tmp_path, {"batchctl.yaml": STACK, "a.yaml": nameless, "b.yaml": nameless})
    assert [line.split(" ")[1] for line in lines(tmp_path)] == ["MissingField", "MissingField"]


# Standard input


def test_standard_input_replaces_manifests_by_name(tmp_path: Path) -> None:
    write(
        tmp_path,
        {
            "batchctl.yaml": STACK,
            "a.yaml": job("a"),
            "b.yaml": job("b").replace("src:", "scr:"),
            "rows.jsonl": '{"key": "k", "text": "x"}\n',
        },
    )
    stdin = with_spec("src: {file: rows.jsonl}", name="b") + "---\n" + job("c")
    assert paths(tmp_path, "-", stdin=stdin.encode()) == {"a": "a.yaml", "b": "-", "c": "-"}
    assert [line.split(" ")[:2] for line in lines(tmp_path, "-", stdin=b"\nx: [")] == [
        ["-:2:5:", "InvalidYaml"],
        ["b.yaml:6:3:", "UnknownField"],
    ]


def test_standard_input_is_read_only_when_asked_for(tmp_path: Path) -> None:
    write(tmp_path, {"batchctl.yaml": STACK, "a.yaml": job("a")})
    assert names(tmp_path, stdin=job("b").encode()) == ["a"]
    assert names(tmp_path, "-") == ["a"]


# What may be read


def test_nothing_outside_the_stack_is_read_unless_allowed(tmp_path: Path) -> None:
    stack = tmp_path / "stack"
    write(
        tmp_path,
        {
            "stack/batchctl.yaml": with_stack("manifests: [., ../out/a.yaml]\n"),
            "out/a.yaml": job("a"),
            "out/b.yaml": job("b"),
        },
    )
    (stack / "link.yaml").symlink_to(tmp_path / "out/b.yaml")
    (stack / "folder").symlink_to(tmp_path / "out")
    assert [str(fault).split(" (")[0] for fault in faults_in(stack)] == [
        f"{stack}/batchctl.yaml:5:15: OutsideStack {stack}/folder is outside the stack's folder",
        f"{stack}/batchctl.yaml:5:15: OutsideStack {stack}/link.yaml is outside the stack's folder",
        f"{stack}/batchctl.yaml:5:18: OutsideStack {stack}/../out/a.yaml is outside the stack's folder",
    ]
    assert paths(stack, trust=Trust(allow_outside=True)) == {"a": "../out/a.yaml", "b": "../out/b.yaml"}


def test_a_filename_outside_the_stack_is_refused(tmp_path: Path) -> None:
    write(tmp_path, {"stack/batchctl.yaml": STACK, "out/a.yaml": job("a")})
    (fault,) = faults_in(tmp_path / "stack", str(tmp_path / "out"))
    assert fault.code == "OutsideStack"


def test_links_inside_the_stack_are_followed_and_circles_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(
        tmp_path,
        {"batchctl.yaml": with_stack("manifests: [jobs]\n"), "jobs/a.yaml": job("a"), "shared/b.yaml": job("b")},
    )
    (tmp_path / "jobs/shared").symlink_to(tmp_path / "shared")
    (tmp_path / "jobs/again").symlink_to(tmp_path / "jobs")
    (tmp_path / "jobs/same.yaml").symlink_to(tmp_path / "jobs/a.yaml")
    (tmp_path / "jobs/self").symlink_to(tmp_path / "jobs/self")
    listed: list[str] = []
    list_folder = manifest_files.list_folder

    def spy(path: Path) -> list[os.DirEntry[str]]:
        listed.append(path.name)
        return list_folder(path)

    # A circle ends by itself after forty links, but two of them would be walked 2**40 times.
    monkeypatch.setattr(manifest_files, "list_folder", spy)
    assert paths(tmp_path) == {"a": "jobs/a.yaml", "b": "shared/b.yaml"}
    assert listed == ["jobs", "shared"]


def test_an_unreadable_file_is_an_error(tmp_path: Path) -> None:
    write(tmp_path, {"batchctl.yaml": STACK})
    (tmp_path / "gone.yaml").symlink_to(tmp_path / "nowhere")
    os.mkfifo(tmp_path / "pipe.yaml")
    assert lines(tmp_path) == [
        "batchctl.yaml:1:1: UnreadableFile gone.yaml is not a regular file",
        "batchctl.yaml:1:1: UnreadableFile pipe.yaml is not a regular file",
    ]


def test_files_and_folders_without_permission(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path, {"batchctl.yaml": STACK, "a.yaml": JOB, "closed/b.yaml": JOB})
    opened, listed = manifest_files.read_start_in, manifest_files.list_folder

    # Permissions do not bind a superuser, as whom tests may run: the refusal is put in where the file system gives it.
    def refuse(folder: int, name: str, limit: int) -> bytes:
        if name == "a.yaml":
            raise PermissionError(13, "Permission denied", name)
        return opened(folder, name, limit)

    def refuse_folder(path: Path) -> list[os.DirEntry[str]]:
        if path.name == "closed":
            raise PermissionError(13, "Permission denied", str(path))
        return listed(path)

    monkeypatch.setattr(manifest_files, "read_start_in", refuse)
    monkeypatch.setattr(manifest_files, "list_folder", refuse_folder)
    assert lines(tmp_path) == [
        "batchctl.yaml:1:1: UnreadableFile a.yaml cannot be read: Permission denied",
        "batchctl.yaml:1:1: UnreadableFile closed cannot be read: Permission denied",
    ]


def test_a_manifest_beyond_the_bound(tmp_path: Path) -> None:
    write(tmp_path, {"batchctl.yaml": STACK})
    (tmp_path / "big.yaml").write_bytes(b"#" * (9 * 1024 * 1024))
    (line,) = lines(tmp_path)
    assert line.startswith("big.yaml:1:1: TooLarge the file is larger than 8 MB")


# Manifests that nothing names


def unread(folder: Path, *filenames: str, **options: object) -> list[str]:
    """The warnings about manifests that are not read, without the folder's own path."""
    warnings = load_in(folder, *filenames, **options).warnings
    return [str(warning).replace(f"{folder}/", "") for warning in warnings]


def of_jobs(folder: Path, files: Mapping[str, str], spec: str = "manifests: [jobs]\n") -> Path:
    write(folder, {"batchctl.yaml": with_stack(spec), "jobs/a.yaml": job("a"), **files})
    return folder


def test_a_manifest_beside_the_stack_file_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    words = "UnreadManifest this manifest is not read: spec.manifests of batchctl.yaml does not name it"
    of_jobs(tmp_path, {"b.yaml": job("b"), "deep/c.yaml": job("c")})
    assert unread(tmp_path) == [f"b.yaml: {words} (move it to jobs, or add b.yaml to spec.manifests)"]
    assert unread(of_jobs(tmp_path, {}, "manifests: [jobs/a.yaml]\n")) == [
        f"b.yaml: {words} (add b.yaml to spec.manifests)"
    ]
    assert unread(of_jobs(tmp_path, {}, "manifests: [jobs, b.yaml]\n")) == []
    assert unread(of_jobs(tmp_path, {}, "suspend: false\n")) == []
    of_jobs(tmp_path, {})
    monkeypatch.chdir(tmp_path)
    assert unread(tmp_path, "b.yaml") == []
    assert len(unread(tmp_path, "jobs")) == 1
    asked = Faults(lambda path: path.startswith("jobs/"), only_asked=True)
    assert unread(tmp_path, "jobs", faults=asked) == []


JSON = '{"apiVersion": "batchctl.dev/v1", "kind": "BatchJob", "metadata": {"name": "b"}}'


@pytest.mark.parametrize(
    ("name", "text", "is_one"),
    [
        ("b.yml", "# of the search team\n---\n" + job("b"), True),
        ("b.yaml", job("b").replace("kind: BatchJob", 'kind: "EmbeddingsBatchJob"  # of texts'), True),
        ("b.yaml", "apiVersion: batchctl.dev/v1\nkind: List\nitems: []\n", True),
        ("b.yaml", job("b").replace("\n", "\r\n"), True),
        ("b.yaml", job("b") + "bad: [", True),
        ("b.JSON", JSON, True),
        ("b.json", '\n{\n  "kind": "BatchJob",\n  "apiVersion":\n  "batchctl.dev/v1", "spec": {}}', True),
        ("b.json", '{"name": "b", "manifest": ' + JSON + "}", False),
        ("b.json", "[" + JSON + "]", False),
        ("b.yaml", "apiVersion: v1\nkind: ConfigMap\ndata:\n  b: |\n    " + job("b").replace("\n", "\n    "), False),
        ("b.yaml", job("b").replace("batchctl.dev", "example.org"), False),
        ("b.yaml", job("b").replace("BatchJob", "PriceList"), False),
        ("b.yaml", "", False),
        ("b.txt", job("b"), False),
        (".b.yaml", job("b"), False),
    ],
)
def test_only_manifests_of_jobs_count(tmp_path: Path, name: str, text: str, is_one: bool) -> None:
    of_jobs(tmp_path, {})
    (tmp_path / name).write_bytes(text.encode())
    assert [warning.split(":")[0] for warning in unread(tmp_path)] == [name] * is_one


def test_manifests_beside_a_second_stack_file_may_be_its_own(tmp_path: Path) -> None:
    of_jobs(tmp_path, {"b.yaml": job("b"), "other.yaml": STACK})
    assert unread(tmp_path) == []


def test_what_cannot_be_read_beside_the_stack_file_is_no_matter(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    of_jobs(tmp_path, {"b.yaml": job("b")})
    (tmp_path / "c.yaml").symlink_to("jobs/a.yaml")
    (tmp_path / "d.yaml").mkdir()
    assert unread_manifests(tmp_path, ["a.yaml", "b.yaml"]) == ["b.yaml"]
    assert len(unread(tmp_path)) == 1

    def refuse(_folder: Path) -> None:
        raise PermissionError(errno.EACCES, "Permission denied")

    scandir = os.scandir
    monkeypatch.setattr(os, "scandir", lambda path: refuse(path) if path == tmp_path else scandir(path))
    assert unread(tmp_path) == []
