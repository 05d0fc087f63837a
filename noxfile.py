"""The lanes of the test command as nox sessions: `nox -l` lists them, `nox -s static` runs one.

`tests/check.py` says what each lane runs; nothing is said twice here. nox is no dependency of batchctl: run it with
`pipx run nox` or `uvx nox`. Arguments after `--` go on to the command of the session.
"""

from __future__ import annotations

import sys
from pathlib import Path

import nox

ROOT = Path(__file__).parent
sys.path.insert(0, str(ROOT / "tests"))
from check import LANES  # noqa: E402  # beside this file, not in a package

PYTHONS = ("3.11", "3.12", "3.13", "3.14")

nox.options.sessions = ["check"]
nox.options.reuse_existing_virtualenvs = True


def _install(session: nox.Session) -> None:
    """What README's test command installs."""
    session.install("-q", "-e", ".[dev]", "-c", "constraints.txt")


@nox.session
def check(session: nox.Session) -> None:
    """Every check, as in README's test command."""
    _install(session)
    session.run("python", "tests/check.py", *session.posargs)


@nox.session(python=PYTHONS)
def versions(session: nox.Session) -> None:
    """Every check on each version of Python that is installed here."""
    check(session)


def _lane(name: str) -> None:
    def run(session: nox.Session) -> None:
        _install(session)
        session.run("python", "tests/check.py", "--lane", name, *session.posargs)

    run.__doc__ = f"The lane `{name}` of tests/check.py."
    nox.session(run, name=name)


for lane in LANES:
    _lane(lane)


@nox.session
def docs(session: nox.Session) -> None:
    """Write again the pages and schemas that are made from the code."""
    _install(session)
    for script in sorted(path.relative_to(ROOT) for path in ROOT.glob("docs/generate_*.py")):
        session.run("python", str(script))


@nox.session
def long(session: nox.Session) -> None:
    """The harnesses with much more effort (hours)."""
    _install(session)
    lanes, shared = ("--lane", "commands", "--lane", "harnesses"), ("-n", "2", "--dist", "worksteal")
    session.run("python", "tests/check.py", *lanes, *shared, *session.posargs, env={"BATCHCTL_LONG": "1"})


@nox.session
def mutation(session: nox.Session) -> None:
    """Change each branch of the decisions once, and name the changes that no test notices (long)."""
    _install(session)
    session.run("python", "tests/mutation/run.py", *session.posargs)


@nox.session
def newest(session: nox.Session) -> None:
    """Every check with the newest releases in place of constraints.txt."""
    session.run("python", "tests/newest.py", *session.posargs)


@nox.session
def reference(session: nox.Session) -> None:
    """List what the newest google-genai has that batchctl does not know."""
    session.install("-q", "-U", "google-genai")
    session.run("python", "tests/sdk/reference.py", *session.posargs)
