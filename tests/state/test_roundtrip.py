"""Every committed value loads back equal."""

from __future__ import annotations

import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from batchctl.model.admission import Quota, QuotaKey
from batchctl.model.attempts import CancelCause, Intent, Operation, RecordedAttempt, Trouble
from batchctl.model.cost.job_cost import InputBasis, OutputBasis, TokenEstimate
from batchctl.model.cost.tokens import Counted, Modality, Tokens, Usage
from batchctl.model.errors import Effect
from batchctl.model.events import Event
from batchctl.model.history import PastAttempt
from batchctl.model.keys import Account, Api, AttemptKey
from batchctl.model.kinds import Kind
from batchctl.model.lifecycle import Lifecycle, OnChange, OnMissing, OnRemove
from batchctl.model.observed import Moment, RowCounts, Status
from batchctl.model.recorded import Ghost, JobRow, RecordedFile, RecordedJob
from batchctl.model.row_settings import Fallback, RowSettings
from batchctl.model.row_work import RowOrder
from batchctl.model.sent_with import SentWith
from batchctl.model.writes import (
    AddEvent,
    DropGhost,
    DropPast,
    SaveAttempt,
    SaveFile,
    SaveGhost,
    SaveIdentity,
    SaveJob,
    SavePast,
    SaveQuota,
)
from batchctl.state.store import open_state
from tests.support.long_mode import effort
from tests.support.state_samples import ACCOUNT, NOW, HandClock
from tests.support.values import replace

TEXT = st.text(max_size=12)
TIMES = st.datetimes(datetime(1970, 1, 1), datetime(2999, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - hypothesis adds the zone
SOME_TIME = st.none() | TIMES
COUNTS = st.none() | st.integers(0, 2**40)
WORD = st.text("abcdefghijklmnopqrstuvwxyz0123456789-", min_size=1, max_size=10)
ACCOUNTS = st.builds(Account, st.sampled_from(Api), WORD) | st.builds(Account, st.sampled_from(Api), WORD, WORD, WORD)
DURATIONS = st.none() | st.timedeltas(timedelta(0), timedelta(days=10_000))
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=5,
)
LIFECYCLES = st.builds(
    Lifecycle,
    backoff_limit=st.integers(0, 99),
    retry_on=st.frozensets(st.sampled_from(["FAILED", "EXPIRED", "CANCELLED", "ROWS"])),
    pending_deadline=DURATIONS,
    active_deadline=DURATIONS,
    ttl_after_finished=DURATIONS,
    on_change=st.sampled_from(OnChange),
    on_remove=st.sampled_from(OnRemove),
    on_missing=st.sampled_from(OnMissing),
    suspend=st.booleans(),
    protect=st.booleans(),
)
BY_MODALITY = st.dictionaries(st.sampled_from(Modality), st.integers(0, 2**53), max_size=3)
TOKENS = st.builds(Tokens, BY_MODALITY, BY_MODALITY, BY_MODALITY, st.integers(0, 2**53))
COUNTED = st.builds(Counted, st.builds(Usage, TOKENS, TOKENS), st.integers(0, 2**53), st.integers(0, 2**53))
EXPECTED = st.builds(
    TokenEstimate,
    st.integers(0, 2**53),
    st.sampled_from(InputBasis),
    BY_MODALITY,
    COUNTS,
    COUNTS,
    st.none() | st.sampled_from(OutputBasis),
)
ATTEMPTS = st.builds(
    RecordedAttempt,
    key=st.builds(AttemptKey, st.just("job"), st.integers(1, 9), st.integers(0, 3)),
    account=ACCOUNTS,
    digest=WORD,
    token=WORD,
    tree=st.dictionaries(TEXT, JSON, max_size=3),
    intent=st.none() | st.builds(Intent, TIMES, SOME_TIME, SOME_TIME),
    counted=st.none() | COUNTED,
    expected=st.none() | EXPECTED,
    remote=st.none() | TEXT,
    state=st.none() | TEXT,
    create_time=SOME_TIME,
    start_time=SOME_TIME,
    end_time=SOME_TIME,
    rows=st.builds(RowCounts, COUNTS, COUNTS, COUNTS),
    error=st.none() | st.builds(Status, st.none() | st.integers(-9, 99), TEXT),
    rejected=st.booleans(),
    adopted=st.booleans(),
    cancel_time=SOME_TIME,
    cancel_cause=st.none() | st.sampled_from(CancelCause),
    delete_time=SOME_TIME,
    missed=st.none() | st.builds(Moment, TIMES, TIMES),
    gone_time=SOME_TIME,
    input_bytes=COUNTS,
    tokens=COUNTS,
    trouble=st.none()
    | st.builds(
        Trouble,
        st.sampled_from(Operation),
        WORD,
        TEXT,
        TEXT,
        TIMES,
        TIMES,
        st.integers(1, 99),
        SOME_TIME,
        SOME_TIME,
        st.none() | st.sampled_from(Effect),
    ),
    results=st.none() | TEXT,
    input_file=st.none() | TEXT,
)
ROWS = st.builds(
    JobRow,
    name=st.just("job"),
    kind=st.sampled_from(Kind),
    provider=TEXT,
    model=TEXT,
    path=TEXT,
    account=ACCOUNTS,
    lifecycle=LIFECYCLES,
    labels=st.dictionaries(TEXT, TEXT, max_size=3),
    display_name=st.none() | TEXT,
    current=st.integers(1, 9),
    removing_time=SOME_TIME,
    released_time=SOME_TIME,
    cancel_requested=SOME_TIME,
    former_names=st.lists(WORD, max_size=3).map(tuple),
    depends_on=st.lists(WORD, max_size=3).map(tuple),
    retry_requested=SOME_TIME,
    row_settings=st.builds(
        RowSettings,
        st.frozensets(WORD),
        st.booleans(),
        st.integers(1, 9),
        st.lists(st.builds(Fallback, st.frozensets(WORD), st.just(SentWith("m", {"x": 1}))), max_size=2).map(tuple),
    ),
    retry_rows=st.none() | st.builds(RowOrder, st.booleans(), st.frozensets(WORD), st.frozensets(TEXT)),
)
JOBS = st.builds(
    RecordedJob,
    ROWS,
    st.lists(ATTEMPTS, max_size=3, unique_by=lambda attempt: attempt.key).map(
        lambda attempts: tuple(sorted(attempts, key=lambda attempt: attempt.key))
    ),
)
QUOTAS = st.builds(Quota, st.builds(QuotaKey, ACCOUNTS, TEXT), st.integers(1, 999), TIMES, TIMES, st.integers(0, 99))
FILES = st.builds(RecordedFile, ACCOUNTS, WORD, TEXT, SOME_TIME)
PAST = st.lists(
    st.builds(
        PastAttempt,
        ACCOUNTS,
        TEXT,
        TEXT,
        st.none() | st.integers(0, 9),
        WORD,
        TIMES,
        SOME_TIME,
        TIMES,
        st.none() | COUNTED,
    ),
    max_size=3,
    unique_by=lambda one: (one.account, one.remote),
)
OLD_PAST = PastAttempt(ACCOUNT, "old", "m", None, "JOB_STATE_SUCCEEDED", NOW, None, NOW)
EVENTS = st.builds(Event, TIMES, WORD, st.none() | st.integers(1, 9), TEXT, TEXT, TEXT.filter(bool))


@settings(max_examples=effort(15, 400), deadline=None)
@given(job=JOBS, file=FILES, quota=QUOTAS, event=EVENTS, past=PAST, data=st.data())
def test_what_is_committed_loads_back_equal(
    job: RecordedJob, file: RecordedFile, quota: Quota, event: Event, past: list[PastAttempt], data: st.DataObject
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        store = open_state(Path(folder) / "s.db", stack="demo", uid="abc123", clock=HandClock(), who="ada")
        attempts = data.draw(st.permutations(job.attempts))
        ghost = Ghost(file.account, "new", event.time)
        with store.lock() as session:
            identity = SaveIdentity(file.account, file.sha256)
            session.commit([SaveJob(job.row), *map(SaveAttempt, attempts), SaveFile(file), AddEvent(event), identity])
            session.commit([SaveQuota(replace(quota, limit=1000)), SaveQuota(quota)])
            session.commit([SaveGhost(Ghost(file.account, "old", event.time)), SaveGhost(ghost)])
            session.commit([DropGhost(Ghost(file.account, "old", event.time))])
            session.commit([*map(SavePast, past), SavePast(OLD_PAST)])
            session.commit([DropPast(OLD_PAST)])
        recorded = store.load()
        assert recorded.jobs == {"job": job}
        assert recorded.files == (file,)
        assert recorded.identities == {file.account: file.sha256}
        assert recorded.ghosts == (ghost,)
        assert recorded.history == tuple(sorted(past, key=lambda one: (one.end_time, one.account, one.remote)))
        assert recorded.quotas == {quota.key: quota}
        assert store.events(None, 1) == [event]

        changed = data.draw(ROWS)
        with store.lock() as session:
            session.commit([SaveJob(changed)])
        assert store.load().jobs == {"job": RecordedJob(changed, job.attempts)}
