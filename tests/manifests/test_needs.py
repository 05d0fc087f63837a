"""`dependsOn`, `priority`, `webhookConfig` and admission limits in manifests."""

from __future__ import annotations

from pathlib import Path

import pytest

from batchctl.model.admission import AdmissionLimits
from batchctl.model.desired import DesiredJob
from batchctl.reconcile.view.order import sort_by_needs
from tests.support.manifest_files import STACK, lines, load_in, with_spec, with_stack, write


def jobs_of(folder: Path, **specs: str) -> dict[str, DesiredJob]:
    write(folder, {"batchctl.yaml": STACK})
    write(folder, {f"{name}.yaml": with_spec(spec, name=name) for name, spec in specs.items()})
    return {job.name: job for job in load_in(folder).jobs}


def test_all_fields_are_read(tmp_path: Path) -> None:
    made = jobs_of(
        tmp_path,
        a="dependsOn: [c, b]\npriority: -3\nwebhookConfig: {uris: ['https://example.com'], userMetadata: {n: 1}}",
        b="dependsOn: []",
        c="",
    )

    assert [made[name].depends_on for name in "abc"] == [("c", "b"), (), ()]
    assert [made[name].priority for name in "abc"] == [-3, 0, 0]
    assert made["a"].webhook == {"uris": ["https://example.com"], "userMetadata": {"n": 1}}
    assert made["b"].webhook == {}


def test_these_fields_are_not_part_of_the_work(tmp_path: Path) -> None:
    made = jobs_of(
        tmp_path,
        a="dependsOn: [b]\npriority: 3.0\nwebhookConfig: {uris: ['https://example.com']}",
        b="",
    )

    assert made["a"].digest == made["b"].digest
    assert made["a"].priority == 3


def test_several_ways_to_the_same_job_are_no_circle(tmp_path: Path) -> None:
    made = jobs_of(tmp_path, a="dependsOn: [b, c]", b="dependsOn: [d]", c="dependsOn: [d]", d="dependsOn: [e]", e="")
    assert made["a"].depends_on == ("b", "c")


def test_a_default_applies_to_every_job_unless_it_is_null(tmp_path: Path) -> None:
    write(
        tmp_path,
        {
            "batchctl.yaml": with_stack("defaults: {dependsOn: [first], priority: 2}"),
            "a.yaml": with_spec("", name="a"),
            "first.yaml": with_spec("dependsOn: null\npriority: null", name="first"),
        },
    )

    made = {job.name: (job.depends_on, job.priority) for job in load_in(tmp_path).jobs}

    assert made == {"a": (("first",), 2), "first": ((), 0)}


def test_dependencies_on_a_job_with_errors_are_known(tmp_path: Path) -> None:
    write(tmp_path, {"batchctl.yaml": STACK, "a.yaml": with_spec("dependsOn: [b]", name="a")})
    write(tmp_path, {"b.yaml": with_spec("runId: 5", name="b")})

    assert [line.split(" ")[1] for line in lines(tmp_path)] == ["WrongType"]


def test_a_name_from_standard_input_is_known(tmp_path: Path) -> None:
    write(tmp_path, {"batchctl.yaml": STACK, "a.yaml": with_spec("dependsOn: [b]", name="a")})

    made = load_in(tmp_path, "-", stdin=with_spec("", name="b").encode())

    assert [job.name for job in made.jobs] == ["a", "b"]


def test_a_long_chain_is_valid_and_a_long_circle_is_found(tmp_path: Path) -> None:
    def name(number: int) -> str:
        return f"j{number % 150:03}"

    write(tmp_path, {"batchctl.yaml": STACK})
    write(tmp_path, {f"{name(n)}.yaml": with_spec(f"dependsOn: [{name(n + 1)}]", name=name(n)) for n in range(149)})
    write(tmp_path, {"last.yaml": with_spec("", name=name(149))})
    assert sort_by_needs({job.name: job.depends_on for job in load_in(tmp_path).jobs}).names[0] == name(149)

    write(tmp_path, {"last.yaml": with_spec(f"dependsOn: [{name(0)}]", name=name(149))})
    (found,) = lines(tmp_path)
    words = '"dependsOn" forms a circle: j000 → j001 → j002 → j003 → … → j000'
    assert found.startswith(f"j000.yaml:5:15: DependencyCircle {words} (")


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ("src: [{key: a, text: hello}]", len('{"contents":[{"role":"user","parts":[{"text":"hello"}]}]}')),
        (
            "src: [{key: a, text: hello}, {key: b, text: hello}]\nrequest: {generationConfig: {seed: 1}}",
            2 * len('{"contents":[{"role":"user","parts":[{"text":"hello"}]}]"generationConfig":{"seed":1}}'),
        ),
        ("src: {file: rows.jsonl}", 52),
        (
            "src: {file: rows.jsonl}\nrequest: {generationConfig: {seed: 1}}",
            52 + 2 * len('"generationConfig":{"seed":1}'),
        ),
        ("src: files/abc", None),
    ],
)
def test_the_size_of_the_input_is_estimated(tmp_path: Path, spec: str, expected: int | None) -> None:
    (tmp_path / "rows.jsonl").write_text('{"key": "a", "text": "1"}\n{"key": "b", "text": "2"}\n')

    assert jobs_of(tmp_path, a=spec)["a"].input_bytes == expected


@pytest.mark.parametrize(
    ("limits", "expected"),
    [
        ("{}", AdmissionLimits()),
        ("{active: 5, createsPerMinute: 6}", AdmissionLimits(5, creates_per_minute=6)),
        ("{enqueuedTokens: 3000000}", AdmissionLimits(enqueued_tokens=3_000_000)),
        (
            "{enqueuedTokens: {models/m: 7, n: 8, o: null}}",
            AdmissionLimits(tokens_by_model={"m": 7, "n": 8}),
        ),
        (
            "{active: {models/m: 2}, createsPerMinute: {m: 3, n: null}}",
            AdmissionLimits(active_by_model={"m": 2}, creates_by_model={"m": 3}),
        ),
    ],
)
def test_admission_limits_of_the_stack_and_of_a_provider(
    tmp_path: Path, limits: str, expected: AdmissionLimits
) -> None:
    write(tmp_path, {"batchctl.yaml": with_stack(f"limits: {limits}"), "a.yaml": with_spec("", name="a")})
    assert load_in(tmp_path).stack.limits.admission == expected

    providers = f"providers: {{g: {{type: gemini, limits: {limits}}}}}"
    write(tmp_path, {"batchctl.yaml": with_stack(providers)})
    (provider,) = load_in(tmp_path).stack.providers.values()
    assert provider.admission == expected
    assert provider.limits is None or provider.limits.active == expected.active
