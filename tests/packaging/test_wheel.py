"""The wheel that users get: installed into an environment of its own, it has all that it needs."""

from __future__ import annotations

import json
import os
import shutil
import site
import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SCHEMAS = sorted(path.name for path in (ROOT / "schemas").glob("*.schema.json"))


def _run(*command: str | Path, cwd: Path, env: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        [str(word) for word in command],
        cwd=cwd,
        env=env,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done


@pytest.fixture(scope="module")
def program(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """`batchctl` in an environment that has the wheel; its dependencies are borrowed from ours."""
    folder = tmp_path_factory.mktemp("installed")
    venv.create(folder, with_pip=False)
    python = folder / "bin" / "python"
    _run(sys.executable, "-m", "pip", "--python", python, "install", "--no-deps", "--no-index", "-q", wheel, cwd=folder)
    (packages,) = folder.glob("lib/python*/site-packages")
    # Only what is installed there is borrowed: lines of `.pth` files, such as an editable install's, do not count.
    (packages / "borrowed.pth").write_text("".join(f"{path}\n" for path in site.getsitepackages()))
    return folder / "bin" / "batchctl"


@pytest.fixture
def env() -> dict[str, str]:
    """The environment without anything that leads Python or batchctl elsewhere."""
    strange = ("BATCHCTL_", "GOOGLE_", "GEMINI_", "PYTHON", "COV_", "VIRTUAL_ENV")
    return {name: value for name, value in os.environ.items() if not name.startswith(strange)}


def test_the_wheel_holds_the_package_and_every_schema_and_nothing_strange(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
    assert sorted(Path(name).name for name in names if name.startswith("batchctl/schemas/")) == SCHEMAS
    sources = {path.relative_to(ROOT).as_posix() for path in (ROOT / "batchctl").rglob("*.py")}
    assert {name for name in names if name.endswith(".py")} == sources
    page = {path.relative_to(ROOT).as_posix() for path in (ROOT / "batchctl" / "server" / "static").iterdir()}
    assert {name for name in names if name.startswith("batchctl/server/static/")} == page != set()
    assert {name.split("/")[0].split("-")[0] for name in names} == {"batchctl"}


def test_the_wheel_says_its_licence_and_that_it_has_types(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
        (metadata,) = (archive.read(name).decode() for name in names if name.endswith(".dist-info/METADATA"))
        (licence,) = (archive.read(name) for name in names if name.endswith(".dist-info/licenses/LICENSE"))
    assert "\nLicense-Expression: Apache-2.0\n" in metadata
    assert licence == (ROOT / "LICENSE").read_bytes()
    assert "batchctl/py.typed" in names


def test_it_is_the_installed_one_that_runs(program: Path, env: dict[str, str], tmp_path: Path) -> None:
    found = _run(
        program.with_name("python"), "-c", "import batchctl; print(batchctl.__file__)", cwd=tmp_path, env=env
    ).stdout
    assert Path(found.strip()).is_relative_to(program.parents[1])
    assert _run(program, "version", cwd=tmp_path, env=env).stdout.startswith("batchctl ")


def test_all_schemas_are_there(program: Path, env: dict[str, str], tmp_path: Path) -> None:
    listed = _run(program, "schema", cwd=tmp_path, env=env).stdout.split()
    assert sorted(f"{name}.schema.json" for name in listed) == SCHEMAS
    schema = json.loads(_run(program, "schema", "batchjob", cwd=tmp_path, env=env).stdout)
    assert schema["title"]


def test_the_examples_run_from_an_empty_folder(program: Path, env: dict[str, str], tmp_path: Path) -> None:
    examples = tmp_path / "examples"
    shutil.copytree(ROOT / "specs" / "examples", examples, ignore=shutil.ignore_patterns(".batchctl", "results"))
    empty = tmp_path / "empty"
    empty.mkdir()
    _run(program, "apply", "--config", examples / "batchctl.yaml", "--yes", "--wait", cwd=empty, env=env)
    status = _run(program, "status", "--config", examples, "-o", "json", cwd=empty, env=env)
    assert {job["phase"] for job in json.loads(status.stdout)["jobs"]} == {"Succeeded"}
    rows = _run(program, "results", "classify-tickets", "--config", examples, cwd=empty, env=env).stdout
    assert len(rows.splitlines()) == 5
    assert list(empty.iterdir()) == []
    _run(program, "report", "--config", examples, "--html", tmp_path / "page.html", cwd=empty, env=env)
    assert "classify-tickets" in (tmp_path / "page.html").read_text()


def test_init_and_the_served_emulator_run_from_the_wheel(program: Path, env: dict[str, str], tmp_path: Path) -> None:
    _run(program, "init", cwd=tmp_path, env=env)
    _run(program, "apply", "--yes", cwd=tmp_path, env=env)
    assert "serve" in _run(program, "emulator", "--help", cwd=tmp_path, env=env).stdout
