from __future__ import annotations

import pytest

from batchctl.model.errors import BatchctlError
from batchctl.providers.credentials import ApiKey, gemini_key


@pytest.mark.parametrize(
    ("env", "expected"),
    [
        ({"GOOGLE_API_KEY": "a", "GEMINI_API_KEY": "b"}, "a"),
        ({"GEMINI_API_KEY": "b"}, "b"),
        ({"GOOGLE_API_KEY": " \n", "GEMINI_API_KEY": " b\r\n"}, "b"),
        ({"GOOGLE_API_KEY": "\ta "}, "a"),
    ],
)
def test_key_from_environment(env, expected):
    assert gemini_key(env) == expected


@pytest.mark.parametrize("env", [{}, {"GOOGLE_API_KEY": ""}, {"GEMINI_API_KEY": "  "}, {"API_KEY": "x"}])
def test_no_key(env):
    with pytest.raises(BatchctlError) as caught:
        gemini_key(env)
    assert (caught.value.code, caught.value.exit_code) == ("NoCredentials", 1)
    assert "GEMINI_API_KEY" in caught.value.hint


@pytest.mark.parametrize("key", ["a\nb: c", "a b", "schlüssel", "a\x00b", "a\x7f", "x" * 513])
def test_a_key_that_cannot_be_one_is_refused_and_not_shown(key):
    with pytest.raises(BatchctlError) as caught:
        gemini_key({"GOOGLE_API_KEY": key})
    assert caught.value.code == "InvalidKey"
    assert key not in str(caught.value)


def test_key_shows_only_in_headers():
    key = ApiKey("secret-key-of-mine")
    assert "secret" not in repr(key) + str(key)
    assert key.headers() == {"x-goog-api-key": "secret-key-of-mine"}
    assert key.redact("bad key secret-key-of-mine!") == "bad key ***!"


def test_a_placeholder_does_not_garble_messages():
    assert ApiKey("emulator").redact("the emulator says no") == "the emulator says no"
