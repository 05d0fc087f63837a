"""Uploads that are written while the rows of an attempt are chosen, so that the input is not read once more.

Only at the end of the choice is it certain which rows are sent. A first attempt sends all of them, or nearly always
so: then its upload is there already. Any other upload is encoded from the input.
"""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Iterator
from typing import BinaryIO

from batchctl.model.activity import Flow
from batchctl.model.desired import DesiredJob
from batchctl.model.ports.inputs import EncodedFile
from batchctl.model.sources import LocalFile
from batchctl.rows.job_rows import JobBlock

LEAST_BYTES = 2**20
"""Smaller inputs are read again as fast."""


class EncodedAhead:
    """The uploads of some jobs, each in a temporary file until it is taken."""

    def __init__(self) -> None:
        self._found: dict[str, tuple[DesiredJob, EncodedFile]] = {}

    def added(self, job: DesiredJob, blocks: Iterator[JobBlock]) -> Iterator[JobBlock]:
        """Encode all rows of a job while they are read; yields each block. A disk without space changes nothing."""
        self.drop(job)
        if not isinstance(job.source, LocalFile) or job.source.size < LEAST_BYTES:
            yield from blocks
            return
        content: BinaryIO | None = tempfile.TemporaryFile(prefix="batchctl-")  # noqa: SIM115  closed by who takes it
        found = hashlib.sha256()
        try:
            for block in blocks:
                if content is not None:
                    lines = block.lines(range(block.first, block.first + len(block)))
                    found.update(lines)
                    content = _written(content, lines)
                yield block
            if content is not None:
                self._found[job.name] = job, EncodedFile(content, found.hexdigest())
                content = None
        finally:
            if content is not None:
                content.close()

    def take(self, job: DesiredJob, flow: Flow) -> EncodedFile | None:
        """The upload of all rows of a job, which is the caller's from now on; None if it was not encoded."""
        encoded_for, found = self._found.pop(job.name, (None, None))
        if found is not None and encoded_for != job:
            found.content.close()
            return None
        if found is not None:
            flow.add(found.content.tell())
        return found

    def drop(self, job: DesiredJob) -> None:
        """Forget the upload of a job."""
        _, found = self._found.pop(job.name, (None, None))
        if found is not None:
            found.content.close()

    def release(self) -> None:
        """Forget all uploads."""
        while self._found:
            self._found.popitem()[1][1].content.close()


def _written(content: BinaryIO, lines: bytes) -> BinaryIO | None:
    """The file with further lines; None if they cannot be written: the upload is encoded later, and says why not."""
    try:
        content.write(lines)
    except OSError:
        content.close()
        return None
    return content
