"""Makes what was written to a stream durable."""

from __future__ import annotations

import os
from typing import BinaryIO


def flush_durably(stream: BinaryIO) -> None:
    """Return when everything written is on the disk. Raises OSError."""
    stream.flush()
    os.fsync(stream.fileno())
