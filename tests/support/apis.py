"""The APIs that the harnesses run on, and what differs between them from outside."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pytest

from tests.support.long_mode import effort

STACK, UID = "shop", "abc123"
_PARENT = "projects/demo/locations/us-central1"
_MARK_FORM = " [bc1 {stack}/{job}@{attempt}.{shard} {digest} {token} {uid}]"
_MARK = re.compile(
    r"\[bc1 (?P<stack>\S+)/(?P<job>\S+)@(?P<attempt>\d+)\.(?P<shard>\d+) (?P<digest>\S{12}) (?P<token>\S{10}) (?P<uid>\S{6})\]$"
)
"""Read here by an expression of our own: an audit that asked batchctl whose a job is would believe its mistakes."""


@dataclass(frozen=True)
class RemoteJob:
    """One job at the service, whoever made it. `attempt` is None where it carries no mark of our stack."""

    name: str
    state: str
    deleted: bool
    attempt: str | None
    job: str = ""
    token: str = ""
    digest: str = ""
    """What tells its work, as far as the mark holds it."""

    @property
    def works(self) -> bool:
        return not self.deleted and self.state in {"PENDING", "RUNNING"}

    @property
    def lives(self) -> bool:
        return not self.deleted and self.state in {"PENDING", "RUNNING", "SUCCEEDED"}


@dataclass(frozen=True)
class ApiCase:
    """One API: how a stack names it, and how its jobs are made and read from outside."""

    name: str
    provider: Mapping[str, Any]
    """The entry in the stack file's `providers`."""
    methods: str
    """The prefix of its jobs' methods in the emulator's counters and faults."""
    takes_rows: bool
    """Whether a manifest may hold the rows themselves."""
    seed: str = ""
    """What its emulator has to have before a stack is applied."""

    def spec(self, job: str) -> dict[str, Any]:
        """What a job's manifest has to say beside the model and the source."""
        return {} if self.takes_rows else {"dest": f"gs://demo-out/{job}/"}

    def foreign(self, stack: str, uid: str) -> tuple[str, dict[str, Any]]:
        """The call that makes somebody else's job: for `stack` and `uid`, without a mark when both are empty."""
        marks = {"stack": stack, "uid": uid, "job": "inline", "attempt": "1", "shard": "0"}
        marks |= {"digest": "0123456789ab", "token": "abcdefghij"}
        if not self.takes_rows:
            source = {"instancesFormat": "jsonl", "gcsSource": {"uris": ["gs://demo-in/theirs.jsonl"]}}
            dest = {"predictionsFormat": "jsonl", "gcsDestination": {"outputUriPrefix": "gs://demo-out/theirs/"}}
            labels = {f"batchctl-{name}": value for name, value in marks.items()} if uid else {}
            model = "publishers/google/models/gemini-2.5-flash"
            body = {"displayName": "theirs", "model": model, "inputConfig": source, "outputConfig": dest}
            return f"/v1/{_PARENT}/batchPredictionJobs", {**body, "labels": labels}
        mark = _MARK_FORM.format(**marks) if uid else ""
        rows = {"requests": [{"request": {"contents": [{"parts": [{"text": "hello"}]}]}}]}
        batch = {"displayName": f"theirs{mark}", "inputConfig": {"requests": rows}}
        return "/v1beta/models/gemini-2.5-flash:batchGenerateContent", {"batch": batch}

    def listed(self, text: str, *, ours: bool) -> dict[str, Any]:
        """The answer to a list: one failed job with `text` in all that it says, and our mark if it is ours."""
        marks = {"stack": STACK, "uid": UID, "job": "a", "attempt": "1", "shard": "0"}
        marks |= {"digest": "0123456789ab", "token": "abcdefghij"}
        error = {"code": 3, "message": text}
        if self.takes_rows:
            mark = _MARK_FORM.format(**marks) if ours else ""
            facts = {"displayName": f"{text}{mark}", "model": text, "state": "BATCH_STATE_FAILED", "createTime": text}
            return {"operations": [{"name": "batches/1", "done": True, "error": error, "metadata": facts}]}
        labels = {f"batchctl-{name}": value for name, value in marks.items()} if ours else {"a": text}
        facts = {"displayName": text, "model": text, "state": "JOB_STATE_FAILED", "createTime": text, "labels": labels}
        return {"batchPredictionJobs": [{"name": f"{_PARENT}/batchPredictionJobs/1", "error": error, **facts}]}

    def read(self, view: Mapping[str, Any]) -> RemoteJob:
        """A job as `GET /_emulator/jobs` tells it."""
        state = re.sub("^(BATCH|JOB)_STATE_", "", view["state"])
        mark = self._mark(view)
        if mark is None or (mark["stack"], mark["uid"]) != (STACK, UID):
            return RemoteJob(view["name"], state, view["deleted"], None)
        attempt = f"{mark['job']}@{mark['attempt']}.{mark['shard']}"
        return RemoteJob(view["name"], state, view["deleted"], attempt, mark["job"], mark["token"], mark["digest"])

    def _mark(self, view: Mapping[str, Any]) -> Mapping[str, str] | None:
        if self.name == "vertex":
            labels = {name.removeprefix("batchctl-"): value for name, value in view["labels"].items()}
            return labels if "token" in labels else None
        found = _MARK.search(view["displayName"] or "")
        return found.groupdict() if found else None


GEMINI = ApiCase("gemini", {"type": "gemini", "endpoint": "emulator"}, "batches", takes_rows=True)
VERTEX = ApiCase(
    "vertex",
    {
        "type": "vertex",
        "endpoint": "emulator",
        "project": "demo",
        "location": "us-central1",
        "stagingBucket": "gs://demo-in/staging/",
    },
    "batchPredictionJobs",
    takes_rows=False,
    seed="""
buckets:
  demo-out: {}
  demo-in:
    objects:
      theirs.jsonl:
        lines: [{request: {contents: [{role: user, parts: [{text: hello}]}]}}]
""",
)
APIS = (GEMINI, VERTEX)


def on_both(names: Sequence[str]) -> list[Any]:
    """Parameters (api, name): all names on one API, and in the gate one of so many on the other."""
    chosen = [(GEMINI, name) for name in names] + [(VERTEX, name) for name in names[:: effort(5, 1)]]
    return [pytest.param(api, name, id=f"{api.name}-{name}") for api, name in chosen]
