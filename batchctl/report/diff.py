"""`diff`: manifests against the record, as text and as `batchctl/diff/v1`."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from batchctl.model.json_value import Json
from batchctl.model.plan import JobPlan
from batchctl.report.console import Console
from batchctl.report.layout import count, write_line, write_table
from batchctl.report.plan_document import change_entries, guard_code
from batchctl.report.plan_text import job_row


class JobDiff(Struct, frozen=True):
    """One job: its manifest against its record."""

    stack: str
    job: JobPlan
    has_manifest: bool
    has_record: bool

    @property
    def differs(self) -> bool:
        """Whether the manifest asks for something that is not recorded, or there is only one of the two."""
        return bool(self.job.changes) or not self.has_manifest or not self.has_record


def diff_document(diff: JobDiff) -> dict[str, Json]:
    """`batchctl/diff/v1`: one job, recorded against desired."""
    job = diff.job
    return {
        "format": "batchctl/diff/v1",
        "stack": diff.stack,
        "job": job.job,
        "action": job.action.value,
        "reason": job.reason,
        "reasonCode": job.code.value,
        "differs": diff.differs,
        "changes": change_entries(job.changes),
        "guard": guard_code(job.guard),
    }


def write_diff(diff: JobDiff, console: Console) -> None:
    """One job: what its manifest changes against the record."""
    write_table(console, [job_row(diff.job)])
    if not diff.differs:
        write_line(console, "No difference between manifest and record.")


def write_diffs(diffs: Sequence[JobDiff], console: Console) -> None:
    """The jobs that differ, and their number."""
    found = [diff for diff in diffs if diff.differs]
    if found:
        write_table(console, [job_row(diff.job) for diff in found])
        write_line(console)
        verb = "differs" if len(found) == 1 else "differ"
        write_line(console, (f"{len(found)} of {count(len(diffs), 'job')} {verb} from the record.", "bold"))
    else:
        write_line(console, f"No difference between manifests and record in {count(len(diffs), 'job')}.")
