"""Installing, running and recording clients."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.support.client_installs import Installed, NotInstalledError, install
from tests.support.client_registry import PROGRAMS, Client
from tests.support.client_runs import Service, run

CLIENT = Client("one", "none.py", "shell", "no-such-tool", "gate", "", [], ["argument"], {"MORE": "of its own"})
FAILING = """
from attempts import Attempts, expect
done = Attempts()
for form in ("a", "b"):
    made = done.attempt("gemini", "make", lambda: expect(form == "a", form), form=form)
    done.attempt("gemini", "read", lambda: made.name if form == "b" else 1, form=form)
    done.attempt("gemini", "see", lambda: {}["known"], because={"KeyError": "for a reason"})
done.attempt("vertex", "do", lambda: print("what a library prints"))
done.tell()
"""
ASKING = """
import json, os, sys, urllib.request
try:
    urllib.request.urlopen("https://example.com/", timeout=20)
except OSError as error:
    outcome = str(error)
names = {"GEMINI_API_KEY", "GOOGLE_CLOUD_PROJECT", "SECRET", "MORE"} & set(os.environ)
print(json.dumps({"api": "gemini", "operation": "ask", "outcome": outcome}))
print(json.dumps({"api": "gemini", "operation": "see", "outcome": f"{sorted(names)} {sys.argv[1:]}"}))
"""


def program(text: str) -> Installed:
    return Installed([sys.executable, "-c", f"import sys; sys.path.insert(0, {str(PROGRAMS)!r})\n{text}"], "1")


def test_what_cannot_be_installed_says_why() -> None:
    with pytest.raises(NotInstalledError, match="there is no no-such-tool here"):
        install(CLIENT)


def test_an_operation_works_when_it_works_in_all_forms(service: Service, tmp_path: Path) -> None:
    assert run(CLIENT, program(FAILING), service, tmp_path).outcomes == {
        "gemini": {
            "make": "b: AssertionError: unexpected: 'b'",
            "read": "b: not tried: needs “make”",
            "see": "for a reason",
        },
        "vertex": {"do": "works"},
    }


def test_a_program_has_what_the_emulator_prints_and_reaches_nothing_else(
    service: Service, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SECRET", "of the one who runs the tests")
    ended = run(CLIENT, program(ASKING), service, tmp_path)
    assert ended.hosts == ["example.com"]
    assert ended.outcomes["gemini"] == {
        "ask": "<urlopen error Tunnel connection failed: 403 Forbidden>",
        "see": "['GEMINI_API_KEY', 'GOOGLE_CLOUD_PROJECT', 'MORE'] ['argument']",
    }


def test_a_program_that_breaks_is_no_outcome(service: Service, tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match=r"one ended with 1: (?s:.*)ZeroDivisionError"):
        run(CLIENT, program("1 / 0"), service, tmp_path)
