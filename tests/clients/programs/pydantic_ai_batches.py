"""pydantic-ai's batches: the calls of a model, a list of requests, and an agent whose requests are batched."""

from __future__ import annotations

import asyncio
import os
from datetime import timedelta
from typing import Any

from attempts import Attempts, expect

# set-up
from pydantic_ai import Agent
from pydantic_ai.capabilities import BatchModelRequests
from pydantic_ai.direct import model_request_batch
from pydantic_ai.messages import ModelRequest
from pydantic_ai.models.batch import BatchRequest
from pydantic_ai.models.google import GoogleModel
from pydantic_ai.providers.google import GoogleProvider

provider = GoogleProvider()
model = GoogleModel("gemini-2.5-flash", provider=provider)
slow = GoogleModel("gemini-2.5-pro", provider=provider)
# end of set-up
SOON = timedelta(milliseconds=50)
KNOWN = {"has no batch API on Google Cloud": "pydantic-ai supports batches of the Gemini Developer API only"}
done = Attempts()


def asked(name: str) -> BatchRequest:
    return BatchRequest(custom_id=name, messages=[ModelRequest.user_text_prompt(f"say {name}")])


async def attempt(operation: str, call: Any, api: str = "gemini") -> Any:
    """Like `Attempts.attempt`, for a coroutine."""
    try:
        value = await call()
    except Exception as error:  # noqa: BLE001  that is the outcome
        caught = error
        return done.attempt(api, operation, lambda: _raise(caught), because=KNOWN)
    return done.attempt(api, operation, lambda: value)


def _raise(error: Exception) -> None:
    raise error


async def encoded(chosen: GoogleModel) -> Any:
    return await chosen.batch_create([await chosen.batch_encode(asked(name)) for name in ("a", "b")])


async def got(batch: Any) -> Any:
    found = await model.batch_status(batch)
    expect(found.status == "ended", found)
    return found


async def results(batch: Any) -> None:
    found = await model.batch_results(await got(batch))
    expect([one.custom_id for one in found] == ["a", "b"], found)
    reply = model.batch_decode(found[0], asked("a"))
    expect("say a" in str(reply.parts), reply)


async def many() -> None:
    replies = await model_request_batch(model, [asked("a"), asked("b")], poll_interval=SOON)
    expect(len(replies) == 2 and "say b" in str(replies[1]), replies)


async def agents() -> None:
    batching = BatchModelRequests(max_requests=2, poll_interval=SOON)
    agent = Agent(model, capabilities=[batching])
    async with batching:
        one, two = await asyncio.gather(agent.run("say one"), agent.run("say two"))
    expect("say one" in one.output and "say two" in two.output, (one.output, two.output))


async def cancelled(batch: Any) -> None:
    found = await slow.batch_cancel(batch)
    expect(found.status in ("canceling", "ended"), found)


async def vertex() -> None:
    from pydantic_ai.providers.google_cloud import GoogleCloudProvider

    place = {"project": os.environ["GOOGLE_CLOUD_PROJECT"], "location": os.environ["GOOGLE_CLOUD_LOCATION"]}
    chosen = GoogleModel("gemini-2.5-flash", provider=GoogleCloudProvider(**place))
    await model_request_batch(chosen, [asked("a")], poll_interval=SOON)


async def main() -> None:
    batch = await attempt("create a batch from a file", lambda: encoded(model))
    await attempt("get a batch", lambda: got(batch))
    await attempt("read results from a file", lambda: results(batch))
    await attempt("requests in one batch (`model_request_batch`)", many)
    await attempt("agents that share a batch (`BatchModelRequests`)", agents)
    running = await attempt("create a batch that runs", lambda: encoded(slow))
    await attempt("cancel a batch", lambda: cancelled(running))
    await attempt("create a batch from Cloud Storage", vertex, "vertex")
    done.tell()


if __name__ == "__main__":
    asyncio.run(main())
