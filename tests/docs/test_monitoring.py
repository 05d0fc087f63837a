"""The alert rules and the dashboard name only metrics, labels and values that exist; promtool runs the rules."""

from __future__ import annotations

import json
import re
import runpy
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from batchctl.model.states import Phase
from batchctl.telemetry.catalogue import CATALOGUE, Metric
from tests.support.tools import tool

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "docs" / "monitoring"
RULES = FOLDER / "alerts.yaml"
SERIES: dict[str, Metric] = {name: metric for metric in CATALOGUE for name in metric.series}
OF_PROMETHEUS = {"up"}
OF_A_TARGET = {"stack", "job", "instance", "le"}
_WORDS = re.compile(r"\b(?:batchctl_\w+|up)\b(?=[\s{\[)]|$)")
_SELECTOR = re.compile(r"\b(batchctl_\w+)\{([^}]*)\}")
_MATCHER = re.compile(r'(\w+)(=~|!~|!=|=)"([^"]*)"')


def rules() -> list[dict[str, Any]]:
    return [rule for group in yaml.safe_load(RULES.read_text())["groups"] for rule in group["rules"]]


def dashboard() -> dict[str, Any]:
    found: dict[str, Any] = json.loads((FOLDER / "dashboard.json").read_text())
    return found


def expressions() -> Iterator[str]:
    yield from (rule["expr"] for rule in rules())
    for panel in dashboard()["panels"]:
        yield from (target["expr"] for target in panel.get("targets", ()))


def test_only_metrics_that_exist_are_named() -> None:
    named = {name for text in expressions() for name in _WORDS.findall(text)}
    assert named - OF_PROMETHEUS <= SERIES.keys()
    assert {SERIES[name] for name in named - OF_PROMETHEUS} > set(), "no metric was found at all"
    texts = json.dumps(dashboard()["templating"]) + (FOLDER / "alerts_test.yaml").read_text()
    assert set(re.findall(r"batchctl_\w+", texts)) <= SERIES.keys()


@pytest.mark.parametrize("text", sorted(set(expressions())))
def test_only_labels_and_phases_that_exist_are_named(text: str) -> None:
    for name, selector in _SELECTOR.findall(text):
        for label, _, value in _MATCHER.findall(selector):
            assert label in {*SERIES[name].labels, *OF_A_TARGET}, (name, label)
            if label == "phase":
                assert set(value.split("|")) <= {phase.value for phase in Phase}
    metrics = [SERIES[name] for name in _WORDS.findall(text) if name in SERIES]
    known = {label for metric in metrics for label in metric.labels} | OF_A_TARGET
    grouped = {label for group in re.findall(r"by \(([^)]*)\)", text) for label in re.split(r",\s*", group)}
    assert grouped <= known


def test_every_metric_of_the_state_is_on_the_dashboard_or_has_an_alert() -> None:
    named = {SERIES[name].name for text in expressions() for name in _WORDS.findall(text) if name in SERIES}
    shown = {metric.name for metric in CATALOGUE}
    assert shown - named <= {"batchctl_info", "batchctl_money_unknown_jobs", "batchctl_budget_unknown_attempts"}


def test_every_metric_is_documented() -> None:
    page = runpy.run_path(str(ROOT / "docs" / "generate_metrics.py"))["metrics_page"]()
    assert (ROOT / "docs" / "metrics.md").read_text(encoding="utf-8") == page, "run python docs/generate_metrics.py"
    assert all(f"`{metric.name}`" in page for metric in CATALOGUE)


def test_every_alert_is_explained_and_tried() -> None:
    page = (ROOT / "docs" / "monitoring.md").read_text(encoding="utf-8")
    tried = yaml.safe_load((FOLDER / "alerts_test.yaml").read_text())["tests"]
    cases = [case for test in tried for case in test["alert_rule_test"]]
    for rule in rules():
        name = rule["alert"]
        assert f"`{name}`" in page
        ends = {bool(case.get("exp_alerts")) for case in cases if case["alertname"] == name}
        assert ends == {True, False}, f"{name} is to fire in one case, and not in another"
        assert rule["labels"]["severity"] in {"warning", "critical"}
        assert {"summary", "description"} == rule["annotations"].keys()


def test_panels_have_places_of_their_own() -> None:
    cells: set[tuple[int, int]] = set()
    panels = dashboard()["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    for panel in panels:
        place = panel["gridPos"]
        own = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert not own & cells, panel["title"]
        assert all(x < 24 for x, _ in own)
        cells |= own


@pytest.mark.parametrize(("verb", "file"), [("check", "alerts.yaml"), ("test", "alerts_test.yaml")])
def test_promtool_accepts_the_rules(verb: str, file: str) -> None:
    done = subprocess.run(
        [tool("promtool"), verb, "rules", file], cwd=FOLDER, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "SUCCESS" in done.stdout
