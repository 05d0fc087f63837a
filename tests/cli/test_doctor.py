"""`doctor`: what is well, and what is not, each with its way out."""

from __future__ import annotations

import sqlite3
from typing import Any

import pytest

from batchctl.cli.doctor import _uploads_finding
from batchctl.model.ports.providers import FileUse
from tests.support.command_line import Cli, Service, StackFolder, check_schema


def findings(ran: Any) -> dict[tuple[str, str], dict[str, str]]:
    check_schema("doctor", ran.json)
    return {(item["subject"], item["check"]): item for item in ran.json["findings"]}


def test_all_is_well(stack: StackFolder, cli: Cli, service: Service) -> None:
    stack.write_job("translate")
    found = findings(cli.ok("doctor", "-o", "json"))
    assert {item["health"] for item in found.values()} == {"ok"}
    assert found["state", "readable"]["detail"].endswith("none yet")
    assert found["gemini", "reachable"]["detail"] == "jobs listed; no jobs there"
    cli.ok("apply", "--yes")
    assert "1 job, serial" in findings(cli.ok("doctor", "-o", "json"))["state", "readable"]["detail"]
    assert cli.ok("doctor").out.endswith("No problems found.\n")
    assert service.creates == 1


def test_the_embedded_emulator_is_told_as_such(stack: StackFolder, cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("BATCHCTL_EMULATOR")
    assert findings(cli.ok("doctor", "-o", "json"))["gemini", "account"]["detail"] == "gemini emulator (embedded)"


def test_what_is_known_of_an_account_is_told_on_the_emulator_too(
    stack: StackFolder, cli: Cli, service: Service
) -> None:
    place = {"type": "vertex", "endpoint": "emulator", "project": "demo", "location": "eu"}
    others = {"bare": place, "staged": {**place, "location": "us", "stagingBucket": "gs://b"}}
    stack.write_stack(providers={"gemini": {"type": "gemini", "endpoint": "emulator"}, **others})
    found = {key: item["detail"] for key, item in findings(cli.ok("doctor", "-o", "json")).items()}
    assert {found[name, "credentials"] for name in ("gemini", *others)} == {"none needed"}
    assert [found["bare", check] for check in ("project", "location")] == ["demo", "eu"]
    assert found["bare", "staging bucket"].startswith("none: local files cannot be sent; set ")
    assert found["staged", "staging bucket"] == "gs://b/"


def test_a_key_is_told_by_its_fingerprint_only(
    stack: StackFolder, cli: Cli, service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    stack.write_stack(providers={"gemini": {"type": "gemini", "endpoint": service.url}})
    monkeypatch.setenv("GEMINI_API_KEY", "a-recognisable-secret")
    ran = cli.ok("doctor", "-o", "json")
    assert "fingerprint" in findings(ran)["gemini", "credentials"]["detail"]
    assert "recognisable" not in ran.out + ran.err


@pytest.mark.parametrize(
    ("key", "words"), [(None, "NoCredentials"), ("invalid-key", "InvalidKey")], ids=["no key", "a wrong key"]
)
def test_credentials_that_do_not_work(
    stack: StackFolder, cli: Cli, service: Service, monkeypatch: pytest.MonkeyPatch, key: str | None, words: str
) -> None:
    stack.write_stack(providers={"gemini": {"type": "gemini", "endpoint": service.url}})
    if key is not None:
        monkeypatch.setenv("GEMINI_API_KEY", key)
    ran = cli("doctor", "-o", "json")
    failed = findings(ran)["gemini", "reachable"]
    assert (ran.code, failed["health"], words in failed["detail"]) == (1, "failed", True)
    assert failed["hint"]
    assert "hint: " in cli("doctor").out


def test_a_clock_that_is_far_off(stack: StackFolder, cli: Cli, service: Service) -> None:
    service.advance("10m")
    off = findings(cli.ok("doctor", "-o", "json"))["gemini", "clock"]
    assert (off["health"], off["detail"].startswith("the provider's clock differs by ")) == ("warning", True)


def test_a_state_that_is_locked_or_broken(stack: StackFolder, cli: Cli, service: Service) -> None:
    from batchctl.cli.common import Common
    from batchctl.cli.workspace import open_workspace

    stack.write_job("translate")
    cli.ok("apply", "--yes")
    with open_workspace(Common()).state.lock():
        assert findings(cli.ok("doctor", "-o", "json"))["state", "lock"]["health"] == "warning"
    database = sqlite3.connect(stack.path / ".batchctl" / "state.db")
    database.execute("DROP TABLE attempts")
    database.close()
    ran = cli("doctor", "-o", "json")
    assert (ran.code, findings(ran)["state", "readable"]["health"]) == (1, "failed")


def test_a_results_folder_that_cannot_be_written(stack: StackFolder, cli: Cli, service: Service) -> None:
    (stack.path / "results").write_text("a file")
    ran = cli("doctor", "-o", "json")
    assert (ran.code, findings(ran)["results", "writable"]["health"]) == (1, "failed")


def test_hooks_are_looked_at_and_told_nothing(stack: StackFolder, cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    hooks = [
        {"name": "ops", "url": "https://192.0.2.1/hook", "secretEnv": "HOOK_SECRET"},
        {"name": "log", "command": ["true"]},
    ]
    stack.write_stack(notify=hooks)
    monkeypatch.setenv("BATCHCTL_ALLOW_COMMANDS", "1")
    monkeypatch.setenv("BATCHCTL_ALLOW_WEBHOOK", "192.0.2.1")
    ran = cli("doctor", "-o", "json")
    found = findings(ran)
    assert (ran.code, found["ops", "usable"]["health"], found["log", "usable"]["health"]) == (1, "failed", "ok")
    assert "HOOK_SECRET is not set" in found["ops", "usable"]["detail"]
    monkeypatch.setenv("HOOK_SECRET", f"whsec_{'A' * 32}")
    assert findings(cli.ok("doctor", "-o", "json"))["ops", "usable"]["health"] == "ok"


@pytest.mark.usefixtures("service")
def test_the_use_of_the_place_for_uploads_is_shown(stack: StackFolder, cli: Cli) -> None:
    """What is uploaded counts until it expires: who waits for room there sees what fills it."""
    vertex = {"type": "vertex", "endpoint": "emulator", "project": "demo", "location": "us", "stagingBucket": "gs://b"}
    stack.write_stack(providers={"gemini": {"type": "gemini", "endpoint": "emulator"}, "staged": vertex})
    found = findings(cli.ok("doctor", "-o", "json"))
    uploads = found["gemini", "uploads"]
    assert (uploads["health"], uploads["detail"]) == ("ok", "0 files, 0 bytes; 21,474,836,480 bytes are allowed")
    assert (found["staged", "uploads"]["health"], found["staged", "reachable"]["health"]) == ("warning", "ok")


def test_a_place_for_uploads_that_is_nearly_full_is_a_warning() -> None:
    full = _uploads_finding("gemini", FileUse(3, 95, 1, 5, 100))
    assert (full.health, "1 of them batchctl's, 5 bytes" in full.detail) == ("warning", True)
    assert "expire" in full.hint
    assert _uploads_finding("staged", FileUse(1, 95, 1, 95)).detail == "1 file, 95 bytes"
