"""The competitors: what a user would write instead, as short as the task allows.

    python benchmarks/peers.py NAME ARGUMENT…

Each runs as a process of its own, so that its memory and its imports count.
"""

from __future__ import annotations

import json
import sys
import time
import urllib.request
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
_POLL_SECONDS = 0.5


def validate_json(rows: str) -> None:
    """Parse each line, and check its key."""
    keys = set()
    with Path(rows).open(encoding="utf-8") as stream:
        for line in stream:
            row = json.loads(line)
            if row["key"] in keys or not isinstance(row["request"]["contents"], list):
                raise ValueError(line)
            keys.add(row["key"])


def validate_jsonschema(rows: str) -> None:
    """Check each line by batchctl's own schema of rows and requests, compiled once by `jsonschema`."""
    from jsonschema import Draft7Validator

    definitions = json.loads((ROOT / "schemas" / "batchjob.schema.json").read_text(encoding="utf-8"))["definitions"]
    content = {
        "type": "object",
        "additionalProperties": False,
        "required": ["parts"],
        "properties": {
            "role": {"enum": ["user", "model", "function"]},
            "parts": {"type": "array", "minItems": 1, "items": {"$ref": "#/definitions/part"}},
        },
    }
    contents = {"type": "array", "minItems": 1, "items": content}
    request = definitions["request"]
    whole = {**request, "required": ["contents"], "properties": {**request["properties"], "contents": contents}}
    row = definitions["row"]
    row = {**row, "properties": {**row["properties"], "request": whole}}
    validator = Draft7Validator(
        {"definitions": {**definitions, "line": row}, "allOf": [{"$ref": "#/definitions/line"}]}
    )
    with Path(rows).open(encoding="utf-8") as stream:
        for line in stream:
            if not validator.is_valid(json.loads(line)):
                raise ValueError(line)


def validate_sdk(rows: str) -> None:
    """Check each line as a request of google-genai: its type of an inline request, over the members of the row."""
    from google.genai import types

    with Path(rows).open(encoding="utf-8") as stream:
        for line in stream:
            request = json.loads(line)["request"]
            config = request.pop("generationConfig", {})
            types.InlinedRequest.model_validate({**request, "config": config})


def validate_pydantic(rows: str) -> None:
    """Check each line by google-genai's types of contents and settings, inside two types of our own.

    pydantic reads the JSON itself, which is its fastest way.
    """
    from google.genai import types
    from pydantic import BaseModel, ConfigDict
    from pydantic.alias_generators import to_camel

    class Request(BaseModel):
        model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, extra="forbid")
        contents: list[types.Content]
        generation_config: types.GenerationConfig | None = None
        system_instruction: types.Content | None = None

    class Row(BaseModel):
        model_config = ConfigDict(extra="forbid")
        key: str
        request: Request

    with Path(rows).open("rb") as stream:
        for line in stream:
            Row.model_validate_json(line)


def upload_json(rows: str, url: str, defaults: str) -> None:
    """Merge the defaults into each row, write a file, upload it, and create the job."""
    merged = Path(rows).with_suffix(".merged")
    under = json.loads(defaults)
    with Path(rows).open(encoding="utf-8") as stream, merged.open("w", encoding="utf-8") as out:
        for line in stream:
            row = json.loads(line)
            row["request"] = {**under, **row["request"]}
            out.write(json.dumps(row, ensure_ascii=False) + "\n")
    import httpx

    with httpx.Client(base_url=url, headers={"x-goog-api-key": "bench"}, timeout=600) as client:
        start = {"X-Goog-Upload-Protocol": "resumable", "X-Goog-Upload-Command": "start"}
        about = {"X-Goog-Upload-Header-Content-Length": str(merged.stat().st_size)}
        body = {"file": {"displayName": "rows", "mimeType": "application/jsonl"}}
        session = client.post("/upload/v1beta/files", headers={**start, **about}, json=body).raise_for_status()
        finish = {"X-Goog-Upload-Command": "upload, finalize", "X-Goog-Upload-Offset": "0"}
        with merged.open("rb") as content:
            sent = client.post(session.headers["x-goog-upload-url"], headers=finish, content=content)
        name = sent.raise_for_status().json()["file"]["name"]
        batch = {"displayName": "peer", "inputConfig": {"fileName": name}}
        client.post("/v1beta/models/gemini-2.5-flash:batchGenerateContent", json={"batch": batch}).raise_for_status()


def collect_json(rows: str, url: str, job: str) -> None:
    """Download the results of a job, and write them in the order of the input, each beside its key."""
    head = {"x-goog-api-key": "bench"}
    with urllib.request.urlopen(urllib.request.Request(f"{url}/v1beta/{job}", headers=head), timeout=600) as reply:
        file = json.loads(reply.read())["response"]["responsesFile"]
    found: dict[str, Any] = {}
    address = f"{url}/download/v1beta/{file}:download?alt=media"
    with urllib.request.urlopen(urllib.request.Request(address, headers=head), timeout=600) as reply:
        for line in reply:
            result = json.loads(line)
            found[result["key"]] = result
    with Path(rows).open(encoding="utf-8") as stream, Path(rows).with_suffix(".results").open("w") as out:
        for line in stream:
            out.write(json.dumps(found[json.loads(line)["key"]], ensure_ascii=False) + "\n")


def results_json(results: str) -> None:
    """Print each row of a file of results."""
    with Path(results).open(encoding="utf-8") as stream:
        for line in stream:
            print(json.dumps(json.loads(line), ensure_ascii=False))


def create_sdk(url: str, jobs: str) -> None:
    """Create jobs one after another, and ask for each until it has ended."""
    from google import genai

    client = genai.Client(api_key="bench", http_options={"base_url": url})
    names = [client.batches.create(**_job(number)).name for number in range(int(jobs))]
    for name in names:
        while client.batches.get(name=str(name)).state.name != "JOB_STATE_SUCCEEDED":  # type: ignore[union-attr]
            time.sleep(_POLL_SECONDS)


def create_sdk_async(url: str, jobs: str, at_once: str) -> None:
    """The same with the asynchronous client, and several calls in flight."""
    import asyncio

    from google import genai

    async def run() -> None:
        batches = genai.Client(api_key="bench", http_options={"base_url": url}).aio.batches
        lanes = asyncio.Semaphore(int(at_once))

        async def create(number: int) -> str:
            async with lanes:
                return str((await batches.create(**_job(number))).name)

        async def wait(name: str) -> None:
            async with lanes:
                while (await batches.get(name=name)).state.name != "JOB_STATE_SUCCEEDED":  # type: ignore[union-attr]  # noqa: ASYNC110
                    await asyncio.sleep(_POLL_SECONDS)

        names = await asyncio.gather(*map(create, range(int(jobs))))
        await asyncio.gather(*map(wait, names))

    asyncio.run(run())


def _job(number: int) -> Any:  # noqa: ANN401  the client's own type
    src = [{"contents": [{"role": "user", "parts": [{"text": f"Say {number}"}]}]}]
    return {"model": "gemini-2.5-flash", "src": src, "config": {"display_name": f"job-{number}"}}


def parse_manifests(folder: str) -> None:
    """Parse each file with libyaml, and nothing else."""
    import yaml

    for path in sorted(Path(folder).iterdir()):
        yaml.load(path.read_bytes(), Loader=yaml.CSafeLoader)


def check_manifests(folder: str, loader: str) -> None:
    """Parse each file, check it by batchctl's own schema, compiled once by `jsonschema`, and hash its JSON."""
    import hashlib

    import yaml
    from jsonschema import Draft7Validator

    schema = json.loads((ROOT / "schemas" / "batchjob.schema.json").read_text(encoding="utf-8"))
    validator = Draft7Validator(schema)
    digests = {}
    for path in sorted(Path(folder).iterdir()):
        manifest = yaml.load(path.read_bytes(), Loader=getattr(yaml, loader))
        if not validator.is_valid(manifest):
            raise ValueError(path)
        work = json.dumps(manifest["spec"], sort_keys=True, separators=(",", ":"))
        digests[manifest["metadata"]["name"]] = hashlib.sha256(work.encode()).hexdigest()


if __name__ == "__main__":
    globals()[sys.argv[1]](*sys.argv[2:])
