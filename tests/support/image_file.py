"""docs/ci/Dockerfile, read."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

IMAGE = Path(__file__).resolve().parents[2] / "docs" / "ci" / "Dockerfile"


def instructions() -> list[list[str]]:
    """The instructions, each as words."""
    text = re.sub(r"^#.*\n", "", IMAGE.read_text(), flags=re.MULTILINE)
    return [shlex.split(line) for line in text.replace("\\\n", "").splitlines() if line]


def stages() -> list[list[list[str]]]:
    """The instructions of each stage, after those before the first one."""
    found: list[list[list[str]]] = [[]]
    for words in instructions():
        found += [[]] if words[0] == "FROM" else []
        found[-1].append(words)
    return found
