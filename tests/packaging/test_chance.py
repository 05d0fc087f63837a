"""A test has the same chances each time: the same order, tokens and jitter, also where signals are ignored."""

from __future__ import annotations

import ast
import os
import secrets
import signal
import subprocess
import sys
from pathlib import Path
from random import SystemRandom
from uuid import uuid4

import pytest

from tests.support.chance import ORDER_OF_THE_GATE, repeat
from tests.support.patience import PATIENCE


def _draws(seed: str, jitter: float | None = None) -> list[object]:
    with pytest.MonkeyPatch.context() as patch:
        repeat(seed, patch, jitter)
        return [secrets.token_hex(8), secrets.randbelow(10**9), uuid4(), os.urandom(4), SystemRandom().random()]


def test_what_is_drawn_follows_from_the_seed() -> None:
    assert _draws("one") == _draws("one")
    assert [one == two for one, two in zip(_draws("one"), _draws("two"), strict=True)] == [False] * 5
    assert _draws("one", 0.5) == [*_draws("one")[:-1], 0.5]


def test_a_child_draws_what_its_parent_does_not() -> None:
    with pytest.MonkeyPatch.context() as patch:
        repeat("one", patch)
        patch.setattr(os, "getpid", lambda: -1)
        assert os.urandom(8) != os.urandom(8)
        in_child = os.urandom(8)
    with pytest.MonkeyPatch.context() as patch:
        repeat("one", patch)
        assert in_child not in {os.urandom(8) for _ in range(3)}


def test_the_order_of_tests_is_that_of_the_gate(request: pytest.FixtureRequest) -> None:
    given = [word for word in request.config.invocation_params.args if word.startswith("--randomly-seed")]
    seed = request.config.getoption("randomly_seed", None)
    assert given or os.environ.get("BATCHCTL_LONG") or seed in {ORDER_OF_THE_GATE, None}


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGHUP, signal.SIGQUIT, signal.SIGTERM])
def test_a_program_that_a_test_starts_ignores_no_signal(number: signal.Signals) -> None:
    asked = f"import signal; print(signal.getsignal({int(number)}) is signal.SIG_IGN)"
    done = subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, check=True, timeout=PATIENCE)
    assert done.stdout == "False\n"


ROOT = Path(__file__).parents[2]
CALLS = {"get", "post", "put", "patch", "delete", "head", "request", "stream", "Client", "AsyncClient"}


def test_no_call_of_a_test_has_the_five_seconds_of_httpx() -> None:
    """A busy machine takes longer than that. A client with a transport of its own calls nobody."""
    hasty = []
    for path in (*(ROOT / "tests").rglob("*.py"), *(ROOT / "docs").rglob("*.py")):
        text = path.read_text(encoding="utf-8")
        if any(f"httpx.{name}(" in text for name in CALLS):
            hasty += [f"{path.relative_to(ROOT)}:{line}" for line in _hasty_calls(text)]
    assert hasty == []


def _hasty_calls(text: str) -> list[int]:
    """The lines of calls of httpx that leave the limit of time to httpx."""
    calls = (node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Call))
    return [
        call.lineno
        for call in calls
        if isinstance(call.func, ast.Attribute)
        and call.func.attr in CALLS
        and isinstance(call.func.value, ast.Name)
        and call.func.value.id == "httpx"
        and {"timeout", "transport"}.isdisjoint(str(word.arg) for word in call.keywords)
    ]
