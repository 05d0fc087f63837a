"""Removes secrets from texts, in every form in which a reply may echo one.

A server, proxy or gateway may echo a secret literally, in a URL (percent-encoded once or twice), in JSON (with
escapes), or in base64: alone, or after a user name as in `Basic`, so that it may begin at any of three positions
in a base64 group.
"""

from __future__ import annotations

import base64
import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any, TypeAlias

import msgspec

from batchctl.model.json_value import Json
from batchctl.model.ports.providers import ResultItem
from batchctl.model.result_json import decoded, encoded
from batchctl.providers.http.urls import read_url

BLANK = "***"
_MIN_SECRET = 9
"""Shorter texts are placeholders of tests and emulators; blanking them would only garble messages."""
_MIN_PASSWORD = 5
"""Lower than for other secrets, because people choose short proxy passwords."""
_PROXIES = ("ALL_PROXY", "HTTP_PROXY", "HTTPS_PROXY")
_ROW_PARTS = ("response", "error", "members")
"""The parts of a row that are stored."""
_BACKSLASHES = r"\\{1,8}"
"""JSON inside JSON doubles backslashes."""
_SLASHED = frozenset('"\\/')
"""Characters that JSON escapes with a backslash, or may."""

_VECTORS = frozenset({"embedding", "embeddings", "predictions"})
"""Members of an answer with vectors."""
_ENCODER = msgspec.json.Encoder()

_Forms: TypeAlias = tuple[tuple[str, ...], re.Pattern[str], tuple[bytes, ...]]


def blanked(text: str, secrets: Iterable[str]) -> str:
    """The text with these secrets replaced."""
    for secret in secrets:
        text = _without(text, _forms(secret)) if len(secret) >= _MIN_SECRET else text
    return text


def without_proxies(text: str) -> str:
    """The text without the secrets of the environment's proxies.

    Only for error messages: in an answer, such a password may be an ordinary word.
    """
    for secret in proxy_secrets(os.environ):
        text = _without(text, _forms(secret))
    return text


def proxy_secrets(env: Mapping[str, str]) -> tuple[str, ...]:
    """The user and password of each proxy URL, and the password alone."""
    names = (spelt for name in _PROXIES for spelt in (name, name.lower()))
    return _of_urls(tuple(env[name] for name in names if "@" in env.get(name, "")))


@lru_cache(maxsize=8)
def _of_urls(urls: tuple[str, ...]) -> tuple[str, ...]:
    found: list[str] = []
    for text in urls:
        try:
            url = read_url(text if "://" in text else f"http://{text}")
        except ValueError:
            continue
        if url.password:
            found += [f"{url.username}:{url.password}", url.password]
    return tuple(secret for secret in dict.fromkeys(found) if len(secret) >= _MIN_PASSWORD)


def blanked_json(value: Json, secrets: Iterable[str]) -> Json:
    """The JSON value with these secrets replaced in all texts, including names."""
    forms = [_forms(secret) for secret in secrets if len(secret) >= _MIN_SECRET]
    return _walk(value, forms) if forms and not _is_certainly_clean(value, forms) else value


def blanked_each(values: Sequence[bytes], secrets: Iterable[str]) -> Sequence[bytes]:
    """JSON objects as `encoded` writes them, with these secrets replaced in all texts."""
    forms = [_forms(secret) for secret in secrets if len(secret) >= _MIN_SECRET]
    if not forms:
        return values
    joined = b"\n".join(values)
    found = _forms_in(joined, forms)
    if not (found or _may_have_escapes(joined)):
        return values
    return [
        _blanked_text(value, forms) if _may_have_escapes(value) or (found and _forms_in(value, forms)) else value
        for value in values
    ]


def are_clean(parts: Iterable[bytes], secrets: Iterable[str]) -> bool:
    """Whether JSON certainly has none of these secrets, given parts in one of which each of its texts is whole."""
    forms = [_forms(secret) for secret in secrets if len(secret) >= _MIN_SECRET]
    return not forms or _is_text_clean(b"\n".join(parts), forms)


def _blanked_text(value: bytes, forms: Sequence[_Forms]) -> bytes:
    found = decoded(value)
    cleaned = _walk(found, forms)
    return value if cleaned == found else encoded(cleaned)


def clean_rows(items: Iterable[ResultItem], clean: Callable[[Json], Json]) -> Iterator[ResultItem]:
    """Rows with `clean` applied to every stored part."""
    for item in items:
        parts: dict[str, Any] = {}
        for name in _ROW_PARTS:
            part = getattr(item, name)
            if part and (cleaned := clean(dict(part))) != part:
                parts[name] = cleaned
        yield msgspec.structs.replace(item, **parts) if parts else item


def _is_certainly_clean(value: Json, forms: Sequence[_Forms]) -> bool:
    """Whether the JSON of a value shows that it has none of these secrets. False for vectors, which are long."""
    if type(value) is not dict or not _VECTORS.isdisjoint(value):
        return False
    try:
        text = _ENCODER.encode(value)
    except (msgspec.MsgspecError, TypeError, ValueError, RecursionError):
        return False
    return _is_text_clean(text, forms)


def _is_text_clean(text: bytes, forms: Sequence[_Forms]) -> bool:
    """Whether JSON as msgspec writes it shows that it has none of these secrets."""
    return not (_may_have_escapes(text) or _forms_in(text, forms))


def _may_have_escapes(text: bytes) -> bool:
    """Whether an escape inside a text, in JSON inside JSON or in a URL, may be one of a secret."""
    return b"%" in text or rb"\\" in text


def _forms_in(text: bytes, forms: Sequence[_Forms]) -> bool:
    """Whether a literal form of a secret is in the text."""
    for _, _, inside in forms:
        for form in inside:
            if form in text:
                return True
    return False


def _walk(value: Json, forms: Sequence[_Forms]) -> Json:
    if isinstance(value, str):
        return _cleaned(value, forms)
    if isinstance(value, dict):
        return {_cleaned(name, forms): _walk(below, forms) for name, below in value.items()}
    # Skip vectors: they are long and contain no text.
    if isinstance(value, list) and not (value and isinstance(value[0], float)):
        return [_walk(below, forms) for below in value]
    return value


def _cleaned(text: str, forms: Sequence[_Forms]) -> str:
    if len(text) >= _MIN_SECRET:
        for form in forms:
            text = _without(text, form)
    return text


def _without(text: str, forms: _Forms) -> str:
    literals, escaped, _ = forms
    for form in literals:
        if form in text:
            text = text.replace(form, BLANK)
    return escaped.sub(BLANK, text) if "%" in text or "\\" in text else text


@lru_cache(maxsize=64)
def _forms(secret: str) -> _Forms:
    """The literal forms of a secret, a pattern for all mixtures of escapes, and the literal forms inside JSON."""
    literals = (secret, *_in_base64(secret.encode("utf-8", "replace")))
    inside = tuple(_ENCODER.encode(text.encode("utf-8", "replace").decode("utf-8"))[1:-1] for text in literals)
    return literals, re.compile("".join(map(_escaped, secret))), inside


def _in_base64(secret: bytes) -> tuple[str, ...]:
    """The part of the base64 text that does not depend on the neighbours of the secret."""
    found: list[str] = []
    for before in range(3):
        whole = base64.b64encode(bytes(before) + secret).decode("ascii")
        core = whole[-(-before * 8 // 6) : (before + len(secret)) * 8 // 6]
        found += [core, core.replace("+", "-").replace("/", "_")]
    return tuple(dict.fromkeys(found))


def _escaped(char: str) -> str:
    """A pattern for one character: itself, percent-encoded, or as a JSON escape."""
    in_url = "".join(f"%(?:25)*{_hex(f'{byte:02x}')}" for byte in char.encode("utf-8", "replace"))
    forms = [re.escape(char), in_url]
    if char in _SLASHED:
        forms.append(rf"{_BACKSLASHES}{re.escape(char)}")
    if ord(char) <= 0xFFFF:  # noqa: PLR2004  # JSON writes higher ones as two escapes
        forms.append(rf"{_BACKSLASHES}u{_hex(f'{ord(char):04x}')}")
    return f"(?:{'|'.join(forms)})"


def _hex(digits: str) -> str:
    return "".join(f"[{digit}{digit.upper()}]" if digit.isalpha() else digit for digit in digits)
