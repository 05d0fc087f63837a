"""Refuses network file systems, where neither flock nor SQLite's shared memory is reliable.

It knows only Linux; on other systems nothing is refused.
"""

from __future__ import annotations

import re
from functools import lru_cache
from pathlib import Path

from batchctl.model.codes import ErrorCode
from batchctl.model.errors import StateError

MOUNTS = Path("/proc/self/mounts")

NETWORK_FILE_SYSTEMS = frozenset(
    {
        "afs",
        "beegfs",
        "ceph",
        "cifs",
        "davfs",
        "fuse.gcsfuse",
        "fuse.glusterfs",
        "fuse.rclone",
        "fuse.s3fs",
        "fuse.sshfs",
        "gpfs",
        "lustre",
        "nfs",
        "nfs4",
        "smb3",
        "smbfs",
    }
)


def refuse_network_file_system(folder: Path) -> None:
    """Raise StateError (`StateOnNetwork`) if the folder is on a network file system. It need not exist yet."""
    try:
        mounts = MOUNTS.read_text(encoding="utf-8", errors="surrogateescape")
    except FileNotFoundError:
        return
    kind = file_system_of(folder.resolve(), mounts)
    if kind in NETWORK_FILE_SYSTEMS:
        raise StateError(
            f"{folder} is on a network file system ({kind}), where locks are not reliable",
            code=ErrorCode.STATE_ON_NETWORK,
            hint="name a path on a local disk with --state",
        )


@lru_cache(maxsize=4)
def file_system_of(folder: Path, mounts: str) -> str:
    """The type of the file system of an absolute path, by the text of a mounts table."""
    deepest, kind = -1, ""
    for line in mounts.splitlines():
        fields = line.split(" ")
        if len(fields) < 3:  # noqa: PLR2004 - device, mount point, type
            continue
        point = Path(re.sub(r"\\([0-7]{3})", lambda match: chr(int(match[1], 8)), fields[1]))
        # A later mount on the same point hides the earlier one, so equal depth counts too.
        if folder.is_relative_to(point) and len(point.parts) >= deepest:
            deepest, kind = len(point.parts), fields[2]
    return kind
