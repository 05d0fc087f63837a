"""No command is silent for long: retries of an endpoint that cannot be reached are told on standard error."""

from __future__ import annotations

import pytest

from tests.support.command_line import Cli, StackFolder
from tests.support.raw_server import nobody


@pytest.mark.parametrize("command", [("plan",), ("apply", "--yes"), ("doctor",), ("status",), ("-q", "plan")])
def test_retries_of_an_unreachable_endpoint_are_told(
    stack: StackFolder, cli: Cli, quick: list[float], monkeypatch: pytest.MonkeyPatch, command: tuple[str, ...]
) -> None:
    monkeypatch.setenv("GEMINI_API_KEY", "k" * 39)
    with nobody() as port:
        stack.write_stack(providers={"gemini": {"type": "gemini", "endpoint": f"http://127.0.0.1:{port}"}})
        stack.write_job("translate")
        ran = cli(*command)
    assert ran.code == 1
    told = [line for line in ran.err.splitlines() if "trying again in" in line]
    assert told, ran.err
    assert "batches.list" in told[0]
    assert "trying again" not in ran.out
