"""Texts from outside that want to be more than texts come out harmless, whatever they stand in and wherever they go.

Display names, API messages, error codes, models, row keys, row errors, file names and labels, all hostile at once,
through whole commands, in each output format; the escaping functions themselves are tested beside them.
"""

from __future__ import annotations

import json

import pytest
import yaml
from markdown_it import MarkdownIt

from tests.support.apis import STACK, UID, on_both
from tests.support.long_mode import effort
from tests.support.raw_server import Loopback, answer
from tests.support.workplace import LIMITS

TITLE = "\x1b]0;owned\x07\x1b[2J\x9b31m"
COMMANDS = "\n::error::pwned\r\n::stop-commands::x\n##[group]pwned ##vso[task.setvariable variable=x]pwned"
MARKUP = "<script>alert(1)</script><img src=x onerror=x>](http://evil.example) | `x` **x** @everyone"
FORMULA = "=cmd|' /C calc'!A0"
HIDDEN = "\u202egnp.exe\u2066\u200b\u2028\U000e0041"
PAYLOAD = f"{TITLE}{COMMANDS}\n{FORMULA} {MARKUP} {HIDDEN}"
OUR_GROUP = {"::group::batchctl: progress of shop", "::endgroup::"}
"""The commands that batchctl prints around the progress of a stack."""
PRINTABLE = f"::error::pwned ##[group]pwned {FORMULA} {MARKUP}"
"""What a manifest may say, too: control characters are refused there."""
FORMATS = ("text", "markdown", "json", "yaml")
SOON = {"pending": "0s", "running": "1s"}


def check_printed(text):
    """Lines of plain characters, none of which a runner takes for a command."""
    assert all(character == "\n" or character.isprintable() for character in text), ascii(text)
    assert "##[" not in text
    assert "##vso[" not in text
    commands = [line for line in text.split("\n") if line.lstrip().startswith("::")]
    assert all(line.startswith(("::error ", "::warning ")) or line in OUR_GROUP for line in commands), commands


def check_markdown(text):
    check_printed(text)
    page = MarkdownIt("commonmark").enable("table").render(text)
    for tag in ("<script", "<img", "<a ", "<strong>x", "onerror=x>"):
        assert tag not in page, page


def check_json(text):
    check_printed(text)
    assert text.isascii()
    json.loads(text)


def check_yaml(text):
    check_printed(text)
    assert text.isascii()
    yaml.safe_load(text)


def check_lines(text):
    check_printed(text)
    for line in text.splitlines():
        json.loads(line)


CHECKS = {
    "text": check_printed,
    "markdown": check_markdown,
    "json": check_json,
    "yaml": check_yaml,
    "lines": check_lines,
}


def harmless(site, *arguments, output="text", log="text"):
    """Run a command as a workflow would, and look at all that it prints."""
    words = arguments if output in {"text", "lines"} else (*arguments, "-o", output)
    ended = site.run(*words, "-v", "--color", "never", "--log-format", log)
    try:
        CHECKS[output](ended.out)
        check_printed(ended.err)
    except BaseException as error:
        error.add_note(f"{words}: {ended.code}")
        raise
    return ended


@pytest.fixture
def site(make_site, still, api):
    site = make_site(still, api, limits=LIMITS)
    site.empty_service()
    site.env["GITHUB_ACTIONS"] = "true"
    return site


def test_names_keys_and_row_errors(site, still):
    error = {"code": 3, "message": PAYLOAD[:200], "share": 0.5}
    still.service.rules({**SOON, "fate": "rows", "rowError": error})
    still.service.make(PAYLOAD)
    rows = [{"key": f"{PRINTABLE}{number}", "text": f"{PAYLOAD}{number}"} for number in range(4)]
    name = f"{PRINTABLE}.jsonl".replace("/", "-")
    (site.path / "jobs" / name).write_text("".join(json.dumps(row) + "\n" for row in rows))
    site.write_job("inline", src=rows if site.api.takes_rows else {"file": name}, displayName=PRINTABLE)
    site.write_job("file", src={"file": name})
    for output in FORMATS:
        assert harmless(site, "plan", output=output).code == 0
    assert harmless(site, "apply", "--yes", "--wait").code == 0
    for output in FORMATS:
        assert harmless(site, "drift", "--unmanaged", output=output).code in {0, 3}
        harmless(site, "status", output=output)
        harmless(site, "apply", "--yes", output=output)
    for output in ("text", "json", "yaml"):
        assert harmless(site, "describe", "inline", output=output).code == 0
        assert harmless(site, "state", "show", "inline", output=output).code == 0
        assert harmless(site, "state", "list", output=output).code == 0
        assert harmless(site, "explain", "inline", output=output).code == 0
    results = harmless(site, "results", "inline", output="lines")
    assert [json.loads(line)["key"] for line in results.out.splitlines()] == [row["key"] for row in rows]
    assert "pwned" in results.out


def test_manifests_and_file_names_that_are_wrong(site):
    name = f"jobs/{TITLE}::error::pwned\n{HIDDEN}.yaml"
    spec = {"model": PAYLOAD, "src": [{"key": PAYLOAD, "text": 1, PAYLOAD: 2}], PAYLOAD: PAYLOAD}
    document = {"apiVersion": PAYLOAD, "kind": "BatchJob", "metadata": {"name": PAYLOAD, "labels": {"a": PAYLOAD}}}
    (site.path / name).write_text(yaml.safe_dump({**document, "spec": spec}))
    for output in ("text", "json", "yaml"):
        assert harmless(site, "validate", output=output).code == 65
        assert harmless(site, "plan", output=output).code == 65
    for words in (("plan", "-f", name), ("describe", PAYLOAD), ("apply", "-l", PAYLOAD), ("--config", PAYLOAD, "plan")):
        assert harmless(site, *words).code in {1, 64, 65}, words
    assert harmless(site, PAYLOAD).code == 64
    assert harmless(site, "plan", f"--{PAYLOAD}").code == 64


def reply(status, body):
    head = f"HTTP/1.1 {status} x\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


INFO = "type.googleapis.com/google.rpc."
DETAILS = [
    {"@type": f"{INFO}ErrorInfo", "reason": PAYLOAD, "metadata": {"permission": PAYLOAD, "resource": PAYLOAD}},
    {"@type": f"{INFO}QuotaFailure", "violations": [{"quotaId": PAYLOAD, "quotaMetric": PAYLOAD}]},
    {"@type": f"{INFO}RetryInfo", "retryDelay": PAYLOAD},
]
REFUSALS = {
    str(status): reply(
        status,
        json.dumps({"error": {"code": status, "message": PAYLOAD, "status": PAYLOAD, "details": DETAILS}}).encode(),
    )
    for status in (400, 401, 403, 404, 409, 429, 500)
}


ANSWERS = {
    **REFUSALS,
    "a job of ours": lambda api: reply(200, json.dumps(api.listed(PAYLOAD, ours=True)).encode()),
    "somebody's job": lambda api: reply(200, json.dumps(api.listed(PAYLOAD, ours=False)).encode()),
}


@pytest.mark.parametrize(("api", "given"), on_both(list(ANSWERS)))
def test_what_the_api_says(site, given):
    said = ANSWERS[given]
    with Loopback(answer(said(site.api) if callable(said) else said, keep=False)) as server:
        provider = {"main": dict(site.api.provider)}
        site.folder.write_stack(name=STACK, uid=UID, providers=provider, limits=LIMITS, state="state.db")
        site.env["BATCHCTL_EMULATOR"] = server.url
        site.write_job("a")
        for output in effort(("text", "markdown"), FORMATS):
            harmless(site, "watch", "--yes", "--once", output=output)
            harmless(site, "plan", output=output)
            harmless(site, "drift", "--unmanaged", output=output)
        harmless(site, "status", output="json")
        harmless(site, "describe", "a")
        harmless(site, "explain", "a")
        log = harmless(site, "watch", "--yes", "--once", log="json").err
        check_lines("\n".join(line for line in log.splitlines() if line.startswith("{")))
