"""A stack whose page the tests of the web page read: `watch --serve` over an emulator, on a clock that only a test moves.

It is a process of its own, `python -m tests.support.page_world`, because the clock, the folder and the environment are
those of the whole process. It writes a JSON line with the address of the page, and then one for each line that it reads:

    go 600        move the clock by 600 seconds and let the watch do what is due
    report FILE   write a report of the stack

The end of its input ends it.
"""

from __future__ import annotations

import io
import json
import re
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from random import SystemRandom
from typing import Any
from unittest.mock import patch

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "docs"))
import sample_world  # noqa: E402
from sample_world import World  # noqa: E402

from batchctl.cli.start_signals import INTERRUPTED  # noqa: E402

LANGUAGES = ("de", "es", "fr", "it", "ja", "ko", "nl", "pl")
_TEXTS = ("The tent arrived on time", "The poles were too short", "Support answered within a day", "The bag is heavy")
_PASSES = (0, 1200, 1721, 60, 2880, 5, 2940, 5, 1560)
"""Seconds between the runs of `apply` before the page is served: some jobs have ended then, some have not begun."""
_SELDOM = ("--poll-min", "10m", "--poll-max", "1h")
"""A test waits for what has ended an hour ago: the watch may look as seldom as that."""


class SteppedTime(sample_world.Time):
    """Time passes when a test says so; the watch, which sleeps on the main thread, waits for it."""

    def __init__(self) -> None:
        super().__init__()
        self._moved = threading.Condition()
        self._due: float | None = None
        self.is_stepped = False
        """Before that, time jumps when somebody sleeps."""
        self.is_over = False

    def sleep(self, seconds: float) -> None:
        if not self.is_stepped or threading.current_thread() is not threading.main_thread():
            super().sleep(seconds)
            return
        with self._moved:
            until = self._due = self._passed + max(1.0, seconds)
            self._moved.notify_all()
            self._moved.wait_for(lambda: self.is_over or self._passed >= until)
            self._due = None
        if self.is_over:
            raise KeyboardInterrupt

    def go(self, seconds: float) -> None:
        """Move on to each moment at which the watch has something to do, and wait until it sleeps again."""
        end = self._passed + seconds
        with self._moved:
            while True:
                self._moved.wait_for(lambda: self._due is not None)
                if self._due is None or self._due > end:
                    self._passed = end
                    return
                self._passed, self._due = max(self._passed, self._due), None
                self._moved.notify_all()

    def end(self) -> None:
        with self._moved:
            self.is_over = True
            self._moved.notify_all()


def write_job(world: World, name: str, rows: int | Sequence[str] = 12, **spec: Any) -> None:
    word = name.rsplit("-", maxsplit=1)[-1]
    if "src" not in spec:
        texts = [f"{_TEXTS[number % len(_TEXTS)]}, says {word} {number}." for number in range(1, int(rows) + 1)]  # type: ignore[arg-type]
        spec["src"] = [{"key": f"{word}-{number}", "text": text} for number, text in enumerate(texts, 1)]
    labels = {"team": "shop" if "support" in name else "reviews"}
    world.write(
        f"jobs/{name}.yaml",
        {
            "apiVersion": "batchctl.dev/v1",
            "kind": "BatchJob",
            "metadata": {"name": name, "labels": labels},
            "spec": {
                "model": "gemini-2.5-flash",
                "runId": name,
                "request": {"generationConfig": {"maxOutputTokens": 256}},
                **spec,
            },
        },
    )


def chain(job: str, text: str) -> dict[str, Any]:
    return {"src": {"fromJob": job, "template": {"text": f"{text}: ${{row.text}}"}}}


def write_stack(world: World) -> None:
    world.write(
        "batchctl.yaml",
        {
            "apiVersion": "batchctl.dev/v1",
            "kind": "Stack",
            "metadata": {"name": "reviews", "uid": "k3v9q2"},
            "spec": {
                "manifests": ["jobs"],
                "prices": "prices.yaml",
                "providers": {"gemini": {"type": "gemini", "endpoint": "emulator"}},
                "limits": {"concurrency": 4, "createTimeout": "20s", "settleGrace": "1m"},
            },
        },
    )
    own = {"source": "an example", "checked": "2026-11-20"}
    prices = {"gemini-2.5-flash*": {"input": 15, "output": 125}, "gemini-2.5-pro": {"input": 62.5, "output": 500}}
    world.write(
        "prices.yaml",
        {
            "apiVersion": "batchctl.dev/v1",
            "kind": "PriceList",
            "currency": "USD",
            "prices": [{"model": model, **own, "perMillionTokens": rates} for model, rates in prices.items()],
        },
    )


def write_jobs(world: World) -> None:
    """A chain that fans out, shards, jobs that wait for others, and some that do not end well."""
    write_job(world, "clean-reviews", 80, sharding={"maxRows": 20}, lifecycle={"retryOn": ["ROWS"]})
    write_job(world, "classify-reviews", **chain("clean-reviews", "Which topic has this review"))
    for language in LANGUAGES:
        model = "gemini-2.5-flash-lite" if language in {"nl", "pl"} else "gemini-2.5-flash"
        write_job(world, f"translate-{language}", **chain("classify-reviews", f"To {language}"), model=model)
    write_job(world, "summarise-topics", **chain("classify-reviews", "In a sentence"), model="gemini-2.5-pro")
    write_job(world, "embed-products", 40)
    write_job(world, "rate-products", 30, lifecycle={"pendingDeadline": "9h"})
    write_job(world, "moderate-photos", 60, lifecycle={"maxFailedRows": "30%"})
    write_job(world, "caption-photos", 60, dependsOn=["moderate-photos"])
    write_job(world, "score-support", 24, lifecycle={"protect": True})
    write_job(world, "answer-support", 24, dependsOn=["score-support"], model="gemini-2.5-pro")
    write_job(world, "extract-dates", lifecycle={"backoffLimit": 2})
    write_job(world, "detect-fraud", 50, model="gemini-2.5-pro")
    write_job(world, "report-fraud", **chain("detect-fraud", "Explain"), model="gemini-2.5-pro")
    write_job(world, "write-to-bank", **chain("report-fraud", "A letter"), model="gemini-2.5-pro")
    write_job(world, "tag-images", 20, model="gemini-3-ultra")
    write_job(world, "nightly-digest", lifecycle={"suspend": True})


def set_fates(world: World) -> None:
    quota = {"code": 8, "message": "Quota exceeded for quota metric 'Generate Content API requests per minute'."}
    invalid = {"code": 3, "message": "Invalid value at 'contents[0].parts[0]', oneof field 'data' is already set."}
    broken = {"code": 13, "message": "The batch failed to process: internal error in the batch service (5f0c9a)."}
    photos = [
        {"share": 0.1, "finishReason": "SAFETY"},
        {"share": 0.05, "error": invalid},
        {"share": 0.05, "finishReason": "MAX_TOKENS"},
    ]

    def of(name: str, pending: str, running: str, **more: Any) -> dict[str, Any]:
        match = {"displayName": f"*/{name}*", **more.pop("match", {})}
        return {"match": match, "pending": pending, "running": running, **more}

    world.rules(
        of("clean-reviews@", "12m", "35m", match={"row": "reviews-*7"}, rowOutcomes=[{"times": 1, "error": quota}]),
        of("clean-reviews@", "12m", "35m"),
        of("classify-reviews@", "8m", "40m"),
        of("moderate-photos@", "4m", "50m", fate="rows", rowOutcomes=photos),
        of("detect-fraud@", "20m", "1h5m", fate="fail", error=broken),
        of("extract-dates@1.0", "5m", "25m", fate="fail"),
        {"match": {"displayName": "*/rate-products@*"}, "fate": "stuck"},
        of("translate-ja@", "3h", "2h"),
        of("translate-fr@", "14m", "28m"),
        of("translate-nl@", "14m", "28m"),
        of("translate-", "25m", "4h"),
        {"pending": "15m", "running": "1h10m"},
    )
    refusal = "models/gemini-3-ultra is not found for API version v1beta, or is not supported for batch"
    world.faults(
        {"method": "batches.create", "kind": "status", "when": "before", "status": 400, "count": 1, "message": refusal}
    )


def change_manifests(world: World) -> None:
    """What the pending plan shows: a job to create, one to replace, and one that a guard refuses."""
    write_job(world, "headline-tests", 45)
    write_job(world, "caption-photos", 60, dependsOn=["moderate-photos"], model="gemini-2.5-flash-lite")
    write_job(world, "score-support", 24, lifecycle={"protect": True}, model="gemini-2.5-pro")


def tell(**members: Any) -> None:
    sys.__stdout__.write(json.dumps(members) + "\n")  # type: ignore[union-attr]
    sys.__stdout__.flush()  # type: ignore[union-attr]


class Announced(io.StringIO):
    """Standard error of the watch: tells the address of the page, and keeps all for a test that failed."""

    def write(self, text: str) -> int:
        found = re.search(r"web page: (\S+)", text)
        if found:
            tell(url=found[1])
        return super().write(text)


def obey(world: World, time: SteppedTime) -> None:
    """Do what the lines of standard input say, on a thread beside the watch."""
    for line in sys.stdin:
        word, _, rest = line.strip().partition(" ")
        if word == "go":
            time.go(float(rest))
            tell(now=time.now().isoformat())
        elif word == "report":
            ran = world("report", "--html", rest)
            tell(code=ran.code, err=ran.err)
    time.end()


def main(more: Sequence[str]) -> None:
    with (
        patch.object(sample_world, "Time", SteppedTime),
        patch.object(SystemRandom, "random", lambda _draws: 0.5),
        sample_world.open_world() as world,
    ):
        time = world.time
        assert isinstance(time, SteppedTime)
        write_stack(world)
        write_jobs(world)
        set_fates(world)
        world("apply", "--yes", "-f", "jobs/tag-images.yaml")
        for seconds in _PASSES:
            time.sleep(seconds)
            world("apply", "--yes")
        change_manifests(world)
        time.is_stepped = True
        threading.Thread(target=obey, args=(world, time), daemon=True).start()
        with patch.object(sys, "stderr", Announced()) as announced:
            code = sample_world.run(["watch", "--forever", "--serve", "127.0.0.1:0", *_SELDOM, *more])
        if code != INTERRUPTED:
            sys.exit(f"the watch ended with {code}:\n{announced.getvalue()}")


if __name__ == "__main__":
    main(sys.argv[1:])
