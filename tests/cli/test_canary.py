"""A broken prompt over many rows, on both APIs: it costs the canary, and the message says what to correct."""

from __future__ import annotations

from tests.support.long_mode import effort
from tests.support.row_shop import QUICK, Shop, keys, keys_of, numbered

COUNT = effort(2_000, 100_000)
CUT = {"share": 0.7, "finishReason": "MAX_TOKENS", "unless": {"maxOutputTokens": 8192}}
BLOCKED = {"share": 0.2, "finishReason": "SAFETY", "unless": {"maxOutputTokens": 8192}}


def test_a_broken_prompt_costs_fifty_rows(shop: Shop) -> None:
    """100,000 rows in the long mode."""
    shop.service.rules({**QUICK, "rowOutcomes": [CUT, BLOCKED]})
    rows = numbered(COUNT)
    shop.write(rows, canary={"rows": 50})
    ran = shop.cli("apply", "--yes", "--wait")
    assert (ran.code, shop.sent()) == (4, [50])
    (status,) = shop.cli("status", "-o", "json").json["jobs"]
    assert (status["phase"], status["reasonCode"]) == ("Failed", "CanaryFailed")
    assert status["reason"] == (
        "the canary failed: 38 of 50 rows failed (35 MAX_TOKENS, 3 SAFETY), and canary.maxFailedRows is 5%."
        " MAX_TOKENS: The answer reached `maxOutputTokens` and is cut off."
        f" The other {COUNT - 50:,} rows are not bought."
        " Correct the request or the rows, then run `batchctl apply`."
        " `batchctl results translate --attempt 1 --failed` shows the answers;"
        " `batchctl retry translate --accept-canary` buys the other rows anyway"
    )
    assert len(shop.cli.ok("results", "translate", "--attempt", "1", "--failed").rows) == 38
    assert shop.cli("apply", "--yes", "--wait").code == 4
    assert shop.sent() == [50], "nothing else is bought"

    shop.write(rows, canary={"rows": 50}, request={"generationConfig": {"maxOutputTokens": 8192}})
    shop.cli.ok("apply", "--yes", "--wait")
    assert shop.sent() == [50, 50, COUNT - 50]
    assert keys(shop.rows()) == keys_of(rows)
