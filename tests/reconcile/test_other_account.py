"""Jobs at another account, and a record from collected folders that name one."""

from __future__ import annotations

import pytest

from batchctl.model.attempts import RecordedAttempt
from batchctl.model.desired import DesiredStack
from batchctl.model.digests import account_parts, digest_of
from batchctl.model.inventory import KeptResults
from batchctl.model.keys import short_uid
from batchctl.model.recorded import Recorded
from batchctl.model.writes import SaveAttempt, SaveJob
from batchctl.reconcile import at_own_accounts, attempts_elsewhere, attempts_to_show, bind_job, record_kept
from tests.support.decisions import HERE, NOW, STACK, THERE, attempt, collected, job, row, unanswered
from tests.support.values import replace

TREE = {"model": "m", **{name: part for name, part in account_parts(HERE).items() if part}}
KNOWN = attempt(tree=TREE, digest=digest_of(TREE))
THERE_TREE = {"model": "m", **account_parts(THERE)}


def test_a_job_that_is_bound_to_another_account_has_the_work_and_the_digest_there() -> None:
    written = list(bind_job(row(job(), KNOWN, attempt(2, account=THERE)), "eu", THERE))
    assert [type(write) for write in written] == [SaveJob, SaveAttempt]
    (saved_job, saved) = written
    assert (saved_job.job.provider, saved_job.job.account) == ("eu", THERE)
    assert (saved.attempt.account, saved.attempt.tree) == (THERE, THERE_TREE)
    assert saved.attempt.digest == digest_of(THERE_TREE)


def test_of_an_attempt_whose_work_is_not_known_only_the_account_changes() -> None:
    unknown = attempt(tree={})
    (_, saved) = bind_job(row(job(), unknown), "eu", THERE)
    assert saved.attempt == replace(unknown, account=THERE)


def test_which_attempts_are_at_other_accounts() -> None:
    assert attempts_elsewhere(row(job(), KNOWN, attempt(2, account=THERE)), THERE) == (KNOWN,)


def test_a_job_follows_the_accounts_that_showed_its_attempts() -> None:
    at_home, unknown = attempt(1, tree=TREE, digest=digest_of(TREE)), attempt(3, tree={}, account=THERE)
    moved = replace(at_home, key=attempt(2).key, account=THERE)
    assert at_own_accounts(row(job(), at_home, moved, unknown)).attempts == (
        at_home,
        replace(moved, tree=THERE_TREE, digest=digest_of(THERE_TREE)),
        unknown,
    )


def test_an_attempt_at_its_own_account_keeps_its_digest_whichever_version_that_has() -> None:
    older = replace(KNOWN, digest="d0:0123456789abcdef")
    assert at_own_accounts(row(job(), older)).attempts == (older,)


@pytest.mark.parametrize(
    ("one", "fields", "named", "force", "shown"),
    [
        pytest.param(attempt(), {}, True, False, True, id="of a named job"),
        pytest.param(attempt(), {}, True, True, False, id="of a named job, by force"),
        pytest.param(unanswered(), {}, True, False, True, id="an open create call"),
        pytest.param(attempt(gone_time=NOW), {}, True, False, False, id="gone"),
        pytest.param(attempt(remote=None, rejected=True), {}, True, False, False, id="never made"),
        pytest.param(attempt(), {}, False, False, False, id="of another job at another account"),
        pytest.param(attempt(account=THERE), {}, False, False, True, id="of another job that is bound there"),
        pytest.param(attempt(account=THERE), {}, False, True, True, id="of another job that is bound there, by force"),
        pytest.param(attempt(account=THERE), {"released_time": NOW}, False, False, False, id="of a released job"),
    ],
)
def test_an_account_has_to_show(one: RecordedAttempt, fields: dict, named: bool, force: bool, shown: bool) -> None:
    recorded = Recorded({"a": row(job(), one, **fields)})
    names = {"a"} if named else {"b"}
    assert list(attempts_to_show(recorded, names, THERE, force=force)) == ([one] if shown else [])


DESIRED = DesiredStack(STACK, (job(),), accounts=frozenset({HERE}))


def folder(one: RecordedAttempt, written_for: str = "a", **fields: str) -> KeptResults:
    return KeptResults(one, written_for, **{"stack": STACK.name, "uid": short_uid(STACK.uid), **fields})


@pytest.mark.parametrize(
    ("folders", "results"),
    [
        pytest.param([folder(collected())], ["a/1"], id="own"),
        pytest.param([folder(collected(), stack="other")], [], id="of another stack"),
        pytest.param([folder(collected(), uid="zzzzzz")], [], id="of another repository"),
        pytest.param([folder(collected(), "b"), folder(collected(results="a/1x"))], ["a/1x"], id="a copy"),
        pytest.param(
            [folder(collected(results="a/2"), "b"), folder(collected(), "c")], ["a/1"], id="copies alone: by their name"
        ),
        pytest.param(
            [folder(collected(1, remote=None)), folder(collected(2, remote=None))], ["a/1", "a/2"], id="used again"
        ),
    ],
)
def test_collected_folders_are_proof_of_attempts(folders: list[KeptResults], results: list[str]) -> None:
    jobs = record_kept(DESIRED, folders, NOW).jobs
    assert [one.results for one in jobs["a"].attempts] == results if results else jobs == {}


def test_a_folder_that_was_collected_under_another_name_tells_the_former_name() -> None:
    assert record_kept(DESIRED, [folder(collected(), "old")], NOW).jobs["a"].row.former_names == ("old",)


def test_the_same_work_at_a_former_account_is_known() -> None:
    tree = {"model": "m", **{name: part for name, part in account_parts(THERE).items() if part}}
    wanted = replace(job(), tree=TREE)
    there = collected(account=THERE, digest=digest_of(tree), tree={})
    other = collected(2, account=THERE, tree={})
    jobs = record_kept(
        DesiredStack(STACK, (wanted,), accounts=frozenset({HERE})), [folder(there), folder(other)], NOW
    ).jobs
    assert [one.tree for one in jobs["a"].attempts] == [tree, {}]


def test_a_folder_of_a_job_without_a_manifest_is_no_record() -> None:
    assert record_kept(DesiredStack(STACK, (), accounts=frozenset({HERE})), [folder(collected())], NOW).jobs == {}


def test_of_work_at_its_own_account_the_manifest_is_asked_later() -> None:
    wanted = replace(job(), tree=TREE)
    (one,) = (
        record_kept(
            DesiredStack(STACK, (wanted,), accounts=frozenset({HERE})),
            [folder(collected(digest=digest_of(TREE), tree={}))],
            NOW,
        )
        .jobs["a"]
        .attempts
    )
    assert one.tree == {}
