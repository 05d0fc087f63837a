"""What the tests of the traps share: a world whose replies can be twisted, and the story that a trap must not spoil.

The emulator holds the truth. A twist stands between it and batchctl, so what the true state calls for is always known.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import httpx

from batchctl.emulator.settings import Settings
from batchctl.model.kinds import Kind
from tests.support.engine import EMBED_MODEL, MODEL, World, inline, job, made, phases, results
from tests.support.engine_boundaries import describe

OTHERS_KEY = "other"
"""The API key of everybody else: what they are answered is never twisted."""
WRITES = frozenset({"create", "cancel", "delete"})


@dataclass(frozen=True)
class Asked:
    """One call of batchctl, and the true answer to it when it is asked for."""

    what: str
    """`list`, `get`, `create`, `cancel`, `delete`, `upload` or `download`."""
    on: str
    request: httpx.Request
    answer: Callable[[], httpx.Response]
    """Carry the call out."""

    @property
    def fields(self) -> str:
        return self.request.url.params.get("fields", "")

    def json(self) -> Any:
        """The true answer's JSON; the call is carried out."""
        return json.loads(self.answer().content)


Twist = Callable[[Asked], "httpx.Response | None"]
"""What is answered in place of the truth; None leaves the truth."""


class Line(httpx.BaseTransport):
    """The way to the emulator, with a twist in it."""

    def __init__(self, inner: httpx.BaseTransport) -> None:
        self._inner = inner
        self.twist: Twist = lambda asked: None
        self.twisted = 0
        """How many answers were not the truth."""
        self.writes: Counter[str] = Counter()
        """The calls of batchctl so far that change something over there, such as `create a@1.0`."""

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        path = request.url.path
        if path.startswith("/_emulator/") or request.headers.get("x-goog-api-key") == OTHERS_KEY:
            return self._inner.handle_request(request)
        what, on = describe(request)
        if what in WRITES:
            self.writes[f"{what} {on}"] += 1
        told: list[httpx.Response] = []

        def answer() -> httpx.Response:
            if not told:
                told.append(self._inner.handle_request(request))
                told[0].read()
            return told[0]

        try:
            changed = self.twist(Asked(what, on, request, answer))
        except httpx.TransportError:
            self.twisted += 1
            raise
        if changed is None:
            return answer()
        self.twisted += 1
        return changed


class TwistedWorld(World):
    """The engine's world, with `line` before its emulator."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.line = Line(self.here.wire._inner)
        self.here.wire._inner = self.line

    def writes(self) -> Counter[str]:
        return Counter(self.line.writes)

    def make_foreign(self, display_name: str = "somebody else's") -> str:
        """A job of somebody else; gives its name."""
        requests = {"requests": [{"request": {"contents": [{"parts": [{"text": "hello"}]}]}}]}
        batch = {"displayName": display_name, "inputConfig": {"requests": requests}}
        return self.here.api("POST", f"models/{MODEL}:batchGenerateContent", {"batch": batch})["name"]


def told(value: Any, status: int = 200, **headers: str) -> httpx.Response:
    """An answer with this JSON."""
    return httpx.Response(status, json=value, headers={name.replace("_", "-"): text for name, text in headers.items()})


def refused(status: int, name: str, message: str = "m", *details: Any) -> httpx.Response:
    """An answer with an error of the API's own."""
    error = {"code": status, "message": message, "status": name, "details": list(details)}
    return told({"error": error}, status)


def page(status: int = 502) -> httpx.Response:
    """What a proxy answers in the API's place."""
    return httpx.Response(status, html="<!DOCTYPE html><title>Error</title><p>That's an error.")


def operations(value: Any) -> list[Any]:
    """The operations of an answer to list, get or create."""
    return value.get("operations", []) if "operations" in value or "name" not in value else [value]


def on_operations(*what: str) -> Callable[[Callable[[Any], Any]], Twist]:
    """A twist of every operation that these calls show, in place."""

    def make(change: Callable[[Any], Any]) -> Twist:
        def twist(asked: Asked) -> httpx.Response | None:
            if asked.what not in what or asked.answer().status_code != 200:
                return None
            value = asked.json()
            for operation in operations(value):
                change(operation)
            return told(value)

        return twist

    return make


def on_items(change: Callable[[list[Any]], list[Any]]) -> Twist:
    """A twist of the results, inline and in files; `change` gives the items that are shown in their place."""

    def twist(asked: Asked) -> httpx.Response | None:
        if asked.what == "download" and asked.answer().status_code == 200:
            items = [json.loads(line) for line in asked.answer().content.splitlines()]
            return httpx.Response(200, content="".join(json.dumps(item) + "\n" for item in change(items)).encode())
        if asked.what != "get" or "output" not in asked.fields:
            return None
        value = asked.json()
        inner = value.get("metadata", {}).get("output", {}).get("inlinedResponses")
        if inner is None:
            return None
        inner["inlinedResponses"] = change(inner["inlinedResponses"])
        return told(value)

    return twist


@dataclass(frozen=True)
class Trap:
    """One trap: where the reference has it, how it is set, and what of the story it may change."""

    name: str
    source: str
    """The section of the reference."""
    twist: Twist | None = None
    faults: tuple[dict[str, Any], ...] = ()
    settings: Settings = field(default_factory=Settings)
    ok: int = 3
    """How many rows of each job have a response of their own in the end."""
    unmatched: int = 0
    """How many results of each job belong to no row, and are kept all the same."""

    def __str__(self) -> str:
        return self.name


KEYS = ("k3", "k1", "k2")
EMBED = Kind.EMBEDDINGS_BATCH_JOB


def three_jobs(world: World) -> list[Any]:
    """Rows inline, rows in a file, and embeddings."""
    return [
        job("inline", inline(*KEYS)),
        job("file", world.write_rows("rows.jsonl", *KEYS)),
        job("embed", inline(*KEYS, kind=EMBED), kind=EMBED),
    ]


def tell_unharmed(world: TwistedWorld, trap: Trap) -> None:
    """Tell the story: three jobs from create to results, beside two jobs of other people. Then tell it again."""
    foreign = [world.make_foreign(), world.make_foreign("b [bc1 shop/file@1.0 0123456789ab abcdefghij other1]")]
    jobs = three_jobs(world)
    world.line.twist = trap.twist or world.line.twist
    world.here.faults(*trap.faults)
    report = world.watch(*jobs)
    phase = "Succeeded" if trap.ok else "Failed"
    assert phases(report) == dict.fromkeys(("embed", "file", "inline"), phase)
    assert set(results(report).values()) == {"done"}
    once = {f"{name}@1.0": 1 for name in ("inline", "file", "embed")}
    assert made(world.here) == Counter({**once, "file@1.0": 2}), "the second of file is somebody else's"
    assert not any(one["deleted"] or one["state"] == "BATCH_STATE_CANCELLED" for one in world.here.jobs())
    for name in ("inline", "file", "embed"):
        check_results(world, name, trap)
    sent = world.writes()
    assert results(world.apply(*jobs)) == dict.fromkeys(("embed", "file", "inline"), "done")
    assert world.writes() == sent
    assert not any(name in call for call in sent for name in foreign)
    assert trap.twist is None or world.line.twisted > 0


def check_results(world: TwistedWorld, name: str, trap: Trap) -> None:
    """Every row has its own result, and whatever else came is there too."""
    attempt = world.attempt(name)
    lines = (world.results / attempt.results / "results.jsonl").read_text().splitlines()
    assert (world.results / name / "current").exists() is bool(trap.ok)
    rows = [json.loads(line) for line in lines]
    placed = [row for row in rows if row["index"] is not None]
    assert [(row["key"], row["index"]) for row in placed] == [
        (key, index) for index, key in enumerate(KEYS) if key in {row["key"] for row in placed}
    ]
    answered = [row for row in placed if "response" in row]
    assert (len(answered), len(rows) - len(placed)) == (trap.ok, trap.unmatched)
    assert (attempt.rows.total, attempt.rows.ok) == (3, trap.ok)
    assert attempt.create_time is not None or "updateTime" in trap.name
    for row in answered:
        assert own_answer(world, row), "a row got the answer of another"


def own_answer(world: TwistedWorld, row: Any) -> bool:
    """Whether a row's response is to its own request: the emulator's answers are always the same and name it."""
    if "candidates" in row["response"]:
        return f"say {row['key']}" in row["response"]["candidates"][0]["content"]["parts"][0]["text"]
    return row["response"]["embedding"]["values"] == vector(row["key"])


def vector(key: str) -> Any:
    """What the emulated model embeds a row's text to."""
    from batchctl.emulator.answers import answer_row

    request = {"content": {"parts": [{"text": f"say {key}"}]}}
    return answer_row("embed", f"models/{EMBED_MODEL}", request)["embedding"]["values"]
