"""The number of tokens in the input of a job. Always an estimate: no API counts them before the job has ended.

It goes by the bytes, and by how many tokens a byte the API counted in the jobs of the same model that were collected.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from typing import TYPE_CHECKING

from msgspec import Struct

from batchctl.model.admission import QuotaKey, quota_of
from batchctl.model.attempts import RecordedAttempt
from batchctl.model.observed import RowCounts
from batchctl.model.recorded import Recorded, RecordedJob
from batchctl.model.work_size import TOKEN_BYTES, ceiling

if TYPE_CHECKING:  # it is for what was counted, and takes 1 ms
    from fractions import Fraction

_MOST_BYTES = 16
"""Bytes of a token: pictures have more than texts, and none has less than one. What was learned from rows unlike the
next ones, or from a few of them, may not lead further astray than this."""


class TokenRates(Struct, frozen=True):
    """Tokens a byte, where the API has counted them."""

    learned: Mapping[QuotaKey, Fraction]

    def estimate(self, key: QuotaKey, size: int | None) -> int:
        """The estimated tokens of so many bytes; 0 if batchctl does not send them, and so cannot know.

        As long as the API has counted none: rather too many than too few for most languages.
        """
        rate = self.learned.get(key)
        if rate is None:
            return ceiling(size or 0, TOKEN_BYTES)
        return ceiling((size or 0) * rate.numerator, rate.denominator)

    def basis(self, key: QuotaKey) -> str:
        """The source of the numbers for a model, for people."""
        counted = " and by what the API counted before" if key in self.learned else ""
        return f"estimated by bytes{counted}"


def learn_rates(recorded: Recorded) -> TokenRates:
    """The rates of the collected attempts. Large ones count more than small ones."""
    tokens: dict[QuotaKey, Fraction | int] = defaultdict(int)
    sizes: dict[QuotaKey, int] = defaultdict(int)
    for job, attempt in recorded.counted:
        counted = _counted(attempt)
        if counted is not None and attempt.input_bytes:
            key = _key(job, attempt)
            tokens[key] += counted
            sizes[key] += attempt.input_bytes
    if not sizes:
        return TokenRates({})
    from fractions import Fraction

    least, most = Fraction(1, _MOST_BYTES), Fraction(1)
    found = {key: Fraction(tokens[key]) / size for key, size in sizes.items()}
    return TokenRates({key: min(max(rate, least), most) for key, rate in found.items()})


def _counted(attempt: RecordedAttempt) -> Fraction | int | None:
    """The tokens of all rows that an attempt sent; those that brought no answer are taken to be like the others."""
    if attempt.tokens is None:
        return None
    rows, sent = attempt.rows, attempt.sent
    if sent is not None and sent.verdicts:
        # The counts of the attempt are those of the job, merged with earlier attempts.
        rows = RowCounts(sent.rows, verdicts=sent.verdicts)
    answered = rows.answered
    if not answered:
        return None
    if (rows.total or 0) <= answered:
        return attempt.tokens  # nearly all attempts
    from fractions import Fraction

    return Fraction(attempt.tokens * (rows.total or 0), answered)


def _key(job: RecordedJob, attempt: RecordedAttempt) -> QuotaKey:
    # The model may have changed since.
    return quota_of(attempt.account, str(attempt.tree.get("model", job.row.model)))
