"""Writes the samples of docs/output.md and docs/json.md: `python docs/generate_output.py`. A test holds them current.

They come from one story, played by the real command line over the emulator: see sample_world.py. A sample replaces the
code block after the comment that names it.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

DOCS = Path(__file__).resolve().parent
sys.path.insert(0, str(DOCS))
from sample_world import Ran, World, open_world  # noqa: E402

PAGES = (DOCS / "output.md", DOCS / "json.md")
_BLOCK = re.compile(r"(<!-- sample: (\S+) -->\n\n)```.*?```\n", re.DOTALL)
_WIDTH = 110
_TEXTS = ("Good morning", "See you tomorrow", "Thank you very much")
_VERSION = {"version": "0.1.0", "python": "3.11.9", "platform": "linux x86_64", "libraries": {"httpx": "0.28.1"}}
"""In place of what differs from machine to machine."""

Samples = dict[str, str]


def output_pages() -> dict[Path, str]:
    """Each page with its samples as they should be."""
    with open_world() as world:
        samples = dict(_story(world))
    return {page: _filled(page.read_text(encoding="utf-8"), samples) for page in PAGES}


def _filled(page: str, samples: Samples) -> str:
    return _BLOCK.sub(lambda found: found[1] + samples[found[2]], page)


def _story(world: World) -> Iterator[tuple[str, str]]:
    """Each sample by its name, in the order in which things happen."""
    _write_stack(world)
    _write_job(world, "translate-fr")
    _write_job(world, "summarise-reviews", lifecycle={"protect": True})
    world.rules({"pending": "5s", "running": "10m"})
    world("apply", "--yes")
    yield from _planned(world)
    yield from _applied(world)
    yield from _failed(world)
    yield from _finished(world)
    yield from _refused(world)
    yield from _rows_left(world)
    yield from _with_targets(world)


def _planned(world: World) -> Iterator[tuple[str, str]]:
    """A new job, and a change that a guard refuses."""
    _write_job(world, "classify-tickets")
    _write_job(world, "summarise-reviews", model="gemini-2.5-pro", lifecycle={"protect": True})
    yield "plan", _console(world, "plan")
    yield "plan-verbose", _console(world, "plan", "-v", "-f", "jobs/classify-tickets.yaml")
    yield "plan.json", _json(world("plan", "-o", "json", "--events", "events.ndjson"))
    _, planned, _ = Path("events.ndjson").read_text(encoding="utf-8").splitlines()
    yield "run-event.json", _fence("json", _compact(json.loads(planned)) + "\n")
    yield "explain-why-not", _console(world, "explain", "summarise-reviews", "--why-not", "replace")
    yield "why-not.json", _json(world("explain", "translate-fr", "--why-not", "cancel", "-o", "json"))
    yield "diff", _console(world, "diff")
    yield "diff.json", _json(world("diff", "summarise-reviews", "-o", "json"))
    yield "job-list.json", _json(world("diff", "-f", "jobs/translate-fr.yaml", "-o", "json"))
    yield "validate.json", _json(world("validate", "-f", "jobs/translate-fr.yaml", "-o", "json"))


def _applied(world: World) -> Iterator[tuple[str, str]]:
    """The API refuses the new job."""
    fault = {"method": "batches.create", "kind": "status", "when": "before", "status": 400, "count": 1}
    world.faults({**fault, "message": "models/gemini-2.5-flash is not found"})
    selection = ("-f", "jobs/classify-tickets.yaml")
    ran = world("apply", "--yes", "-o", "json", *selection)
    yield "apply.json", _json(ran)
    yield "apply-errors", _fence("text", ran.err)
    yield "apply", _console(world, "apply", "--yes")
    world.time.sleep(120)
    world.cancel("translate-fr")
    yield "drift", _console(world, "drift")
    yield "drift.json", _json(world("drift", "-o", "json"))


def _failed(world: World) -> Iterator[tuple[str, str]]:
    """A job fails, and is tried again after a back-off. The reply to its create call is lost."""
    world.rules({"match": {"displayName": "extract-dates*"}, "fate": "fail", "pending": "5s", "running": "40s"})
    world.faults({"method": "batches.create", "kind": "cut", "when": "after", "count": 1})
    _write_job(world, "extract-dates", lifecycle={"backoffLimit": 3})
    selection = ("-f", "jobs/extract-dates.yaml")
    yield "progress", _fence("text", world("apply", "--yes", *selection).err)
    world.time.sleep(45)
    yield "status", _console(world, "status")
    yield "status.json", _json(world("status", "-o", "json", *selection))
    yield "explain", _console(world, "explain", "-v", "extract-dates")
    yield "explain-field", _console(world, "explain", "spec.lifecycle.onChange")
    yield "field.json", _json(world("explain", "spec.lifecycle.onChange", "-o", "json"))
    yield "explain.json", _json(world("explain", "extract-dates", "-o", "json"))
    yield "describe.json", _json(world("describe", "extract-dates", "-o", "json"))
    yield "events", _console(world, "events", "--since", "1h", "extract-dates")
    rows = world("events", "translate-fr", "-o", "ndjson").out
    yield "events-row.json", _fence("json", rows.splitlines(keepends=True)[0])
    yield "events.json", _json(world("events", "translate-fr", "-o", "json"))
    world.time.sleep(60)
    log = world("apply", "--yes", "--log-format", "json", *selection).err
    yield "progress-json", _fence("text", re.sub(r'"run":"\w+"', '"run":"a27dbc9ed8f1c06b"', log))


def _finished(world: World) -> Iterator[tuple[str, str]]:
    """A job that succeeded, with its results."""
    world.time.sleep(600)
    world("apply", "--yes", "-f", "jobs/summarise-reviews.yaml")
    ran = world("results", "summarise-reviews")
    yield "results", _fence("json", ran.out.splitlines(keepends=True)[0])


def _refused(world: World) -> Iterator[tuple[str, str]]:
    """Input that is wrong."""
    _write_job(world, "translate-fr", modle="gemini-2.5-flash")
    shown = world("validate")
    yield "invalid", _fence("console", f"$ batchctl validate\n{shown.out}{shown.err}")
    yield "invalid.json", _json(world("validate", "-o", "json"))
    yield "error.json", _json(world("plan", "-o", "json"))
    version = json.loads(world("version", "-o", "json").out)
    yield "version.json", _fence("json", _compact(version | _VERSION) + "\n")


def _rows_left(world: World) -> Iterator[tuple[str, str]]:
    """A job with shards in its second row retry: three rows are left."""
    words = "Quota exceeded for quota metric 'Generate Content API requests per minute'."
    errors = {
        "row-8": {"code": 8, "message": words},
        "row-43": {"code": 13, "message": "Internal error encountered."},
        "row-78": {"code": 3, "message": "Invalid value at 'contents[0].parts[0]', oneof field 'data' is already set."},
    }
    times = {"pending": "5s", "running": "10m"}
    rules = [{"match": {"row": row}, "rowOutcomes": [{"error": error}], **times} for row, error in errors.items()]
    passes = {"match": {"row": "row-4?"}, "rowOutcomes": [{"error": errors["row-43"], "times": 1}], **times}
    world.rules(rules[0], {"match": {"row": "row-43"}, **rules[1]}, rules[2], passes, times)
    rows = [{"key": f"row-{number}", "text": f"Review {number}"} for number in range(1, 101)]
    spec = {"src": rows, "sharding": {"maxRows": 40}, "lifecycle": {"retryOn": ["ROWS"]}, "rows": {"maxAttempts": 3}}
    _write_job(world, "rate-reviews", **spec)
    _write_job(world, "translate-fr")
    selection = ("-f", "jobs/rate-reviews.yaml")
    for seconds in (620, 30, 620, 30):
        world("apply", "--yes", *selection)
        world.time.sleep(seconds)
    world("apply", "--yes", *selection)
    page, _, _ = world("describe", "rate-reviews").out.partition("\n\nDesired\n")
    yield "describe", _fence("console", f"$ batchctl describe rate-reviews\n{page}\n\nDesired\n  …\n")
    yield "explain-rows", _console(world, "explain", "rate-reviews")
    yield "explain-rows.json", _json(world("explain", "rate-reviews", "-o", "json"))


def _with_targets(world: World) -> Iterator[tuple[str, str]]:
    """A stack that gets two targets."""
    _write_stack(world, targets={"dev": {"suspend": True}, "prod": {}})
    only = ("-f", "jobs/translate-fr.yaml")
    yield "validate-targets.json", _json(world("validate", "--all-targets", *only, "-o", "json"))


def _write_stack(world: World, **spec: Any) -> None:  # noqa: ANN401  any field of a stack file
    providers = {"gemini": {"type": "gemini", "endpoint": "emulator"}}
    limits = {"concurrency": 1, "createTimeout": "20s", "settleGrace": "1m"}
    world.write(
        "batchctl.yaml",
        {
            "apiVersion": "batchctl.dev/v1",
            "kind": "Stack",
            "metadata": {"name": "shop", "uid": "k3v9q2"},
            "spec": {"manifests": ["jobs"], "providers": providers, "limits": limits, **spec},
        },
    )


def _write_job(world: World, name: str, **spec: Any) -> None:  # noqa: ANN401  any field of a manifest
    rows = [{"key": f"row-{number}", "text": text} for number, text in enumerate(_TEXTS, 1)]
    world.write(
        f"jobs/{name}.yaml",
        {
            "apiVersion": "batchctl.dev/v1",
            "kind": "BatchJob",
            "metadata": {"name": name},
            "spec": {"model": "gemini-2.5-flash", "runId": name, "src": rows, **spec},
        },
    )


def _console(world: World, *arguments: str) -> str:
    """A command with its standard output."""
    return _fence("console", f"$ batchctl {' '.join(arguments)}\n{world(*arguments).out}")


def _json(ran: Ran) -> str:
    return _fence("json", _compact(json.loads(ran.out)) + "\n")


def _fence(language: str, text: str) -> str:
    return f"```{language}\n{text}```\n"


def _compact(value: Any, indent: str = "", before: int = 0) -> str:  # noqa: ANN401  any JSON value
    """JSON whose short lists and objects take one line."""
    line = json.dumps(value)
    if not isinstance(value, dict | list) or (indent and len(indent) + before + len(line) <= _WIDTH):
        return line
    inner = f"{indent}  "
    if isinstance(value, dict):
        parts = [f"{json.dumps(key)}: {_compact(one, inner, len(key) + 5)}" for key, one in value.items()]
        opening, closing = "{", "}"
    else:
        parts = [_compact(one, inner, 1) for one in value]
        opening, closing = "[", "]"
    return f"{opening}\n{inner}" + f",\n{inner}".join(parts) + f"\n{indent}{closing}"


if __name__ == "__main__":
    for path, text in output_pages().items():
        path.write_text(text, encoding="utf-8")
