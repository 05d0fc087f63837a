"""What OpenTelemetry says of its own problems becomes one warning, without secrets."""

from __future__ import annotations

import logging

import pytest

from batchctl.telemetry.otel_export import Export
from batchctl.telemetry.otel_settings import OtelSettings

LOGGER = logging.getLogger("opentelemetry.exporter.anything")
ENV = {
    "OTEL_EXPORTER_OTLP_HEADERS": "api-key=of-the-collector,x=1",
    "OTEL_EXPORTER_OTLP_TRACES_HEADERS": "authorization=Bearer%20abc",
    "OTHER_HEADERS": "a=innocent",
}


def warned(*messages: str) -> list[str]:
    said: list[str] = []
    export = Export(OtelSettings(frozenset()), "0123456789abcdef", ENV, said.append)
    for message in messages:
        LOGGER.error(message)
    export.close()
    LOGGER.error("after the end")
    return said


def test_the_first_problem_is_a_warning(capfd: pytest.CaptureFixture[str]) -> None:
    assert warned("no route", "no route again") == ["OpenTelemetry: no route; the work goes on without it"]
    assert warned() == []
    assert capfd.readouterr() == ("", "")


def test_headers_of_the_collector_are_left_out() -> None:
    (said,) = warned("401: of-the-collector and Bearer%20abc and Bearer abc are innocent")
    assert said == "OpenTelemetry: 401: … and … and … are innocent; the work goes on without it"


@pytest.mark.parametrize(
    ("endpoint", "shown"),
    [
        ("http://127.0.0.1:4318", " at 127.0.0.1:4318"),
        ("https://user:secret@collector.example/v1", " at collector.example"),
        ("https://collector.example:nonsense", ""),
        ("nonsense", ""),
    ],
)
def test_the_collector_is_named_without_its_password(endpoint: str, shown: str) -> None:
    said: list[str] = []
    export = Export(OtelSettings(frozenset()), "0", {"OTEL_EXPORTER_OTLP_ENDPOINT": endpoint}, said.append)
    LOGGER.error("no route")
    export.close()
    assert said == [f"OpenTelemetry{shown}: no route; the work goes on without it"]


def test_a_long_problem_is_cut() -> None:
    (said,) = warned("x" * 1000)
    assert len(said) < 300


def test_information_is_no_problem() -> None:
    LOGGER.setLevel(logging.DEBUG)
    said: list[str] = []
    export = Export(OtelSettings(frozenset()), "0123456789abcdef", {}, said.append)
    LOGGER.info("sent")
    export.close()
    LOGGER.setLevel(logging.NOTSET)
    assert said == []
