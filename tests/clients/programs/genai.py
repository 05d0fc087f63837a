"""google-genai, both APIs, both versions of each, synchronous and asynchronous."""

from __future__ import annotations

import asyncio
import inspect
import os
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

from attempts import Attempts, expect

# set-up
from google import genai
from google.genai import types


def gemini_client(**options):
    return genai.Client(http_options=options)


def vertex_client(**options):
    # With a base URL of your own, project and location are read from the arguments only.
    place = {"project": os.environ["GOOGLE_CLOUD_PROJECT"], "location": os.environ["GOOGLE_CLOUD_LOCATION"]}
    return genai.Client(vertexai=True, **place, http_options=options)


# end of set-up

warnings.filterwarnings("ignore", category=Warning)
MODEL, SLOW, EMBED = "gemini-2.5-flash", "gemini-2.5-pro", "gemini-embedding-001"
SUCCEEDED = types.JobState.JOB_STATE_SUCCEEDED
REQUEST = {"contents": [{"role": "user", "parts": [{"text": "one"}]}]}
LINES = b'{"key": "a", "request": {"contents": [{"parts": [{"text": "one"}]}]}}\n'
KNOWN = {"/v1/publishers/google/models was not found": "Vertex AI has this list in v1beta1 only"}
done = Attempts()


class Form:
    """One client in one of its two forms; calls of the asynchronous one are awaited on the spot."""

    def __init__(self, api: str, version: str, runner: asyncio.Runner | None) -> None:
        self.api, self.runner = api, runner
        self.name = f"{version} {'async' if runner else 'sync'}"
        self.client = (gemini_client if api == "gemini" else vertex_client)(api_version=version)
        side = self.client.aio if runner else self.client
        self.batches, self.files, self.models = side.batches, side.files, side.models

    def value(self, reply: Any) -> Any:
        return self.runner.run(_awaited(reply)) if inspect.isawaitable(reply) and self.runner else reply

    def all(self, reply: Any) -> list[Any]:
        pager = self.value(reply)
        return self.runner.run(_drained(pager)) if self.runner else list(pager)

    def attempt(self, operation: str, call: Callable[[], Any]) -> Any:
        return done.attempt(self.api, operation, lambda: self.value(call()), form=self.name, because=KNOWN)


async def _awaited(reply: Any) -> Any:
    return await reply


async def _drained(pager: Any) -> list[Any]:
    return [item async for item in pager]


def gemini(form: Form) -> None:
    """The Gemini Developer API."""
    Path("in.jsonl").write_bytes(LINES)
    config = {"display_name": "in", "mime_type": "application/jsonl"}
    file = form.attempt("upload a file", lambda: form.files.upload(file="in.jsonl", config=config))
    form.attempt("get a file", lambda: form.files.get(name=file.name))
    form.attempt("list files", lambda: expect(file.name in [one.name for one in form.all(form.files.list())]))
    made = form.attempt(
        "create a batch of inline rows",
        lambda: form.batches.create(model=MODEL, src=[REQUEST], config={"display_name": "inline"}),
    )
    from_file = form.attempt("create a batch from a file", lambda: form.batches.create(model=MODEL, src=file.name))
    embed = {"inlined_requests": types.EmbedContentBatch(contents=["one", "two"])}
    vectors = form.attempt(
        "create a batch of embeddings", lambda: form.batches.create_embeddings(model=EMBED, src=embed)
    )
    form.attempt("get a batch", lambda: _ended(form, made))
    form.attempt("list batches, by pages", lambda: _pages(form, [made.name, from_file.name]))
    form.attempt("read inline results", lambda: _inline(form, made))
    form.attempt("read results from a file", lambda: _from_file(form, from_file))
    form.attempt("read embeddings", lambda: _vectors(form, vectors))
    slow = form.attempt("create a batch that runs", lambda: form.batches.create(model=SLOW, src=[REQUEST]))
    form.attempt("cancel a batch", lambda: _cancelled(form, slow))
    form.attempt("delete a batch", lambda: form.batches.delete(name=made.name))
    form.attempt("delete a file", lambda: form.files.delete(name=file.name))
    _models(form)


def vertex(form: Form) -> None:
    """Vertex AI."""
    src, dest = "gs://clients/in.jsonl", f"gs://clients/{form.name.replace(' ', '-')}"
    made = form.attempt(
        "create a batch from Cloud Storage",
        lambda: form.batches.create(model=MODEL, src=src, config={"dest": dest, "display_name": "objects"}),
    )
    table = f"bq://emulator.clients.{form.name.replace(' ', '_')}"
    rows = form.attempt(
        "create a batch from BigQuery",
        lambda: form.batches.create(model=MODEL, src="bq://emulator.clients.rows", config={"dest": table}),
    )
    embeddings = form.attempt(
        "create a batch of embeddings",
        lambda: form.batches.create(model=EMBED, src="gs://clients/embed.jsonl", config={"dest": dest}),
    )
    form.attempt("get a batch", lambda: [_ended(form, job) for job in (made, rows, embeddings)])
    form.attempt("list batches, by pages", lambda: _pages(form, [made.name, rows.name]))
    named = {"filter": 'display_name="objects"'}
    form.attempt(
        "list batches, with a filter",
        lambda: expect({made.name} <= {job.name for job in form.all(form.batches.list(config=named))}),
    )
    slow = form.attempt(
        "create a batch that runs", lambda: form.batches.create(model=SLOW, src=src, config={"dest": dest})
    )
    form.attempt("cancel a batch", lambda: _cancelled(form, slow))
    form.attempt("delete a batch", lambda: form.batches.delete(name=made.name))
    _models(form)


def _ended(form: Form, job: Any) -> Any:
    found = form.value(form.batches.get(name=job.name))
    expect(found.state == SUCCEEDED, found)
    return found


def _pages(form: Form, names: list[str]) -> None:
    pager = form.value(form.batches.list(config={"page_size": 1}))
    first = pager[0].name
    form.value(pager.next_page())
    expect(len(pager) == 1 and pager[0].name != first, pager)
    found = [job.name for job in form.all(form.batches.list(config={"page_size": 2}))]
    expect(set(names) <= set(found), found)


def _inline(form: Form, job: Any) -> None:
    [row] = _ended(form, job).dest.inlined_responses
    expect("one" in row.response.text, row)


def _from_file(form: Form, job: Any) -> None:
    found = _ended(form, job)
    content = form.value(form.files.download(file=found.dest.file_name))
    expect(b'"key":"a"' in content.replace(b" ", b""), content)


def _vectors(form: Form, job: Any) -> None:
    rows = _ended(form, job).dest.inlined_embed_content_responses
    expect(len(rows) == 2 and len(rows[0].response.embedding.values) > 0, rows)


def _cancelled(form: Form, job: Any) -> None:
    form.value(form.batches.cancel(name=job.name))
    found = form.value(form.batches.get(name=job.name))
    expect(found.state in (types.JobState.JOB_STATE_CANCELLING, types.JobState.JOB_STATE_CANCELLED), found)


def _models(form: Form) -> None:
    form.attempt("get a model", lambda: form.models.get(model=MODEL))
    form.attempt("list models", lambda: expect(len(form.all(form.models.list(config={"page_size": 2}))) > 2))


def main() -> None:
    with asyncio.Runner() as runner:
        for api, versions, operations in (("gemini", ("v1beta", "v1"), gemini), ("vertex", ("v1beta1", "v1"), vertex)):
            for version in versions:
                for its in (None, runner):
                    operations(Form(api, version, its))
    done.tell()


if __name__ == "__main__":
    main()
