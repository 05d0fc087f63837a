"""The emulator's tables of reply members, held against the discovery documents."""

from __future__ import annotations

from typing import Any

import pytest

from batchctl.emulator.fieldmask import camel_name
from batchctl.emulator.replies import BIGQUERY, STORAGE, VERTEX, Replies
from tests.support.discovery import service

PREFIXES = ("GoogleCloudAiplatformV1", "GoogleCloudAiplatformV1beta1", "GoogleLongrunning", "GoogleRpc", "")
SERVICES = [("aiplatform.v1beta1", VERTEX), ("storage.v1", STORAGE), ("bigquery.v2", BIGQUERY)]


@pytest.mark.parametrize(("name", "replies"), SERVICES)
def test_every_message_has_the_members_that_its_document_has(name: str, replies: Replies) -> None:
    schemas: dict[str, Any] = service(name).document["schemas"]
    for message, members in replies.messages.items():
        if message == "Empty":
            assert not members
            continue
        [schema, *_] = [schemas[prefix + message] for prefix in reversed(PREFIXES) if prefix + message in schemas]
        assert members.keys() == {camel_name(member) for member in schema["properties"]}, message


@pytest.mark.parametrize(("name", "replies"), SERVICES)
def test_every_type_is_there(name: str, replies: Replies) -> None:
    kinds = {kind for members in replies.messages.values() for kind in members.values()}
    assert kinds <= {"", "any", *replies.messages}, name
