"""Checks combinations of fields that are invalid although each field is valid on its own.

Finds fields that the provider's API does not have, by the matrix of `model.capabilities`, and fields that this release
does not support yet. Source: reference 3.1, 6.1 and chapter 7.
"""

from __future__ import annotations

import re

from batchctl.manifests.apis import RULES, is_for
from batchctl.manifests.fault_codes import Code
from batchctl.manifests.fault_list import Faults
from batchctl.manifests.nodes import Items, Members, Node, find, key_place, value_of
from batchctl.model.addresses import WebAddress, is_private_host
from batchctl.model.capabilities import CAPABILITIES
from batchctl.model.desired import AwaitedRows, InlineRows, Kind, LocalFile, Source
from batchctl.model.keys import API_NAMES, Api
from batchctl.model.quoting import shown

_LEAVE_OUT = "leave it out"


def check_combinations(spec: Node, kind: Kind, api: Api | None, faults: Faults) -> None:
    """Report fields that the API does not have; None: the API is not known."""
    if api is None:
        return
    can = CAPABILITIES[api]
    if find(spec, "webhookConfig") is not None and not can.webhooks:
        message = f'"webhookConfig" {is_for(lambda can: can.webhooks)}'
        faults.add(key_place(spec, "webhookConfig"), Code.WRONG_PROVIDER, message, _LEAVE_OUT)
    elif can.webhooks:
        _check_webhooks(spec, faults)
    if kind is Kind.EMBEDDINGS_BATCH_JOB and not can.embeddings_kind:
        hint = "use a BatchJob with an embedding model such as gemini-embedding-001, or a provider of type gemini"
        faults.add(spec.location, Code.WRONG_PROVIDER, f"{API_NAMES[api]} has no embeddings jobs", hint)
    _check_extra_body(spec, api, faults)


def _check_webhooks(spec: Node, faults: Faults) -> None:
    """Report addresses that the API cannot call: it is a machine on the Internet (reference 12)."""
    uris = find(spec, "webhookConfig", "uris")
    for item in uris.values if isinstance(uris, Items) else ():
        try:
            address = WebAddress.parse(str(value_of(item)))
        except ValueError as error:
            faults.add(item.location, Code.INVALID_VALUE, f'an item of "uris" {error}')
            continue
        if is_private_host(address.host):
            message = f'an item of "uris" cannot be {shown(address.origin)}, which the API cannot reach'
            faults.add(item.location, Code.INVALID_VALUE, message, "use an address on the public Internet")


def _check_extra_body(spec: Node, api: Api, faults: Faults) -> None:
    body = find(spec, "extraBody")
    for name, member in body.entries.items() if isinstance(body, Members) else ():
        # The servers accept both spellings.
        field = RULES[api].create_fields.get(re.sub("_([a-z])", lambda letter: letter[1].upper(), name))
        if field is not None:
            message = f'"extraBody" cannot contain {shown(name)}, which batchctl sends itself'
            faults.add(member.key_location, Code.INVALID_VALUE, message, f"use {field}")


def check_row_retry(spec: Node, source: Source | None, faults: Faults) -> None:
    """Report `retryOn: [ROWS]` for an input that batchctl does not send: it cannot send a part of it."""
    if source is None or isinstance(source, AwaitedRows | InlineRows | LocalFile):
        return
    retry_on = find(spec, "lifecycle", "retryOn")
    for item in retry_on.values if isinstance(retry_on, Items) else ():
        if value_of(item) == "ROWS":
            message = '"retryOn: ROWS" needs rows that batchctl sends: rows in the manifest, a local file, or fromJob'
            faults.add(item.location, Code.NOT_SUPPORTED_YET, message, _LEAVE_OUT)
