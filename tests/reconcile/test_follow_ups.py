"""The new attempts that follow the rows of an attempt: their order, which `docs/rules.md` shows."""

from __future__ import annotations

from batchctl.reconcile.decide.follow_ups import FOLLOW_UPS


def test_what_follows_the_rows_of_an_attempt_is_on_the_page() -> None:
    ids = [one.id for one in FOLLOW_UPS]
    assert ids == ["shards-left", "shards-missing", "canary", "row-retry", "rows-not-sent"]
    assert all(one.does and one.why_here.endswith(".") for one in FOLLOW_UPS)
