"""The single benchmarks run, and their figures are written; how fast anything is, no test asks."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from tests.support.patience import PATIENCE
from tests.support.postgres_server import PostgresServer

ROOT = Path(__file__).parents[2]


def test_one_case_has_sizes_of_its_own(tmp_path: Path) -> None:
    figures = tmp_path / "figures.json"
    asked = ["results", "--rows", "50", "--rounds", "1", "--folder", str(tmp_path)]
    slow = ("jsonschema", "google.genai.types", "google.genai.types, from JSON")
    asked += ["--json", str(figures), *(word for name in slow for word in ("--skip", name))]
    command = [sys.executable, str(ROOT / "benchmarks" / "run.py"), *asked]
    done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, check=False)
    assert done.returncode == 0, done.stderr
    found = json.loads(figures.read_text())
    assert [measure["name"] for measure in found["results"]["measures"]] == ["batchctl", "json loop"]
    assert all(len(measure["runs"]) == 1 for measure in found["results"]["measures"])
    assert "50 rows" in done.stdout


def test_an_unknown_case_is_refused() -> None:
    command = [sys.executable, str(ROOT / "benchmarks" / "run.py"), "nothing"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, check=False)
    assert done.returncode == 2
    assert "there is no case nothing" in done.stderr


def test_the_web_page_is_measured(tmp_path: Path) -> None:
    figures = tmp_path / "figures.json"
    command = [sys.executable, str(ROOT / "benchmarks" / "web_page.py"), "--jobs", "20", "--rounds", "2", "--port", "0"]
    done = subprocess.run(
        [*command, "--json", str(figures)], capture_output=True, text=True, timeout=PATIENCE, check=False
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(figures.read_text())
    assert {len(one["ours"]) for one in found["addresses"].values()} == {2}
    assert found["addresses"]["/api/jobs?limit=100"]["bytes"] > 1000
    assert set(found["afterChange"]) == {"plan of the record", "jobs of the page", "jobs that changed"}


def test_a_shared_state_is_measured(tmp_path: Path) -> None:
    command = [sys.executable, str(ROOT / "benchmarks" / "shared_state.py"), "--jobs", "20", "--folder", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, check=False)
    assert done.returncode == 0, done.stderr
    assert "pass with one commit" in done.stdout
    assert "20 jobs" in done.stdout
    assert "a push has " in done.stdout


def test_a_state_in_postgresql_is_measured(tmp_path: Path, postgres: PostgresServer) -> None:
    program = str(ROOT / "benchmarks" / "shared_state.py")
    command = [sys.executable, program, "--jobs", "20", "--folder", str(tmp_path), "--database", postgres.url()]
    done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, check=False)
    assert done.returncode == 0, done.stderr
    _, _, found = done.stdout.partition("PostgreSQL")
    assert "  its commit " in found
    assert "bytes of the server's log" in found


def test_the_live_screen_is_measured_over_few_and_many_jobs(tmp_path: Path) -> None:
    figures = tmp_path / "figures.json"
    command = [sys.executable, str(ROOT / "benchmarks" / "repaint.py"), "--few", "30", "--jobs", "300"]
    done = subprocess.run(
        [*command, "--rounds", "1", "--json", str(figures)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(figures.read_text())
    assert [*found] == ["take in a plan", "paint after an event"]
    assert all(one["few"] > 0 and one["many"] > 0 for one in found.values())
