"""The third-party clients (`clients.toml`) and their recorded outcomes (`outcomes.json`)."""

from __future__ import annotations

import json
import tomllib
from dataclasses import dataclass, field
from pathlib import Path

HERE = Path(__file__).parents[1] / "clients"
PROGRAMS = HERE / "programs"
REGISTRY = HERE / "clients.toml"
RECORD = HERE / "outcomes.json"
WORKS = "works"

Outcomes = dict[str, dict[str, str]]
"""By API and operation: `works`, or the reason why it does not."""


@dataclass(frozen=True)
class Client:
    """One client, with the program that uses it."""

    name: str
    program: str
    runtime: str
    version: str
    lane: str
    setup: str
    packages: list[str]
    arguments: list[str] = field(default_factory=list)
    environment: dict[str, str] = field(default_factory=dict)


def clients() -> list[Client]:
    """All clients, in the order of the file."""
    return [Client(**entry) for entry in tomllib.loads(REGISTRY.read_text(encoding="utf-8"))["client"]]


def recorded(client: Client) -> Outcomes:
    """The recorded outcomes; empty if the client was never run."""
    outcomes: Outcomes = _record().get(client.name, {}).get("outcomes", {})
    return outcomes


def recorded_hosts(client: Client) -> list[str]:
    """The other hosts that the client contacted in spite of its set-up."""
    hosts: list[str] = _record().get(client.name, {}).get("otherHosts", [])
    return hosts


def keep(client: Client, version: str, date: str, outcomes: Outcomes, hosts: list[str]) -> None:
    """Record a run; it replaces the previous one."""
    record = {
        **_record(),
        client.name: {"version": version, "date": date, "otherHosts": hosts, "outcomes": outcomes},
    }
    names = [one.name for one in clients()]
    ordered = {name: record[name] for name in names if name in record}
    RECORD.write_text(json.dumps(ordered, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def _record() -> dict[str, dict]:
    return json.loads(RECORD.read_text(encoding="utf-8")) if RECORD.exists() else {}
