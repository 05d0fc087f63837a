"""Eight processes apply and watch on one state, in a file, a bucket and PostgreSQL, while signals strike and the store fails.

No update is lost, no job is bought twice, an error says what happened, and the next run settles what was left.
`BATCHCTL_LONG=1` runs many more rounds; `BATCHCTL_SEED` is the seed.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator

import pytest

from batchctl.engine.clock import SystemClock
from batchctl.model.stack import Limits
from batchctl.providers.cloud.state_objects import open_bucket_objects
from batchctl.providers.google_credentials import StaticToken
from batchctl.providers.wire import Place, Wire
from batchctl.state.postgres.place import PostgresPlace
from batchctl.state.shared.bucket import BucketPlace
from tests.support.apis import GEMINI
from tests.support.long_mode import effort
from tests.support.postgres_server import PostgresServer
from tests.support.shared_database import Database
from tests.support.team import Store, Team, begin, shared_state
from tests.support.workplace import Served

SEED = int(os.environ.get("BATCHCTL_SEED", "1"))
ROUNDS = effort(1, 25)
EVENTS = effort(6, 12)
BUCKET = "gs://team/prod/state.db"


@pytest.fixture
def in_a_file() -> Store:
    return Store("state.db")


@pytest.fixture
def in_a_bucket(running: Served) -> Iterator[Store]:
    url = running.url
    objects = open_bucket_objects(
        BUCKET, Place(url, url, url, is_emulator=True), Wire(SystemClock(), lambda: 0.5), Limits(), StaticToken("x")
    )

    def fail(**fault: object) -> Callable[[], None]:
        return lambda: running.service.faults({"method": "storage.objects.*", "count": 3, **fault})

    troubles = [
        fail(kind="cut", when="after"),
        fail(kind="cut", when="before"),
        fail(kind="status", status=503, when="after"),
        fail(kind="status", status=503, count=40),
        fail(kind="status", status=412, count=1),
    ]
    yield Store(BUCKET, lambda: shared_state(BucketPlace(objects)), troubles, running.service.faults)
    objects.close()


@pytest.fixture
def in_postgres(database: Database, postgres: PostgresServer) -> Iterator[Store]:
    place = PostgresPlace(database.url, SystemClock().sleep)

    def restart() -> None:
        postgres.stop()
        postgres.start()

    yield Store(database.url, lambda: shared_state(place), [database.cut_all, database.cut_all, restart])
    place.close()


@pytest.mark.parametrize("store", ["in_a_file", "in_a_bucket", "in_postgres"])
def test_eight_processes_on_one_state_lose_nothing(make_site, running, request, store: str) -> None:
    chosen: Store = request.getfixturevalue(store)
    site = begin(make_site, running, GEMINI, chosen)
    if chosen.url == BUCKET:
        running.service.seed(buckets={"team": {}})
    team = Team(site, SEED)
    for _ in range(ROUNDS):
        team.round(EVENTS)
    print(f"{store}: {team.figures}")
