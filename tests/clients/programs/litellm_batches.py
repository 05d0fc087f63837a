"""litellm's files and batches, of the Gemini Developer API and of Vertex AI, in OpenAI's form."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

# set-up
import litellm
from attempts import Attempts, expect

GEMINI = {"custom_llm_provider": "gemini", "api_base": os.environ["GOOGLE_GEMINI_BASE_URL"]}
VERTEX = {
    "custom_llm_provider": "vertex_ai",
    "api_base": os.environ["GOOGLE_VERTEX_BASE_URL"],
    "vertex_project": os.environ["GOOGLE_CLOUD_PROJECT"],
    "vertex_location": os.environ["GOOGLE_CLOUD_LOCATION"],
}
STORAGE = {**VERTEX, "api_base": os.environ["STORAGE_EMULATOR_HOST"]}  # files of Vertex AI are objects
# Without this, it refuses to call a local address.
litellm.user_url_allowed_hosts = [os.environ["BATCHCTL_EMULATOR"].removeprefix("http://")]
# end of set-up
MODEL = "gemini-2.5-flash"
SLOW = "gemini-2.5-pro"
KNOWN = {
    "VertexAIError: 403 Forbidden": "it calls storage.googleapis.com and ignores `api_base`",
    "does not support file listing": "litellm does not support this call",
    "LiteLLM doesn't support gemini for": "litellm does not support this call",
    "near column 3: no such field": (
        "the emulator accepts only the rows that the API documents; according to litellm, the service accepts OpenAI's form, too"
    ),
}
done = Attempts()


def openai_rows(model: str) -> Path:
    """An input in OpenAI's form, which litellm translates for Vertex AI, and sends unchanged to the Developer API."""
    body = {"model": model, "messages": [{"role": "user", "content": "say one"}]}
    return written("openai.jsonl", {"custom_id": "a", "method": "POST", "url": "/v1/chat/completions", "body": body})


def own_rows() -> Path:
    """An input in the Developer API's form."""
    return written("own.jsonl", {"key": "a", "request": {"contents": [{"parts": [{"text": "say one"}]}]}})


def written(name: str, row: dict[str, Any]) -> Path:
    path = Path(name)
    path.write_text(json.dumps(row) + "\n")
    return path


def operations(api: str, place: dict[str, Any], files: dict[str, Any]) -> None:
    def attempt(operation: str, call: Any) -> Any:
        return done.attempt(api, operation, call, because=KNOWN)

    def upload(path: Path) -> Any:
        return litellm.create_file(file=path, purpose="batch", **files)

    def create(file: Any, model: str = MODEL) -> Any:
        named = {"model": model} if api == "gemini" else {}
        return litellm.create_batch(
            completion_window="24h", endpoint="/v1/chat/completions", input_file_id=file.id, **named, **place
        )

    file = attempt("upload a file", lambda: upload(own_rows() if api == "gemini" else openai_rows(MODEL)))
    attempt("get a file", lambda: litellm.file_retrieve(file_id=file.id, **files))
    attempt("list files", lambda: litellm.file_list(**files))
    made = attempt("create a batch from a file", lambda: create(file))
    attempt("create a batch of rows in OpenAI's form", lambda: create(upload(openai_rows(MODEL))))
    attempt("get a batch", lambda: ended(made, place))
    attempt("list batches, by pages", lambda: expect(len(litellm.list_batches(limit=1, **place)["data"]) == 1))
    attempt("read results from a file", lambda: results(made, place, files))
    slow = attempt(
        "create a batch that runs", lambda: create(upload(own_rows() if api == "gemini" else openai_rows(SLOW)), SLOW)
    )
    attempt("cancel a batch", lambda: litellm.cancel_batch(batch_id=slow.id, **place))
    attempt("delete a file", lambda: litellm.file_delete(file_id=file.id, **files))


def ended(made: Any, place: dict[str, Any]) -> Any:
    named = {"model": MODEL} if place is GEMINI else {}
    found = litellm.retrieve_batch(batch_id=made.id, **named, **place)
    expect(found.status == "completed", found)
    return found


def results(made: Any, place: dict[str, Any], files: dict[str, Any]) -> None:
    content = litellm.file_content(file_id=ended(made, place).output_file_id, **files)
    expect("say one" in content.content.decode(), content.content)


def main() -> None:
    litellm.suppress_debug_info = True
    operations("gemini", GEMINI, GEMINI)
    operations("vertex", VERTEX, STORAGE)
    done.tell()


if __name__ == "__main__":
    main()
