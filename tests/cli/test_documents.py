"""Every JSON output and every results manifest in the life of a job with shards, a canary and retries, by its schema."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from tests.support.apis import GEMINI
from tests.support.closed_schemas import check_closed
from tests.support.command_line import Cli, Service, StackFolder
from tests.support.row_shop import QUICK, Shop, numbered

_DOCUMENTS = {
    "plan": ("plan",),
    "status": ("status",),
    "drift": ("drift",),
    "describe": ("describe", "translate"),
    "explain": ("explain", "translate"),
    "state-list": ("state", "list"),
    "state-show": ("state", "show", "translate"),
    "doctor": ("doctor",),
}
_SPEC = {
    "sharding": {"maxRows": 4},
    "canary": {"rows": 2},
    "rows": {"fallback": [{"when": ["MAX_TOKENS"], "request": {"generationConfig": {"maxOutputTokens": 8192}}}]},
    "lifecycle": {"retryOn": ["ROWS"]},
}


@pytest.fixture
def shop(stack: StackFolder, service: Service, cli: Cli, quick: list[float]) -> Shop:
    return Shop(stack, service, cli, GEMINI)


def check_all(shop: Shop) -> None:
    """Hold every output against its schema."""
    for name, command in _DOCUMENTS.items():
        found = shop.cli(*command, "-o", "json").json
        check_closed("error" if "error" in found else name, found)


def check_results(shop: Shop) -> set[str]:
    """Hold every results manifest and every printed row against its schema; gives the members of all ledgers."""
    found: set[str] = set()
    for path in shop.results.glob("*/manifest.json"):
        if not path.parent.is_symlink():
            manifest = json.loads(path.read_text())
            check_closed("results-manifest", manifest)
            found |= {*manifest, *manifest.get("ledger", {})}
    for row in shop.cli("results", "translate", "--join").rows:
        check_closed("results-row", row)
    return found


def test_no_output_has_a_key_that_its_schema_lacks(shop: Shop) -> None:
    cut = {"finishReason": "MAX_TOKENS", "unless": {"maxOutputTokens": 8192}}
    late = {"error": {"code": 13, "message": "late"}, "times": 1}
    rules = [{"match": {"nth": 2}, "fate": "fail", "error": {"code": 13, "message": "cannot read"}}]
    rules += [{"match": {"row": f"k{number}"}, "rowOutcomes": [one]} for number, one in ((8, cut), (9, late))]
    shop.service.rules(*({**QUICK, **rule} for rule in rules), QUICK)
    shop.write(numbered(12), **_SPEC)
    check_all(shop)
    check_closed("apply", shop.cli("apply", "--yes", "-o", "json").json)
    check_all(shop)
    check_closed("apply", shop.cli("apply", "--yes", "--wait", "-o", "json").json)
    assert {*(row["verdict"] for row in shop.rows())} == {"OK"}
    shop.write(numbered(12, k3="new"), **_SPEC)
    check_closed("diff", shop.cli("diff", "translate", "-o", "json").json)
    order = ("--rows", "key=k1,k2", "--set", "request.generationConfig.temperature=1")
    shop.cli("apply", "--yes", "--wait")
    check_closed("apply", shop.cli.ok("retry", "translate", *order, "--yes", "-o", "json").json)
    shop.cli.ok("apply", "--yes", "--wait")
    shop.write(reversed(numbered(12, k3="new")), **_SPEC)
    shop.cli.ok("apply", "--yes", "--wait")
    members = check_results(shop)
    assert {"canary", "shards", "reusedFrom", "renews", "sentWith", "missingTried"} <= members
    check_all(shop)


@pytest.mark.parametrize("path", sorted((Path(__file__).parents[2] / "docs").glob("*.md")), ids=lambda path: path.name)
def test_pages_name_schemas_that_exist(path: Path) -> None:
    names = re.findall(r"`batchctl schema ([a-z-]+)`", path.read_text(encoding="utf-8"))
    assert all((path.parents[1] / "schemas" / f"{name}.schema.json").is_file() for name in names)
