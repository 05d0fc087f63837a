"""Paths that a pull request must not choose: for the state, the results, the stack file, in Git's folder."""

from __future__ import annotations

from pathlib import Path

import pytest

from batchctl.manifests.load import load_stack
from batchctl.manifests.overrides import Overrides
from batchctl.manifests.trust import Trust
from batchctl.model.errors import ManifestError
from batchctl.model.stack import SharedPlace
from tests.support.manifest_files import JOB, STACK, lines, load_in, with_spec, with_stack, write

FIRST = "batchctl.yaml:5:3: "


def state_of(folder: Path, state: str | None, **trust: bool) -> Path:
    overrides = Overrides(state=state)
    return load_stack(folder / "batchctl.yaml", overrides=overrides, env={}, trust=Trust(**trust)).state


@pytest.mark.parametrize(
    ("spec", "fault"),
    [
        ("results: .git/hooks", 'InvalidValue "results" cannot be in .git (name a place of its own)'),
        ("results: x/../.git", 'InvalidValue "results" cannot be in .git (name a place of its own)'),
        ("results: .GIT/hooks", 'InvalidValue "results" cannot be in .GIT (name a place of its own)'),
        ("results: .github/workflows", 'InvalidValue "results" cannot be in .github (name a place of its own)'),
        ("results: .batchctl", 'InvalidValue "results" cannot be in .batchctl (name a place of its own)'),
        ("results: .batchctl/results", 'InvalidValue "results" cannot be in .batchctl (name a place of its own)'),
        ("results: sub/.git/x", 'InvalidValue "results" cannot be in .git (name a place of its own)'),
        ("state: .git/config", 'InvalidValue "state" cannot be in .git (name a place of its own)'),
        ("state: .github/state.db", 'InvalidValue "state" cannot be in .github (name a place of its own)'),
        (
            "state: .batchctl/emulator.db",
            'InvalidValue "state" is batchctl\'s own emulator.db (remove it: the default is .batchctl/state.db)',
        ),
        (
            "state: .batchctl/emulator.db-wal",
            'InvalidValue "state" is batchctl\'s own emulator.db-wal (remove it: the default is .batchctl/state.db)',
        ),
    ],
)
def test_places_of_state_and_results_that_are_refused(tmp_path: Path, spec: str, fault: str) -> None:
    write(tmp_path, {"batchctl.yaml": with_stack(spec + "\n")})
    assert lines(tmp_path) == [FIRST + fault]


@pytest.mark.parametrize(
    ("given", "address"),
    [
        ("gs://team", "gs://team/"),
        ("gs://team/prod/results", "gs://team/prod/results/"),
        ("gs://team/prod/results/", "gs://team/prod/results/"),
        ("gs://my.bucket_1/a b/ü", None),
        ("gs://team//", None),
        ("gs://team/a/../b", None),
        ("gs://Team/a", None),
        ("gs://", None),
    ],
)
def test_results_in_a_bucket(tmp_path: Path, given: str, address: str | None) -> None:
    write(tmp_path, {"batchctl.yaml": with_stack(f"results: '{given}'\n"), "job.yaml": JOB})
    if address is not None:
        assert load_in(tmp_path).stack.results == SharedPlace(address)
        return
    words = f"is not an address in a bucket: {given!a} (write it as gs://bucket/prefix/, or use a local folder)"
    assert lines(tmp_path) == [FIRST + f'InvalidValue "results" {words}']


def test_a_database_url_with_a_password(tmp_path: Path) -> None:
    write(tmp_path, {"batchctl.yaml": with_stack("state: postgresql://me:secret@db/x\n")})
    (line,) = lines(tmp_path)
    assert line.startswith(f'{FIRST}InvalidValue "state" must not have a password')
    assert "secret" not in line


@pytest.mark.parametrize("given", ["s3://team/a", "postgresql://user:secret@host/team"])
def test_results_at_another_kind_of_place(tmp_path: Path, given: str) -> None:
    write(tmp_path, {"batchctl.yaml": with_stack(f"results: '{given}'\n")})
    scheme = given.partition("://")[0]
    hint = "write it as gs://bucket/prefix/, or use a local folder"
    assert lines(tmp_path) == [FIRST + f'InvalidValue "results" cannot be at {scheme}:// ({hint})']
    write(tmp_path, {"batchctl.yaml": with_stack("results: gs:/team/a\n")})
    assert lines(tmp_path) == [FIRST + f'InvalidValue "results" has no // after gs: ({hint})']


def test_git_beyond_the_stacks_folder_stays_closed(tmp_path: Path) -> None:
    write(tmp_path, {"stack/batchctl.yaml": with_stack("results: ../.git/hooks\n")})
    with pytest.raises(ManifestError, match=r'"results" cannot be in \.git'):
        load_in(tmp_path / "stack", trust=Trust(allow_outside=True))


def test_a_stack_below_a_folder_named_git(tmp_path: Path) -> None:
    write(tmp_path, {".github/stack/batchctl.yaml": STACK, ".github/stack/job.yaml": JOB})
    assert load_in(tmp_path / ".github/stack").stack.results == tmp_path / ".github/stack/results"


def test_a_state_beside_the_usual_one(tmp_path: Path) -> None:
    write(tmp_path, {"batchctl.yaml": with_stack("state: .batchctl/other.db\n")})
    assert state_of(tmp_path, None) == tmp_path / ".batchctl/other.db"


@pytest.mark.parametrize("link", [".batchctl", ".batchctl/state.db", "results"])
@pytest.mark.parametrize("inside", [True, False])
def test_own_files_are_not_reached_through_links(tmp_path: Path, link: str, *, inside: bool) -> None:
    stack = tmp_path / "stack"
    write(tmp_path, {"stack/batchctl.yaml": STACK, "stack/inside/x": "", "outside/x": ""})
    (stack / link).parent.mkdir(exist_ok=True)
    (stack / link).symlink_to(stack / "inside" if inside else tmp_path / "outside")
    field = "results" if link == "results" else "state"
    words = "leads through a symbolic link" if inside else "is outside the stack's folder"
    with pytest.raises(ManifestError, match=f'OutsideStack "{field}" {words}'):
        load_in(stack)
    assert load_in(stack, trust=Trust(allow_outside=True)).stack


def test_the_operators_state_is_resolved_unless_the_checkout_decides(tmp_path: Path) -> None:
    stack = tmp_path / "stack"
    write(tmp_path, {"stack/batchctl.yaml": STACK, "real/x": ""})
    (tmp_path / "named").symlink_to(tmp_path / "real")
    assert state_of(stack, str(tmp_path / "named/s.db")) == tmp_path / "real/s.db"
    assert state_of(stack, str(stack / "s.db")) == stack / "s.db"
    (stack / "var").symlink_to(tmp_path / "real")
    with pytest.raises(ManifestError, match=r'^--state: OutsideStack "state" is outside'):
        state_of(stack, str(stack / "var/s.db"))


def test_a_stack_file_that_is_a_link_out_of_its_folder(tmp_path: Path) -> None:
    write(
        tmp_path, {"secret": "machine github.com password hunter2", "stack/x": "", "stack/..data/batchctl.yaml": STACK}
    )
    (tmp_path / "stack/batchctl.yaml").symlink_to(tmp_path / "secret")
    with pytest.raises(ManifestError, match=r"OutsideStack the stack file is a link") as caught:
        load_in(tmp_path / "stack")
    assert "hunter2" not in str(caught.value)
    # As Kubernetes mounts a ConfigMap.
    (tmp_path / "stack/batchctl.yaml").unlink()
    (tmp_path / "stack/batchctl.yaml").symlink_to("..data/batchctl.yaml")
    assert load_in(tmp_path / "stack").stack.name == "shop"


def test_files_in_the_git_folder_are_refused(tmp_path: Path) -> None:
    write(
        tmp_path,
        {
            "batchctl.yaml": with_stack("manifests: [.git/config, jobs]\n"),
            "jobs/a.yaml": with_spec("src: {file: ../.git/config}"),
            ".git/config": "[http]\nextraheader = AUTHORIZATION: basic c2VjcmV0\n",
        },
    )
    found = lines(tmp_path)
    assert [line.partition(" (")[0] for line in found] == [
        "batchctl.yaml:5:15: OutsideStack .git/config is in Git's own folder",
        "jobs/a.yaml:5:15: OutsideStack .git/config is in Git's own folder",
    ]
