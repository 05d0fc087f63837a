"""Checks the labels of jobs, if their API has labels, and of the requests that batchctl sends.

Users' labels must not collide with batchctl's own; the schema checks their characters.
Source: reference 3.1, 8.2; design section 6 (the mark).
"""

from __future__ import annotations

from batchctl.manifests.fault_codes import Code
from batchctl.manifests.fault_list import Faults
from batchctl.manifests.nodes import Members, Node, find
from batchctl.model.capabilities import CAPABILITIES
from batchctl.model.keys import OWN_LABELS, Api
from batchctl.model.quoting import shown

MOST_LABELS = 64 - 7
"""Users' labels on a remote job: the API's 64 without the seven of the mark."""


def check_labels(root: Node, api: Api | None, faults: Faults) -> None:
    """Report the labels of a manifest that cannot be sent to its API."""
    request = find(root, "spec", "request", "labels")
    for key, member in request.entries.items() if isinstance(request, Members) else ():
        if key.startswith(OWN_LABELS):
            message = f"{shown(key)} cannot be a label of requests"
            hint = f"labels that start with {OWN_LABELS} belong to batchctl"
            faults.add(member.key_location, Code.INVALID_VALUE, message, hint)
    labels = find(root, "metadata", "labels")
    if api is not None and CAPABILITIES[api].labels and isinstance(labels, Members):
        _check_count(labels, faults)


def _check_count(labels: Members, faults: Faults) -> None:
    if len(labels.entries) > MOST_LABELS:
        message = f"there are {len(labels.entries)} labels; at most {MOST_LABELS} are allowed beside batchctl's own"
        faults.add(labels.location, Code.INVALID_VALUE, message, "remove some")
