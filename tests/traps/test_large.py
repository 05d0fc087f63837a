"""The trap of very large inline results: they are kept in little memory, however large they are.

A small form always runs. With BATCHCTL_LONG=1 in the environment it has the size that was seen: 1.2 GB.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from tests.support.long_mode import effort

MEMORY = 200_000_000
"""Bytes of address space, Python and the libraries included."""
ITEM_BYTES = 2_000_000
ITEMS = effort(30, 600)
"""They stand in the answer twice."""


def large(folder: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(Path(__file__).with_name("large_child.py")), str(folder)]
    # Each thread's arena of malloc takes address space that nobody uses.
    environment = {**os.environ, "MALLOC_ARENA_MAX": "2", "TMPDIR": str(folder)}
    numbers = [str(ITEMS), str(ITEM_BYTES), str(MEMORY)]
    return subprocess.run([*command, *numbers], capture_output=True, text=True, check=False, env=environment)


def test_very_large_inline_results(tmp_path):
    """9, 13: 1.2 GB of images were seen in one answer."""
    done = large(tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    told = json.loads(done.stdout)
    assert (told["phase"], told["ok"]) == ("Succeeded", ITEMS)
    assert told["bytes"] > ITEMS * ITEM_BYTES
    assert told["peak"] < MEMORY
