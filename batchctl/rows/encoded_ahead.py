"""Uploads that are written while the rows of an attempt are chosen, so that the input is not read once more.

Only at the end of the choice is it certain which rows are sent. A first attempt sends all of them, or nearly always
so: then its upload is there already. Any other upload is encoded from the input.
"""

from __future__ import annotations

import hashlib
import shutil
import tempfile
from collections.abc import Iterator
from typing import BinaryIO

from msgspec import Struct

from batchctl.model.activity import Flow
from batchctl.model.desired import DesiredJob
from batchctl.model.sources import LocalFile
from batchctl.rows.job_rows import JobBlock

LEAST_BYTES = 2**20
"""Smaller inputs are read again as fast."""
_AT_ONCE = 2**18


class _Encoded(Struct, frozen=True, eq=False):
    """The whole input of a job, as it is sent."""

    job: DesiredJob
    content: BinaryIO
    sha256: str


class EncodedAhead:
    """The uploads of some jobs, each in a temporary file until it is taken."""

    def __init__(self) -> None:
        self._found: dict[str, _Encoded] = {}

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
                self._found[job.name] = _Encoded(job, content, found.hexdigest())
                content = None
        finally:
            if content is not None:
                content.close()

    def take(self, job: DesiredJob, into: BinaryIO, flow: Flow) -> str | None:
        """Write the upload of all rows of a job, and forget it; returns its sha256.

        None: it was not encoded, or the disk has no space for it twice. Then nothing was written.
        """
        found = self._found.pop(job.name, None)
        if found is None:
            return None
        with found.content:
            if found.job != job:
                return None
            size = found.content.tell()
            found.content.seek(0)
            try:
                shutil.copyfileobj(found.content, into, _AT_ONCE)
            except OSError:
                into.seek(0)
                into.truncate()
                return None
        flow.add(size)
        return found.sha256

    def drop(self, job: DesiredJob) -> None:
        """Forget the upload of a job."""
        found = self._found.pop(job.name, None)
        if found is not None:
            found.content.close()

    def release(self) -> None:
        """Forget all uploads."""
        while self._found:
            self._found.popitem()[1].content.close()


def _written(content: BinaryIO, lines: bytes) -> BinaryIO | None:
    """The file with further lines; None if they cannot be written: the upload is encoded later, and says why not."""
    try:
        content.write(lines)
    except OSError:
        content.close()
        return None
    return content
