"""A chain is killed between its jobs and at each effect: whoever runs the command again buys each row once."""

from __future__ import annotations

from tests.reliability.test_crash import kill
from tests.support.audit import Rest
from tests.support.long_mode import effort
from tests.support.scenes import SOON, Point, Scene, film, situations
from tests.support.workplace import Site

CHAIN = {"fromJob": "first", "template": {"text": "Say ${row.text}"}}


def write_chain(site: Site) -> None:
    site.empty_service()
    site.service.rules(SOON)
    site.write_job("first", as_file=True)
    site.write_job("second", src=CHAIN)


SCENE = Scene("chain", write_chain, ("apply", "--yes", "--wait", "-q"), Rest({"first": (1, "ab"), "second": (1, "ab")}))


def test_killed_at_each_effect(make_site, still, api):
    (take,) = film(make_site(still, api), (SCENE,))
    groups = situations(take)
    chosen: list[Point] = [group[number % len(group)] for number, group in enumerate(groups)][:: effort(6, 1)]
    for point in chosen:
        take.rewind()
        kill(point)
        take.heal()
        take.check(f"killed at {point.at}, {point.where}")
    print(f"{len(chosen)} of {len(groups)} situations")
