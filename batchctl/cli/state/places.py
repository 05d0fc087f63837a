"""An attempt at another account: an account is part of the work, so tree and digest follow it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from batchctl.manifests.digest import digest_of
from batchctl.model.desired import Json
from batchctl.model.keys import Account
from batchctl.model.recorded import RecordedAttempt


def placed(tree: Mapping[str, Json], account: Account) -> dict[str, Json]:
    """What goes into the digest of the same work at an account."""
    place = {
        "endpoint": account.origin,
        "api": str(account.api),
        "project": account.project,
        "location": account.location,
    }
    return {name: part for name, part in {**tree, **place}.items() if part != ""}


def moved(attempt: RecordedAttempt, account: Account) -> RecordedAttempt:
    """The attempt as if it had been made at the account; of work that is not known the account alone changes."""
    if not attempt.tree:
        return replace(attempt, account=account)
    tree = placed(attempt.tree, account)
    return replace(attempt, account=account, tree=tree, digest=digest_of(tree))
