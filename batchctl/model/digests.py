"""The digest of a tree of work: `d1:` and a sha256. `manifests.digest` builds the tree."""

from __future__ import annotations

from collections.abc import Mapping

from batchctl.model.canonical import sha256_json
from batchctl.model.json_value import Json
from batchctl.model.keys import DIGEST_SCHEME, Account

IN_FINGERPRINTS = ("api", "kind", "model", "runId", "extraBody")
"""The parts of a tree that are in the fingerprints of all its rows."""


def has_same_requests(one: Mapping[str, Json], other: Mapping[str, Json]) -> bool:
    """Whether equal rows of two works have equal fingerprints."""
    return all(one.get(name) == other.get(name) for name in (*IN_FINGERPRINTS, "request"))


def digest_of(tree: Mapping[str, Json]) -> str:
    """`d1:` and the sha256 of the tree in hex."""
    return DIGEST_SCHEME + sha256_json(dict(tree))


def account_parts(account: Account) -> dict[str, Json]:
    """The part of a tree with the account. Empty strings are not in a tree."""
    return {
        "endpoint": account.origin,
        "api": str(account.api),
        "project": account.project,
        "location": account.location,
    }
