"""Rows in shards, with a canary and row retries, are killed at each effect and again and again by real signals.

Whoever runs the command again ends with the same bytes as an undisturbed run, and no row with a good answer is bought
twice. The witness is the service's own record (`GET /_emulator/rows`).
"""

from __future__ import annotations

import json
import os
import random
from dataclasses import dataclass

import pytest

from tests.reliability.test_crash import kill
from tests.support.apis import APIS, GEMINI, VERTEX, ApiCase
from tests.support.long_mode import effort
from tests.support.processes import Death
from tests.support.scenes import Point, Scene, Take, film, situations
from tests.support.workplace import LIMITS, Site

ROWS = "abcdefghijkl"
PASSING = {"share": 0.4, "by": "content", "times": 1, "error": {"code": 14, "message": "try later"}}
BROKEN = {"share": 0.1, "by": "content", "error": {"code": 3, "message": "invalid"}}
RULE = {"pending": "0s", "running": "1s", "order": "shuffled", "rowOutcomes": [PASSING, BROKEN]}
SECOND_SHARD = {
    "gemini": {"displayName": "*@2.1 *"},
    "vertex": {"labels": {"batchctl-attempt": "2", "batchctl-shard": "1"}},
}
COMMAND = ("apply", "--yes", "--wait", "-q", "--allow-failed")
SEED = int(os.environ.get("BATCHCTL_SEED", "1"))


def write_shards(site: Site) -> None:
    """A canary of two rows; the others in shards of four, of which one expires with a part of its rows done."""
    site.empty_service()
    expires = {**RULE, "match": SECOND_SHARD[site.api.name], "fate": "expire", "done": 0.6}
    site.service.rules(expires, RULE)
    canary = {"rows": 2, "maxFailedRows": "100%"}
    lifecycle = {"retryOn": ["ROWS"]}
    site.write_job("rows", ROWS, as_file=True, sharding={"maxRows": 4}, canary=canary, lifecycle=lifecycle)


def write_bucket(site: Site) -> None:
    """The same with rows at Cloud Storage, which are read, and sent through the staging bucket."""
    write_shards(site)
    contents = {name: [{"role": "user", "parts": [{"text": f"say {name}"}]}] for name in ROWS}
    lines = (json.dumps({"key": name, "request": {"contents": contents[name]}}) for name in ROWS)
    site.service.put_object("demo-in", "rows.jsonl", "\n".join(lines))
    spec = {"sharding": {"maxRows": 4}, "canary": {"rows": 2, "maxFailedRows": "100%"}}
    site.write_job("rows", src="gs://demo-in/rows.jsonl", lifecycle={"retryOn": ["ROWS"]}, **spec)


SCENE = Scene("rows", write_shards, COMMAND)
BUCKET = Scene("bucket", write_bucket, COMMAND)


@dataclass(frozen=True)
class Undisturbed:
    """The end of a run that nothing interrupts."""

    take: Take
    results: bytes
    printed: str
    jobs: list[int]
    record: dict[str, int]

    def check(self, where: str) -> None:
        """Compare the present end with it."""
        site = self.take.site
        try:
            assert read_results(site) == self.results
            assert site.run("results", "rows").out == self.printed
            assert read_record(site) == self.record
            assert sent_rows(site) == self.jobs
        except BaseException as error:
            error.add_note(where)
            raise


def read_results(site: Site) -> bytes:
    return (site.path / "results" / "rows" / "current" / "results.jsonl").read_bytes()


def read_record(site: Site) -> dict[str, int]:
    """The rows of all jobs; none with a good answer was sent once more."""
    record = site.service.sent_rows()
    assert (record["sentAfterAnswer"], record["rows"]) == (0, [])
    return {name: record[name] for name in ("sent", "distinct", "answered")}


def sent_rows(site: Site) -> list[int]:
    """The rows of each of our jobs. Shards that were settled later come later."""
    found = zip(site.service.jobs(), site.jobs(), strict=True)
    return sorted(view["rows"] for view, job in found if job.attempt is not None)


def play(site: Site, scene: Scene = SCENE) -> Undisturbed:
    (take,) = film(site, (scene,))
    made = sent_rows(site)
    assert len(made) >= 5, "a canary, three shards and a row retry"
    return Undisturbed(take, read_results(site), site.run("results", "rows").out, made, read_record(site))


PARTS = effort(1, 4)


@pytest.mark.parametrize("part", range(PARTS))
def test_killed_at_each_effect(make_site, still, api: ApiCase, part: int) -> None:
    undisturbed = play(make_site(still, api))
    chosen = _chosen(undisturbed, effort(16 if api is GEMINI else 32, 1), part)
    for point in chosen:
        point.take.rewind()
        kill(point)
        point.take.heal()
        undisturbed.check(f"killed at {point.at}, {point.where}")
    print(f"{len(chosen)} processes killed")


@pytest.mark.parametrize("part", range(PARTS))
def test_killed_with_rows_in_a_bucket(make_site, still, part: int) -> None:
    """A run may list jobs once more than another one, so its boundaries are not compared."""
    undisturbed = play(make_site(still, VERTEX), BUCKET)
    chosen = _chosen(undisturbed, effort(24, 1), part)
    for point in chosen:
        point.take.rewind()
        ended = point.take.site.run(*COMMAND, death=Death(point.at))
        assert ended.was_killed or ended.code == 0, ended
        point.take.heal()
        undisturbed.check(f"killed at {point.at}, {ended.trace[-1]}")
    print(f"{len(chosen)} processes killed")


def _chosen(undisturbed: Undisturbed, step: int, part: int) -> list[Point]:
    """A moment of each situation, or of some of them."""
    groups = situations(undisturbed.take)
    return [group[number % len(group)] for number, group in enumerate(groups)][::step][part::PARTS]


@pytest.mark.parametrize("api", effort((GEMINI,), APIS), ids=lambda api: api.name)
@pytest.mark.parametrize("seed", range(SEED, SEED + effort(1, 30)))
def test_killed_again_and_again(make_site, still, api: ApiCase, seed: int) -> None:
    """With several calls in flight the boundaries come in any order: the moments are drawn."""
    undisturbed = play(make_site(still, api, limits={**LIMITS, "concurrency": 4}))
    take, dice, killed = undisturbed.take, random.Random(seed), []
    take.rewind()
    for _ in range(effort(4, 8)):
        ended = take.site.run(*COMMAND, death=Death(dice.randrange(len(take.trace) // 2)))
        killed.append(ended.trace[-1])
        assert ended.was_killed or ended.code == 0, ended
    take.heal()
    undisturbed.check(f"seed {seed}: killed at {killed}")
