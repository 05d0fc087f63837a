"""The engine's world on either API, and who else lives there."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from batchctl.emulator.seed import load_seed
from batchctl.model.desired import DesiredJob
from batchctl.model.keys import Account, Api
from batchctl.model.kinds import Kind
from batchctl.model.ports.providers import Provider
from batchctl.providers.google_credentials import StaticToken
from batchctl.providers.key_locks import KeyLocks
from batchctl.providers.vertex.provider import open_vertex
from batchctl.providers.wire import Owner, Place, Wire
from tests.support.apis import STACK, UID, ApiCase, RemoteJob
from tests.support.engine import HERE, World, inline, job
from tests.support.values import replace

ACCOUNTS = {"gemini": HERE, "vertex": Account(Api.VERTEX, "https://here.invalid", "demo", "us-central1")}
_CALLER = {"x-goog-api-key": "other", "authorization": "Bearer other"}


@dataclass
class NetWorld(World):
    """A world with one account, on the API of `api`."""

    api: ApiCase = field(kw_only=True)

    def __post_init__(self) -> None:
        self.accounts = (ACCOUNTS[self.api.name],)
        super().__post_init__()
        if self.api.seed:
            seed = self.folder / "seed.yaml"
            seed.write_text(self.api.seed)
            load_seed(self.here.emulator, seed)

    @property
    def account(self) -> Account:
        return self.accounts[0]

    def open(self, account: Account) -> Provider:
        if account.api is Api.GEMINI:
            return super().open(account)
        origin, bucket = account.origin, self.api.provider["stagingBucket"]
        return open_vertex(
            account,
            Place(origin, origin, origin, staging_bucket=bucket),
            Owner(STACK, UID, self.limits),
            Wire(self.time, lambda: 0.5, self.services[account].wire),
            credentials=StaticToken("token"),
            locks=KeyLocks(),
        )

    def remotes(self) -> list[RemoteJob]:
        """Every job ever made there."""
        return [self.api.read(view) for view in self.here.control("GET", "jobs")["jobs"]]

    def make_foreign(self) -> None:
        """Jobs of other people: without a mark, with that of other stacks."""
        for stack, uid in (("", ""), (STACK, "zzzzzz"), ("shoe", UID)):
            path, body = self.api.foreign(stack, uid)
            answer = self.here._client.post(path, json=body, headers=_CALLER)
            assert answer.status_code == 200, answer.text

    def job(self, name: str, keys: Sequence[str], dice: random.Random, run_id: str | None) -> DesiredJob:
        """A job of some kind and with some form of input."""
        kind = dice.choice(list(Kind)) if self.api.takes_rows else Kind.BATCH_JOB
        is_file = dice.random() < 0.3 or not self.api.takes_rows
        source: Any = self.write_rows(f"{name}.jsonl", *keys, kind=kind) if is_file else inline(*keys, kind=kind)
        made = job(name, source, account=self.account, kind=kind, run_id=run_id, display_name=name, backoff_limit=2)
        dest = self.api.spec(name).get("dest")
        return replace(made, dest=dest) if dest else made
