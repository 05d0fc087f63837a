"""Application Default Credentials: the real library against token services on this machine."""

from __future__ import annotations

import importlib
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import quote

import pytest
from google.auth.compute_engine import _metadata
from google.auth.exceptions import TransportError
from hypothesis import given, settings
from hypothesis import strategies as st

from batchctl.model import errors
from batchctl.model.errors import BatchctlError, Effect
from batchctl.model.ports.providers import Fact
from batchctl.providers import google_adc
from batchctl.providers.google_credentials import GoogleCredentials, StaticToken
from batchctl.providers.http.calls import Call
from batchctl.providers.http.endpoint import Endpoint
from batchctl.providers.http.google_transport import TokenTransport
from batchctl.providers.reply_times import ServerClock
from tests.support.long_mode import effort
from tests.support.patience import PATIENCE
from tests.support.raw_server import Loopback, drip
from tests.support.scripted_api import MovedClock
from tests.support.token_services import (
    POOL,
    ROBOT,
    Reply,
    Request,
    TokenService,
    answered,
    authorized_user,
    external_account,
    granted,
    impersonation_url,
    metadata,
    private_key,
    service_account,
    token_service,
)

CLOUD = "https://www.googleapis.com/auth/cloud-platform"
SOON = timedelta(minutes=2)
"""Less than google-auth's own margin before a token expires."""


@pytest.fixture
def service():
    with token_service() as one:
        yield one


@pytest.fixture(autouse=True)
def user_endpoints(service, monkeypatch):
    """Two addresses that are fixed in the library's code."""
    monkeypatch.setattr("google.oauth2.credentials._GOOGLE_OAUTH2_TOKEN_ENDPOINT", f"{service.url}/token")
    monkeypatch.setattr("google.auth.iam._IAM_ENDPOINT", impersonation_url(service.url))


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch):
    monkeypatch.setattr("google.auth._exponential_backoff.time", SimpleNamespace(sleep=lambda _: None))


@pytest.fixture(autouse=True)
def bare_environment(monkeypatch, tmp_path):
    """No variable, login or program that leads to credentials."""
    for variable in [name for name in os.environ if name.startswith(("GOOGLE_", "GCE_", "CLOUDSDK_", "AWS_"))]:
        monkeypatch.delenv(variable)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("PATH", str(tmp_path))


@pytest.fixture
def machine(monkeypatch, tmp_path):
    """Gives the variables of a metadata server, which the library reads at import."""

    def given(**variables: str) -> None:
        for variable, value in variables.items():
            monkeypatch.setenv(variable, value)
        importlib.reload(_metadata)
        monkeypatch.setattr(_metadata, "_GCE_PRODUCT_NAME_FILE", str(tmp_path / "none"))

    yield given
    monkeypatch.undo()
    importlib.reload(_metadata)


Opened = Callable[[Any], GoogleCredentials]


@pytest.fixture
def opened(monkeypatch, tmp_path) -> Opened:
    """Opens the credentials in a file that the environment names."""

    def open_(info: Any) -> GoogleCredentials:
        monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(tmp_path / "credentials.json"))
        (tmp_path / "credentials.json").write_bytes(info if isinstance(info, bytes) else json.dumps(info).encode())
        return GoogleCredentials()

    return open_


@pytest.fixture
def robot(service, opened) -> GoogleCredentials:
    return opened(service_account(service.url))


def bearer(credentials: GoogleCredentials) -> str:
    return credentials.headers()["authorization"].removeprefix("Bearer ")


def outcome(work: Callable[[], Any]) -> Any:
    """The result of the work, or the ApiError that it raises."""
    try:
        return work()
    except errors.ApiError as error:
        return error


def in_threads(count: int, work: Callable[[], Any]) -> list[Any]:
    """The results or errors of the work in so many threads that start together."""
    start, found = threading.Barrier(count), []

    def run() -> None:
        start.wait(PATIENCE)
        found.append(outcome(work))

    threads = [threading.Thread(target=run) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return found


# Each kind of credentials, with the real library


def test_a_service_account(service, robot, tmp_path):
    service.play = lambda _: granted("t" * 30)
    assert robot.headers() == {"authorization": "Bearer " + "t" * 30}
    assert service.paths == ["/token"]
    assert b"jwt-bearer" in service.requests[0].body
    assert robot.facts()[0].detail.startswith(f"{ROBOT}, service account credentials, {tmp_path / 'credentials.json'}")


def test_a_user(service, opened):
    one = opened(authorized_user(service.url))
    service.play = lambda _: granted("u" * 30)
    assert one.headers() == {"authorization": "Bearer " + "u" * 30, "x-goog-user-project": "quota-project"}
    assert b"refresh_token=1%2F%2Frefresh-canary" in service.requests[0].body
    assert b"scope" not in service.requests[0].body
    assert one.facts()[0].detail.startswith("user credentials, ")
    assert one.facts()[1] == Fact("quota project", "quota-project")


def test_a_user_who_is_named(service, opened):
    one = opened({**authorized_user(service.url), "account": "me@example.com"})
    assert one.facts()[0].detail.startswith("me@example.com, user credentials, ")


@pytest.mark.parametrize("variable", ["HOME", "CLOUDSDK_CONFIG", "GOOGLE_APPLICATION_CREDENTIALS"])
def test_the_log_in_of_gcloud(service, tmp_path, monkeypatch, variable):
    login = tmp_path / "home" / ".config" / "gcloud" / "application_default_credentials.json"
    login.parent.mkdir(parents=True)
    login.write_text(json.dumps(authorized_user(service.url)))
    place = {"HOME": tmp_path / "home", "CLOUDSDK_CONFIG": login.parent, "GOOGLE_APPLICATION_CREDENTIALS": login}
    monkeypatch.setenv(variable, str(place[variable]))
    one = GoogleCredentials()
    assert bearer(one).startswith("token-")
    assert str(login) in one.facts()[0].detail


def test_a_workload_identity(service, tmp_path, opened):
    one = opened(external_account(service.url, tmp_path))
    service.play = lambda _: granted("w" * 30)
    assert bearer(one) == "w" * 30
    assert service.paths == ["/sts"], "its project is not asked for: nobody needs it"
    assert f"scope={quote(CLOUD, safe='')}".encode() in service.requests[0].body
    assert b"subject-canary" in service.requests[0].body
    assert one.facts()[0].detail.startswith(f"{POOL}, external account credentials, ")


def test_a_workload_identity_that_acts_as_a_service_account(service, tmp_path, opened):
    info = external_account(service.url, tmp_path, service_account_impersonation_url=impersonation_url(service.url))
    service.play = exchange_then_impersonate
    one = opened(info)
    assert bearer(one) == "i" * 30
    assert service.requests[1].headers["authorization"] == "Bearer " + "s" * 30
    assert one.facts()[0].detail.startswith(f"{ROBOT}, external account credentials, ")


def exchange_then_impersonate(request: Request) -> Reply:
    if "generateAccessToken" not in request.path:
        return granted("s" * 30)
    until = datetime.now(UTC) + timedelta(hours=1)
    return answered({"accessToken": "i" * 30, "expireTime": f"{until:%Y-%m-%dT%H:%M:%SZ}"})


def test_impersonation(service, opened):
    service.play = exchange_then_impersonate
    info = {
        "type": "impersonated_service_account",
        "service_account_impersonation_url": impersonation_url(service.url),
        "source_credentials": authorized_user(service.url),
    }
    one = opened(info)
    assert bearer(one) == "i" * 30
    assert json.loads(service.requests[1].body)["scope"] == [CLOUD]
    assert one.facts()[0].detail.startswith(f"{ROBOT}, impersonated credentials, ")


def test_a_metadata_server(service, machine):
    service.play = metadata
    machine(GCE_METADATA_HOST=service.host, GCE_METADATA_IP=service.host)
    one = GoogleCredentials()
    assert bearer(one) == "m" * 30
    assert service.paths[0] == "/"
    assert service.paths[-1].startswith("/computeMetadata/v1/instance/service-accounts/")
    assert service.paths[-1].endswith("/token")
    assert all(request.headers["metadata-flavor"] == "Google" for request in service.requests)
    assert one.facts()[0].detail == f"{ROBOT}, VM credentials, metadata server"


def test_a_quota_project_of_the_environment_wins(service, monkeypatch, opened):
    monkeypatch.setenv("GOOGLE_CLOUD_QUOTA_PROJECT", "mine")
    assert opened(authorized_user(service.url)).headers()["x-goog-user-project"] == "mine"


@pytest.mark.parametrize("kind", ["aws", "executable"])
def test_other_sources_of_workload_identities_are_the_librarys_business(service, tmp_path, kind, opened):
    aws = {"environment_id": "aws1", "regional_cred_verification_url": "https://sts.{region}.amazonaws.com"}
    changes: dict[str, Any] = {
        "aws": {"subject_token_type": "urn:ietf:params:aws:token-type:aws4_request", "credential_source": aws},
        "executable": {"credential_source": {"executable": {"command": "/bin/false"}}},
    }[kind]
    one = opened(external_account(service.url, tmp_path, **changes))
    with pytest.raises(errors.ApiError) as caught:
        one.headers()
    assert caught.value.effect is Effect.NONE


# Missing and invalid files


def test_nothing_at_all(service, machine):
    service.play = lambda _: answered({}, 404)
    for variables in ({"GCE_METADATA_IP": service.host}, {"NO_GCE_CHECK": "true"}):
        machine(**variables)
        with pytest.raises(BatchctlError) as caught:
            GoogleCredentials()
        assert caught.value.code == "NoCredentials"
        for way in (
            "gcloud auth application-default login",
            "GOOGLE_APPLICATION_CREDENTIALS",
            "workload identity",
            "emulator",
        ):
            assert way in caught.value.hint
    assert service.paths == ["/"]


def test_nobody_answers_in_the_metadata_servers_place(machine):
    with Loopback(lambda *_: False) as silent:
        machine(GCE_METADATA_IP=silent.url.removeprefix("http://"))
        with pytest.raises(BatchctlError) as caught:
            GoogleCredentials()
    assert caught.value.code == "NoCredentials"
    assert len(silent.requests) == 3


def test_a_silence_in_the_metadata_servers_place_ends_the_search(machine, monkeypatch):
    assert google_adc._SEARCH_SECONDS < 5
    monkeypatch.setattr(google_adc, "_SEARCH_SECONDS", 0.2)
    with Loopback(lambda _, stop: stop.wait(PATIENCE)) as silent:
        machine(GCE_METADATA_IP=silent.url.removeprefix("http://"))
        with pytest.raises(BatchctlError) as caught:
            GoogleCredentials()
        assert caught.value.code == "NoCredentials"
        assert len(silent.requests) == 1


@pytest.mark.parametrize("name", ["none.json", "."])
def test_a_file_that_is_not_there(tmp_path, monkeypatch, name):
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(tmp_path / name))
    with pytest.raises(BatchctlError) as caught:
        GoogleCredentials()
    assert caught.value.code == "InvalidKey"
    assert str(tmp_path / name) in caught.value.message
    assert "GOOGLE_APPLICATION_CREDENTIALS" in caught.value.hint


def test_an_invalid_login(tmp_path, monkeypatch):
    login = tmp_path / "application_default_credentials.json"
    login.write_text("{")
    monkeypatch.setenv("CLOUDSDK_CONFIG", str(tmp_path))
    with pytest.raises(BatchctlError) as caught:
        GoogleCredentials()
    assert caught.value.code == "InvalidKey"
    assert str(login) in caught.value.message
    assert "gcloud auth application-default login" in caught.value.hint


@pytest.mark.parametrize(
    "info",
    [
        b"",
        b"{",
        b"\xff\xfe",
        b"[" * 100_000,
        [],
        "text",
        {},
        {"type": "gdch_service_account"},
        {"type": 5},
        {"type": "service_account"},
        {"type": "service_account", "client_email": ROBOT, "token_uri": "x", "private_key": "no key"},
        {"type": "authorized_user"},
        {"type": "authorized_user", "refresh_token": "r"},
        {"type": "external_account"},
        {"type": "external_account", "credential_source": "odd"},
        {"type": "external_account", "credential_source": {"file": 5}, "audience": 7},
        {"type": "impersonated_service_account"},
        {"type": "impersonated_service_account", "source_credentials": {"type": "odd"}},
        {"type": "external_account_authorized_user"},
    ],
    ids=lambda info: str(info)[:60],
)
def test_an_invalid_file(info, tmp_path, opened):
    with pytest.raises(BatchctlError) as caught:
        opened(info)
    assert caught.value.code == "InvalidKey"
    assert str(tmp_path / "credentials.json") in caught.value.message
    assert caught.value.hint


def test_a_key_that_is_cut_is_not_shown(service, opened):
    cut = service_account(service.url)
    cut["private_key"] = cut["private_key"][:200]
    with pytest.raises(BatchctlError) as caught:
        opened(cut)
    assert private_key()[40:80] not in str(caught.value)


def test_a_secret_in_the_wrong_place_of_a_file_is_not_shown(opened):
    with pytest.raises(BatchctlError) as caught:
        opened({"type": "x" * 60})
    assert "xx" not in str(caught.value)


def test_a_quota_project_that_is_none(service, opened):
    info = {**authorized_user(service.url), "quota_project_id": "a\r\nx: y"}
    with pytest.raises(BatchctlError, match="quota project"):
        opened(info)


# Fetching that fails

REVOKED = answered({"error": "invalid_grant", "error_description": "Token has been expired or revoked."}, 400)
REAUTH = answered({"error": "invalid_grant", "error_subtype": "invalid_rapt", "error_description": "reauth related error (invalid_rapt)"}, 400)  # fmt: skip
DENIED = answered({"error": {"code": 403, "message": "Permission 'iam.serviceAccounts.getAccessToken' denied"}}, 403)


@pytest.mark.parametrize(
    ("reply", "words", "hint"),
    [
        (REVOKED, "expired or revoked", "gcloud auth application-default login"),
        (REAUTH, "eauth", "gcloud auth application-default login"),
        (answered({"error": "invalid_grant", "error_description": "Invalid JWT: iat"}, 400), "Invalid JWT", "clock"),
        (answered({"token_type": "Bearer"}), "token", "gcloud"),
        (granted("two\nlines"), "no token", "gcloud"),
        (granted(""), "no token", "gcloud"),
        (answered({"access_token": 5, "expires_in": 60}), "no token", "gcloud"),
        (answered({"access_token": "t", "expires_in": "soon"}), "could not get an access token", "gcloud"),
        ((302, {"Location": "http://127.0.0.1:1/"}, b"moved"), "moved", "gcloud"),
        ((200, {}, b"\xff\xfe<html>"), "could not get an access token", "gcloud"),
        (answered([1]), "could not get an access token", "gcloud"),
    ],
)
@pytest.mark.parametrize("kind", [service_account, authorized_user])
def test_a_token_service_that_refuses(service, kind, reply, words, hint, opened):
    service.play = lambda _: reply
    with pytest.raises(errors.Unauthenticated) as caught:
        opened(kind(service.url)).headers()
    assert caught.value.effect is Effect.NONE
    assert words in caught.value.message
    assert hint in caught.value.hint
    assert set(service.paths) == {"/token"}


def test_impersonation_that_is_not_allowed(service, tmp_path, opened):
    service.play = lambda request: DENIED if "generateAccessToken" in request.path else granted("s" * 30)
    info = external_account(service.url, tmp_path, service_account_impersonation_url=impersonation_url(service.url))
    with pytest.raises(errors.Unauthenticated, match=r"iam\.serviceAccounts\.getAccessToken") as caught:
        opened(info).headers()
    assert "roles/iam.serviceAccountTokenCreator" in caught.value.hint


@pytest.mark.parametrize("body", [b"<html>", b"[]", b'{"error": "x"}', b"[" * 100_000])
def test_impersonation_that_fails_without_words(service, tmp_path, body, opened):
    service.play = lambda request: (400, {}, body) if "generateAccessToken" in request.path else granted("s" * 30)
    info = external_account(service.url, tmp_path, service_account_impersonation_url=impersonation_url(service.url))
    with pytest.raises(errors.Unauthenticated, match="Unable to acquire impersonated credentials"):
        opened(info).headers()


def test_a_client_certificate_that_is_not_there():
    with pytest.raises(TransportError, match="No such file"):
        TokenTransport(5.0)("https://127.0.0.1:1/", cert=("/nowhere/cert.pem", "/nowhere/key.pem"))


@pytest.mark.parametrize(
    "reply", [answered({"error": "internal_failure"}, 500), answered({}, 503), answered({"error": "x"}, 429)]
)
def test_a_token_service_that_fails_for_now_is_no_refusal(service, reply, robot):
    service.play = lambda _: reply
    with pytest.raises(errors.ConnectionFailed) as caught:
        robot.headers()
    assert caught.value.effect is Effect.NONE
    assert len(service.requests) > 1


def test_a_metadata_server_without_a_service_account(service, machine):
    service.play = metadata
    machine(GCE_METADATA_HOST=service.host, GCE_METADATA_IP=service.host)
    one = GoogleCredentials()
    service.play = lambda _: answered({}, 404, Metadata_Flavor="Google")
    with pytest.raises(errors.Unauthenticated) as caught:
        one.headers()
    assert "no service account" in caught.value.hint
    service.play = lambda _: answered({}, 503, Metadata_Flavor="Google")
    with pytest.raises(errors.ConnectionFailed):
        one.headers()
    service.play = lambda _: answered([], Metadata_Flavor="Google")
    with pytest.raises(errors.Unauthenticated):
        one.headers()


def test_a_token_service_that_is_not_there(opened):
    with pytest.raises(errors.ConnectionFailed) as caught:
        opened(service_account("http://127.0.0.1:1")).headers()
    assert caught.value.effect is Effect.NONE
    assert "http://127.0.0.1:1/token" in caught.value.message


@pytest.mark.parametrize("address", ["", "token", "gopher://x/", "http://[", "https://127.0.0.1:1/", "http://a b/"])
def test_an_address_that_leads_nowhere(address, opened):
    info = {**service_account("http://127.0.0.1:1"), "token_uri": address or "/"}
    with pytest.raises(errors.ConnectionFailed):
        opened(info).headers()


@pytest.mark.parametrize("part", [b"HTTP/1.1 200 OK\r\nX-Slow: ", b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n"])
def test_a_dripping_token_service_does_not_hold_anybody(monkeypatch, part, opened):
    monkeypatch.setattr(google_adc, "_FETCH_SECONDS", 0.2)
    with Loopback(drip(part, b"y")) as server, pytest.raises(errors.ConnectionFailed):
        opened(service_account(server.url)).headers()


@pytest.mark.parametrize(("total", "timeout", "error"), [(0.1, None, TimeoutError), (PATIENCE, 0.1, TransportError)])
def test_a_silent_token_service_is_left_alone(total, timeout, error):
    """After the first error the library gives up, after the second it may retry."""
    with Loopback(lambda _, stop: stop.wait()) as server, pytest.raises(error):
        TokenTransport(total)(server.url, timeout=timeout)


def test_no_call_begins_when_the_time_is_up(service, monkeypatch, robot):
    monkeypatch.setattr(google_adc, "_FETCH_SECONDS", 0.0)
    with pytest.raises(errors.ConnectionFailed, match="no reply within 0 seconds"):
        robot.headers()
    assert service.requests == []


def test_an_endless_answer_is_cut_off(service, robot):
    service.play = lambda _: (200, {}, b" " * (2**20 + 1))
    with pytest.raises(errors.ConnectionFailed, match="larger"):
        robot.headers()


def test_no_proxy_sees_what_goes_to_this_machine(monkeypatch, robot):
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:1")
    assert bearer(robot).startswith("token-")


SECRETS = ("1//refresh-canary", "client-secret-canary", "subject-canary", "x" * 60)
ECHO = f"bad refresh token 1//refresh-canary of client-secret-canary, or {'x' * 60}\x1b[31m"


def user_of_a_pool(url: str, folder: Path) -> dict[str, Any]:
    return {
        **authorized_user(url),
        "type": "external_account_authorized_user",
        "audience": POOL,
        "token_url": f"{url}/token",
    }


def impersonator(url: str, folder: Path) -> dict[str, Any]:
    return {
        "type": "impersonated_service_account",
        "service_account_impersonation_url": impersonation_url(url),
        "source_credentials": authorized_user(url),
    }


def user(url: str, folder: Path) -> dict[str, Any]:
    return authorized_user(url)


@pytest.mark.parametrize("kind", [user, user_of_a_pool, impersonator])
def test_what_the_token_service_repeats_is_not_shown(service, opened, tmp_path, kind):
    service.play = lambda _: answered({"error": "invalid_grant", "error_description": ECHO}, 400)
    with pytest.raises(errors.Unauthenticated) as caught:
        opened(kind(service.url, tmp_path)).headers()
    shown = f"{caught.value.message} {caught.value!r} {caught.value.__cause__!r} {caught.value.__context__!r}"
    assert "bad refresh token *** of ***" in shown
    assert not any(secret in shown for secret in (*SECRETS, "\x1b"))


def test_the_secret_of_a_workload_identity_is_not_shown(service, opened, tmp_path):
    service.play = lambda _: answered({"error": "invalid_client", "error_description": ECHO}, 401)
    info = external_account(service.url, tmp_path, client_id="client", client_secret="client-secret-canary")
    with pytest.raises(errors.Unauthenticated, match=r"of \*\*\*, or \*\*\*"):
        opened(info).headers()


def test_a_refresh_token_that_came_later_is_not_shown_either(service, opened):
    one = opened(authorized_user(service.url))
    service.play = lambda _: answered({"access_token": "t" * 20, "expires_in": 1, "refresh_token": "1//later-canary"})
    one.headers()
    service.play = lambda _: answered({"error": "invalid_grant", "error_description": "not 1//later-canary"}, 400)
    with pytest.raises(errors.Unauthenticated, match=r"not \*\*\*"):
        one.headers()


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats() | st.text(max_size=8) | st.just("t" * 20),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["access_token", "expires_in", "error", "error_description", "accessToken", "message"]),
            inner,
        )
    ),
)


BODIES = JSON.map(lambda value: json.dumps(value).encode()) | st.binary(max_size=40)


def test_any_answer_gives_a_token_or_an_api_error(service, tmp_path, machine, monkeypatch, opened):
    infos = (service_account(service.url), authorized_user(service.url), external_account(service.url, tmp_path))
    kinds = [opened(info) for info in infos]
    service.play = metadata
    machine(GCE_METADATA_HOST=service.host, GCE_METADATA_IP=service.host)
    monkeypatch.delenv("GOOGLE_APPLICATION_CREDENTIALS")
    kinds.append(GoogleCredentials())

    @settings(max_examples=effort(10, 1000), deadline=None)
    @given(BODIES, st.sampled_from([200, 200, 400, 401, 500]))
    def check(body: bytes, status: int) -> None:
        service.play = lambda _: (status, {"Metadata-Flavor": "Google", "Content-Type": "application/json"}, body)
        for one in kinds:
            one._token = None
            found = outcome(lambda one=one: bearer(one))
            assert found.isprintable() if isinstance(found, str) else found.effect is Effect.NONE

    check()


# Which thread fetches, and when


def test_a_token_is_fetched_once_and_kept(service, robot):
    assert bearer(robot) == bearer(robot)
    assert len(service.requests) == 1


def test_a_token_that_ends_soon_is_renewed_before_a_call(service, robot):
    tokens = iter([granted("a" * 20, 2 * int(SOON.total_seconds()) // 2), granted("b" * 20), granted("c" * 20)])
    service.play = lambda _: next(tokens)
    assert [bearer(robot) for _ in range(3)] == ["a" * 20, "b" * 20, "b" * 20]


def test_a_token_without_an_end_is_kept(service, robot):
    service.play = lambda _: answered({"access_token": "e" * 20})
    assert bearer(robot) == bearer(robot)
    assert len(service.requests) == 1
    assert robot.facts()[2] == Fact("token", "expiry unknown")


def test_facts_tell_until_when_and_never_the_token(robot):
    found = robot.facts()
    until = datetime.strptime(found[2].detail, "valid until %Y-%m-%d %H:%M:%S UTC").replace(tzinfo=UTC)
    assert timedelta(minutes=58) < until - datetime.now(UTC) < timedelta(minutes=61)
    assert found[1] == Fact("quota project", "none")
    assert "token-" not in str(found)


def test_many_threads_fetch_one_token(service, robot):
    found = in_threads(20, lambda: bearer(robot))
    assert len(service.requests) == 1
    assert len(set(found)) == 1


def test_many_threads_share_one_failure_each_with_an_error_of_its_own(service, robot):
    inside = threading.Semaphore(0)

    def play(_: Request) -> Reply:
        inside.acquire(timeout=PATIENCE)
        return REVOKED

    service.play = play
    waiting = threading.Thread(target=lambda: _release_when_waiting(robot, 20, inside))
    waiting.start()
    found = in_threads(20, lambda: bearer(robot))
    waiting.join()
    assert len(service.requests) == 1
    assert {type(error) for error in found} == {errors.Unauthenticated}
    assert len({id(error) for error in found}) == 20


def _release_when_waiting(one: GoogleCredentials, count: int, inside: threading.Semaphore) -> None:
    """Let the service answer when all other threads wait for the fetch."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        flight = one._flight
        if flight is not None:
            with flight._condition:
                if len(flight._condition._waiters) >= count - 1:
                    break
    inside.release()


def test_after_a_failure_the_next_call_tries_again(service, robot):
    replies = iter([REVOKED, granted("n" * 20)])
    service.play = lambda _: next(replies)
    with pytest.raises(errors.Unauthenticated):
        robot.headers()
    assert bearer(robot) == "n" * 20


def test_an_interrupted_fetch_leaves_no_thread_waiting(monkeypatch, robot):

    def interrupted() -> None:
        assert robot._flight is not None
        flights.append(robot._flight)
        raise KeyboardInterrupt

    flights: list[Any] = []
    with monkeypatch.context() as patched:
        patched.setattr(robot._source, "fetch", interrupted)
        with pytest.raises(KeyboardInterrupt):
            robot.headers()
    error = google_adc.token_failure(flights[0].exception(timeout=0), robot.redact)
    assert isinstance(error, errors.ConnectionFailed)
    assert bearer(robot).startswith("token-")


# A token that the API refuses before it expires


class Api:
    """An API that accepts some tokens only."""

    def __init__(self, service: TokenService, refused: set[str]) -> None:
        self.refused, self.seen, self._lock = refused, [], threading.Lock()
        self._tokens = iter(f"token-{number}-".ljust(20, "x") for number in range(1000))
        self.fetches = 0
        service.play = self.play

    def play(self, request: Request) -> Reply:
        if request.path == "/token":
            with self._lock:
                self.fetches += 1
                return granted(next(self._tokens))
        token = request.headers["authorization"].removeprefix("Bearer ")
        with self._lock:
            self.seen.append(token)
        if token in self.refused:
            return answered({"error": {"code": 401, "message": f"bad {token}", "status": "UNAUTHENTICATED"}}, 401)
        return answered({})


def name(number: int) -> str:
    return f"token-{number}-".ljust(20, "x")


def endpoint(service: TokenService, credentials: GoogleCredentials) -> Endpoint:
    return Endpoint(service.url, credentials, ServerClock(MovedClock()))


def test_a_refused_token_is_renewed_and_the_call_made_again(service, robot):
    api = Api(service, {name(0)})
    one = endpoint(service, robot)
    assert one.call(Call("w", "POST", "/x", body=b"{}")).body == b"{}"
    assert (api.seen, api.fetches) == ([name(0), name(1)], 2)
    one.close()


def test_a_second_refusal_surfaces(service, robot):
    api = Api(service, {name(0), name(1)})
    one = endpoint(service, robot)
    with pytest.raises(errors.Unauthenticated) as caught:
        one.call(Call("w", "GET", "/x"))
    assert (api.seen, api.fetches) == ([name(0), name(1)], 2)
    assert caught.value.message.endswith("bad ***")
    one.close()


def test_a_token_that_does_not_change_is_sent_once_more(service, robot):
    """Like a metadata server's: a refused token may be accepted a moment later, and a 401 changed nothing."""
    api = Api(service, {name(0)})
    api._tokens = iter([name(0)] * 9)
    one = endpoint(service, robot)
    with pytest.raises(errors.Unauthenticated):
        one.call(Call("w", "GET", "/x"))
    assert (api.seen, api.fetches) == ([name(0)] * 2, 2)
    play, refusals = api.play, iter([answered({}, 401)])
    service.play = lambda request: play(request) if request.path == "/token" else next(refusals, answered({}))
    assert one.call(Call("w", "GET", "/x")).body == b"{}"
    assert api.fetches == 3
    one.close()


def test_a_renewal_that_fails_tells_why_and_that_nothing_was_done(service, robot):
    replies = iter([granted(name(0)), answered({"error": {"code": 401, "message": "m"}}, 401), REVOKED])
    service.play = lambda _: next(replies)
    one = endpoint(service, robot)
    with pytest.raises(errors.Unauthenticated, match="expired or revoked") as caught:
        one.call(Call("w", "POST", "/x", body=b"{}"))
    assert caught.value.effect is Effect.NONE
    one.close()


def test_a_late_refusal_uses_the_token_that_others_fetched(service, robot):
    api = Api(service, set())
    old = robot.headers()
    robot.renew(old)
    robot.renew(old)
    assert (bearer(robot), api.fetches) == (name(1), 2)


def test_twenty_threads_refused_together_renew_once(service, robot):
    api = Api(service, {name(0)})
    one = endpoint(service, robot)
    one._credentials.headers()
    meeting = threading.Barrier(20)
    play = api.play

    def together(request: Request) -> Reply:
        answer = play(request)
        if answer[0] == 401:
            meeting.wait(PATIENCE)
        return answer

    service.play = together
    found = in_threads(20, lambda: one.call(Call("w", "GET", "/x")).body)
    assert found == [b"{}"] * 20
    assert api.fetches == 2
    assert sorted(api.seen) == [name(0)] * 20 + [name(1)] * 20
    one.close()


# Secrets in output, and lazy import


def test_old_tokens_are_blanked_too_but_not_for_ever(service, robot):
    api = Api(service, set())
    for _ in range(12):
        robot.renew(robot.headers())
    assert api.fetches == 13
    assert robot.redact(f"{name(12)} {name(11)}") == "*** ***"
    assert robot.redact(name(0)) == name(0)
    assert len(robot._handed_out) == 8


def test_a_token_shows_in_the_header_only(robot):
    token = bearer(robot)
    assert token not in repr(robot) + str(robot) + repr(robot._token) + str(robot.facts())
    assert robot.redact(f"x {token} y") == "x *** y"
    assert robot.redact("x") == "x"


def test_a_placeholder():
    one = StaticToken("emulator")
    assert one.headers() == {"authorization": "Bearer emulator"}
    assert one.facts() == (Fact("credentials", "none needed"),)
    assert one.redact("the emulator says no") == "the emulator says no"
    one.renew(one.headers())
    assert one.headers() == {"authorization": "Bearer emulator"}
    assert "emulator" not in repr(one)


PROBE = """
import os, sys
import batchctl.providers.accounts, batchctl.providers.vertex.provider
from batchctl.providers.google_credentials import GoogleCredentials, StaticToken
StaticToken("x").headers()
assert not [name for name in sys.modules if name.startswith(("google.auth", "requests"))]
import google.oauth2.credentials
google.oauth2.credentials._GOOGLE_OAUTH2_TOKEN_ENDPOINT = os.environ["TOKENS"]
GoogleCredentials().headers()
del os.environ["GOOGLE_APPLICATION_CREDENTIALS"]
GoogleCredentials().headers()
assert "google.auth" in sys.modules
"""


def test_the_library_is_loaded_on_demand_and_prints_nothing(service, tmp_path):
    """A login without a quota project, without a project and with scopes that are not granted: it would warn often."""
    gcloud = "764086051850-6qr4p6gpi6hn506pt8ejuq83di341hur.apps.googleusercontent.com"
    info = {**authorized_user(service.url), "client_id": gcloud, "scopes": [CLOUD]}
    del info["quota_project_id"]
    (tmp_path / "credentials.json").write_text(json.dumps(info))
    env = {
        "HOME": str(tmp_path),
        "GOOGLE_APPLICATION_CREDENTIALS": str(tmp_path / "credentials.json"),
        "TOKENS": f"{service.url}/user",
        "GCE_METADATA_HOST": service.host,
        "GCE_METADATA_IP": service.host,
    }
    too_few = answered({"access_token": "t" * 20, "expires_in": 3600, "scope": "email"})
    service.play = lambda request: too_few if request.path == "/user" else metadata(request)
    command = [sys.executable, "-W", "error", "-c", PROBE]
    done = subprocess.run(command, env=env, capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (0, b"")
    assert service.paths[0] == "/user"
    assert service.paths[-1].endswith("/token")
