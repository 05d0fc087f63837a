"""OpenTelemetry of real processes: to a collector over OTLP/HTTP, without one, and switched off."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests.support.canary_key import KEY
from tests.support.command_line import SOON, Ran, Service, StackFolder, process
from tests.support.json_logs import check_log
from tests.support.otlp_receiver import OtlpReceiver
from tests.support.patience import PATIENCE
from tests.support.raw_server import nobody

JSON = ("--log-format", "json")


_PATIENT = f"from batchctl.telemetry import otel_export; otel_export._PATIENCE = {PATIENCE}"
PATIENT = (sys.executable, "-c", f"{_PATIENT}; from batchctl.cli import main; main()")
"""The program, with a last export that may take as long as a busy machine needs."""


def apply(stack: StackFolder, *more: str, **env: str) -> Ran:
    return process("-C", str(stack.path), "apply", "--yes", "--wait", *more, program=PATIENT, env=env)


def parents(receiver: OtlpReceiver) -> dict[str, set[str]]:
    """The names of the spans around those of each name."""
    by_id = {span.span_id: span.name for span in receiver.spans}
    found: dict[str, set[str]] = {}
    for span in receiver.spans:
        found.setdefault(span.name, set()).add(by_id.get(span.parent_span_id, ""))
    return found


def test_a_collector_gets_spans_and_counters(stack: StackFolder, service: Service) -> None:
    service.rules(SOON)
    stack.write_job("a")
    with OtlpReceiver() as receiver:
        ran = apply(stack, *JSON, OTEL_EXPORTER_OTLP_ENDPOINT=receiver.url)
    assert ran.code == 0, ran
    found = parents(receiver)
    assert found["batches.create"] == {"batchctl create"}
    assert found["batchctl create"] == found["batchctl collect"] == {"batchctl pass"}
    assert found["batchctl pass"] == {""}
    assert found["batches.list"] <= {"batchctl pass", "batchctl quick check"}
    (resource,) = {tuple(sorted(one.items())) for one in receiver.resources}
    facts = dict(resource)
    assert facts["service.name"] == "batchctl"
    (run,) = {line["run"] for line in check_log(ran.err)}
    assert facts["service.instance.id"] == run
    assert receiver.metrics["gen_ai.client.inference.usage.input_tokens"] > 0
    assert receiver.metrics["gen_ai.client.inference.usage.output_tokens"] > 0
    of_stack = {
        one.value.string_value for span in receiver.spans for one in span.attributes if one.key == "batchctl.stack"
    }
    assert of_stack == {"shop"}


def test_the_variables_of_opentelemetry_count(stack: StackFolder, service: Service) -> None:
    service.rules(SOON)
    stack.write_job("a")
    with OtlpReceiver() as receiver:
        env = {
            "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": f"{receiver.url}/v1/traces",
            "OTEL_EXPORTER_OTLP_HEADERS": "api-key=of-the-collector",
            "OTEL_EXPORTER_OTLP_COMPRESSION": "gzip",
            "OTEL_SERVICE_NAME": "nightly",
            "OTEL_RESOURCE_ATTRIBUTES": "deployment.environment.name=test",
            "TRACEPARENT": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        }
        ran = apply(stack, **env)
    assert ran.code == 0, ran
    assert {one["api-key"] for one in receiver.headers} == {"of-the-collector"}
    assert {one["service.name"] for one in receiver.resources} == {"nightly"}
    assert {one["deployment.environment.name"] for one in receiver.resources} == {"test"}
    assert {span.trace_id.hex() for span in receiver.spans} == {"0af7651916cd43dd8448eb211c80319c"}
    assert receiver.metrics == {}


def test_nothing_that_is_sent_has_the_key(stack: StackFolder, service: Service) -> None:
    service.rules(SOON)
    stack.write_job("a")
    service.faults(
        {"method": "batches.create", "kind": "status", "status": 400, "message": f"key {KEY} is bad", "count": 1}
    )
    with OtlpReceiver() as receiver:
        apply(stack, OTEL_EXPORTER_OTLP_ENDPOINT=receiver.url, GEMINI_API_KEY=KEY)
    assert b"batches.create" in b"".join(receiver.bodies)
    assert not [body for body in receiver.bodies if KEY.encode() in body]


def test_a_collector_that_is_not_there_costs_one_warning(stack: StackFolder, service: Service) -> None:
    service.rules(SOON)
    stack.write_job("a")
    with nobody() as port:
        given = {"OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{port}", "OTEL_EXPORTER_OTLP_TIMEOUT": "1"}
        ran = apply(stack, *JSON, **given)
    assert ran.code == 0, ran
    (warning,) = [line["message"] for line in check_log(ran.err) if line["level"] == "warning"]
    assert warning.startswith("OpenTelemetry at 127.0.0.1:")
    assert warning.endswith("; the work goes on without it")


def test_a_collector_that_repeats_its_key_does_not_make_it_known(stack: StackFolder, service: Service) -> None:
    service.rules(SOON)
    stack.write_job("a")
    with OtlpReceiver(401, b"of-the-collector is no key") as receiver:
        env = {"OTEL_EXPORTER_OTLP_ENDPOINT": receiver.url, "OTEL_EXPORTER_OTLP_HEADERS": "api-key=of-the-collector"}
        ran = apply(stack, **env)
    assert receiver.headers
    assert ran.code == 0
    assert "OpenTelemetry at 127.0.0.1:" in ran.err
    assert "of-the-collector" not in ran.err + ran.out


def test_a_setting_that_cannot_be_followed_is_a_warning(stack: StackFolder, service: Service) -> None:
    service.rules(SOON)
    stack.write_job("a")
    ran = apply(stack, *JSON, OTEL_TRACES_EXPORTER="zipkin")
    assert ran.code == 0
    warnings = [line["message"] for line in check_log(ran.err) if line["level"] == "warning"]
    assert warnings == ["OTEL_TRACES_EXPORTER: 'zipkin' is not supported; use otlp or none"]


def test_without_the_extra_the_work_goes_on(stack: StackFolder, service: Service, tmp_path: Path) -> None:
    stack.write_job("a")
    (tmp_path / "sitecustomize.py").write_text("import sys; sys.modules['opentelemetry'] = None\n")
    ran = process(
        "-C",
        str(stack.path),
        "plan",
        env={"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:1", "PYTHONPATH": str(tmp_path)},
    )
    assert ran.code == 0, ran
    assert "pip install 'batchctl[otel]'" in ran.err


def test_switched_off_nothing_of_it_is_imported(stack: StackFolder, service: Service) -> None:
    stack.write_job("a")
    program = "import atexit, sys; atexit.register(lambda: print(*sys.modules, file=sys.stderr)); from batchctl.cli import main; main()"
    for env in ({}, {"OTEL_SDK_DISABLED": "true", "OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:1"}):
        ran = subprocess.run(
            [sys.executable, "-c", program, "-C", str(stack.path), "plan"],
            env={**os.environ, **env},
            capture_output=True,
            text=True,
            check=True,
        )
        assert not [name for name in ran.stderr.split() if name.startswith("opentelemetry")]
        assert "batchctl.engine.preview" in ran.stderr
