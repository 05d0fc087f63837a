"""Writes docs/emulator-clients.md from the recorded outcomes of the clients: `python docs/generate_clients.py`.

The input is in tests/clients: clients.toml, outcomes.json, and the set-up region of each program. A test checks that
the page is current.
"""

from __future__ import annotations

import json
import shlex
import textwrap
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "emulator-clients.md"
CLIENTS = ROOT / "tests" / "clients"
BEGIN = "<!-- made by docs/generate_clients.py from here on -->\n"
END = "<!-- made by docs/generate_clients.py up to here -->\n"
APIS = {"gemini": "Gemini Developer API", "vertex": "Vertex AI", "storage": "Cloud Storage", "bigquery": "BigQuery"}
LANES = {"gate": "in the test command", "long": "with `BATCHCTL_LONG=1`"}
LANGUAGES = {"python": "python", "node": "js", "shell": "bash"}
INSTALLS = {"python": "pip install", "node": "npm install"}
WORKS = "works"
Json = dict[str, Any]


def clients_page() -> str:
    """The complete page, with the generated part up to date."""
    before, _, rest = PAGE.read_text(encoding="utf-8").partition(BEGIN)
    after = rest.partition(END)[2]
    clients = tomllib.loads((CLIENTS / "clients.toml").read_text(encoding="utf-8"))["client"]
    record = json.loads((CLIENTS / "outcomes.json").read_text(encoding="utf-8"))
    sections = (line for number, one in enumerate(clients) for line in section(one, record, clients[:number]))
    part = "\n".join(["## Operations\n", *tables(clients, record), "## Set-up\n", *sections])
    return f"{before}{BEGIN}\n{part}\n{END}{after}"


def tables(clients: list[Json], record: dict[str, Json]) -> Iterator[str]:
    """A table for each API: operations by client."""
    for api, title in APIS.items():
        names = [one["name"] for one in clients if api in record.get(one["name"], {}).get("outcomes", {})]
        if names:
            yield from table(title, {name: record[name]["outcomes"][api] for name in names})


def table(title: str, columns: dict[str, dict[str, str]]) -> Iterator[str]:
    """Operations by client, followed by a list of reasons why operations do not work."""
    yield f"### {title}\n"
    yield f"| operation | {' | '.join(columns)} |"
    yield "| --- " * (len(columns) + 1) + "|"
    reasons: list[str] = []
    for operation in dict.fromkeys(operation for outcomes in columns.values() for operation in outcomes):
        cells = [cell(outcomes.get(operation), reasons) for outcomes in columns.values()]
        yield f"| {operation} | {' | '.join(cells)} |"
    yield ""
    if reasons:
        yield from (f"{number}. {reason}" for number, reason in enumerate(reasons, 1))
        yield ""


def cell(outcome: str | None, reasons: list[str]) -> str:
    """`works`, the number of a reason, or empty if the client does not have the operation."""
    if outcome is None or outcome == WORKS:
        return outcome or ""
    reason = escaped(outcome)
    if reason not in reasons:
        reasons.append(reason)
    return f"no ({reasons.index(reason) + 1})"


def escaped(text: str) -> str:
    """A reason as Markdown: text between backticks is code, and everything else is escaped."""
    parts = text.split("`")
    if len(parts) % 2 == 0:
        parts = [text.replace("`", "'")]
    return "`".join(part if number % 2 else _plain(part) for number, part in enumerate(parts))


def _plain(text: str) -> str:
    return "".join(f"\\{sign}" if sign in "\\*_[]<>|" else sign for sign in text)


def section(client: Json, record: dict[str, Json], before: list[Json]) -> Iterator[str]:
    """The set-up of one client; code that an earlier section shows is not repeated."""
    known = record.get(client["name"])
    yield f"### {client['name']}\n"
    if known is not None:
        hosts = ", ".join(known["otherHosts"])
        asks = f"\nIt also contacts {hosts}." if hosts else ""
        yield f"Version {known['version']}, recorded on {known['date']}; runs {LANES[client['lane']]}.{asks}\n"
    yield f"{client['setup'].strip()}\n"
    if lines := "\n".join(shell_lines(client)):
        yield f"{textwrap.indent(lines, '    ')}\n"
    is_shown = client["program"] in {one["program"] for one in before}
    if not is_shown and (lines := set_up(client)):
        yield f"```{LANGUAGES[client['runtime']]}\n{lines}\n```\n"


def shell_lines(client: Json) -> Iterator[str]:
    """The shell commands of the set-up, besides the environment that the emulator prints."""
    if client["packages"]:
        yield f"{INSTALLS[client['runtime']]} {shlex.join(client['packages'])}"
    for name, value in client.get("environment", {}).items():
        yield f"export {name}={shlex.quote(value)}"


def set_up(client: Json) -> str:
    """The marked region of the client's program."""
    lines: list[str] = []
    is_inside = False
    for line in (CLIENTS / "programs" / client["program"]).read_text(encoding="utf-8").splitlines():
        if line.strip(" #/") in {"set-up", "end of set-up"}:
            is_inside = not is_inside
        elif is_inside and not line.startswith("from attempts "):
            lines.append(line)
    text = textwrap.dedent("\n".join(lines)).strip()
    # Programs import `os` above their set-up region, with the standard library.
    return f"import os\n\n{text}" if "os.environ" in text else text


if __name__ == "__main__":
    PAGE.write_text(clients_page(), encoding="utf-8")
