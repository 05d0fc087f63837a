"""A job whose rows are in a local file, on one API: what it sends, and the emulator's record of it."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from tests.support.apis import ApiCase
from tests.support.command_line import Cli, Service, StackFolder, check_schema

QUICK = {"pending": "0s", "running": "1s"}
"""The rule under which a job ends after a second."""


class Shop:
    """A job whose rows are in a local file, on one API."""

    def __init__(self, stack: StackFolder, service: Service, cli: Cli, api: ApiCase) -> None:
        self.service = service
        self.cli = cli
        self.stack = stack
        self.api = api
        stack.write_stack(providers={"main": dict(api.provider)})
        if api.seed:
            service.seed(buckets={"demo-out": {}, "demo-in": {}})

    @property
    def results(self) -> Path:
        return self.stack.path / "results" / "translate"

    def write(self, given_rows: Iterable[tuple[str, str]], end: str = "\n", **spec: Any) -> None:
        """Write the manifest and its rows, each a key and a text."""
        lines = [
            {"key": key, "request": {"contents": [{"role": "user", "parts": [{"text": text}]}]}}
            for key, text in given_rows
        ]
        text = "".join(json.dumps(line) + end for line in lines)
        (self.stack.job_path("translate").parent / "rows.jsonl").write_bytes(text.encode())
        given = {**self.api.spec("translate"), "src": {"file": "rows.jsonl"}, **spec}
        self.stack.write_job("translate", **given)

    def sent(self) -> list[int]:
        """The number of rows of each job, in the order of creation."""
        return [job["rows"] for job in self.service.jobs()]

    def rows(self) -> list[dict[str, Any]]:
        """The merged results; no row with a good answer was sent a second time."""
        assert self.record()["sentAfterAnswer"] == 0
        return self.cli.ok("results", "translate").rows

    def record(self) -> dict[str, Any]:
        found: dict[str, Any] = self.service.sent_rows()
        return found

    def work(self) -> dict[str, Any]:
        """The rows that a plan counts."""
        ran = self.cli.ok("plan", "-o", "json")
        check_schema("plan", ran.json)
        (action,) = ran.json["actions"]
        found: dict[str, Any] = action["rowWork"]
        return found


def numbered(count: int, **changed: str) -> list[tuple[str, str]]:
    return [(f"k{number}", changed.get(f"k{number}", f"text {number}")) for number in range(count)]


def keys(rows: Iterable[dict[str, Any]]) -> list[str]:
    return [row["key"] for row in rows]


def keys_of(rows: Iterable[tuple[str, str]]) -> list[str]:
    return [key for key, _ in rows]
