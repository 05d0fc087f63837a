"""Which clock counts for ages and deadlines."""

from __future__ import annotations

from datetime import datetime

from batchctl.model.keys import Account
from batchctl.model.observed import Observed


def provider_now(account: Account, observed: Observed, now: datetime) -> datetime:
    """The provider's clock where it was seen, else the local one."""
    observation = observed.get(account)
    return observation.now if observation else now
