"""What the installed google-genai says of batch jobs, against what was known when this release was made.

    python tests/sdk/reference.py            lists what is new or gone, and ends with 1 if anything is
    python tests/sdk/reference.py --update   writes down what the installed release has

Reads the batches module (calls, paths, members of configurations, what only one API takes), the enums, and the default
versions. A scheduled run of it says what the reference, the model of requests and the emulator have to learn.
"""

from __future__ import annotations

import ast
import enum
import inspect
import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path

from google.genai import Client, batches, files, types

KNOWN = Path(__file__).with_name("reference.json")
ENUMS = (
    "JobState",
    "FinishReason",
    "BlockedReason",
    "HarmCategory",
    "ServiceTier",
    "ThinkingLevel",
    "FileState",
    "Modality",
)
"""Enums that manifests, results or the emulator know the values of."""
TYPES = (
    "BatchJob",
    "BatchJobSource",
    "BatchJobDestination",
    "CreateBatchJobConfig",
    "CreateEmbeddingsBatchJobConfig",
    "InlinedRequest",
    "InlinedResponse",
    "InlinedEmbedContentResponse",
    "ListBatchJobsConfig",
    "GenerateContentConfig",
    "EmbedContentConfig",
    "GenerateContentResponse",
    "Candidate",
    "File",
    "WebhookConfig",
    "CompletionStats",
)
"""Types whose members this project reads or writes."""


def found() -> dict[str, list[str]]:
    """What the installed release has, by subject; each list is sorted."""
    subjects = {
        "calls of client.batches": _calls(batches.Batches),
        "calls of client.files": _calls(files.Files),
        "paths": sorted(set(_paths(batches)) | set(_paths(files))),
        "only one API takes": sorted(set(_one_sided(batches))),
        "default versions": _versions(),
    }
    subjects |= {f"values of {name}": sorted(str(item.value) for item in _enum(name)) for name in ENUMS}
    subjects |= {f"members of {name}": _members(name) for name in TYPES}
    return subjects


def compare(known: dict[str, list[str]], now: dict[str, list[str]]) -> list[str]:
    """One line for everything that is new, gone or a subject of its own."""
    lines = []
    for subject in sorted(known.keys() | now.keys()):
        before, after = set(known.get(subject, ())), set(now.get(subject, ()))
        lines += [f"new: {subject}: {item}" for item in sorted(after - before)]
        lines += [f"gone: {subject}: {item}" for item in sorted(before - after)]
    return lines


def _calls(kind: type) -> list[str]:
    return sorted(name for name, _ in inspect.getmembers(kind, inspect.isfunction) if not name.startswith("_"))


def _paths(module: object) -> Iterator[str]:
    """The paths that calls are made of, such as `batches/{name}:cancel`."""
    tree = ast.parse(inspect.getsource(module))
    for node in ast.walk(tree):
        is_path = isinstance(node, ast.Assign) and any(
            isinstance(it, ast.Name) and it.id == "path" for it in node.targets
        )
        if is_path and isinstance(node.value, ast.Constant):
            yield str(node.value.value)


def _one_sided(module: object) -> Iterator[str]:
    """What a converter refuses for one of the two APIs."""
    for converter, body in re.findall(r"def (_\w+_to_\w+)\((.*?)(?=\ndef |\Z)", inspect.getsource(module), re.DOTALL):
        for name in re.findall(r"raise ValueError\(\s*f?['\"](\w+) parameter is", body):
            yield f"{converter}: {name}"


def _versions() -> list[str]:
    developer = Client(api_key="unused", vertexai=False)
    return [f"Developer API: {developer._api_client._http_options.api_version}"]


def _enum(name: str) -> type[enum.Enum]:
    kind: type[enum.Enum] = getattr(types, name)
    return kind


def _members(name: str) -> list[str]:
    kind = getattr(types, name, None)
    return [] if kind is None else sorted(field.alias or key for key, field in kind.model_fields.items())


def main() -> int:
    """Compare, or write down; gives the exit code."""
    now = found()
    if "--update" in sys.argv[1:]:
        KNOWN.write_text(json.dumps(now, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
        return 0
    lines = compare(json.loads(KNOWN.read_text(encoding="utf-8")), now)
    print("\n".join(lines) or "nothing is new")
    return 1 if lines else 0


if __name__ == "__main__":
    sys.exit(main())
