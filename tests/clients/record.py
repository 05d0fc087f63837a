"""Runs the clients and writes outcomes.json: `python tests/clients/record.py [--long] [--renew] [NAME...]`.

Without names it runs the clients of the gate; with `--long`, all clients. `--renew` installs the current versions of the
package indexes. Read the difference, then run `python docs/generate_clients.py`.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.support.client_installs import NotInstalledError, install
from tests.support.client_registry import WORKS, clients, keep
from tests.support.client_runs import run, served


def main() -> int:
    """Returns 1 if a client could not be run."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", metavar="NAME", nargs="*", choices=[*(one.name for one in clients()), []])
    parser.add_argument("--long", action="store_true", help="all clients, not only those of the gate")
    parser.add_argument("--renew", action="store_true", help="install them again")
    given = parser.parse_args()
    chosen = [
        one for one in clients() if (one.name in given.names if given.names else given.long or one.lane == "gate")
    ]
    failed = 0
    with served() as service:
        for client in chosen:
            with tempfile.TemporaryDirectory() as folder:
                try:
                    installed = install(client, renew=given.renew)
                    ended = run(client, installed, service, Path(folder))
                except (NotInstalledError, AssertionError) as error:
                    print(f"{client.name}: {error}", file=sys.stderr)
                    failed = 1
                    continue
            keep(client, installed.version, datetime.now(UTC).date().isoformat(), ended.outcomes, ended.hosts)
            print(f"{client.name} {installed.version}, other hosts: {', '.join(ended.hosts) or 'none'}")
            for api, operations in ended.outcomes.items():
                for operation, outcome in operations.items():
                    print(f"  {'ok' if outcome == WORKS else '--'} {api}: {operation}: {outcome}")
    return failed


if __name__ == "__main__":
    sys.exit(main())
