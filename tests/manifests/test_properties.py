from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from batchctl.manifests.compose import compose
from batchctl.manifests.fault_list import Faults
from batchctl.manifests.nodes import plain
from batchctl.manifests.references import Replacer
from batchctl.manifests.variables import Variables
from batchctl.model.desired import DesiredJob
from batchctl.model.errors import ManifestError
from tests.support.long_mode import effort
from tests.support.manifest_files import JOB, STACK, load_in, write

quick = settings(max_examples=effort(15, 500), deadline=None)

words = st.sampled_from(
    [
        "{",
        "}",
        "[",
        "]",
        ":",
        ": ",
        "- ",
        "\n",
        "\n  ",
        ",",
        "&a ",
        "*a",
        "!!str ",
        "!x ",
        "|",
        ">",
        "'",
        '"',
        "#",
        "---\n",
        "...\n",
        "%YAML 1.2\n",
        "\t",
        "\x00",
        "\ufeff",
        "\u2028",
        "é",
        "<<",
        "null",
        "1e3",
        ".inf",
        "0x1F",
        "apiVersion",
        "batchctl.dev/v1",
        "kind",
        "BatchJob",
        "Stack",
        "metadata",
        "name",
        "a",
        "spec",
        "model",
        "src",
        "key",
        "text",
        "file",
        "${var.x}",
        "$${",
        "lifecycle",
        "request",
        "?",
        "\\",
    ]
)
texts = st.lists(words, max_size=40).map("".join)


def outcome(folder: Path, manifest: bytes, stack: bytes = STACK.encode()) -> None:
    (folder / "batchctl.yaml").write_bytes(stack)
    (folder / "job.yaml").write_bytes(manifest)
    try:
        load_in(folder)
    except ManifestError as error:
        faults = error.diagnostics
    else:
        return
    assert faults
    assert all(fault.location.line >= 1 and fault.location.column >= 1 for fault in faults)


@quick
@given(st.binary(max_size=200) | texts.map(lambda text: text.encode()))
def test_any_bytes_are_a_manifest_or_a_manifest_error(data: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        outcome(Path(folder), data)
        outcome(Path(folder), JOB.encode() + data)
        outcome(Path(folder), JOB.encode(), data)
        outcome(Path(folder), JOB.encode(), STACK.encode() + b"  " + data)


values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-5, 5)
    | st.sampled_from([1.5, "", "x", "1d", "files/x", "gs://b/x", "gs://demo/x", "bq://p.d.t", "${var.x}"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["file", "gcsUri", "bigqueryUri", "labels", "parts", "text", "key", "type", "category", "x"]
            ),
            inner,
            max_size=3,
        )
    ),
    max_leaves=6,
)
VERTEX_STACK = STACK.replace("{type: gemini}", "{type: vertex, project: demo, location: us-central1}")
FIELDS = [
    "provider",
    "model",
    "displayName",
    "src",
    "dest",
    "request",
    "runId",
    "dependsOn",
    "lifecycle",
    "extraBody",
    "priority",
    "zzz",
]
SETTINGS = ["manifests", "providers", "defaults", "variables", "state", "results", "suspend", "limits", "zzz"]
NESTED = [
    "generationConfig",
    "systemInstruction",
    "safetySettings",
    "tools",
    "retryOn",
    "maxFailedRows",
    "onChange",
    "request",
    "concurrency",
    "settleGrace",
    "g",
]


@quick
@given(
    st.dictionaries(
        st.sampled_from(FIELDS), values | st.dictionaries(st.sampled_from(NESTED), values, max_size=3), max_size=5
    ),
    st.dictionaries(
        st.sampled_from(SETTINGS), values | st.dictionaries(st.sampled_from(NESTED), values, max_size=3), max_size=4
    ),
)
def test_any_values_in_any_field_are_a_job_or_a_manifest_error(spec: dict[str, Any], stack: dict[str, Any]) -> None:
    job = yaml.safe_load(JOB)
    top = yaml.safe_load(STACK)
    job["spec"].update(spec)
    with tempfile.TemporaryDirectory() as folder:
        outcome(Path(folder), json.dumps(job).encode())
        outcome(Path(folder), json.dumps(job).encode(), VERTEX_STACK.encode())
        top["spec"].update(stack)
        outcome(Path(folder), json.dumps(job).encode(), json.dumps(top).encode())


free = st.text(
    st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"], exclude_characters="\u2028\u2029\ufeff$"),
    min_size=1,
    max_size=20,
)
specs = st.fixed_dictionaries(
    {
        "model": st.sampled_from(["gemini-2.5-flash", "gemini-2.5-pro"]),
        "src": st.dictionaries(free, free, min_size=1, max_size=4).map(
            lambda rows: [{"key": key, "text": text} for key, text in rows.items()]
        ),
    },
    optional={
        "runId": free,
        "request": st.fixed_dictionaries(
            {},
            optional={
                "systemInstruction": free,
                "generationConfig": st.fixed_dictionaries(
                    {},
                    optional={
                        "temperature": st.floats(0, 2),
                        "stopSequences": st.lists(free, max_size=2),
                        "seed": st.integers(0, 9),
                    },
                ),
            },
        ),
        "extraBody": st.dictionaries(free, free | st.integers(-9, 9) | st.booleans(), max_size=2),
    },
)


def manifest(spec: dict[str, Any], **metadata: object) -> dict[str, Any]:
    return {
        "apiVersion": "batchctl.dev/v1",
        "kind": "BatchJob",
        "metadata": {"name": "classify", **metadata},
        "spec": spec,
    }


class Quoting(yaml.SafeDumper):
    """Quotes every string, because PyYAML quotes by the rules of YAML 1.1."""


Quoting.add_representer(str, lambda dumper, text: dumper.represent_scalar("tag:yaml.org,2002:str", text, style='"'))


def loaded(text: str) -> DesiredJob:
    with tempfile.TemporaryDirectory() as folder:
        write(Path(folder), {"batchctl.yaml": STACK})
        (Path(folder) / "job.yaml").write_bytes(text.encode())
        (job,) = load_in(Path(folder)).jobs
        return job


def turned(value: Any) -> Any:
    """The same mapping written in the opposite order, in every depth."""
    if isinstance(value, dict):
        return {key: turned(member) for key, member in reversed(value.items())}
    return [turned(item) for item in value] if isinstance(value, list) else value


@quick
@given(specs)
def test_how_a_manifest_is_written_never_changes_its_digest(spec: dict[str, Any]) -> None:
    whole = manifest(spec)
    plainly = loaded(json.dumps(whole))
    block = yaml.dump(turned(whole), Dumper=Quoting, allow_unicode=True, sort_keys=False)
    commented = "# why\r\n" + block.replace("\n", "\r\n") + "# end\r\n"
    flow = yaml.dump(whole, Dumper=Quoting, default_flow_style=True, width=30)
    for text in (json.dumps(turned(whole), indent=3), block, commented, flow):
        job = loaded(text)
        assert (job.digest, job.tree, job.source) == (plainly.digest, plainly.tree, plainly.source)


lifecycles = st.fixed_dictionaries(
    {},
    optional={
        "backoffLimit": st.integers(0, 9),
        "retryOn": st.sets(st.sampled_from(["FAILED", "EXPIRED", "PARTIALLY_SUCCEEDED", "CANCELLED"])).map(sorted),
        "pendingDeadline": st.sampled_from(["1s", "12h", None]),
        "activeDeadline": st.sampled_from(["1s", "12h", None]),
        "ttlAfterFinished": st.sampled_from(["7d", None]),
        "onChange": st.sampled_from(["replace", "keep", "fail"]),
        "onRemove": st.sampled_from(["delete", "cancel", "keep"]),
        "onMissing": st.sampled_from(["fail", "recreate"]),
        "suspend": st.booleans(),
        "protect": st.booleans(),
    },
)


@quick
@given(specs, lifecycles, free, st.dictionaries(st.sampled_from(["team", "data"]), st.sampled_from(["", "a-b", "0"])))
def test_settings_never_change_the_digest(
    spec: dict[str, Any], lifecycle: dict[str, Any], display_name: str, labels: dict[str, str]
) -> None:
    other = manifest({**spec, "lifecycle": lifecycle, "displayName": display_name}, labels=labels)
    assert loaded(json.dumps(other)).digest == loaded(json.dumps(manifest(spec))).digest


@quick
@given(st.text(st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"])))
def test_an_escaped_text_comes_out_as_it_was(text: str) -> None:
    (root,) = compose(json.dumps([text.replace("${", "$${").replace("$$${", "$$${")]).encode(), "x", Faults())
    assert plain(Replacer(Variables(), Faults()).replaced(root)) == [text]
