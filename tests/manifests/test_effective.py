"""The effective configuration, and where each value comes from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from batchctl.manifests.effective import effective_config
from batchctl.manifests.overrides import Overrides
from batchctl.manifests.trust import Trust
from batchctl.model.errors import ManifestError
from batchctl.model.origins import Config, ConfigTree, ConfigValue
from tests.support.manifest_files import STACK, with_stack, write

FULL = with_stack("""\
providers:
  main: {type: gemini, endpoint: emulator}
  other: {type: vertex, project: p, location: europe-west1, apiVersion: v1beta1}
defaults: {runId: "n-${var.night}", displayName: "${var.token}", priority: "${var.rank}", dependsOn: "${var.first}", lifecycle: {retryOn: []}}
limits: {maxCreate: 5, active: {gemini-2.5-flash: 3}}
notify: [{url: "https://example.com/secret?a=b", secretEnv: S}, {url: "https://example.com", secretEnv: S}]
variables:
  night: {default: "1"}
  token: {sensitive: true, default: sk-1234}
  rank: {type: integer, default: 2}
  first: {type: list, default: [a, b]}
  unset: {}
targets:
  dev: {limits: {maxCreate: 7}, variables: {rank: 3}}
  prod: {name: shop, results: "out/${var.target}"}
""")


def config_of(folder: Path, text: str = FULL, env: Mapping[str, str] | None = None, **overrides: object) -> Config:
    write(folder, {"batchctl.yaml": text})
    return effective_config(folder / "batchctl.yaml", overrides=Overrides(**overrides), env=env or {}, trust=Trust())


def found(config: Config) -> dict[str, tuple[object, str, dict[str, str]]]:
    """Each value by its path, with its origin, and those of its variables."""

    def walk(tree: ConfigTree, path: str) -> Iterator[tuple[str, ConfigValue]]:
        if isinstance(tree, ConfigValue):
            yield path, tree
            return
        for key, part in tree.items() if isinstance(tree, dict) else enumerate(tree):
            yield from walk(part, f"{path}/{key}")

    def plain(origin: object) -> str:
        return str(origin).rpartition("batchctl.yaml:")[2]

    return {
        path: (value.value, plain(value.origin), {name: plain(one) for name, one in value.variables.items()})
        for path, value in walk(config.tree, "")
    }


def test_each_value_with_its_origin(tmp_path: Path) -> None:
    values = found(config_of(tmp_path, target="dev", set_values=["night=9"], env={"BATCHCTL_VAR_FIRST": "c"}))
    assert values["/target"] == ("dev", "--target", {})
    assert values["/metadata/name"] == ("shop-dev", "18:5", {})
    assert values["/metadata/uid"] == ("k3v9q2.shop-dev", "18:5", {})
    assert values["/spec/limits/maxCreate"] == (7, "18:31", {})
    assert values["/spec/limits/active/gemini-2.5-flash"] == (3, "9:53", {})
    assert values["/spec/limits/concurrency"] == (8, "default", {})
    assert values["/spec/limits/settleGrace"] == ("180s", "default", {})
    assert values["/spec/defaults/runId"] == ("n-9", "8:21", {"night": "--set night"})
    assert values["/spec/defaults/priority"] == (3, "8:78", {"rank": "18:53"})
    assert values["/spec/defaults/dependsOn/0"] == ("c", "8:104", {"first": "BATCHCTL_VAR_FIRST"})
    assert values["/spec/state"] == (".batchctl/dev/state.db", "default", {})
    assert values["/spec/results"] == ("results/dev", "default", {})
    assert values["/spec/manifests"] == (["."], "default", {})
    assert values["/spec/variables/night"] == ("9", "--set night", {})
    assert values["/spec/variables/first"] == (["c"], "BATCHCTL_VAR_FIRST", {})
    assert values["/spec/variables/unset"] == (None, "16:5", {})
    assert values["/spec/variables/target"] == ("dev", "--target", {})
    assert values["/spec/providers/main/apiVersion"] == ("v1", "default", {})
    assert values["/spec/providers/other/apiVersion"][0] == "v1beta1"
    assert not any("targets" in path or "Target" in path for path in values)


def test_what_is_secret_is_left_out(tmp_path: Path) -> None:
    values = found(config_of(tmp_path, target="dev"))
    assert values["/spec/variables/token"] == ("(sensitive)", "13:39", {})
    assert values["/spec/defaults/displayName"] == ("(sensitive)", "8:52", {"token": "13:39"})
    assert values["/spec/notify/0/url"][0] == "https://example.com/…"
    assert values["/spec/notify/1/url"][0] == "https://example.com"
    assert values["/spec/defaults/lifecycle/retryOn"][0] == []
    assert "sk-1234" not in str(values)
    assert "secret?" not in str(values)


def test_a_webhook_that_is_no_url_is_hidden_whole(tmp_path: Path) -> None:
    text = with_stack("defaults: {webhookConfig: {uris: ['https://user:pw@example.com/x'], userMetadata: {}}}\n")
    values = found(config_of(tmp_path, text))
    assert values["/spec/defaults/webhookConfig/uris/0"][0] == "/…"
    assert values["/spec/defaults/webhookConfig/userMetadata"][0] == {}


@pytest.mark.parametrize(
    ("target", "env", "state", "expected"),
    [
        ("prod", {}, None, (".batchctl/state.db", "default", {})),
        ("prod", {}, "/tmp/s.db", ("/tmp/s.db", "--state", {})),
        ("prod", {"BATCHCTL_STATE": "/tmp/s.db"}, "/tmp/s.db", ("/tmp/s.db", "BATCHCTL_STATE", {})),
    ],
)
def test_the_state(
    tmp_path: Path, target: str, env: dict[str, str], state: str | None, expected: tuple[object, ...]
) -> None:
    values = found(config_of(tmp_path, target=target, env={**env, "BATCHCTL_TARGET": target}, state=state))
    assert values["/spec/state"] == expected
    assert values["/target"][:2] == ("prod", "BATCHCTL_TARGET")
    assert values["/metadata/name"] == ("shop", "19:18", {})
    assert values["/spec/results"] == ("out/prod", "19:33", {"target": "BATCHCTL_TARGET"})


def test_endpoints_of_the_environment(tmp_path: Path) -> None:
    env = {"GOOGLE_GEMINI_BASE_URL": "https://gemini.googleapis.com"}
    values = found(config_of(tmp_path, STACK, env=env))
    assert values["/spec/providers/gemini/endpoint"] == ("https://gemini.googleapis.com", "GOOGLE_GEMINI_BASE_URL", {})
    values = found(config_of(tmp_path, STACK))
    assert values["/spec/providers/gemini/endpoint"] == ("https://generativelanguage.googleapis.com", "default", {})
    assert values["/metadata/name"] == ("shop", "3:18", {})
    assert "/target" not in values


def test_a_stack_file_with_errors_has_no_configuration(tmp_path: Path) -> None:
    with pytest.raises(ManifestError):
        config_of(tmp_path, with_stack("limits: 5"))
