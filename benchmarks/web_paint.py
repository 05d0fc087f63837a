"""Opens the web page of a stack with many jobs in a browser, and prints what it takes by the Performance API.

    python benchmarks/web_paint.py [--jobs N] [--rounds N]

Each round opens the page in a new window without a cache, on loopback: `paint` is the first contentful paint, `jobs`
the moment at which the first page of jobs is there, both in milliseconds since the address was opened; `requests` and
`bytes` are all that was loaded until then. In the first round, the server still reads the stack.
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from many_jobs import write_manifests, write_state
from timing import machine

from tests.support.browser import open_browser, open_context

_MEASURE = """async () => {
  while (!performance.getEntriesByName("first view").length) await new Promise((done) => setTimeout(done, 10));
  const loaded = performance.getEntriesByType("resource");
  return {
    paint: performance.getEntriesByName("first-contentful-paint")[0].startTime,
    jobs: performance.getEntriesByName("first view")[0].startTime,
    requests: loaded.length,
    bytes: loaded.reduce((sum, one) => sum + one.transferSize, 0),
    rows: document.querySelectorAll(".job-table .job").length,
  };
}"""


def main() -> None:
    """Measure, and print one line of JSON for each round and one with the medians."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--jobs", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=7)
    asked = parser.parse_args()
    print(json.dumps({"machine": machine(), "jobs": asked.jobs}), flush=True)
    with tempfile.TemporaryDirectory(prefix="batchctl-bench-") as name:
        folder = Path(name)
        write_manifests(folder, asked.jobs)
        write_state(folder)
        with _serve(folder) as url, open_browser() as browser:
            rounds = []
            for _ in range(asked.rounds):
                with open_context(browser) as context:
                    page = context.new_page()
                    page.goto(url)
                    rounds.append(page.evaluate(_MEASURE))
                    print(json.dumps(rounds[-1]), flush=True)
    print(json.dumps({name: median(one[name] for one in rounds) for name in rounds[0]}))


@contextmanager
def _serve(folder: Path) -> Iterator[str]:
    program = [sys.executable, "-c", "from batchctl.cli import main; main()"]
    command = [*program, "-C", str(folder), "ui", "--serve", "127.0.0.1:0"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        line = process.stderr.readline()
        found = re.search(r"http://\S+", line)
        if found is None:
            sys.exit(f"the page was not served: {line}{process.stderr.read()}")
        yield found[0]
        process.terminate()


if __name__ == "__main__":
    main()
