from __future__ import annotations

from pathlib import Path

import pytest

from batchctl.manifests.accounts import resolve_account
from batchctl.manifests.trust import Origin, Trust
from batchctl.model.errors import ManifestError
from batchctl.model.keys import Account, Api
from batchctl.model.stack import ProviderConfig
from tests.support.manifest_files import load_in, with_stack, write


@pytest.mark.parametrize(
    ("url", "origin"),
    [
        ("https://generativelanguage.googleapis.com", "https://generativelanguage.googleapis.com"),
        ("HTTPS://Example.COM:443/v1/", "https://example.com"),
        ("http://127.0.0.1:80", "http://127.0.0.1"),
        ("http://localhost:8085/x", "http://localhost:8085"),
        ("https://h:80", "https://h:80"),
        ("http://[::1]:8085", "http://[::1]:8085"),
    ],
)
def test_an_origin_is_scheme_host_and_port(url: str, origin: str) -> None:
    assert str(Origin.of(url)) == origin


@pytest.mark.parametrize(
    "url",
    [
        "",
        "emulatr",
        "ftp://x",
        "https://",
        "https://user:pass@x.googleapis.com",
        "https://evil.example\\@x.googleapis.com",
        "https://evil.example?x.googleapis.com",
        "https://evil.example#x.googleapis.com",
        "https://x.googleapis.com:99999999",
        "https://x.googleapis.com\n",
        " https://x.googleapis.com",
        "https://x.googleapis.com/a b",
        "http\u017f://x.googleapis.com",
    ],
)
def test_ambiguous_base_urls_are_refused(url: str) -> None:
    with pytest.raises(ValueError, match="must be a base URL"):
        Origin.of(url)


@pytest.mark.parametrize(
    ("url", "allowed", "trusted"),
    [
        ("https://generativelanguage.googleapis.com", "", True),
        ("https://eu-aiplatform.googleapis.com/x", "", True),
        ("http://generativelanguage.googleapis.com", "", False),
        ("https://generativelanguage.googleapis.com:8443", "", False),
        ("https://googleapis.com.evil.example", "", False),
        ("https://evilgoogleapis.com", "", False),
        ("http://127.0.0.1:8085", "", True),
        ("http://127.9.9.9", "", True),
        ("http://localhost:1", "", True),
        ("http://[::1]:1", "", True),
        ("http://localhost.evil.example", "", False),
        ("http://10.0.0.1", "", False),
        ("https://proxy.example", "", False),
        ("https://proxy.example", "proxy.example", True),
        ("https://proxy.example:444/gemini", "other, Proxy.example:444", True),
        ("https://proxy.example:444", "https://proxy.example:444/", True),
        ("https://proxy.example:444", "https://proxy.example", False),
        ("http://proxy.example", "proxy.example", False),
        ("http://proxy.example", "http://proxy.example", True),
    ],
)
def test_endpoints_that_get_credentials(tmp_path: Path, url: str, allowed: str, trusted: bool) -> None:
    trust = Trust.from_env({"BATCHCTL_ALLOW_ENDPOINT": allowed})
    assert trust.allows_endpoint(Origin.of(url)) is trusted
    write(tmp_path, {"batchctl.yaml": with_stack(f"providers: {{g: {{type: gemini, endpoint: '{url}'}}}}")})
    if trusted:
        assert load_in(tmp_path, trust=trust).stack.providers["g"].endpoint == url
    else:
        with pytest.raises(ManifestError, match="UntrustedEndpoint"):
            load_in(tmp_path, trust=trust)


@pytest.mark.parametrize(
    ("value", "allowed"), [("1", True), ("true", True), (" YES ", True), ("0", False), ("", False)]
)
def test_paths_outside_are_allowed_by_the_environment_alone(value: str, allowed: bool) -> None:
    assert Trust.from_env({"BATCHCTL_ALLOW_OUTSIDE": value}) == Trust(allow_outside=allowed)
    assert Trust.from_env({}) == Trust()


@pytest.mark.parametrize(
    ("config", "env", "origin"),
    [
        (ProviderConfig("g", Api.GEMINI), {}, "https://generativelanguage.googleapis.com"),
        (ProviderConfig("g", Api.GEMINI), {"GOOGLE_GEMINI_BASE_URL": ""}, "https://generativelanguage.googleapis.com"),
        (ProviderConfig("g", Api.GEMINI), {"GOOGLE_GEMINI_BASE_URL": "http://Proxy:80/x"}, "http://proxy"),
        (
            ProviderConfig("g", Api.GEMINI),
            {"GOOGLE_VERTEX_BASE_URL": "http://v"},
            "https://generativelanguage.googleapis.com",
        ),
        (
            ProviderConfig("g", Api.GEMINI, "http://localhost:1/"),
            {"GOOGLE_GEMINI_BASE_URL": "http://p"},
            "http://localhost:1",
        ),
        (ProviderConfig("g", Api.GEMINI, "emulator"), {"BATCHCTL_EMULATOR": "http://localhost:9"}, "emulator"),
        (ProviderConfig("v", Api.VERTEX, None, "p", "global"), {}, "https://aiplatform.googleapis.com"),
        (ProviderConfig("v", Api.VERTEX, None, "p", "eu"), {}, "https://aiplatform.eu.rep.googleapis.com"),
        (ProviderConfig("v", Api.VERTEX, None, "p", "us-east4"), {}, "https://us-east4-aiplatform.googleapis.com"),
        (ProviderConfig("v", Api.VERTEX, None, "p", "l"), {"GOOGLE_VERTEX_BASE_URL": "http://v"}, "http://v"),
    ],
)
def test_the_account_behind_a_provider(config: ProviderConfig, env: dict[str, str], origin: str) -> None:
    assert resolve_account(config, env) == Account(config.api, origin, config.project, config.location)


def test_a_malformed_base_url_names_its_source(tmp_path: Path) -> None:
    with pytest.raises(ManifestError, match=r'^endpoint of g: InvalidValue "x" must be a base URL'):
        resolve_account(ProviderConfig("g", Api.GEMINI, "x"), {})
    write(tmp_path, {"batchctl.yaml": with_stack("")})
    with pytest.raises(ManifestError, match=r'^GOOGLE_GEMINI_BASE_URL: InvalidValue "proxy" must be a base URL'):
        load_in(tmp_path, env={"GOOGLE_GEMINI_BASE_URL": "proxy"})
