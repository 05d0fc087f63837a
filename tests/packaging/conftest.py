"""The wheel that users get, built once: building one takes three seconds of processor time."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.image_file import stages
from tests.support.workflow_runs import ROOT


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built of nothing but what the first stage of docs/ci/Dockerfile copies."""
    folder = tmp_path_factory.mktemp("image")
    for words in stages()[1]:
        if words[0] == "COPY":
            *sources, target = words[1:]
            for source in sources:
                copy = shutil.copytree if (ROOT / source).is_dir() else shutil.copy
                copy(ROOT / source, folder / (target if len(sources) == 1 else source))
    command = [sys.executable, "-m", "pip", "wheel", ".", "--no-deps", "-q", "-w", "dist"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=240, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    (built,) = (folder / "dist").glob("*.whl")
    return built
