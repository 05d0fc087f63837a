"""The rules of docs/policy.md, run by interpreters of Rego and CEL over real plans."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from batchctl.report.plan_document import plan_document
from tests.support.report_samples import OPTIONS
from tests.support.sample_plan import PLAN, QUIET_PLAN

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "policy.md").read_text(encoding="utf-8")
REGO = re.findall(r"```rego\n(.*?)```", PAGE, re.DOTALL)
CEL = [block.splitlines() for block in re.findall(r"```cel\n(.*?)```", PAGE, re.DOTALL)]
DOCUMENT: dict[str, Any] = json.loads(json.dumps(plan_document(PLAN, OPTIONS)))
QUIET: dict[str, Any] = json.loads(json.dumps(plan_document(QUIET_PLAN, OPTIONS)))
BUDGET = [
    "summarize-en: the model gemini-2.5-pro is not allowed",
    "the plan buys about 6000000 tokens, and the limit is 5000000",
    "the size of 1 jobs is not known",
]


def expensive() -> dict[str, Any]:
    return {**DOCUMENT, "total": {**DOCUMENT["total"], "tokens": 6_000_000}}


def labelled(labels: dict[str, str]) -> dict[str, Any]:
    return {**DOCUMENT, "actions": [{**one, "labels": labels} for one in DOCUMENT["actions"]]}


def ask(module: str, rule: str, document: dict[str, Any]) -> list[str]:
    import regopy

    rego = regopy.Interpreter()
    rego.add_module("policy", module)
    rego.set_input(document)
    found = json.loads(str(rego.query(f"data.main.{rule}")))["expressions"][0]
    return sorted(found)


def holds(expressions: list[str], document: dict[str, Any]) -> list[bool]:
    import celpy

    env = celpy.Environment()
    plan = celpy.json_to_cel(document)
    return [bool(env.program(env.compile(text)).evaluate({"plan": plan})) for text in expressions]


def test_a_budget_and_a_list_of_models() -> None:
    assert ask(REGO[0], "deny", expensive()) == ["retry-it: the model gemini-2.5-pro is not allowed", *BUDGET]
    assert ask(REGO[0], "deny", QUIET) == []


def test_a_budget_and_a_list_of_models_in_cel() -> None:
    assert holds(CEL[0], expensive()) == [False, False]
    assert holds(CEL[0], QUIET) == [True, True]


def test_removals_of_production_and_missing_owners() -> None:
    production = labelled({"env": "prod", "team": "a"})
    assert ask(REGO[1], "deny", production) == [
        "cancel-it: cancel of a job with env=prod",
        "delete-it: delete of a job with env=prod",
        "summarize-en: replace of a job with env=prod",
    ]
    assert ask(REGO[1], "deny", labelled({"env": "test"})) == [
        f"{name}: the label team is missing" for name in ("classify", "retry-it", "summarize-en")
    ]
    assert ask(REGO[1], "deny", QUIET) == []
    assert ask(REGO[1], "warn", DOCUMENT)[0].endswith("403: caller lacks permission")


def test_removals_of_production_and_missing_owners_in_cel() -> None:
    assert holds(CEL[1], labelled({"env": "prod", "team": "a"})) == [False, True]
    assert holds(CEL[1], labelled({"env": "test"})) == [True, False]
    assert holds(CEL[1], QUIET) == [True, True]


def test_each_path_of_the_page_is_in_the_schema() -> None:
    schema = json.loads((ROOT / "schemas" / "plan.schema.json").read_text(encoding="utf-8"))["properties"]
    table = PAGE.partition("| path |")[2].partition("\n\n")[0]
    for cell in re.findall(r"^\| (`.*?) \| ", table, re.MULTILINE):
        last = ""
        for path in re.findall(r"`([^`]+)`", cell):
            last = path if not path.startswith(".") else last.rpartition(".")[0] + path
            found: Any = {"properties": schema}
            for part in last.replace("[]", "").split("."):
                found = found.get("items", found)["properties"][part]
