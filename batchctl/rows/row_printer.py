"""Fingerprints of rows: the identity of a request, wherever it is in an input and whatever key it has.

Two rows with one fingerprint are the same purchase. Ledgers keep fingerprints for years, so their content must never
change under this scheme.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence

from batchctl.model.canonical import canonical_json
from batchctl.model.desired import DesiredJob
from batchctl.model.json_value import Json

_SCHEME = "r1"
_BYTES = 16


class RowPrinter:
    """Makes the fingerprints of one job's rows.

    A fingerprint covers the request with its defaults merged in, and what all rows of the job share: API, kind, model,
    `runId` and `extraBody`.
    """

    def __init__(self, job: DesiredJob) -> None:
        shared = [_SCHEME, job.account.api, job.kind, job.model, job.run_id, dict(job.extra_body)]
        self._start = hashlib.sha256(canonical_json(shared) + b"\n")

    def read(self, request: Mapping[str, Json]) -> tuple[bytes, int]:
        """The fingerprint of a request as it is sent, without batchctl's labels: 16 bytes; and the request's size."""
        content = canonical_json(request)
        return self.read_canonical(content), len(content)

    def read_canonical(self, content: bytes) -> bytes:
        """The fingerprint of a request, given its canonical JSON."""
        return self.read_each(content, (b"",))[0]

    def read_each(self, first: bytes, others: Iterable[bytes]) -> Sequence[bytes]:
        """The same for several requests that begin alike, given what follows in each of them."""
        begun = self._start.copy()
        begun.update(first)
        copy, found = begun.copy, []
        for other in others:
            one = copy()
            one.update(other)
            found.append(one.digest()[:_BYTES])
        return found
