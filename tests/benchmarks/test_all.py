"""One command runs every case, its figures are kept, and the page is made from them."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from tests.benchmarks.in_benchmarks import FOLDER, ROOT, in_benchmarks
from tests.support.long_mode import effort

SLOW = (
    "jsonschema",
    "google.genai.types",
    "C loader + jsonschema",
    "loader + jsonschema",
    "google-genai",
    "google-genai, async",
    "google-genai, get",
    "google-genai, list",
)
"""Peers whose start alone takes a second; they run in the long mode."""
pytestmark = pytest.mark.timeout(1500)
"""The first test waits for the fixture, which starts some sixty programs."""
NEEDS_A_REGISTRY = "@google/genai"
CURVES = ("plan", "pass", "apply")


@pytest.fixture(scope="module", params=effort([SLOW], [SLOW, ()]))
def figures(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The figures of all cases, as small as they can be, without some peers."""
    folder = tmp_path_factory.mktemp("figures")
    kept = folder / "figures.json"
    asked = ["--tiny", "--folder", str(folder), "--json", str(kept)]
    asked += [word for name in (*request.param, NEEDS_A_REGISTRY) for word in ("--skip", name)]
    command = [sys.executable, str(FOLDER / "all.py"), *asked]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "| `--version` | at most 1.8 times bare python |" in done.stdout
    assert "targets are met." in done.stdout
    return kept


def test_every_case_is_measured(figures: Path) -> None:
    found = json.loads(figures.read_text())
    rows = ("validate", "upload", "collect", "results")
    curves = [f"{case}-curve" for case in CURVES]
    assert set(found) == {"start", "plan", "creates", "watch", *rows, "emulator", *curves}
    assert set(found["start"]["tables"]) == {"version", "help", "completion", "status"}
    for case in rows:
        tables = found[case]["tables"]
        assert {"batchctl", "json loop"} <= set(tables[case])
        assert set(tables[f"{case}, a tenth of the rows"]) == {"batchctl"}
    assert {"held", "longest", "logged", "commits", "state"} <= set(found["creates"]["tables"]["creates"]["batchctl"])
    assert found["plan-curve"]["curves"]["plan"]["sizes"] == [2, 4]
    assert all(one["about"]["takes"] for one in found.values())


def test_figures_are_read_as_they_were_written(figures: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy.json"
    program = "from record import *; write_figures(read_figures(Path({!r})), Path({!r}))"
    in_benchmarks(program.format(str(figures), str(copy)))
    assert json.loads(copy.read_text()) == json.loads(figures.read_text())


def test_groups_that_were_not_measured_keep_their_figures(figures: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy.json"
    copy.write_text('{"before": {"is": "kept"}}')
    program = (
        "from record import *; found = read_figures(Path({!r})); write_figures({{'plan': found['plan']}}, Path({!r}))"
    )
    in_benchmarks(program.format(str(figures), str(copy)))
    assert set(json.loads(copy.read_text())) == {"before", "plan"}


def test_the_page_has_the_figures_between_its_marks(figures: Path, tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    marks = ("targets", "runs", "figures", "growth")
    page.write_text("".join(f"{name} begin\n<!-- {name} -->\nold\n<!-- /{name} -->\n{name} end\n" for name in marks))
    program = "from page import *; write_page(read_figures(Path({!r})), Path({!r}))"
    in_benchmarks("from pathlib import Path; " + program.format(str(figures), str(page)))
    text = page.read_text()
    assert "old" not in text
    assert "| `plan` of 20 unchanged jobs | at most 1.5 times the bare C loader |" in text
    assert "| results | batchctl |" in text
    assert "| results | 200 rows of 580 bytes |" in text
    assert "| creates | 4 jobs, 0 ms a call |" in text
    assert "| apply-curve | up to 4 jobs |" in text
    assert "| `apply`, create and collect: CPU s |" in text
    for name in marks:
        assert f"{name} begin\n<!-- {name} -->\n\n|" in text
        assert f"<!-- /{name} -->\n{name} end\n" in text
    for case in CURVES:
        assert ET.fromstring((tmp_path / f"{case}-curve.svg").read_text()).tag.endswith("svg")


def test_a_page_without_a_place_for_figures_is_refused(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("<!-- targets -->\n")
    program = f"from page import *; write_page({{}}, Path({str(page)!r}))"
    with pytest.raises(subprocess.CalledProcessError, match="1") as failed:
        in_benchmarks(program)
    assert "the page has no place for targets" in failed.value.stderr
    assert page.read_text() == "<!-- targets -->\n"


KEPT = """
import json
from page import *
found, page = read_figures(), PAGE.read_text()
same = {name: text == (PAGE.parent / name).read_text() for name, text in plots(found).items()}
print(json.dumps([page == written(page, found), same]))
"""


def test_the_documented_figures_are_those_that_are_kept() -> None:
    same, plots = json.loads(in_benchmarks(KEPT))
    assert same
    assert plots == {f"{case}-curve.svg": True for case in CURVES}


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        (("nothing",), "there is no case nothing; there are start, plan"),
        (("--skip", "nobody"), "there is no peer nobody to skip; there are @google/genai; C loader"),
        (("--rounds", "0"), "--rounds is at least 1"),
        (("--tiny", "--write"), "--tiny measures nothing that could be written"),
    ],
)
def test_what_there_is_not_is_refused_with_what_there_is(asked: tuple[str, ...], said: str) -> None:
    command = [sys.executable, str(FOLDER / "all.py"), *asked]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)
    assert done.returncode == 2
    assert said in " ".join(done.stderr.split())
