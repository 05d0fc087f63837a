"""`notify` of the stack file and the places of webhooks. Its errors are in the corpus of invalid files."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from batchctl.manifests.trust import Trust
from batchctl.model.addresses import WebAddress
from batchctl.model.notices import ALL_TYPES, CommandHook, NoticeType, Webhook
from tests.support.manifest_files import lines, load_in, with_stack, write

HOOK = "notify: [{url: 'https://example.com/hook?a=1', secretEnv: HOOK_SECRET}]"


def notify(folder: Path, spec: str, **env: str):
    write(folder, {"batchctl.yaml": with_stack(spec)})
    return load_in(folder, trust=Trust.from_env(env)).stack.notify


def test_a_missing_field_has_its_default(tmp_path: Path) -> None:
    (hook,) = notify(tmp_path, HOOK)
    assert hook == Webhook(hook.name, "https://example.com/hook?a=1", "HOOK_SECRET", ALL_TYPES, timedelta(hours=24))
    assert notify(tmp_path, "notify: null") == notify(tmp_path, "notify: []") == ()


def test_a_command_names_what_it_gets_of_the_environment(tmp_path: Path) -> None:
    (plain, named) = notify(
        tmp_path, "notify: [{name: a, command: [x]}, {name: b, command: [x], env: [SLACK_TOKEN, TEAM]}]"
    )
    assert (plain.variables, named.variables) == ((), ("SLACK_TOKEN", "TEAM"))
    write(tmp_path, {"batchctl.yaml": with_stack("notify: [{url: 'https://a.example', secretEnv: S, env: [X]}]\n")})
    assert lines(tmp_path) == [
        'batchctl.yaml:5:53: InvalidValue "env" is for commands: a webhook gets no environment (leave it out; its secret is secretEnv)'
    ]
    write(tmp_path, {"batchctl.yaml": with_stack("notify: [{command: [x], env: [A=b]}]\n")})
    assert "must be the name of an environment variable" in lines(tmp_path)[0]


def test_written_fields_are_read(tmp_path: Path) -> None:
    spec = """\
    notify:
      - name: ops
        url: https://example.com
        secretEnv: HOOK_SECRET
        events: [job.failed, job.stuck]
        stuckAfter: 6h
        command: null
      - command: [hooks/tell, --team, ""]
        name: log
        events: null
        stuckAfter: 1d12h
    """
    assert notify(tmp_path, spec) == (
        Webhook(
            "ops",
            "https://example.com",
            "HOOK_SECRET",
            frozenset({NoticeType.FAILED, NoticeType.STUCK}),
            timedelta(hours=6),
        ),
        CommandHook("log", ("hooks/tell", "--team", ""), ALL_TYPES, timedelta(hours=36)),
    )


def test_a_name_follows_from_the_place_alone_and_does_not_show_it(tmp_path: Path) -> None:
    (hook,) = notify(tmp_path, HOOK)
    (same,) = notify(tmp_path, HOOK.replace("HOOK_SECRET}", "OTHER, events: [job.failed], stuckAfter: 1h}"))
    (other,) = notify(tmp_path, HOOK.replace("a=1", "a=2"))
    assert hook.name == same.name != other.name
    assert hook.name.startswith("webhook-")
    assert "example" not in hook.name
    one, two = notify(tmp_path, "notify: [{command: [a, b]}, {command: [ab]}]")
    assert one.name != two.name


def test_every_event_can_be_chosen(tmp_path: Path) -> None:
    for name in NoticeType:
        (hook,) = notify(tmp_path, f"notify: [{{command: [tell], events: [{name}]}}]")
        assert hook.types == {name}


def test_a_missing_secret_is_not_an_error_of_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HOOK_SECRET", raising=False)
    assert len(notify(tmp_path, HOOK)) == 1


@pytest.mark.parametrize(
    ("url", "allowed", "good"),
    [
        ("https://example.com", "", True),
        ("https://93.184.216.34:8443", "", True),
        ("https://hooks.internal", "", True),
        ("http://example.com", "", False),
        ("http://example.com", "example.com", False),
        ("http://example.com", "http://example.com", True),
        ("http://example.com/", "https://x.example, HTTP://Example.com/", True),
        ("http://example.com:8080", "http://example.com", False),
        ("https://localhost:8443", "", False),
        ("https://app.localhost", "", False),
        ("https://localhost.example.com", "", True),
        ("https://localhost:8443", "localhost", True),
        ("https://localhost:8443", "localhost:8443", True),
        ("https://localhost:8443", "localhost:9443", False),
        ("https://10.0.0.1", "10.0.0.2", False),
        ("https://10.0.0.1", "https://10.0.0.1", True),
        ("http://[::1]:9000", "http://[::1]:9000", True),
        ("https://0x7f.1", "127.0.0.1", False),
    ],
)
def test_a_webhook_outside_the_public_internet_has_to_be_allowed(
    tmp_path: Path, url: str, allowed: str, good: bool
) -> None:
    env = {"BATCHCTL_ALLOW_WEBHOOK": allowed}
    assert Trust.from_env(env).allows_webhook(WebAddress.parse(url)) is (good and bool(allowed))
    spec = f"notify: [{{url: '{url}', secretEnv: HOOK_SECRET}}]"
    if good:
        assert len(notify(tmp_path, spec, **env)) == 1
        return
    write(tmp_path, {"batchctl.yaml": with_stack(spec)})
    assert [line.split()[1] for line in lines(tmp_path, trust=Trust.from_env(env))] == ["UntrustedWebhook"]


@pytest.mark.parametrize(
    ("value", "allowed"), [("1", True), ("true", True), (" Yes ", True), ("", False), ("0", False)]
)
def test_commands_are_allowed_by_the_environment(value: str, allowed: bool) -> None:
    assert Trust.from_env({"BATCHCTL_ALLOW_COMMANDS": value}) == Trust(allow_commands=allowed)


def test_an_invalid_stack_has_no_hooks(tmp_path: Path) -> None:
    write(tmp_path, {"batchctl.yaml": with_stack("notify: {url: https://example.com}")})
    assert [line.split()[1] for line in lines(tmp_path)] == ["WrongType"]
