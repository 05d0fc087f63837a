"""Who may read the page, and what every answer forbids."""

from __future__ import annotations

import http.client

import httpx
import pytest

from tests.support.engine import job
from tests.support.patience import PATIENCE
from tests.support.web import serving, snapshot_of

TOKEN = "a-token-of-some-length"
PATHS = ["/", "/static/main.js", "/api/summary", "/api/jobs", "/api/jobs/a", "/api/jobs/a/rows", "/events", "/nowhere"]


@pytest.fixture(scope="module")
def site(still):
    still.apply(job("a"))
    with serving(still, snapshot_of(still, job("a")), names=frozenset({"Batch.example"})) as found:
        yield found


@pytest.fixture(scope="module")
def locked(still):
    still.apply(job("a"))
    with serving(still, snapshot_of(still, job("a")), token=TOKEN) as found:
        yield found


def status(site, path, **headers):
    """Of a request as it is written, without what httpx adds."""
    connection = http.client.HTTPConnection(site.url.removeprefix("http://"), timeout=PATIENCE)
    connection.putrequest("GET", path, skip_host="Host" in headers)
    for name, value in headers.items():
        connection.putheader(name.replace("_", "-"), value)
    connection.endheaders()
    answer = connection.getresponse()
    connection.close()
    return answer.status


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"])
def test_nothing_but_reading(site, path, method):
    answer = site.client.request(method, path)
    assert (answer.status_code, answer.json()["error"]["code"]) == (405, "ReadOnly")
    assert answer.headers["allow"] == "GET, HEAD"


def test_head_has_the_headers_alone(site):
    got, head = site.client.get("/api/summary"), site.client.head("/api/summary")
    assert (head.status_code, head.content, head.headers["content-type"]) == (200, b"", got.headers["content-type"])
    assert site.client.head("/events").headers["content-type"].startswith("text/event-stream")


@pytest.mark.parametrize("path", [one for one in PATHS if one != "/events"])
def test_every_answer_forbids_the_same(site, path):
    headers = site.client.get(path).headers
    policy = dict(part.split(" ", 1) for part in headers["content-security-policy"].split("; "))
    assert policy["default-src"] == policy["base-uri"] == policy["form-action"] == policy["frame-ancestors"] == "'none'"
    assert policy["script-src"] == policy["style-src"] == policy["connect-src"] == "'self'"
    assert "unsafe" not in headers["content-security-policy"]
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["cross-origin-resource-policy"] == "same-origin"
    assert headers["cache-control"] == ("no-cache" if path in {"/", "/static/main.js"} else "no-store")
    assert not [name for name in headers if name.startswith("access-control-")]


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("127.0.0.1:{port}", 200),
        ("localhost:{port}", 200),
        ("LOCALHOST", 200),
        ("stack.localhost", 200),
        ("[::1]:{port}", 200),
        ("batch.example", 200),
        ("evil.example", 421),
        ("localhost.evil.example", 421),
        ("127.0.0.1.evil.example", 421),
        ("192.0.2.7", 421),
        ("evil.example@127.0.0.1", 421),
        ("127.0.0.1:{port}/", 421),
        ("", 421),
    ],
)
def test_only_own_host_names(site, host, expected):
    port = site.url.rpartition(":")[2]
    assert status(site, "/api/summary", Host=host.format(port=port)) == expected


@pytest.mark.parametrize(
    ("path", "headers", "expected"),
    [
        ("/api/summary", {}, 200),
        ("/api/summary", {"Sec_Fetch_Site": "same-origin"}, 200),
        ("/api/summary", {"Sec_Fetch_Site": "none"}, 200),
        ("/api/summary", {"Sec_Fetch_Site": "cross-site"}, 403),
        ("/api/summary", {"Sec_Fetch_Site": "same-site"}, 403),
        ("/api/summary", {"Sec_Fetch_Site": "cross-site", "Sec_Fetch_Mode": "navigate"}, 403),
        ("/", {"Sec_Fetch_Site": "cross-site", "Sec_Fetch_Mode": "navigate"}, 200),
        ("/", {"Sec_Fetch_Site": "cross-site", "Sec_Fetch_Mode": "no-cors"}, 403),
        ("/events", {"Sec_Fetch_Site": "cross-site"}, 403),
        ("/api/summary", {"Origin": "https://evil.example"}, 403),
        ("/api/summary", {"Origin": "null"}, 403),
        ("/api/summary", {"Origin": "{url}"}, 200),
        ("/api/summary", {"Origin": "https://127.0.0.1"}, 403),
        ("/api/summary", {"Origin": "https://batch.example", "Host": "batch.example"}, 200),
        ("/static/main.js", {"Sec_Fetch_Site": "cross-site"}, 403),
    ],
)
def test_no_page_of_another_origin(site, path, headers, expected):
    assert status(site, path, **{name: value.format(url=site.url) for name, value in headers.items()}) == expected


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Authorization": "Bearer wrong"},
        {"Authorization": f"Basic {TOKEN}"},
        {"Authorization": TOKEN},
        {"Authorization": f"Bearer {TOKEN}x"},
        {"Authorization": f"Bearer {TOKEN[:-1]}"},
        {"Authorization": "Bearer "},
        {"Cookie": "batchctl_1=x; token=y"},
        {"Cookie": "\x7f=;;;"},
        {"Authorization": "Bearer ü".encode().decode("latin-1")},
    ],
)
def test_without_the_token_nothing(locked, path, headers):
    assert status(locked, path, **headers) == 401
    assert status(locked, f"{path}?token=wrong", **headers) == 401


def test_with_the_token(locked):
    assert status(locked, "/api/summary", Authorization=f"Bearer {TOKEN}") == 200
    assert status(locked, "/api/summary", Authorization=f"bearer  {TOKEN} ") == 200


def test_the_address_with_the_token_sets_a_cookie_and_leaves_the_address(locked):
    answer = httpx.get(f"{locked.url}/", params={"token": TOKEN, "x": "1"}, timeout=PATIENCE, verify=False)
    assert (answer.status_code, answer.headers["location"]) == (303, "/?x=1")
    cookie = answer.headers["set-cookie"]
    assert {"httponly", "samesite=strict", "path=/"} <= {part.strip().casefold() for part in cookie.split(";")}
    with httpx.Client(base_url=locked.url, follow_redirects=True, timeout=PATIENCE, verify=False) as browser:
        assert browser.get("/", params={"token": TOKEN}).status_code == 200
        assert browser.get("/api/summary").status_code == 200


@pytest.mark.parametrize(
    ("cookies", "expected"),
    [
        ("{name}={token}", 200),
        ('settings={{"a": [1, "b"]}}; {name}={token}; other', 200),
        ("{name}=wrong; {name}={token}", 200),
        ("{name}x={token}", 401),
        ("batchctl_1={token}", 401),
        ("x={name}={token}", 401),
    ],
)
def test_the_cookie_is_found_among_others(locked, cookies, expected):
    name = f"batchctl_{locked.url.rpartition(':')[2]}"
    assert status(locked, "/api/summary", Cookie=cookies.format(name=name, token=TOKEN)) == expected


def test_the_token_of_an_address_is_for_the_page_alone(locked):
    assert locked.client.get("/api/summary", params={"token": TOKEN}).status_code == 401


def test_a_refusal_says_nothing_of_the_stack(locked):
    answer = locked.client.get("/api/jobs/a")
    assert answer.json()["error"] == {
        "code": "TokenNeeded",
        "message": "this page needs its token",
        "hint": "open the address that batchctl printed; with --token-file, add ?token=TOKEN to it",
        "details": {},
    }


def test_without_show_rows_no_rows(site):
    answer = site.client.get("/api/jobs/a/rows")
    assert (answer.status_code, answer.json()["error"]["code"]) == (403, "RowsHidden")
    assert site.get("/api/summary")["rowsShown"] is False


@pytest.mark.parametrize(
    "name", ["../app.py", "%2e%2e%2fapp.py", "..%5capp.py", "nope.js", "", "main.js/x", ".", "__init__.py"]
)
def test_only_the_files_of_the_page(site, name):
    assert site.client.get(f"/static/{name}").status_code == 404
