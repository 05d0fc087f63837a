"""A recognisable key goes through every command, at its most talkative, with good answers and with hostile ones.

It is found nowhere but in the header of calls to its own endpoint: not in what is printed or written, not in a process
that is started, not at another address.
"""

from __future__ import annotations

import gzip
import json
import signal
import socket
import time

import click
import httpx
import pytest

from batchctl.cli.commands import batchctl
from tests.support.apis import STACK, UID, on_both
from tests.support.canary_key import KEY, assert_folders_silent, assert_silent
from tests.support.json_logs import check_log
from tests.support.long_mode import effort
from tests.support.otlp_receiver import OtlpReceiver
from tests.support.patience import PATIENCE
from tests.support.raw_server import Loopback, answer
from tests.support.scenes import SOON
from tests.support.workplace import LIMITS

LOUD = ("-v", "--log-format", "json", "--color", "always")
TOUR = {
    "init": [("init", "fresh")],
    "validate": [("validate",)],
    "doctor": [("doctor",)],
    "plan": [("plan",), ("plan", "nosuch")],
    "apply": [
        ("apply", "--dry-run"),
        ("apply",),
        ("apply", "--yes", "-f", "jobs/a.yaml"),
        ("apply", "--yes", "--wait"),
    ],
    "diff": [("diff", "a")],
    "replay": [("plan", "--record", "recorded"), ("replay", "recorded/nosuch", "--why-not", "create")],
    "rehearse": [("rehearse", "--weather", "calm", "--runs", "1")],
    "config view": [("config", "view", "--show-origin")],
    "prices import": [("prices", "import", "prices.csv", "--out", "prices.yaml")],
    "prices list": [("prices", "list")],
    "watch": [("watch", "--yes"), ("watch", "--once")],
    "report": [("report", "--html", "report.html")],
    "status": [("status",)],
    "wait": [("wait", "a", "--timeout", "10s")],
    "events": [("events",), ("events", "a")],
    "describe": [("describe", "a"), ("describe", "nosuch")],
    "explain": [("explain", "a"), ("explain", "a", "--why-not", "create"), ("explain", "nosuch")],
    "results": [("results", "a"), ("results", "nosuch")],
    "drift": [("drift",), ("drift", "--unmanaged")],
    "state list": [("state", "list")],
    "state show": [("state", "show", "a")],
    "state lock show": [("state", "lock", "show")],
    "state lock break": [("state", "lock", "break", "--yes")],
    "state pull": [("state", "pull", "pulled.db")],
    "state push": [("state", "push", "pulled.db", "--force")],
    "state mv": [("state", "mv", "b", "bb"), ("state", "mv", "bb", "b")],
    "state rebind": [("state", "rebind", "--all", "--to", "main")],
    "state rm": [("state", "rm", "b", "--yes")],
    "state rebuild": [("state", "rebuild", "--force")],
    "import": [("import", "{foreign}", "--as", "taken"), ("import", "batches/nosuch", "--as", "other")],
    "cancel": [("cancel", "--all", "--yes")],
    "retry": [("retry", "a", "--yes")],
    "destroy": [("destroy", "--yes")],
    "state migrate": [("state", "migrate", "--to", "moved.db")],
    "schema": [("schema",), ("schema", "stack")],
    "completion": [("completion", "bash")],
    "version": [("version",)],
}
"""Every command, in an order in which each finds something to do."""
SERVED = ("/metrics", "/healthz", "/readyz", "/api/summary", "/api/jobs", "/api/plan", "/api/events", "/api/jobs/a")
STARTED_ELSEWHERE = {"emulator serve", "ui"}
PRICES = "{apiVersion: batchctl.dev/v1, kind: PriceList, currency: USD, prices: []}\n"
LINES_FOR_ECHOES = (
    ("watch", "--yes", "--once"),
    ("drift", "--unmanaged", "-o", "json"),
    ("doctor",),
    *effort(
        (),
        (
            ("plan",),
            ("status",),
            ("describe", "a", "-o", "json"),
            ("state", "show", "a"),
            ("state", "rebuild", "--force"),
            ("import", "batches/1", "--as", "taken"),
            ("destroy", "--yes"),
        ),
    ),
)
READERS = (
    "plan",
    "status",
    "drift",
    "describe",
    "explain",
    "diff",
    "state",
    "results",
    "doctor",
    "validate",
    "version",
)


@pytest.fixture
def keyed(make_site, still, api, metadata):
    """A stack whose endpoint is a base URL, as if it were the API: it gets the key, or a token that sings like one."""

    def make(endpoint=None, **spec):
        provider = {**api.provider, "endpoint": endpoint or still.url}
        limits = {**LIMITS, "concurrency": 4}
        site = make_site(still, api, providers={"main": provider}, limits=limits, prices="prices.yaml", **spec)
        site.empty_service()
        del site.env["BATCHCTL_EMULATOR"]
        site.env["GEMINI_API_KEY"] = KEY
        site.env["GCE_METADATA_HOST"] = site.env["GCE_METADATA_IP"] = metadata.url.removeprefix("http://")
        (site.path / "prices.yaml").write_text(PRICES)
        (site.path / "prices.csv").write_text("model,source,input\ngemini-2.5-flash,a page,1\n")
        site.write_job("a")
        site.write_job("b", "abc", as_file=True, labels={"team": "search"})
        return site

    return make


@pytest.fixture
def metadata():
    """The metadata server of a machine at Google, which gives out the token. All its answers are one."""
    told = {
        "access_token": KEY,
        "expires_in": 3599,
        "token_type": "Bearer",
        "email": "robot@demo.example",
        "scopes": [],
    }
    headers = ("Metadata-Flavor: Google", "Content-Type: application/json")
    with Loopback(answer(http(200, json.dumps(told).encode(), *headers))) as server:
        yield server


def leaves(command, words=()):
    """The full names of all commands."""
    if isinstance(command, click.Group):
        context = click.Context(command)
        inner = {word: command.get_command(context, word) for word in command.list_commands(context)}
        return {name for word, found in inner.items() for name in leaves(found, (*words, word))}
    return {" ".join(words)}


def formats(words):
    """The formats of `-o` that a command line can have."""
    command = batchctl
    for word in words:
        if not isinstance(command, click.Group):
            break
        command = command.get_command(click.Context(command), word)
    options = [option for option in command.params if option.name == "output"]
    return options[0].type.choices if options else ()


def silent(site, *arguments, **options):
    """Run a command, which must not let the key out, nor start a process. Its log keeps to the published schema."""
    ended = site.run(*arguments, *LOUD, logged=True, **options)
    assert_silent(" ".join(arguments), (ended.out + ended.err + "\n".join(ended.trace)).encode())
    check_log(ended.err)
    started = [way for way in ended.trace if json.loads(way)[0].startswith(("os.", "subprocess."))]
    assert started == [], arguments
    return ended


def callees(ended):
    """Whom a process called."""
    return {json.loads(way)[1] for way in ended.trace if json.loads(way)[0].startswith("socket.")}


def test_every_command_is_on_the_tour():
    assert TOUR.keys() | STARTED_ELSEWHERE == leaves(batchctl)


def test_no_command_lets_the_key_out(keyed, still, place):
    site = keyed()
    still.service.rules(SOON)
    foreign = still.service.send(*site.api.foreign("", ""))["name"]
    codes = {}
    for number, (name, lines) in enumerate(TOUR.items()):
        for line in lines:
            words = [word.format(foreign=foreign) for word in line]
            several = formats(words) if words[0] in READERS else ()
            for output in effort(several[number % 2 :][:1], several) or ("text",):
                given = (*words, "-o", output) if several else words
                codes[name, output] = silent(site, *given).code
    assert {code for (name, _), code in codes.items() if name not in {"import", "replay", "state rm"}} <= {0, 1, 3, 6}
    assert codes["apply", "text"] == codes["watch", "text"] == codes["destroy", "text"] == 0
    assert assert_folders_silent([site.path, still.store.parent]) > 10
    assert_silent("this test's own probe", b"nothing")
    with pytest.raises(AssertionError):
        assert_silent("a probe that sings", KEY.encode())


def test_the_served_emulator_keeps_no_key(keyed, still):
    """Whoever serves one may have a real key in the environment, and its callers send theirs."""
    site = keyed()
    server = site.start("emulator", "serve", "--port", "0", "--data", "served", "-v", logged=True, clock=None)
    told = server.files["out"]
    deadline = time.monotonic() + PATIENCE
    while "BATCHCTL_EMULATOR" not in (told.read_text() if told.exists() else ""):
        assert time.monotonic() < deadline
        time.sleep(0.01)
    url = told.read_text().split("BATCHCTL_EMULATOR=")[1].split()[0]
    provider = {"main": {**site.api.provider, "endpoint": url}}
    site.folder.write_stack(name=STACK, uid=UID, providers=provider, state="state.db")
    # On Vertex there is no bucket; what counts is that the server was called.
    applied = silent(site, "apply", "--yes")
    assert applied.code == (0 if site.api.takes_rows else 1), applied
    server.send(signal.SIGTERM)
    ended = server.wait()
    assert ended.code == 0, ended
    assert_silent("its output", (ended.out + ended.err).encode())
    assert assert_folders_silent([site.path]) > 5


def http(status, body, *headers):
    head = "".join(f"{line}\r\n" for line in (f"HTTP/1.1 {status} x", f"Content-Length: {len(body)}", *headers))
    return head.encode() + b"\r\n" + body


def refusal(status, name, **more):
    error = {"code": status, "status": name, "message": f"key {KEY} is bad: {KEY}", **more}
    return http(status, json.dumps({"error": error}).encode(), "Content-Type: application/json")


def listing(api, *, ours):
    """A list of one job, with the key in every text that it has."""
    return http(200, json.dumps(api.listed(KEY, ours=ours)).encode(), "Content-Type: application/json")


INFO = "type.googleapis.com/google.rpc."
ECHOES = {
    "400": refusal(400, "INVALID_ARGUMENT", details=[{"@type": f"{INFO}ErrorInfo", "reason": "API_KEY_INVALID"}]),
    "401": refusal(401, "UNAUTHENTICATED"),
    "403": refusal(403, "PERMISSION_DENIED", details=[{"@type": f"{INFO}ErrorInfo", "metadata": {"resource": KEY}}]),
    "404": refusal(404, KEY),
    "429": refusal(
        429, "RESOURCE_EXHAUSTED", details=[{"@type": f"{INFO}QuotaFailure", "violations": [{"quotaId": KEY}]}]
    ),
    "500": refusal(500, "INTERNAL"),
    "a page": http(502, f"<html>{KEY}</html>".encode()),
    "a redirect": http(302, b"", f"Location: https://example.org/{KEY}"),
    "no JSON": http(200, KEY.encode()),
    "cut": http(200, b"x" * 100)[:-50] + KEY.encode()[:20],
    "no HTTP": f"{KEY}\r\n\r\n".encode(),
    "a bad header": f"HTTP/1.1 200 OK\r\nContent-Length: {KEY}\r\n\r\n".encode(),
    "bad compression": http(200, gzip.compress(KEY.encode())[:-9], "Content-Encoding: gzip"),
    "jobs of ours": lambda api: listing(api, ours=True),
    "somebody's jobs": lambda api: listing(api, ours=False),
}


def test_what_machines_read_of_a_watch_has_no_key(keyed):
    """Metrics, health and the page's data while the service gives the key back, and what a collector gets."""
    with Loopback(answer(ECHOES["403"], keep=False)) as service, OtlpReceiver() as receiver:
        site = keyed(service.url)
        site.env["OTEL_EXPORTER_OTLP_ENDPOINT"] = receiver.url
        server = site.start("watch", "--forever", "--yes", "--serve", "127.0.0.1:0", *LOUD, logged=True, clock=None)
        told = server.files["err"]
        deadline = time.monotonic() + PATIENCE
        while "web page: " not in (told.read_text() if told.exists() else ""):
            assert time.monotonic() < deadline
            time.sleep(0.01)
        url = told.read_text().split("web page: ")[1].split('/"')[0]
        while (
            b'code="403"' not in httpx.get(f"{url}/metrics", timeout=PATIENCE, verify=False).content
        ):  # the service may cut a reply off first
            assert time.monotonic() < deadline
            time.sleep(0.05)
        bodies = {path: httpx.get(f"{url}{path}", timeout=PATIENCE, verify=False).content for path in SERVED}
        server.send(signal.SIGTERM)
        ended = server.wait()
    assert any(KEY.encode() in request for request in service.requests), "the server was to get the key"
    assert ended.code == 130, ended
    for path, body in bodies.items():
        assert body, path
        assert_silent(path, body)
    check_log(ended.err)
    assert_silent("its output", (ended.out + ended.err).encode())
    collected = b"".join(receiver.bodies)
    assert f"{site.api.methods}.list".encode() in collected
    assert_silent("what the collector got", collected)


@pytest.mark.parametrize(("api", "echo"), on_both(list(ECHOES)))
def test_a_server_that_gives_the_key_back_does_not_make_it_known(keyed, api, echo):
    given = ECHOES[echo]
    with Loopback(answer(given(api) if callable(given) else given, keep=False)) as server:
        site = keyed(server.url)
        for line in LINES_FOR_ECHOES:
            silent(site, *line)
        assert any(KEY.encode() in request for request in server.requests), "the server was to get the key"
    assert assert_folders_silent([site.path]) > 2


def test_a_bug_shows_its_traceback_and_no_key(keyed):
    site = keyed()
    ended = site.start("apply", "--yes", *LOUD, bug=True, logged=True).wait(crashes=True)
    assert "Traceback" in ended.err
    assert "a bug in the transport" in ended.err
    assert_silent("the traceback", (ended.out + ended.err).encode())


def own_address():
    """An address of this machine that is not its loopback."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))
        except OSError:
            pytest.skip("this machine has no other address than its loopback")
        return probe.getsockname()[0]


EVERYTHING_THAT_CALLS = (
    ("plan",),
    ("apply", "--yes", "--wait"),
    ("watch", "--yes"),
    ("status",),
    ("drift", "--unmanaged"),
    ("doctor",),
    ("import", "batches/1", "--as", "taken"),
    ("state", "rebuild", "--force"),
    ("destroy", "--yes"),
    ("cancel", "--all", "--yes"),
)


@pytest.mark.parametrize(
    "host", ["own address", "0.0.0.0", "localhost.example", "generativelanguage.googleapis.com.example"]
)
def test_a_stack_file_that_names_another_host_gets_no_credential(keyed, still, host):
    site = keyed()
    stack = (site.path / "batchctl.yaml").read_text()
    with socket.create_server(("0.0.0.0", 0)) as listener:
        listener.settimeout(0)
        port = listener.getsockname()[1]
        address = own_address() if host == "own address" else host
        (site.path / "batchctl.yaml").write_text(stack.replace(still.url, f"http://{address}:{port}"))
        for line in EVERYTHING_THAT_CALLS:
            ended = silent(site, *line)
            assert ended.code != 0, (line, ended)
            assert "BATCHCTL_ALLOW_ENDPOINT" in ended.err, (line, ended)
            assert not any(str(port) in callee for callee in callees(ended)), line
        with pytest.raises(BlockingIOError):
            listener.accept()


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_takes_nothing_to_another_place(keyed, status):
    with Loopback(answer(http(200, b"{}"))) as other:
        redirect = http(status, b"", f"Location: {other.url}/v1beta/batches")
        with Loopback(answer(redirect)) as server:
            site = keyed(server.url)
            for line in (("plan",), ("apply", "--yes"), ("drift",), ("doctor",)):
                silent(site, *line)
            assert server.requests
        assert (other.requests, other.connections) == ([], [])


def test_an_upload_address_elsewhere_gets_neither_key_nor_rows(keyed):
    with Loopback(answer(http(200, b"{}"))) as other:

        def play(connection, _stop):
            headers = [
                f"X-Goog-Upload-URL: {other.url}/up",
                "X-Goog-Upload-Status: active",
                f"Location: {other.url}/up",
            ]
            is_object = server.requests[-1].startswith(b"GET /storage/")
            connection.sendall(refusal(404, "NOT_FOUND") if is_object else http(200, b"{}", *headers))
            return False

        with Loopback(play) as server:
            site = keyed(server.url)
            ended = silent(site, "apply", "--yes", "-f", "jobs/b.yaml")
            assert ended.code == 1
            assert any(b"/upload/" in request for request in server.requests)
        assert (other.requests, other.connections) == ([], [])
