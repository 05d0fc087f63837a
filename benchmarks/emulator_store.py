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
from timing import machine
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

    def get(self) -> object:
        """Ask for the oldest job."""
        return self._call("GET", f"/{self.names[0]}")

    def first_page(self) -> Mapping[str, Any]:
        """The newest jobs."""
        return self.page("")

    def last_page(self) -> Mapping[str, Any]:
        """The oldest jobs."""
        return self.page(self._last_token)

    def page(self, token: str) -> Mapping[str, Any]:
        """One page of the list."""
        return self._call("GET", f"/batches?pageSize={_PAGE}&pageToken={quote(token)}")

    def _find_last_token(self) -> str:
        token = last = ""
        while token := str(self.page(last).get("nextPageToken", "")):
            last = token
        return last

    def _call(self, method: str, path: str, body: object = None) -> Mapping[str, Any]:
        data = None if body is None else json.dumps(body)
        headers = {"x-goog-api-key": "bench", "content-type": "application/json"}
        self._connection.request(method, f"/v1beta{path}", data, headers)
        reply = self._connection.getresponse()
        found: Mapping[str, Any] = json.loads(reply.read())
        if reply.status != http.client.OK:
            raise RuntimeError(f"{method} {path}: {found}")
        return found


CALLS: Mapping[str, Callable[[Store], object]] = {
    "get": Store.get,
    "first page": Store.first_page,
    "last page": Store.last_page,
    "create": Store.create,
}


def store_all(jobs: int, calls: int, rounds: int) -> Table:
    """Milliseconds of the processor for each kind of call, of a small store and a large one, which take turns."""
    small, large = f"{_PAGE} jobs", f"{jobs:,} jobs"
    table = {name: Series(name) for name in (small, large)}
    with tempfile.TemporaryDirectory(prefix="batchctl-bench-") as name, ExitStack() as servers:
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
                    table[which].add(**{kind: (store.cpu() - before[which]) / calls * 1000})
    return table


def main() -> int:
    """Measure, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--jobs", type=int, default=10_000, help="jobs of the large store (default: %(default)s)")
    parser.add_argument("--calls", type=int, default=200, help="calls of each kind (default: %(default)s)")
    parser.add_argument("--rounds", type=int, default=3, help="rounds of these calls (default: %(default)s)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures to FILE")
    asked = parser.parse_args()
    print(", ".join(f"{name}: {value}" for name, value in machine().items()), flush=True)
    table = store_all(asked.jobs, asked.calls, asked.rounds)
    few, many = table.values()
    print(f"\n{'ms a call':12} {few.name:>12} {many.name:>12} {'ratio':>7}")
    for kind in CALLS:
        one, other = few.median(kind), many.median(kind)
        print(f"{kind:12} {one:12.2f} {other:12.2f} {other / one:7.2f}")
    if asked.json is not None:
        found = {"machine": machine(), "figures": plain(table)}
        asked.json.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
