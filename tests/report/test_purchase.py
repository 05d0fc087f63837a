from __future__ import annotations

import pytest

from batchctl.model.actions import Action
from batchctl.model.plan import Plan
from batchctl.model.work_size import WorkSize
from batchctl.report.purchase import bought, bytes_text, purchase_sentence, size_words
from batchctl.report.reports import ApplyReport
from batchctl.report.words import apply_summary, plan_summary
from tests.support.report_samples import job_plan
from tests.support.sample_plan import APPLY

KNOWN = WorkSize("flash", "here", 22, 1234, 309)
UNKNOWN = WorkSize("pro", "there")
COUNTED = WorkSize("pro", "there", 7)


def plan_of(*sizes):
    jobs = (job_plan(f"job-{number}", Action.CREATE, size=size, buys=True) for number, size in enumerate(sizes))
    return Plan("s", (*jobs, job_plan("rest", size=KNOWN)))


@pytest.mark.parametrize(
    ("sizes", "words"),
    [
        ([], ""),
        ([KNOWN], "Buys 1 job, 22 rows, 1.2 kB, about 309 tokens."),
        ([KNOWN] * 4, "Buys 4 jobs, 88 rows, 4.9 kB, about 1,236 tokens."),
        ([KNOWN, UNKNOWN], "Buys 1 job, 22 rows, 1.2 kB, about 309 tokens, and 1 job of unknown size."),
        ([UNKNOWN, UNKNOWN], "Buys 2 jobs of unknown size."),
        ([COUNTED, COUNTED], "Buys 2 jobs, 14 rows."),
        ([COUNTED, UNKNOWN], "Buys 2 jobs of unknown size."),
        ([KNOWN, COUNTED], "Buys 1 job, 22 rows, 1.2 kB, about 309 tokens, and 1 job of unknown size."),
    ],
)
def test_the_sum_in_words(sizes, words):
    assert purchase_sentence(plan_of(*sizes)) == words
    assert bought(plan_of(*sizes)).jobs == len(sizes)


def test_what_only_waits_is_bought_later():
    waiting = Plan("s", (job_plan("a", Action.WAIT, size=KNOWN, buys=True),))
    assert plan_summary(waiting) == (
        "No changes. Buys, when it is their turn: 1 job, 22 rows, 1.2 kB, about 309 tokens. 1 job waiting."
    )


def test_one_job_in_words():
    assert size_words(job_plan(size=KNOWN, buys=True)) == "flash on here: 22 rows, 1.2 kB, about 309 tokens"
    assert size_words(job_plan(size=UNKNOWN, buys=True)) == "pro on there: of unknown size"
    assert size_words(job_plan(size=KNOWN)) == ""


@pytest.mark.parametrize(
    ("size", "text"),
    [
        (0, "0 bytes"),
        (1, "1 byte"),
        (999, "999 bytes"),
        (1000, "1.0 kB"),
        (3_400_000, "3.4 MB"),
        (2_000_000_000, "2.0 GB"),
        (9e15, "9000.0 TB"),
    ],
)
def test_bytes(size, text):
    assert bytes_text(size) == text


def test_after_the_end_the_counted_tokens_are_shown():
    after = WorkSize("flash", "here", 22, 1234, 280, is_counted=True)
    plan = plan_of(KNOWN, UNKNOWN)
    standing = Plan("s", (job_plan("job-0", size=after), job_plan("job-1", size=UNKNOWN), job_plan("new", size=after)))
    report = ApplyReport(plan, {}, standing)
    assert report.sizes() == {"job-0": after, "job-1": UNKNOWN, "rest": KNOWN}
    assert report.counted_tokens() == 280
    assert "The API counted 280 tokens of input." in apply_summary(report)
    assert ApplyReport(plan, {}).counted_tokens() is None
    assert "counted" not in apply_summary(APPLY)
