"""Measures calls to served emulators with few and with many stored jobs, in turn.

    python benchmarks/emulator_store.py [--jobs N] [--calls N] [--rounds N] [--json FILE]

A store that looks at all of its jobs for one call becomes slower with their number. The small store has one page of
jobs. Times are the processor times of the emulators.
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import sys
import tempfile
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

sys.path.insert(0, str(Path(__file__).resolve().parent))
from outcome import Series, Table, plain
from timing import NotDoneError, machine
from world import MODEL, control, start_emulator

_PAGE = 100
_RULE = {"pending": "1s", "running": "1000h"}
_REQUEST = {"contents": [{"role": "user", "parts": [{"text": "hello"}]}]}


class Store:
    """A served emulator, over one connection."""

    def __init__(self, url: str, process: int, jobs: int) -> None:
        self._process = process
        control(url, "rules", [_RULE])
        self._connection = http.client.HTTPConnection(str(urlsplit(url).netloc))
        self.names = [self.create() for _ in range(jobs)]
        self._last_token = self._find_last_token()
        # The server ends it while the other store is filled; the next call opens another one.
        self._connection.close()

    def cpu(self) -> float:
        """The processor seconds of the emulator so far (Linux)."""
        words = Path(f"/proc/{self._process}/stat").read_text().rpartition(")")[2].split()
        return (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")

    def create(self) -> str:
        """Create a job; gives its name."""
        batch = {"displayName": "job", "inputConfig": {"requests": {"requests": [{"request": _REQUEST}]}}}
        return str(self._call("POST", f"/models/{MODEL}:batchGenerateContent", {"batch": batch})["name"])

    def get(self) -> None:
        """Ask for the oldest job."""
        if (name := self._call("GET", f"/{self.names[0]}")["name"]) != self.names[0]:
            raise NotDoneError(f"a get of {self.names[0]} gave {name}")

    def first_page(self) -> None:
        """The newest jobs."""
        self._require_jobs(self._page(""), min(_PAGE, len(self.names)))

    def last_page(self) -> None:
        """The oldest jobs."""
        self._require_jobs(self._page(self._last_token), 1)

    def _require_jobs(self, page: Mapping[str, Any], least: int) -> None:
        if len(page["operations"]) < least:
            raise NotDoneError(f"a page has {len(page['operations'])} jobs")

    def _page(self, token: str) -> Mapping[str, Any]:
        return self._call("GET", f"/batches?pageSize={_PAGE}&pageToken={quote(token)}")

    def _find_last_token(self) -> str:
        """Read the whole list. Raises NotDoneError if it does not have all jobs."""
        token, found = "", 0
        while True:
            page = self._page(token)
            found += len(page["operations"])
            if "nextPageToken" not in page:
                break
            token = page["nextPageToken"]
        if found != len(self.names):
            raise NotDoneError(f"the list has {found} jobs, not {len(self.names)}")
        return token

    def _call(self, method: str, path: str, body: object = None) -> Mapping[str, Any]:
        data = None if body is None else json.dumps(body)
        headers = {"x-goog-api-key": "bench", "content-type": "application/json"}
        self._connection.request(method, f"/v1beta{path}", data, headers)
        reply = self._connection.getresponse()
        found: Mapping[str, Any] = json.loads(reply.read())
        if reply.status != http.client.OK:
            raise NotDoneError(f"{method} {path}: {found}")
        return found


CALLS: Mapping[str, Callable[[Store], object]] = {
    "get": Store.get,
    "first page": Store.first_page,
    "last page": Store.last_page,
    "create": Store.create,
}


def store_all(jobs: int, calls: int, rounds: int, *, folder: Path | None = None) -> Mapping[str, Table]:
    """For each kind of call, the processor seconds of a small store and of a large one, which take turns."""
    small, large = f"{_PAGE} jobs", f"{jobs:,} jobs"
    tables = {kind: {name: Series(name) for name in (small, large)} for kind in CALLS}
    with tempfile.TemporaryDirectory(prefix="batchctl-bench-", dir=folder) as name, ExitStack() as servers:
        stores = {}
        for number, (which, most) in enumerate({small: _PAGE, large: jobs}.items()):
            url, process = servers.enter_context(start_emulator(Path(name) / str(number), 0))
            stores[which] = Store(url, process, most)
        for _ in range(rounds):
            for kind, call in CALLS.items():
                before = {which: store.cpu() for which, store in stores.items()}
                for _ in range(calls):
                    for store in stores.values():
                        call(store)
                for which, store in stores.items():
                    tables[kind][which].add(cpu=(store.cpu() - before[which]) / calls)
    return tables


def main() -> int:
    """Measure, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--jobs", type=int, default=10_000, help="jobs of the large store (default: %(default)s)")
    parser.add_argument("--calls", type=int, default=200, help="calls of each kind (default: %(default)s)")
    parser.add_argument("--rounds", type=int, default=3, help="rounds of these calls (default: %(default)s)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures to FILE")
    asked = parser.parse_args()
    print(", ".join(f"{name}: {value}" for name, value in machine().items()), flush=True)
    tables = store_all(asked.jobs, asked.calls, asked.rounds)
    few, many = next(iter(tables.values()))
    print(f"\n{'ms a call':12} {few:>12} {many:>12} {'ratio':>7}")
    for kind, table in tables.items():
        one, other = table[few].median("cpu"), table[many].median("cpu")
        print(f"{kind:12} {one * 1000:12.2f} {other * 1000:12.2f} {other / one:7.2f}")
    if asked.json is not None:
        found = {"machine": machine(), "figures": {kind: plain(table) for kind, table in tables.items()}}
        asked.json.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
