"""The rows that a person orders by `batchctl retry --rows`, and why a job cannot send them."""

from __future__ import annotations

from batchctl.model.recorded import JobRow
from batchctl.model.row_work import OrderedRows, RowOrder, RowWork
from batchctl.model.work_size import can_send_rows
from batchctl.reconcile.options import Options
from batchctl.reconcile.view.subject import Subject


def order_of_rows(name: str, row: JobRow | None, options: Options) -> RowOrder | None:
    """The order of this command, else the one in the state."""
    if options.retry and name in options.scope.names:
        return options.retry_rows
    return None if row is None or row.retry_requested is None else row.retry_rows


def why_no_such_rows(subject: Subject, order: RowOrder, work: RowWork | None) -> str | None:
    """Why a job has none of the ordered rows, with the way out; None if it has some, or none has to be named."""
    view, name = subject.counting, subject.name
    if view.attempt.is_canary:
        return f"only its canary was sent; `batchctl retry {name}` or `--accept-canary` comes before `--rows`"
    is_sent_here = can_send_rows(subject.manifest)
    if order.sent_with is not None and not is_sent_here:
        return "batchctl does not send its rows, so `--set` cannot change them"
    if order.is_all:
        return None
    if not is_sent_here:
        return "batchctl does not send its rows one by one; `--rows all` sends its whole input again"
    if view.is_uncollected:
        return "its results are not collected yet; `batchctl apply` collects them"
    if work is None or work.ordered is None:
        return f"no results of its rows are here; `batchctl retry {name} --rows all` sends all of them"
    return _why_none(work.ordered, view.attempt.rows.bad_codes)


def ordered_words(work: RowWork | None) -> str:
    """`: 12 of 10,000 rows to send: k3, k7`; empty where the rows are not known."""
    if work is None or work.ordered is None:
        return ""
    found = work.ordered
    more = f" and {found.rows - len(found.first):,} more" if found.rows > len(found.first) else ""
    return f": {found.rows:,} of {work.total:,} rows to send: {', '.join(found.first)}{more}"


def _why_none(found: OrderedRows, codes: tuple[str, ...]) -> str | None:
    if found.unknown:
        hint = "" if found.near is None else f"; did you mean {found.near}?"
        return f"no row has the key {', '.join(found.unknown)}{hint}"
    if found.rows:
        return None
    if found.order.codes:
        failed = f"its failed rows have {', '.join(codes)}" if codes else "every row has a good answer"
        return f"no row has the verdict {', '.join(sorted(found.order.codes))}; {failed}"
    return "every row has a good answer; `--rows all` or `--rows key=KEY` sends such rows again"
