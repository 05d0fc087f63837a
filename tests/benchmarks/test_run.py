"""The benchmarks run, and their figures are written; how fast anything is, no test asks."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from tests.support.long_mode import effort
from tests.support.patience import PATIENCE
from tests.support.postgres_server import PostgresServer

ROOT = Path(__file__).parents[2]

SLOW = ("jsonschema", "google.genai.types", "the same, from JSON")
"""Peers whose start alone takes a second; they run in the long mode."""


@pytest.mark.parametrize("peers", effort([()], [(), SLOW]))
def test_every_case_runs_beside_its_peers(peers: tuple[str, ...], tmp_path: Path) -> None:
    figures = tmp_path / "figures.json"
    asked = ["--rows", "200", "--jobs", "20", "--rounds", "1", "--folder", str(tmp_path), "--json", str(figures)]
    asked += [word for name in SLOW if name not in peers for word in ("--skip", name)]
    slow = ["--skip", "C loader + jsonschema", "--skip", "loader + jsonschema"]
    command = [sys.executable, str(ROOT / "benchmarks" / "run.py"), *asked, *slow]
    done = subprocess.run(command, capture_output=True, text=True, timeout=240, check=False)
    assert done.returncode == 0, done.stderr
    found = json.loads(figures.read_text())
    for case in ("validate", "upload", "collect", "results"):
        names = [measure["name"] for measure in found[case]["measures"]]
        assert names[0] == "batchctl"
        assert {"json loop", *peers} <= set(names)
        assert all(len(measure["runs"]) == 1 for measure in found[case]["measures"])
        assert case in done.stdout
    for case, peer in (("version", "python"), ("help", "click"), ("completion", "click"), ("status", "click")):
        assert [measure["name"] for measure in found[case]["measures"]] == ["batchctl", peer]
    ours = ["batchctl", "batchctl, one changed"]
    assert [measure["name"] for measure in found["plan"]["measures"]][:3] == [*ours, "C loader alone"]


def test_an_unknown_case_is_refused() -> None:
    command = [sys.executable, str(ROOT / "benchmarks" / "run.py"), "nothing"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, check=False)
    assert done.returncode == 2
    assert "there is no case nothing" in done.stderr


def in_benchmarks(program: str) -> str:
    """What a program prints that imports modules of the benchmarks."""
    folder = ROOT / "benchmarks"
    return subprocess.run(
        [sys.executable, "-c", program], cwd=folder, capture_output=True, text=True, check=True
    ).stdout


def test_a_curve_is_drawn_with_one_point_for_each_size() -> None:
    points = "[Series('x', {'cpu': [2.0], 'peak': [50.0]}), Series('x', {'cpu': [20.0], 'peak': [500.0]})]"
    curve = f"Curve('plan', [100, 1000], {{'first': {points}, 'again': {points}}})"
    out = in_benchmarks(f"from curve import *; one = {curve}; print(one.exponent('first', 'cpu')); print(plot(one))")
    exponent, _, plot = out.partition("\n")
    assert float(exponent) == pytest.approx(1)
    lines = ET.fromstring(plot).findall("{http://www.w3.org/2000/svg}polyline")
    assert [len(line.attrib["points"].split()) for line in lines] == [2] * 4


@pytest.mark.parametrize(("factor", "exponent"), [(10, 1), (100, 2), (1, 0)])
def test_the_exponent_of_growth_is_that_of_the_last_two_sizes(factor: int, exponent: int) -> None:
    points = f"[Series('x', {{'cpu': [one]}}) for one in (7.0, 1.0, {factor}.0)]"
    out = in_benchmarks(
        f"from curve import *; print(Curve('a', [10, 100, 1000], {{'x': {points}}}).exponent('x', 'cpu'))"
    )
    assert float(out) == pytest.approx(exponent)


def test_one_command_runs_the_cases_and_prints_their_targets(tmp_path: Path) -> None:
    figures = tmp_path / "figures.json"
    asked = ["--tiny", "start", "watch", "--folder", str(tmp_path), "--json", str(figures)]
    command = [sys.executable, str(ROOT / "benchmarks" / "all.py"), *asked]
    done = subprocess.run(command, capture_output=True, text=True, timeout=240, check=False)
    assert done.returncode == 0, done.stderr
    found = json.loads(figures.read_text())["cases"]
    assert set(found) == {"version", "help", "completion", "status", "watch"}
    assert found["watch"]["google-genai, get"]["calls"] == [20]
    assert "| `--version` | at most 1.8 times bare python |" in done.stdout
    assert "targets are met." in done.stdout


ROWS = """
from targets import *
rows = [at_most("a", "times b", 2, [1.0, 3.0, 2.0]), faster("c", "d", 2, [1.5, 1.0]), Row("e", "KiB", [4.0], None)]
print(markdown(rows))
"""


def test_a_target_is_met_by_the_median_of_its_rounds() -> None:
    assert in_benchmarks(ROWS).splitlines()[2:] == [
        "| a | at most 2 times b | 2 | 1 - 3 | yes |",
        "| c | at least 2 times as fast as d | 1.25 | 1 - 1.5 | no |",
        "| e | KiB | 4 | 4 - 4 |  |",
    ]


def test_the_table_is_written_between_its_marks(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("before\n<!-- targets -->\nold\n<!-- /targets -->\nafter\n")
    in_benchmarks(f"import all; from pathlib import Path; all.write_page('new', Path({str(page)!r}))")
    assert page.read_text() == "before\n<!-- targets -->\n\nnew\n<!-- /targets -->\nafter\n"


def test_the_web_page_is_measured(tmp_path: Path) -> None:
    figures = tmp_path / "figures.json"
    command = [sys.executable, str(ROOT / "benchmarks" / "web_page.py"), "--jobs", "20", "--rounds", "2", "--port", "0"]
    done = subprocess.run([*command, "--json", str(figures)], capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    found = json.loads(figures.read_text())
    assert {len(one["ours"]) for one in found["addresses"].values()} == {2}
    assert found["addresses"]["/api/jobs?limit=100"]["bytes"] > 1000
    assert set(found["afterChange"]) == {"plan of the record", "jobs of the page", "jobs that changed"}


def test_a_shared_state_is_measured(tmp_path: Path) -> None:
    command = [sys.executable, str(ROOT / "benchmarks" / "shared_state.py"), "--jobs", "20", "--folder", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    assert "pass with one commit" in done.stdout
    assert "20 jobs" in done.stdout
    assert "a push has " in done.stdout


def test_a_state_in_postgresql_is_measured(tmp_path: Path, postgres: PostgresServer) -> None:
    program = str(ROOT / "benchmarks" / "shared_state.py")
    command = [sys.executable, program, "--jobs", "20", "--folder", str(tmp_path), "--database", postgres.url()]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
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
