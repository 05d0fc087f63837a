"""`config view`: the configuration as it counts."""

from __future__ import annotations

import pytest
import yaml

from tests.support.command_line import Cli, StackFolder, check_schema


@pytest.fixture
def stack_file(stack: StackFolder) -> StackFolder:
    (stack.path / "batchctl.yaml").write_text("""\
apiVersion: batchctl.dev/v1
kind: Stack
metadata: {name: shop, uid: a1b2c3}
spec:
  providers: {local: {type: gemini, endpoint: emulator}}
  defaults: {runId: "${var.night}", request: {systemInstruction: "yes: \\u001b[31m"}, dependsOn: ["a/b"]}
  variables: {night: {default: "1"}, token: {sensitive: true, default: hush}}
  targets: {dev: {limits: {active: {gemini-2.5-flash: 3}}}}
  defaultTarget: dev
""")
    return stack


def test_text_is_yaml(stack_file: StackFolder, cli: Cli) -> None:
    text = cli.ok("config", "view").out
    shown = yaml.safe_load(text)
    assert shown["target"] == "dev"
    assert shown["spec"]["limits"]["active"] == {"gemini-2.5-flash": 3}
    assert shown["spec"]["variables"] == {"night": "1", "token": "(sensitive)", "target": "dev"}
    assert "#" not in text
    assert "\x1b" not in text


def test_show_origin_is_a_comment_on_each_value(stack_file: StackFolder, cli: Cli) -> None:
    out = cli.ok("config", "view", "--show-origin", "--set", "night=2").out
    lines = {line.partition(":")[0].strip(): line.partition("  # ")[2] for line in out.splitlines()}
    assert lines["maxCreate"] == "default"
    assert lines["runId"] == "batchctl.yaml:6:21, night from --set night"
    assert lines["night"] == "--set night"
    assert lines["endpoint"] == "batchctl.yaml:5:47"
    assert lines["target"] == "batchctl.yaml:9:18"
    assert yaml.safe_load(out) == yaml.safe_load(cli.ok("config", "view", "--set", "night=2").out)


def test_documents(stack_file: StackFolder, cli: Cli) -> None:
    document = cli.ok("config", "view", "-o", "json").json
    check_schema("config", document)
    assert (document["stack"], document["target"]) == ("shop-dev", "dev")
    assert document["config"]["metadata"]["name"] == "shop-dev"
    origins = {one["path"]: one for one in document["origins"]}
    assert origins["/spec/limits/active/gemini-2.5-flash"]["origin"] == {
        "kind": "file",
        "file": "batchctl.yaml",
        "line": 8,
        "column": 55,
    }
    assert origins["/spec/limits/maxCreate"]["origin"] == {"kind": "default"}
    assert origins["/spec/defaults/runId"]["variables"] == [
        {"name": "night", "origin": {"kind": "file", "file": "batchctl.yaml", "line": 7, "column": 32}}
    ]
    given = cli.ok("config", "view", "-o", "yaml", "--state", "s.db").out
    origins = {one["path"]: one["origin"] for one in yaml.safe_load(given)["origins"]}
    assert origins["/spec/state"] == {"kind": "option", "name": "--state"}


def test_it_needs_no_manifest(stack_file: StackFolder, cli: Cli) -> None:
    stack_file.job_path("a").write_text("kind: nonsense\n")
    cli.ok("config", "view")


def test_errors_of_the_stack_file(stack: StackFolder, cli: Cli) -> None:
    stack.write_stack(limits=5)
    assert cli("config", "view").code == 65
