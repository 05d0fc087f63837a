"""`spec.rows` and `spec.canary` of a manifest."""

from __future__ import annotations

from pathlib import Path

import pytest

from batchctl.model.row_settings import Canary, MaxFailedRows, RowSettings
from tests.support.manifest_files import STACK, lines, the_job, with_spec, write

ROW = "model: gemini-2.5-flash\nsrc: [{key: a, text: hello}]\n"


@pytest.mark.parametrize(
    ("spec", "canary"),
    [
        ("", None),
        ("canary: {}", Canary()),
        ("canary: {rows: 7}", Canary(7)),
        ("canary: {maxFailedRows: 3}", Canary(50, MaxFailedRows("3"))),
        ("canary: {rows: 20, maxFailedRows: 2.5%, maxTokensPerRow: 900}", Canary(20, MaxFailedRows("2.5%"), 900)),
    ],
)
def test_a_canary_is_read(tmp_path: Path, spec: str, canary: Canary | None) -> None:
    assert the_job(tmp_path, with_spec(f"{ROW}{spec}\n")).canary == canary


@pytest.mark.parametrize(
    ("spec", "settings"),
    [
        ("", RowSettings()),
        ("rows: {}", RowSettings()),
        (
            "rows: {reuse: false, maxAttempts: 5, accept: [MAX_TOKENS]}",
            RowSettings(frozenset({"MAX_TOKENS"}), False, 5),
        ),
    ],
)
def test_settings_of_rows_are_read(tmp_path: Path, spec: str, settings: RowSettings) -> None:
    assert the_job(tmp_path, with_spec(f"{ROW}{spec}\n")).row_settings == settings


@pytest.mark.parametrize(
    "spec",
    ["canary: {rows: 0}", "canary: {maxFailedRows: 101%}", "canary: {rws: 7}", "rows: {maxAttempts: 0}", "canary: 7"],
)
def test_errors_have_their_place(tmp_path: Path, spec: str) -> None:
    write(tmp_path, {"batchctl.yaml": STACK, "jobs.yaml": with_spec(f"{ROW}{spec}\n")})
    assert [line for line in lines(tmp_path) if line.startswith("jobs.yaml:")]


@pytest.mark.parametrize(
    ("sharding", "words"),
    [
        ("{maxRows: 3}", '"maxRows" splits this input into more than 2 remote jobs (write at least 4)'),
        ("{maxBytes: 40}", '"maxBytes" splits this input into more than 2 remote jobs (write at least'),
        ("{maxTokens: 10}", '"maxTokens" splits this input into more than 2 remote jobs (write at least'),
    ],
)
def test_a_limit_with_a_zero_too_few_makes_too_many_shards(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sharding: str, words: str
) -> None:
    monkeypatch.setattr("batchctl.manifests.row_settings.MOST_SHARDS", 2)
    rows = ", ".join(f"{{key: k{number}, text: hello}}" for number in range(8))
    spec = with_spec(f"model: gemini-2.5-flash\nsrc: [{rows}]\nsharding: {sharding}\n")
    write(tmp_path, {"batchctl.yaml": STACK, "jobs.yaml": spec})
    found = [line for line in lines(tmp_path) if line.startswith("jobs.yaml:")]
    assert len(found) == 1
    assert words in found[0]


@pytest.mark.parametrize("sharding", ["{maxRows: 4}", "{maxResultBytes: 1}", "{maxRows: null}"])
def test_a_few_shards_are_fine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sharding: str) -> None:
    monkeypatch.setattr("batchctl.manifests.row_settings.MOST_SHARDS", 2)
    rows = ", ".join(f"{{key: k{number}, text: hello}}" for number in range(8))
    assert the_job(tmp_path, with_spec(f"model: gemini-2.5-flash\nsrc: [{rows}]\nsharding: {sharding}\n"))
