"""Settings of the environment that keep every call from being made: one clear error, whatever the command."""

from __future__ import annotations

import pytest

from tests.support.command_line import Cli, StackFolder

COMMANDS = [("plan",), ("apply", "--yes"), ("doctor",), ("watch", "--once"), ("state", "rebuild")]


@pytest.fixture(params=["gemini", "vertex"])
def real(request: pytest.FixtureRequest, stack: StackFolder, monkeypatch: pytest.MonkeyPatch) -> StackFolder:
    """A stack at the real API, with credentials that nobody gets."""
    provider = {"type": "gemini"}
    more = {}
    if request.param == "vertex":
        provider = {"type": "vertex", "project": "p", "location": "us-central1"}
        more = {"src": "gs://b/in.jsonl", "dest": "gs://b/out/"}
    stack.write_stack(providers={"p": provider})
    stack.write_job("one", **more)
    monkeypatch.setenv("GEMINI_API_KEY", "AIza-a-key-of-nobody")
    monkeypatch.delenv("BATCHCTL_EMULATOR", raising=False)
    return stack


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("ALL_PROXY", "socks5://ada:swordfish@127.0.0.1:1"),
        ("HTTPS_PROXY", "http://ada:swordfish@["),
        ("https_proxy", "ftp://ada:swordfish@h"),
        ("SSL_CERT_FILE", "/no/such/file"),
    ],
)
@pytest.mark.parametrize("command", COMMANDS)
def test_a_setting_that_cannot_be_used_is_one_clear_error(
    cli: Cli, real: StackFolder, monkeypatch: pytest.MonkeyPatch, command: tuple[str, ...], variable: str, value: str
) -> None:
    monkeypatch.setenv(variable, value)
    ran = cli(*command)
    assert ran.code == 1
    assert "swordfish" not in ran.out + ran.err
    assert variable in ran.out + ran.err


@pytest.mark.parametrize("value", ["http://[", "no url at all", "http://h:port", "ftp://h"])
def test_an_emulators_address_that_is_none(
    cli: Cli, stack: StackFolder, monkeypatch: pytest.MonkeyPatch, value: str
) -> None:
    stack.write_job("one")
    monkeypatch.setenv("BATCHCTL_EMULATOR", value)
    ran = cli("plan")
    assert (ran.code, "BATCHCTL_EMULATOR" in ran.err) == (1, True), ran.err
