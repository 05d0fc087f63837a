"""What a command line imports before it runs: modules are counted, never milliseconds."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import click
import pytest

from batchctl import __version__
from batchctl.cli import commands
from batchctl.cli.lazy_group import Entry, LazyGroup
from batchctl.cli.state import group
from tests.support.command_line import EXAMPLES

HEAVY = {
    "google.auth",
    "httpx",
    "jsonschema",
    "opentelemetry",
    "prometheus_client",
    "psycopg",
    "rich",
    "sqlite_utils",
    "starlette",
    "uvicorn",
    "yaml",
}
BENCHMARKS = Path(__file__).parents[2] / "benchmarks"
PROGRAM = "import sys; from batchctl.cli import main; sys.argv[0] = 'batchctl'; main()"
COMPLETE = {"_BATCHCTL_COMPLETE": "bash_complete", "COMP_WORDS": "batchctl st", "COMP_CWORD": "1"}
COMPLETE_STATE = {**COMPLETE, "COMP_WORDS": "batchctl state re", "COMP_CWORD": "2"}
OURS = {
    "batchctl",
    "batchctl.cli",
    "batchctl.cli.commands",
    "batchctl.cli.common",
    "batchctl.cli.complete",
    "batchctl.cli.lazy_group",
    "batchctl.cli.main",
    "batchctl.cli.start_signals",
}
GROUPS = [commands.batchctl, group.state]


def imported(program: str, *arguments: str, env: Mapping[str, str] | None = None) -> tuple[set[str], str]:
    """The modules that a program has imported at its end, and its output."""
    last = "import atexit, sys; atexit.register(lambda: print(*sys.modules, file=sys.stderr)); "
    done = subprocess.run(
        [sys.executable, "-c", last + program, *arguments], env=env, capture_output=True, text=True, check=True
    )
    return set(done.stderr.split()), done.stdout


def packages(modules: set[str]) -> set[str]:
    return {name.partition(".")[0] for name in modules}


def test_the_version_needs_no_module() -> None:
    bare, _ = imported("pass")
    modules, out = imported(PROGRAM, "--version")
    assert out == f"batchctl {__version__}\n"
    assert modules - bare - set(sys.builtin_module_names) == {"batchctl", "batchctl.cli"}


@pytest.mark.parametrize(
    ("arguments", "env", "shown", "ours"),
    [
        pytest.param(["--help"], {}, "  status      Show the phase", OURS, id="help"),
        pytest.param([], COMPLETE, "plain,status\nplain,state\n", {*OURS, "batchctl.cli.shells"}, id="completion"),
        pytest.param(
            [],
            COMPLETE_STATE,
            "plain,rebind\n",
            {*OURS, "batchctl.cli.shells", "batchctl.cli.state", "batchctl.cli.state.group"},
            id="nested",
        ),
    ],
)
def test_lists_of_commands_need_click_alone(
    arguments: list[str], env: Mapping[str, str], shown: str, ours: set[str]
) -> None:
    click_alone, _ = imported("import click")
    modules, out = imported(PROGRAM, *arguments, env=env)
    assert shown in out
    added = modules - click_alone
    assert {name for name in added if name.startswith("batchctl")} == ours
    assert packages(added) <= {"batchctl", "click"} | sys.stdlib_module_names
    assert not modules & HEAVY


@pytest.mark.parametrize(
    "arguments", [["--version"], ["-v", "--version"], ["completion", "bash"], ["emulator", "--help"]]
)
def test_commands_that_call_no_api_do_not_import_what_calls_one(arguments: list[str]) -> None:
    modules, _ = imported(PROGRAM, *arguments)
    assert not modules & {*HEAVY - {"rich", "yaml"}, "batchctl.engine"}


def test_validate_imports_neither_http_nor_sqlite_nor_rules(tmp_path: Path) -> None:
    modules, out = imported(PROGRAM, "-C", str(EXAMPLES), "validate", "--state", str(tmp_path / "none.db"))
    assert out.startswith("ok: ")
    assert not modules & {"google.auth", "http", "httpx", "jsonschema", "rich", "sqlite3", "sqlite_utils", "ssl"}
    others = ("batchctl.providers", "batchctl.reconcile.planner", "batchctl.state")
    assert not {name for name in modules if name.startswith(others)}


@pytest.mark.parametrize("command", ["status", "drift", "describe"])
def test_commands_that_only_look_do_not_import_what_executes(command: str) -> None:
    modules, _ = imported(PROGRAM, command, "--help")
    assert "batchctl.engine.preview" in modules
    assert not {name for name in modules if name.startswith(("batchctl.engine.steps", "batchctl.engine.passes"))}


@pytest.mark.parametrize(
    ("name", "entry", "of"),
    [(name, entry, of) for of in GROUPS for name, entry in of.table.items()],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_the_table_has_the_first_line_of_each_command(name: str, entry: Entry, of: LazyGroup) -> None:
    command = of.get_command(click.Context(of), name)
    assert command is not None
    assert command.name == name
    assert entry.help == command.get_short_help_str(limit=200)


def test_completion_knows_the_options_too() -> None:
    _, out = imported(PROGRAM, env={**COMPLETE, "COMP_WORDS": "batchctl --ver"})
    assert out == "plain,--version\nplain,--verbose\n"


def test_the_collector_examines_the_values_of_a_command_rarely() -> None:
    """Old values, of which a plan of many jobs has millions, are examined again after half a million new ones."""
    program = "import gc, sys; from batchctl.cli import main; sys.argv[1:] = ['schema']\ntry: main()\nexcept SystemExit: print(gc.get_threshold())"
    _, out = imported(program)
    young, middle, _ = ast.literal_eval(out.splitlines()[-1])
    assert young * middle > 500_000


def test_a_status_loads_no_part_that_it_does_not_use(tmp_path: Path) -> None:
    for command in (["init"], ["apply", "--yes"]):
        subprocess.run([sys.executable, "-c", PROGRAM, "-C", str(tmp_path), *command], check=True, capture_output=True)
    modules, _ = imported(PROGRAM, "-C", str(tmp_path), "status", env={**os.environ, "GEMINI_API_KEY": "x"})
    unused = {
        "batchctl.providers.notify.webhook",
        "batchctl.providers.vertex.provider",
        "batchctl.rows.collection",
        "batchctl.rows.encode",
        "batchctl.rows.ledger",
        "google.auth",
        "httpx._main",
        "opentelemetry",
        "prometheus_client",
        "pygments",
        "sqlite_utils",
    }
    loaded = {name for name in modules if name in unused}
    assert loaded == {"httpx._main"}, "the last is there as a name alone"


LOADED_FOR_AN_ANSWER = {"status": 266, "plan": 288}
"""batchctl's own modules of a command that looks: each takes 0.2 ms."""
SELDOM_NEEDED = HEAVY - {"yaml"} | {
    "asyncio",
    "concurrent",
    "email",
    "fractions",
    "getpass",
    "http",
    "logging",
    "pygments",
    "random",
    "secrets",
    "shutil",
    "socket",
    "ssl",
    "subprocess",
    "tempfile",
    "xml",
    "zoneinfo",
}

OF_DOCUMENTS_AND_HISTORIES = {"bisect", "graphlib", "json"}


def test_the_collector_examines_nothing_at_the_end() -> None:
    """What is frozen is not searched for garbage when Python ends."""
    last = "import atexit, gc; atexit.register(lambda: print(gc.get_freeze_count() > 10_000)); "
    _, out = imported(last + PROGRAM, "schema")
    assert out.splitlines()[-1] == "True"


def test_the_collector_does_not_examine_what_was_imported() -> None:
    program = "import gc; from batchctl.cli import commands; commands.batchctl.table['status'].load(); print(gc.get_freeze_count() > 10_000, gc.isenabled())"
    _, out = imported(program)
    assert out == "True True\n"


@pytest.mark.parametrize(
    ("options", "needed"),
    [
        pytest.param([], ["error_text"], id="text"),
        pytest.param(["-v"], ["error_text", "error_document"], id="in detail"),
        pytest.param(["-o", "json"], ["documents", "error_document"], id="a document"),
        pytest.param(["--log-format", "json"], ["log", "progress_log"], id="the log"),
    ],
)
def test_what_reports_an_error_is_loaded_before_it(options: list[str], needed: list[str], tmp_path: Path) -> None:
    """Without handles or memory, an import would fail as well."""
    told = "sys.modules['batchctl.cli.failures'].report = lambda *_: print(*sys.modules) or 0"
    program = f"import sys; from batchctl.cli import folder, main; folder.begin = lambda: exec({told!r}); sys.argv[0] = 'batchctl'; main()"
    _, out = imported(program, "-C", str(tmp_path), "status", *options)
    assert {f"batchctl.report.{name}" for name in needed} <= set(out.split())


def test_a_second_command_of_a_process_keeps_no_garbage_of_the_first() -> None:
    program = "import gc; from batchctl.cli import commands as c; c.batchctl.table['status'].load(); before = gc.get_freeze_count(); c.batchctl.table['watch'].load(); print(gc.get_freeze_count() <= before)"
    _, out = imported(program)
    assert out == "True\n"


@pytest.mark.parametrize("command", LOADED_FOR_AN_ANSWER)
def test_a_look_at_unchanged_jobs_loads_few_modules(command: str, tmp_path: Path) -> None:
    """Without the client of the API. Each measurement of `benchmarks` is of such a command."""
    stack = tmp_path / "stack"
    subprocess.run([sys.executable, str(BENCHMARKS / "many_jobs.py"), str(stack), "3"], check=True)
    arguments = ["-X", "importtime", str(BENCHMARKS / "offline.py"), str(stack / ".batchctl" / "state.db"), command]
    done = subprocess.run([sys.executable, *arguments, "-C", str(stack)], capture_output=True, text=True, check=True)
    loaded = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines() if line.startswith("import time:")}
    unneeded = SELDOM_NEEDED | (OF_DOCUMENTS_AND_HISTORIES if command == "status" else set())
    assert not packages(loaded) & unneeded
    assert len({name for name in loaded if name.startswith("batchctl")}) <= LOADED_FOR_AN_ANSWER[command]
