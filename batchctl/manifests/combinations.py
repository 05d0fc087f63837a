"""Checks combinations of fields that are invalid although each field is valid on its own.

Finds fields that the provider's API does not have, by the matrix of `model.capabilities`, and fields that this release
does not support yet. Source: reference 3.1, 6.1 and chapter 7.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from batchctl.manifests.apis import RULES, is_for
from batchctl.manifests.fault_codes import Code
from batchctl.manifests.fault_list import Faults
from batchctl.manifests.nodes import Items, Members, Node, find, key_place, value_of
from batchctl.model.addresses import WebAddress, is_private_host
from batchctl.model.capabilities import CAPABILITIES
from batchctl.model.keys import API_NAMES, Api
from batchctl.model.kinds import Kind
from batchctl.model.locations import Location
from batchctl.model.quoting import shown
from batchctl.model.sources import AwaitedRows, InlineRows, LocalFile, RemoteSource, Source, UploadedFile
from batchctl.model.stack import ProviderConfig

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


def check_parts(spec: Node, source: Source | None, config: ProviderConfig | None, faults: Faults) -> None:
    """Report fields that send a part of the rows, for an input of which batchctl cannot send a part."""
    if source is None or config is None or isinstance(source, AwaitedRows | InlineRows | LocalFile):
        return
    if isinstance(source, RemoteSource) and source.is_divisible:
        return
    reason, hint = _why_no_parts(source, config)
    code = Code.MISSING_FIELD if hint == _STAGING_HINT else Code.NOT_SUPPORTED_YET
    for name, place in _fields_of_parts(spec):
        faults.add(place, code, f"{name} sends a part of the rows; {reason}", hint)


_STAGING_HINT = "give it one in the stack file, such as stagingBucket: gs://bucket/staging/, or leave the field out"


def _fields_of_parts(spec: Node) -> Iterator[tuple[str, Location]]:
    retry_on = find(spec, "lifecycle", "retryOn")
    for item in retry_on.values if isinstance(retry_on, Items) else ():
        if value_of(item) == "ROWS":
            yield '"retryOn: ROWS"', item.location
    for name in ("canary", "sharding"):
        if value_of(spec, name):
            yield f'"{name}"', key_place(spec, name)


def _why_no_parts(source: Source, config: ProviderConfig) -> tuple[str, str]:
    """Why batchctl cannot send a part of an input, and the way out."""
    uri = source.uris[0] if isinstance(source, RemoteSource) else ""
    if uri.startswith("gs://") and config.staging_bucket is None:
        return (
            f'of a gs:// source it writes them to the "stagingBucket" of {config.name}, which has none',
            _STAGING_HINT,
        )
    if uri.startswith("gs://"):
        return "rows for this model have a form that batchctl does not send", _LEAVE_OUT
    if uri.startswith("bq://"):
        hint = "leave it out, or export the table to gs://….jsonl and name that as src"
        return "the rows of a bq:// source are in BigQuery, and batchctl does not read them", hint
    if uri:
        return "the rows of a dataset are at Vertex AI, and batchctl does not read them", _LEAVE_OUT
    if isinstance(source, UploadedFile):
        return "an uploaded file cannot be read back", "leave it out, or name the local file: src: {file: rows.jsonl}"
    return "the rows of a job that was created manually are not known", "leave it out, or give the manifest a src"
