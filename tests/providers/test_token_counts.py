"""The replies to `countTokens`."""

from __future__ import annotations

import pytest

from batchctl.model.errors import BadReply
from batchctl.providers.token_counts import counted_tokens


@pytest.mark.parametrize(("reply", "tokens"), [({"totalTokens": 31}, 31), ({"totalTokens": 0}, 0), ({}, 0)])
def test_the_number_of_tokens(reply: dict[str, object], tokens: int) -> None:
    assert counted_tokens(reply) == tokens


@pytest.mark.parametrize("wrong", ["31", -1, 3.5, True, None, {}])
def test_what_is_no_number(wrong: object) -> None:
    with pytest.raises(BadReply, match="countTokens: not a number of tokens"):
        counted_tokens({"totalTokens": wrong})
