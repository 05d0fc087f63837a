"""Sums of tokens."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from batchctl.model.cost.tokens import Modality, Tokens, Usage, add_usage

COUNTS = st.dictionaries(st.sampled_from(list(Modality)), st.integers(0, 10**9), max_size=3)
TOKENS = st.builds(Tokens, COUNTS, COUNTS, COUNTS, st.integers(0, 10**6))
USAGES = st.lists(st.builds(Usage, TOKENS, TOKENS | st.just(Tokens())), max_size=5)


@given(USAGES)
def test_the_sum_of_many_is_that_of_one_after_the_other(usages: list[Usage]) -> None:
    assert add_usage(usages) == sum(usages, Usage())


@given(st.builds(Usage, TOKENS, TOKENS | st.just(Tokens())))
def test_all_tokens_are_those_of_short_and_long_prompts(usage: Usage) -> None:
    assert usage.all == usage.short + usage.long
