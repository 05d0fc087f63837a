"""Secrets in every form in which a server may echo them: in messages, in rows, in a proxy's errors."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable
from urllib.parse import quote, quote_plus

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from batchctl.model import errors
from batchctl.model.answer_lines import AnswerForm, AnswerLines, FormedAnswers
from batchctl.model.forms.templates import Template
from batchctl.model.json_value import Json
from batchctl.model.pieces import Pieces
from batchctl.model.ports.providers import ResultItem
from batchctl.model.result_json import encoded
from batchctl.providers import redaction
from batchctl.providers.credentials import ApiKey
from batchctl.providers.http.calls import Call
from batchctl.providers.http.endpoint import Endpoint
from batchctl.providers.redaction import are_clean, blanked, blanked_each, blanked_json, without_proxies
from batchctl.providers.reply_times import ServerClock
from tests.support.raw_server import Loopback, answer
from tests.support.scripted_api import BASE, KEY, MovedClock, Script, reply

SECRET = "AIzaSy+/D-9tSrke72PouQMnMX_a7eZSW0jkFMBWY"
GET = Call("w", "GET", "/v1beta/batches")


def in_base64(text: str, *, url: bool = False) -> str:
    encode = base64.urlsafe_b64encode if url else base64.b64encode
    return encode(text.encode()).decode()


def json_escaped(text: str) -> str:
    return "".join(f"\\u{ord(char):04X}" for char in text)


FORMS = {
    "plain": SECRET,
    "url": quote(SECRET, safe=""),
    "url, small": quote(SECRET, safe="").replace("%2B", "%2b").replace("%2F", "%2f"),
    "form": quote_plus(SECRET),
    "url twice": quote(quote(SECRET, safe=""), safe=""),
    "every byte": "".join(f"%{byte:02x}" for byte in SECRET.encode()),
    "some bytes": "".join(f"%{ord(char):02X}" if at % 3 else char for at, char in enumerate(SECRET)),
    "json": json.dumps(SECRET)[1:-1],
    "json, slashed": json.dumps(SECRET)[1:-1].replace("/", "\\/"),
    "json, escaped": json_escaped(SECRET),
    "base64": in_base64(SECRET),
    "base64, url": in_base64(SECRET, url=True),
    "base64, no padding": in_base64(SECRET).rstrip("="),
    "Basic, one before": f"Basic {in_base64(f':{SECRET}')}",
    "Basic, two before": f"Basic {in_base64(f'a:{SECRET}')}",
    "Basic": f"Basic {in_base64(f'ada:{SECRET}')}",
    "Basic, more behind": f"Basic {in_base64(f'x:{SECRET}:more')}",
}


def decoded(text: str) -> str:
    """Everything that can be read of the base64 in a text, wherever its groups begin."""
    found = []
    for run in re.findall(r"[A-Za-z0-9+/]{4,}", text.replace("-", "+").replace("_", "/")):
        for start in range(4):
            part = run[start:]
            found.append(base64.b64decode(part[: len(part) // 4 * 4]).decode("latin-1"))
    return " ".join(found)


def remains(text: str) -> set[str]:
    """All runs of eight characters of the secret that can still be read, literally or in base64."""
    readable = f"{text} {decoded(text)}"
    return {SECRET[at : at + 8] for at in range(len(SECRET) - 7) if SECRET[at : at + 8] in readable}


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
@pytest.mark.parametrize("around", ["{}", "key={}&x=1", "[{}] again {}", "\\n{}\\u0020"])
def test_every_form_is_blanked(form: str, around: str) -> None:
    text = blanked(around.replace("{}", form), [SECRET])
    assert form not in text
    assert not remains(text)
    assert "***" in text


@given(st.text("AB+/-_.=xyz09", min_size=9, max_size=60), st.binary(max_size=7), st.binary(max_size=7))
def test_any_secret_in_base64_among_others(secret: str, before: bytes, after: bytes) -> None:
    for encode in (base64.b64encode, base64.urlsafe_b64encode):
        text = blanked(encode(before + secret.encode() + after).decode(), [secret])
        assert secret not in decoded(text)
        assert "***" in text


@given(st.text(max_size=60))
def test_other_texts_stay_as_they_are(text: str) -> None:
    assert blanked(text, [SECRET]) == text


def test_escapes_around_a_secret_stay_intact() -> None:
    for form in FORMS.values():
        body = f'{{"a": "line\\n{form}\\n\\u00e9"}}'
        assert json.loads(blanked(body, [SECRET]))["a"].endswith("\né")


@pytest.mark.parametrize("secret", [SECRET, 'quoted "secret" \\ é', "tab\tand more of it", "\ud800 and more of it"])
@pytest.mark.parametrize("shape", [lambda text: {"a": [text]}, lambda text: {text: {"b": 1}}])
def test_a_look_at_the_whole_json_finds_the_same(
    secret: str, shape: Callable[[str], Json], monkeypatch: pytest.MonkeyPatch
) -> None:
    texts = [secret, json.dumps(secret), json.dumps(json.dumps(secret)), quote(secret.encode("utf-8", "replace"))]
    texts += [in_base64(secret.encode("utf-8", "replace").decode()), json_escaped(SECRET), "plain", "50 %", "\\"]
    values = [shape(f"before {text} behind") for text in texts]
    at_once = [blanked_json(value, [secret]) for value in values]
    monkeypatch.setattr(redaction, "_is_certainly_clean", lambda _value, _forms: False)
    assert at_once == [blanked_json(value, [secret]) for value in values]
    assert at_once[0] != values[0]
    assert at_once[6] == values[6]


@pytest.mark.parametrize("text", [*FORMS.values(), "plain", "50 %", "two \\\\ in a row", "\n"])
@pytest.mark.parametrize("is_common", [True, False])
def test_answers_of_one_form_are_clean_if_their_parts_are(text: str, is_common: bool) -> None:
    own = json.dumps(f"before {text} behind").encode()[1:-1]
    common, column = (own, [b"a", b"b"]) if is_common else (b"model", [b"a", own, b"b"])
    template = Template((b'{"text":"', b'","role":"%b"}\n' % common), (0,))
    answers = FormedAnswers(["k"] * len(column), AnswerForm({}, (), template), [column])
    cleaned = blanked_each(answers.responses, [SECRET])
    assert list(map(json.loads, cleaned)) == [blanked_json(json.loads(one), [SECRET]) for one in answers.responses]
    is_clean = are_clean(answers.parts, [SECRET])
    assert is_clean == (text in {"plain", "\n"})
    assert not is_clean or cleaned == answers.responses
    assert are_clean(answers.parts, ["short"])


def test_json_is_cleaned_through_and_through() -> None:
    value = {"a": [{"b": f"x {FORMS['Basic']}"}], SECRET: 1, "v": [0.5, 1.5], "n": None, "t": True}
    assert blanked_json(value, [SECRET]) == {"a": [{"b": blanked(f"x {FORMS['Basic']}", [SECRET])}], "***": 1} | {
        "v": [0.5, 1.5], "n": None, "t": True,
    }  # fmt: skip


# Over the wire


def endpoint(script: Script) -> Endpoint:
    return Endpoint(BASE, ApiKey(SECRET), ServerClock(MovedClock()), httpx.MockTransport(script))


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
@pytest.mark.parametrize("status", [400, 401, 403, 404, 429, 500, 502])
def test_no_error_gives_a_secret_back(form: str, status: int) -> None:
    for body in (
        {
            "error": {
                "code": status,
                "message": f"bad {form}",
                "status": "X",
                "details": [{"reason": form, "service": form}],
            }
        },
        f"the proxy was sent {form}".encode(),
        b" " * 4080 + form.encode(),
    ):
        content = json.dumps(body).encode() if isinstance(body, dict) else body
        with pytest.raises(errors.ApiError) as caught:
            endpoint(Script(lambda _request, content=content: httpx.Response(status, content=content))).call(GET)
        shown = f"{caught.value.message} {caught.value.hint} {caught.value.details} {caught.value!r}"
        assert form not in shown
        assert not remains(shown)


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_no_reply_gives_a_secret_back(form: str) -> None:
    found = endpoint(Script(reply({"displayName": form, "deep": [{"x": form}]}))).call(GET).json_object()
    assert not remains(json.dumps(found))


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_no_row_gives_a_secret_back(form: str) -> None:
    one = endpoint(Script())
    rows = [
        ResultItem("a", 0, response={"text": form, "deep": [{form: "x"}]}, members={"custom": form}),
        ResultItem("b", 1, error={"code": 3, "message": form, "raw": form}),
    ]
    for row in one.cleaned(rows):
        assert not remains(json.dumps([row.response, row.error, dict(row.members)]))
    assert [row.key for row in one.cleaned(rows)] == ["a", "b"]


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_no_answer_gives_a_secret_back(form: str) -> None:
    plain, percent = {"candidates": [{"text": "5"}]}, {"candidates": [{"text": "5 %"}]}
    answers = [encoded(value) for value in (plain, {"candidates": [{"text": form, "deep": [{form: "x"}]}]}, percent)]
    found = list(endpoint(Script()).cleaned(Pieces([AnswerLines(["a", "b", "c"], answers)])))
    assert not remains(json.dumps([row.response for row in found]))
    assert [row.response for row in (found[0], found[2])] == [plain, percent]


# Proxies


@pytest.fixture
def proxied(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "ALL_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.parametrize(
    "said",
    [
        "bad password s3cret-w0rd",
        "Basic YWRhOnMzY3JldC13MHJk",
        "who is ada:s3cret-w0rd",
        "s3cret%2Dw0rd",
        "ada%3As3cret-w0rd",
    ],
)
def test_a_proxys_error_does_not_show_its_password(proxied: None, monkeypatch: pytest.MonkeyPatch, said: str) -> None:
    refusal = f"HTTP/1.1 407 {said}\r\nContent-Length: 0\r\n\r\n".encode()
    with Loopback(answer(refusal, keep=False)) as server:
        monkeypatch.setenv("HTTPS_PROXY", server.url.replace("http://", "http://ada:s3cret-w0rd@"))
        one = Endpoint("https://a.example", ApiKey(KEY), ServerClock(MovedClock()))
        with pytest.raises(errors.ConnectionFailed) as caught:
            one.call(GET)
        one.close()
    shown = f"{caught.value.message} {caught.value.hint} {caught.value.details}"
    assert "407" in shown
    assert not any(part in shown for part in ("s3cret", "w0rd", "OnMzY3Jl", "zY3JldC13"))


def test_a_proxys_password_is_blanked_in_errors_alone(proxied: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://ada:hello@h:1")
    assert without_proxies("hello") == "***"
    assert endpoint(Script(reply({"text": "hello"}))).call(GET).json_object() == {"text": "hello"}
