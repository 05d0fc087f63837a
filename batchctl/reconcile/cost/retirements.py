"""The retirement of the models that manifests name: by the models' own answers, the price list, or what is known."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import date, datetime

from batchctl.model.admission import short_model
from batchctl.model.cost.prices import Prices
from batchctl.model.cost.retirement import KNOWN, Retirement
from batchctl.model.desired import DesiredJob
from batchctl.model.keys import Api
from batchctl.model.recorded import Recorded
from batchctl.reconcile.cost.estimates import utc_day
from batchctl.reconcile.cost.learned import model_of

_BY_ANSWERS = "modelStatus"
_Key = tuple[str, Api]


def find_retirements(
    jobs: Iterable[DesiredJob], recorded: Recorded, prices: Prices | None, now: datetime
) -> tuple[Retirement, ...]:
    """The retirements of the models of some jobs, the earliest first."""
    names: dict[_Key, list[str]] = defaultdict(list)
    for job in jobs:
        names[short_model(job.model), job.account.api].append(job.name)
    known, today = _by_answers(recorded), utc_day(now)
    found = []
    for (model, api), users in names.items():
        day, source = known.get((model, api)) or _listed(model, api, prices, today) or (None, "")
        if day is not None:
            found.append(Retirement(model, api, day, source, tuple(sorted(users)), (day - today).days))
    return tuple(sorted(found, key=lambda one: (one.day, one.model, one.api)))


def _by_answers(recorded: Recorded) -> Mapping[_Key, tuple[date, str]]:
    """The days that the latest answers of each model name."""
    found: dict[_Key, tuple[datetime, datetime]] = {}
    for job, attempt in recorded.counted:
        counted, ended = attempt.counted, attempt.end_time
        if counted is not None and counted.retires is not None and ended is not None:
            key = short_model(model_of(job, attempt)), attempt.account.api
            found[key] = max(found.get(key, (ended, counted.retires)), (ended, counted.retires))
    return {key: (utc_day(retires), _BY_ANSWERS) for key, (_, retires) in found.items()}


def _listed(model: str, api: Api, prices: Prices | None, today: date) -> tuple[date, str] | None:
    price = None if prices is None else prices.find(model, api, today)
    if price is not None and price.retires is not None:
        return price.retires, price.source
    return next(((one.day, one.source) for one in KNOWN if one.covers(model)), None)
