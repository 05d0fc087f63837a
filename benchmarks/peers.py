"""The competitors: what a user would write instead, as short as the task allows.

    python benchmarks/peers.py NAME ARGUMENT…

Each runs as a process of its own, so that its memory and its imports count.
"""

from __future__ import annotations

import json
import sys
import time
import urllib.request
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
_POLL_SECONDS = 0.5


def validate_json(rows: str) -> None:
    """Parse each line, and check its key and that it has contents."""
    keys = set[str]()
    with Path(rows).open(encoding="utf-8") as stream:
        for line in stream:
            row = json.loads(line)
            if not isinstance(row["request"]["contents"], list):
                raise ValueError(line)  # noqa: TRY004 - one error for a line
            _add_key(row["key"], keys)
    _print_done(len(keys))


def _add_key(key: str, keys: set[str]) -> None:
    """Every competitor refuses a key that another row has: its result could not be told from the other one's."""
    if key in keys:
        raise ValueError(key)
    keys.add(key)


def validate_jsonschema(rows: str) -> None:
    """Check each line by batchctl's own schema of rows and requests, compiled once by `jsonschema`."""
    is_valid, keys = _row_schema(), set[str]()
    with Path(rows).open(encoding="utf-8") as stream:
        for line in stream:
            row = json.loads(line)
            if not is_valid(row):
                raise ValueError(line)
            _add_key(row["key"], keys)
    _print_done(len(keys))


def validate_sdk(rows: str) -> None:
    """Check each line as a request of google-genai: its type of an inline request, over the members of the row."""
    typed, keys = _typed_request(), set[str]()
    with Path(rows).open(encoding="utf-8") as stream:
        for line in stream:
            row = json.loads(line)
            typed(row["request"])
            _add_key(row["key"], keys)
    _print_done(len(keys))


def validate_pydantic(rows: str) -> None:
    """Check each line by google-genai's types of contents and settings, inside two types of our own.

    pydantic reads the JSON itself, which is its fastest way.
    """
    read, keys = _row_type().model_validate_json, set[str]()
    with Path(rows).open("rb") as stream:
        for line in stream:
            _add_key(read(line).key, keys)
    _print_done(len(keys))


def _print_done(count: int) -> None:
    """Say how much was done; the benchmark compares it."""
    print(json.dumps({"done": count}))


def _row_schema() -> Callable[[Any], bool]:
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
    schema = {"definitions": {**definitions, "line": row}, "allOf": [{"$ref": "#/definitions/line"}]}
    return Draft7Validator(schema).is_valid


def _typed_request() -> Callable[[dict[str, Any]], Any]:
    """A request of a row as google-genai's only type of a request in a batch, whose settings are in `config`."""
    from google.genai import types

    def typed(request: dict[str, Any]) -> Any:  # noqa: ANN401 - google-genai is imported by those who need it only
        config = {**request.get("generationConfig", {}), "systemInstruction": request.get("systemInstruction")}
        return types.InlinedRequest.model_validate({"contents": request["contents"], "config": config})

    return typed


def _row_type() -> Any:  # noqa: ANN401 - pydantic is imported by those who need it only
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

    return Row


def upload_json(rows: str, url: str, defaults: str) -> None:
    """Check the key of each row, merge the defaults into it, write a file, upload it, and create the job."""
    _upload(rows, url, _merging(json.loads(defaults)))


def upload_jsonschema(rows: str, url: str, defaults: str) -> None:
    """The same, with a check of each row by batchctl's schema."""
    is_valid, merge = _row_schema(), _merging(json.loads(defaults))

    def checked(line: bytes) -> str:
        if not is_valid(json.loads(line)):
            raise ValueError(line)
        return merge(line)

    _upload(rows, url, checked)


def upload_sdk(rows: str, url: str, defaults: str) -> None:
    """The same with google-genai's type of an inline request: settings go into its `config`, and out of it again."""
    typed, under, keys = _typed_request(), json.loads(defaults), set[str]()

    def merge(line: bytes) -> str:
        row = json.loads(line)
        _add_key(row["key"], keys)
        request = typed({**under, **row["request"]}).model_dump(mode="json", by_alias=True, exclude_none=True)
        settings = request.pop("config")
        request["systemInstruction"] = settings.pop("systemInstruction")
        request["generationConfig"] = settings
        return json.dumps({"key": row["key"], "request": request}, ensure_ascii=False)

    _upload(rows, url, merge)


def upload_pydantic(rows: str, url: str, defaults: str) -> None:
    """The same with google-genai's types of contents and settings inside two types of our own, from JSON to JSON."""
    from google.genai import types

    row_type, keys = _row_type(), set[str]()
    instruction = types.Content.model_validate(json.loads(defaults)["systemInstruction"])

    def merge(line: bytes) -> str:
        row = row_type.model_validate_json(line)
        _add_key(row.key, keys)
        row.request.system_instruction = row.request.system_instruction or instruction
        text: str = row.model_dump_json(by_alias=True, exclude_none=True)
        return text

    _upload(rows, url, merge)


def _merging(under: dict[str, Any]) -> Callable[[bytes], str]:
    keys = set[str]()

    def merge(line: bytes) -> str:
        row = json.loads(line)
        _add_key(row["key"], keys)
        row["request"] = {**under, **row["request"]}
        return json.dumps(row, ensure_ascii=False)

    return merge


def _upload(rows: str, url: str, merge: Callable[[bytes], str]) -> None:
    merged = Path(rows).with_suffix(".merged")
    with Path(rows).open("rb") as stream, merged.open("w", encoding="utf-8") as out:
        for line in stream:
            out.write(merge(line) + "\n")
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

    def read(line: bytes) -> tuple[str, str]:
        result = json.loads(line)
        return result["key"], json.dumps(result, ensure_ascii=False)

    _collect(rows, url, job, read)


def collect_jsonschema(rows: str, url: str, job: str) -> None:
    """The same, with a check of each answer by a small schema."""
    is_valid = _answer_schema()

    def read(line: bytes) -> tuple[str, str]:
        result = json.loads(line)
        if not is_valid(result):
            raise ValueError(line)
        return result["key"], json.dumps(result, ensure_ascii=False)

    _collect(rows, url, job, read)


def collect_sdk(rows: str, url: str, job: str) -> None:
    """The same with google-genai's type of an answer, which takes values that `json` has read, and writes JSON."""
    result_type = _result_type()

    def read(line: bytes) -> tuple[str, str]:
        result = result_type.model_validate(json.loads(line))
        return result.key, result.model_dump_json(by_alias=True, exclude_none=True)

    _collect(rows, url, job, read)


def collect_pydantic(rows: str, url: str, job: str) -> None:
    """The same with google-genai's type of an answer, which reads and writes JSON."""
    result_type = _result_type()

    def read(line: bytes) -> tuple[str, str]:
        result = result_type.model_validate_json(line)
        return result.key, result.model_dump_json(by_alias=True, exclude_none=True)

    _collect(rows, url, job, read)


def _collect(rows: str, url: str, job: str, read: Callable[[bytes], tuple[str, str]]) -> None:
    head = {"x-goog-api-key": "bench"}
    with urllib.request.urlopen(urllib.request.Request(f"{url}/v1beta/{job}", headers=head), timeout=600) as reply:
        file = json.loads(reply.read())["response"]["responsesFile"]
    address = f"{url}/download/v1beta/{file}:download?alt=media"
    with urllib.request.urlopen(urllib.request.Request(address, headers=head), timeout=600) as reply:
        found = dict(map(read, reply))
    with Path(rows).open(encoding="utf-8") as stream, Path(rows).with_suffix(".results").open("w") as out:
        for line in stream:
            out.write(found[json.loads(line)["key"]] + "\n")


def _answer_schema() -> Callable[[Any], bool]:
    """A schema of the members that batchctl's verdict reads."""
    from jsonschema import Draft7Validator

    text = {"type": "string"}
    part = {"type": "object", "required": ["text"], "properties": {"text": {"type": "string", "minLength": 1}}}
    content = {"type": "object", "properties": {"parts": {"type": "array", "minItems": 1, "items": part}}}
    candidate = {
        "type": "object",
        "required": ["content", "finishReason"],
        "properties": {"content": content, "finishReason": {"enum": ["STOP"]}, "index": {"type": "integer"}},
    }
    usage = {"type": "object", "additionalProperties": {"type": "integer", "minimum": 0}}
    response = {
        "type": "object",
        "required": ["candidates"],
        "properties": {
            "candidates": {"type": "array", "minItems": 1, "items": candidate},
            "usageMetadata": usage,
            "modelVersion": text,
            "responseId": text,
        },
    }
    line = {"type": "object", "required": ["key", "response"], "properties": {"key": text, "response": response}}
    return Draft7Validator(line).is_valid


def _result_type() -> Any:  # noqa: ANN401 - as above
    from google.genai import types
    from pydantic import BaseModel

    class Result(BaseModel):
        key: str
        response: types.GenerateContentResponse

    return Result


def results_json(results: str) -> None:
    """Print each row of a file of results."""
    _print(results, lambda line: json.dumps(json.loads(line), ensure_ascii=False))


def results_jsonschema(results: str) -> None:
    """The same, with a check of each answer by a small schema."""
    is_valid = _answer_schema()

    def read(line: bytes) -> str:
        row = json.loads(line)
        if not is_valid(row):
            raise ValueError(line)
        return json.dumps(row, ensure_ascii=False)

    _print(results, read)


def results_sdk(results: str) -> None:
    """The same with google-genai's type of an answer, which takes values that `json` has read, and writes JSON."""
    row = _result_type()
    _print(results, lambda line: row.model_validate(json.loads(line)).model_dump_json(by_alias=True, exclude_none=True))


def results_pydantic(results: str) -> None:
    """The same with google-genai's type of an answer, which reads and writes JSON."""
    row = _result_type()
    _print(results, lambda line: row.model_validate_json(line).model_dump_json(by_alias=True, exclude_none=True))


def _print(results: str, read: Callable[[bytes], str]) -> None:
    with Path(results).open("rb") as stream:
        for line in stream:
            print(read(line))


def parse_manifests(folder: str) -> None:
    """Parse each file with libyaml, and nothing else."""
    import yaml

    parsed = [yaml.load(path.read_bytes(), Loader=yaml.CSafeLoader)["kind"] for path in sorted(Path(folder).iterdir())]
    _print_done(parsed.count("BatchJob"))


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
    _print_done(len(digests))


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


def get_sdk(url: str, names: str) -> None:
    """Ask for each of these jobs once, as a loop does that waits for them; prints its processor seconds."""
    from google import genai

    client = genai.Client(api_key="bench", http_options={"base_url": url})
    begun = time.process_time()
    states = Counter(_state(client.batches.get(name=name)) for name in Path(names).read_text(encoding="ascii").split())
    _print_cpu(begun, states)


def list_sdk(url: str, names: str) -> None:
    """The same from the list of all jobs, in pages of 100."""
    from google import genai

    client = genai.Client(api_key="bench", http_options={"base_url": url})
    wanted = set(Path(names).read_text(encoding="ascii").split())
    begun = time.process_time()
    states = Counter(_state(job) for job in client.batches.list(config={"page_size": 100}) if job.name in wanted)
    _print_cpu(begun, states)


def _print_cpu(begun: float, states: Counter[Any]) -> None:
    print(json.dumps({"cpu": time.process_time() - begun, "done": states["JOB_STATE_PENDING"]}))


def _state(job: Any) -> str:  # noqa: ANN401  the client's own type
    return str(job.state.name)


def _job(number: int) -> Any:  # noqa: ANN401  the client's own type
    src = [{"contents": [{"role": "user", "parts": [{"text": f"Say {number}"}]}]}]
    return {"model": "gemini-2.5-flash", "src": src, "config": {"display_name": f"job-{number}"}}


if __name__ == "__main__":
    globals()[sys.argv[1]](*sys.argv[2:])
