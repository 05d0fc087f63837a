"""`batchctl retry --rows`, as a user meets it."""

from __future__ import annotations

import pytest

from tests.support.command_line import SOON, Cli, Service, StackFolder

CUT = {"key": "two", "verdict": "MAX_TOKENS"}


@pytest.fixture
def cut(stack: StackFolder, cli: Cli, service: Service, quick: list[float]) -> StackFolder:
    """A job that succeeded: one of its rows is cut off, and one has an error."""
    finish, error = {"finishReason": "MAX_TOKENS"}, {"error": {"code": 13, "message": "no"}}
    service.rules(
        {**SOON, "match": {"row": "two"}, "rowOutcomes": [finish]},
        {**SOON, "match": {"row": "three"}, "rowOutcomes": [error]},
        SOON,
    )
    stack.write_job("a", src=[{"key": key, "text": key} for key in ("one", "two", "three", "four")])
    cli.ok("apply", "--yes", "--wait")
    service.rules(SOON)
    return stack


def verdicts(cli: Cli) -> dict[str, str]:
    return {row["key"]: row["verdict"] for row in cli.ok("results", "a").rows}


def sent(service: Service) -> list[int]:
    return [job["rows"] for job in service.jobs()]


@pytest.mark.parametrize(
    ("rows", "bought", "left"),
    [
        ("failed", 2, set()),
        ("all", 4, set()),
        ("reason=max_tokens", 1, {"INTERNAL"}),
        ("reason=MAX_TOKENS,INTERNAL", 2, set()),
        ("key=one,two", 2, {"INTERNAL"}),
    ],
)
def test_the_ordered_rows_are_bought(
    cut: StackFolder, cli: Cli, service: Service, rows: str, bought: int, left: set[str]
) -> None:
    assert verdicts(cli) == {"one": "OK", "two": "MAX_TOKENS", "three": "INTERNAL", "four": "OK"}
    ran = cli.ok("retry", "a", "--rows", rows, "--yes", "-o", "json")
    (action,) = ran.json["actions"]
    assert action["rowWork"]["ordered"]["toSend"] == action["rows"] == bought
    assert f"{bought} of 4 rows to send" in action["reason"]
    cli.ok("watch")
    assert sent(service) == [4, bought]
    assert {*verdicts(cli).values()} == {"OK"} | left
    assert cli.ok("status", "-o", "json").phases() == {"a": "Succeeded"}


def test_an_order_outlasts_a_suspension(cut: StackFolder, cli: Cli, service: Service) -> None:
    rows = [{"key": key, "text": key} for key in ("one", "two", "three", "four")]
    cut.write_job("a", src=rows, lifecycle={"suspend": True})
    cli("retry", "a", "--rows", "reason=MAX_TOKENS", "--yes")
    assert sent(service) == [4]
    assert "`batchctl retry --rows reason=MAX_TOKENS` asked for a new attempt" in cli.ok("explain", "a").out
    cut.write_job("a", src=rows)
    cli.ok("watch")
    assert sent(service) == [4, 1]
    assert verdicts(cli)["two"] == "OK"


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (["--rows", "reason=MAX_TOKEN"], 64, "did you mean MAX_TOKENS?"),
        (["--rows", "reason=OK"], 64, "rows with the verdict OK have a good answer"),
        (["--rows", "reason=7"], 64, "docs/verdicts.md"),
        (["--rows", "fail"], 64, "did you mean failed?"),
        (["--rows", "key="], 64, "names no rows"),
        (["--rows", "all", "--accept-canary"], 64, "exclude each other"),
        (
            ["--rows", "reason=SAFETY"],
            6,
            "no row has the verdict SAFETY; its failed rows have 1 INTERNAL, 1 MAX_TOKENS",
        ),
        (["--rows", "key=thre"], 6, "no row has the key thre; did you mean three?"),
    ],
)
def test_rows_that_there_are_not(
    cut: StackFolder, cli: Cli, service: Service, words: list[str], code: int, message: str
) -> None:
    ran = cli("retry", "a", *words, "--yes")
    assert (ran.code, message in " ".join((ran.err + ran.out).split())) == (code, True)
    assert sent(service) == [4]


LIMIT = "request.generationConfig.maxOutputTokens"
CHANGED = {"request": {"generationConfig": {"maxOutputTokens": 8192}}}


@pytest.fixture
def short(stack: StackFolder, cli: Cli, service: Service, quick: list[float]) -> StackFolder:
    """A job of which one row is cut off, unless it has more output tokens or another model."""
    finish = {"finishReason": "MAX_TOKENS"}
    unless = {"maxOutputTokens": 4096, "model": "*-pro"}
    service.rules({**SOON, "match": {"row": "two"}, "rowOutcomes": [{**finish, "unless": unless}]}, SOON)
    stack.write_job("a", src=[{"key": key, "text": key} for key in ("one", "two")])
    cli.ok("apply", "--yes", "--wait")
    assert verdicts(cli) == {"one": "OK", "two": "MAX_TOKENS"}
    return stack


@pytest.mark.parametrize(
    ("settings", "sent_with"),
    [
        ([f"{LIMIT}=8192"], CHANGED),
        (["model=models/gemini-2.5-pro"], {"model": "gemini-2.5-pro"}),
        (["model=gemini-2.5-pro", f"{LIMIT}=8192"], {"model": "gemini-2.5-pro", **CHANGED}),
    ],
)
@pytest.mark.parametrize("source", ["inline", "file"])
def test_rows_are_sent_differently_and_answer_for_the_rows_of_the_manifest(
    short: StackFolder, cli: Cli, service: Service, source: str, settings: list[str], sent_with: dict[str, object]
) -> None:
    if source == "file":
        request = '{"contents": [{"role": "user", "parts": [{"text": "two"}]}], "generationConfig": {"topK": 3}}'
        lines = ['{"key": "one", "text": "one"}', f'{{"key": "two", "request": {request}}}']
        (short.path / "jobs" / "rows.jsonl").write_text("\n".join(lines))
        short.write_job("a", src={"file": "rows.jsonl"})
        cli.ok("apply", "--yes", "--wait")
    before = service.creates
    options = [option for setting in settings for option in ("--set", setting)]
    ran = cli.ok("retry", "a", "--rows", "reason=MAX_TOKENS", *options, "--yes", "-o", "json")
    (action,) = ran.json["actions"]
    assert action["rowWork"]["ordered"]["sentWith"] == sent_with
    assert action["model"] == sent_with.get("model", "gemini-2.5-flash")
    assert "--rows reason=MAX_TOKENS --set " in action["reason"]
    cli.ok("watch")
    rows = cli.ok("results", "a").rows
    assert [(row["key"], row["verdict"], row.get("sentWith")) for row in rows] == [
        ("one", "OK", None),
        ("two", "OK", sent_with),
    ]
    cli.ok("apply", "--yes", "--wait")
    assert service.creates == before + 1, "the answer counts for the row of the manifest"


@pytest.mark.parametrize(
    "fault",
    [
        {"kind": "cut", "when": "before"},
        {"kind": "cut", "when": "after"},
        {"kind": "status", "status": 429, "retryInfo": "4s"},
        {"kind": "status", "status": 503, "when": "before"},
    ],
    ids=["not received", "not answered", "quota", "unavailable"],
)
@pytest.mark.parametrize("source", ["inline", "file"])
def test_an_order_whose_call_fails_is_carried_out_once(
    short: StackFolder, cli: Cli, service: Service, fault: dict[str, object], source: str
) -> None:
    if source == "file":
        (short.path / "jobs" / "rows.jsonl").write_text('{"key": "one", "text": "one"}\n{"key": "two", "text": "two"}')
        short.write_job("a", src={"file": "rows.jsonl"})
        cli.ok("apply", "--yes", "--wait")
    before = service.creates
    service.faults({"method": "batches.create", "count": 1, **fault})
    cli("retry", "a", "--rows", "all", "--set", "model=gemini-2.5-pro", "--yes")
    cli("watch")
    assert sent(service)[before:] == [2]
    assert [row.get("sentWith") for row in cli.ok("results", "a").rows] == [{"model": "gemini-2.5-pro"}] * 2


def test_vertex_repeats_the_request_that_was_sent(
    stack: StackFolder, cli: Cli, service: Service, quick: list[float]
) -> None:
    place = {"type": "vertex", "endpoint": "emulator", "project": "demo", "location": "us-central1"}
    stack.write_stack(providers={"vertex": {**place, "stagingBucket": "gs://stage"}})
    (stack.path / ".emulator.yaml").write_text("buckets: {stage: {}, out: {}}")
    unless = {"maxOutputTokens": 4096}
    outcome = {"finishReason": "MAX_TOKENS", "share": 1.0, "unless": unless}
    service.rules({**SOON, "rowOutcomes": [outcome]})
    (stack.path / "jobs" / "rows.jsonl").write_text('{"key": "a", "text": "one"}\n{"key": "b", "text": "two"}')
    stack.write_job("a", src={"file": "rows.jsonl"}, dest="gs://out/here/")
    cli("apply", "--yes", "--wait")
    assert verdicts(cli) == {"a": "MAX_TOKENS", "b": "MAX_TOKENS"}
    cli.ok("retry", "a", "--rows", "key=b", "--set", f"{LIMIT}=8192", "--yes")
    cli("watch")
    assert verdicts(cli) == {"a": "MAX_TOKENS", "b": "OK"}


def test_a_lost_state_knows_how_rows_were_sent(short: StackFolder, cli: Cli, service: Service) -> None:
    cli.ok("retry", "a", "--rows", "key=two", "--set", f"{LIMIT}=8192", "--yes")
    cli.ok("watch")
    (short.path / ".batchctl" / "state.db").unlink()
    cli.ok("state", "rebuild")
    cli.ok("retry", "a", "--rows", "key=one", "--yes")
    cli.ok("watch")
    assert [row.get("sentWith") for row in cli.ok("results", "a").rows] == [None, CHANGED]
    assert sent(service) == [2, 1, 1]


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (["--rows", "all", "--set", f"{LIMIT}=many"], 64, f"--set {LIMIT}: "),
        (["--rows", "all", "--set", "request.generationConfig.maxOutputToken=1"], 64, "maxOutputTokens"),
        (["--rows", "all", "--set", "request.contents=[]"], 64, "--set request.contents"),
        (["--rows", "all", "--set", "request..a=1"], 64, "not a path"),
        (["--rows", "all", "--set", "request.a=1", "--set", "request.a.b=1"], 64, "set to a value already"),
        (["--rows", "all", "--set", "model="], 64, "no model"),
        (["--rows", "all", "--set", "model=gemini-embedding-001"], 64, "takes other rows"),
        (["--rows", "all", "--set", "lifecycle.suspend=true"], 65, "there is no variable"),
        (["--set", f"{LIMIT}=8192"], 64, "add --rows failed"),
    ],
)
def test_changes_that_the_api_would_not_accept(
    short: StackFolder, cli: Cli, service: Service, words: list[str], code: int, message: str
) -> None:
    ran = cli("retry", "a", *words, "--yes")
    assert (ran.code, message in " ".join((ran.err + ran.out).split())) == (code, True), ran.err
    assert sent(service) == [2]
