"""The messages of the Gemini Developer API, field by field. Data only. Source: reference 1.2, 1.3."""

from __future__ import annotations

from batchctl.emulator.proto import Anything, Integer, Kind, Message, Repeated, Struct, Text
from batchctl.emulator.requests import DEVELOPER_REQUESTS

_ANY = Anything()
_STRUCT = Struct()


def file_row(kind: str) -> Message:
    """One line of an input file. Source: reference 8.1."""
    return Message({"key": Text(), "request": DEVELOPER_REQUESTS[kind], "metadata": _STRUCT})


def batch(kind: str) -> Message:
    """The batch object; output-only fields are accepted and ignored. Source: reference 1.2."""
    item = Message({"request": DEVELOPER_REQUESTS[kind], "metadata": _STRUCT})
    ignored: dict[str, Kind] = dict.fromkeys(
        ("name", "output", "createTime", "endTime", "updateTime", "batchStats", "state"), _ANY
    )
    return Message({
        **ignored,
        "model": Text(),
        "displayName": Text(),
        "inputConfig": Message({"fileName": Text(), "requests": Message({"requests": Repeated(item)})}),
        "priority": Integer(),
        "webhookConfig": Message({"uris": Repeated(Text()), "userMetadata": _STRUCT}),
    })  # fmt: skip


FILE = Message({
    **dict.fromkeys(("createTime", "updateTime", "expirationTime", "sha256Hash", "uri", "downloadUri", "state"), _ANY),
    **dict.fromkeys(("source", "error", "videoMetadata"), _ANY),
    "name": Text(),
    "displayName": Text(),
    "mimeType": Text(),
    "sizeBytes": Integer(),
})  # fmt: skip
