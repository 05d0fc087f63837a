"""Runs programs that import modules of the benchmarks, in processes of their own."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "benchmarks"


def in_benchmarks(program: str) -> str:
    """What a program prints."""
    command = [sys.executable, "-c", program]
    return subprocess.run(command, cwd=FOLDER, capture_output=True, text=True, check=True).stdout
