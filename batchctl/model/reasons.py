"""The codes of the reasons in a plan.

The codes are stable, because programs match on them. `meaning` is for people, and makes up `docs/reasons.md`.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Self


class Reason(StrEnum):
    """Why a job has its action. The code is stable; the text beside it may change."""

    meaning: str

    def __new__(cls, value: str, meaning: str) -> Self:
        member = str.__new__(cls, value)
        member._value_ = value
        member.meaning = meaning
        return member

    # A first or a further attempt
    NEW = ("New", "A manifest asks for it, and it has not been created yet.")
    NOT_SENT = ("NotSent", "The create call did not get through, and created nothing.")
    REFUSED_FOR_NOW = (
        "RefusedForNow",
        "The API refused the call, for a reason that may be temporary; it is tried again for an hour.",
    )
    CALL_LOST = (
        "CallLost",
        "The outcome of the create call is not known, and its mark was not found within `limits.settleGrace`.",
    )
    WORK_CHANGED = ("WorkChanged", "The work in the manifest differs from the work of the current attempt.")
    CHANGED_BACK = (
        "ChangedBack",
        "The manifest asks again for the work of an earlier attempt, whose results exist.",
    )
    CHANGE_KEPT = ("ChangeKept", "The work changed, and `onChange: keep` keeps the old attempt.")
    CHANGE_REFUSED = ("ChangeRefused", "The work changed, and `onChange: fail` refuses that.")
    SETTINGS_CHANGED = ("SettingsChanged", "Settings in its manifest changed that do not change its work.")
    WANTED_AGAIN = ("WantedAgain", "A manifest asks for it again, after its removal has begun.")
    ATTEMPT_FAILED = ("AttemptFailed", "The attempt failed, and `retryOn` and `backoffLimit` allow another.")
    REUSED = ("Reused", "The results folder has complete results of the same work: nothing is bought.")
    ROWS_ANSWERED = ("RowsAnswered", "Every row has a good answer of an earlier attempt: nothing is bought.")
    CANARY_PASSED = ("CanaryPassed", "The rows of the canary have good answers; the other rows are bought.")
    SHARDS_LEFT = (
        "ShardsLeft",
        "Further shards are created, or rows of shards that never were are sent.",
    )
    ROWS_NOT_SENT = (
        "RowsNotSent",
        "Rows of a job that has succeeded were never sent, for example because the state was lost before.",
    )
    ROWS_RETRIED = (
        "RowsRetried",
        "Rows without a good answer are sent again: `retryOn` contains `ROWS`.",
    )
    RESULTS_FOUND = (
        "ResultsFound",
        "Its results are in the results folder, but not in the state, for example after a backup was restored.",
    )
    RERUN_ORDERED = ("RerunOrdered", "`--rerun` buys the same work again.")
    SAME_WORK_LEAVES = (
        "SameWorkLeaves",
        "A job with the same work is removed; its results are collected and reused.",
    )
    RETRY_ORDERED = ("RetryOrdered", "`batchctl retry` asked for a new attempt.")

    # What holds it back
    SUSPENDED = ("Suspended", "`suspend` of the job or the stack stops creates and retries.")
    DEPENDENCY_PENDING = ("DependencyPending", "A job that it depends on has not succeeded yet.")
    DEPENDENCY_FAILED = (
        "DependencyFailed",
        "A job that it depends on will not succeed without a change.",
    )
    ROWS_AWAITED = (
        "RowsAwaited",
        "Its rows are made from the answers of another job, and are not known yet; the former attempt is kept.",
    )
    ROWS_NOT_MADE = ("RowsNotMade", "No rows can be made from the answers of the job that `fromJob` names.")
    DEPENDANT_LEFT = ("DependantLeft", "A job that depends on it is removed first.")
    BACK_OFF = ("BackOff", "The attempt failed, and the next one waits for its back-off.")
    ACTIVE_LIMIT = ("ActiveLimit", "`limits.active` is reached.")
    TOKEN_LIMIT = ("TokenLimit", "`limits.enqueuedTokens` is reached.")
    RATE_LIMIT = ("RateLimit", "`limits.createsPerMinute` is reached.")
    BUDGET = ("Budget", "`limits.budget` or `limits.tokens` leaves too little for the job; `watch` waits.")
    QUOTA = ("Quota", "The API refused a create call for lack of quota (429).")
    STALLED = (
        "StalledQueue",
        "Jobs of its model wait at the API, and none has begun for far longer than usual (`limits.pauseWhenStalled`).",
    )
    SETTLING = ("Settling", "It is not known whether the create call made a job; batchctl searches for its mark.")
    UNSEEN = (
        "Unseen",
        "Its account, or the results that it needs, could not be read in full, so batchctl does nothing about it.",
    )
    NOT_CONFIRMED = (
        "NotConfirmed",
        "Its remote job is missing, and a second look has not confirmed yet that it is gone.",
    )
    MARK_DAMAGED = (
        "MarkDamaged",
        "A mark in its account cannot be read, so a lost create call could not be found again.",
    )
    STATE_UNKNOWN = ("StateUnknown", "The API shows a state that batchctl does not know.")
    NOTHING_TO_ADOPT = (
        "NothingToAdopt",
        "`spec.adopt` names a remote job that does not exist, or belongs to another job.",
    )

    # On its way, and at its end
    ACTIVE = ("Active", "The remote job is pending or running.")
    CANCELLING = ("Cancelling", "A cancel was sent, and the remote job has not ended yet.")
    PENDING_DEADLINE = ("PendingDeadline", "It did not start within `pendingDeadline`.")
    ACTIVE_DEADLINE = ("ActiveDeadline", "It ran longer than `activeDeadline`.")
    SUCCEEDED = ("Succeeded", "It succeeded.")
    ROWS_FAILED = ("RowsFailed", "It succeeded, but some of its rows failed.")
    NOT_COLLECTED = ("NotCollected", "It has ended, and its results are not collected yet.")
    RESULTS_MISSING = (
        "ResultsMissing",
        "Its collected results are missing or incomplete in the results folder; they are collected again.",
    )
    REJECTED = ("Rejected", "The API refused the create call for good.")
    NOT_RETRIED = ("NotRetried", "It ended without success, in a way that is not in `retryOn`.")
    MAX_FAILED_ROWS = ("MaxFailedRows", "It ended, and more of its rows failed than `maxFailedRows` allows.")
    CANARY_FAILED = (
        "CanaryFailed",
        "More rows of the canary failed than `canary` allows; the other rows are not bought.",
    )
    UNPLACED = ("Unplaced", "It succeeded, and none of its results could be matched with a row of the input.")
    BACKOFF_LIMIT = ("BackoffLimit", "It failed, and `backoffLimit` is reached.")
    MISSING = ("Missing", "Its remote job is gone, and it had not ended.")
    RECREATE_LIMIT = ("RecreateLimit", "It went missing more often than `onMissing: recreate` allows.")
    RESULTS_LOST = ("ResultsLost", "It succeeded, and its results were gone before they were collected.")
    CANCEL_ORDERED = ("CancelOrdered", "`batchctl cancel` stopped it, and it is not retried.")
    TTL_AFTER_FINISHED = ("TtlAfterFinished", "Its remote job has ended, and `ttlAfterFinished` has passed.")

    # Found, doubled, removed
    ADOPTED = ("Adopted", "Its remote job was found by its mark, and was not in the state.")
    IMPORTED = ("Imported", "A job that was created by hand is imported (`spec.adopt`).")
    DUPLICATE = ("Duplicate", "It has more than one active remote job; one is kept.")
    REMOVED = ("Removed", "Its manifest was removed.")
    DESTROY_ORDERED = ("DestroyOrdered", "`batchctl destroy` removes it.")
    NOTHING_LEFT = ("NothingLeft", "Its manifest was removed, and it has no remote job.")
    KEPT = ("Kept", "Its manifest was removed, and `onRemove` keeps its remote job.")
    ORPHAN = ("Orphan", "A remote job has this stack's mark, but is neither in a manifest nor in the state.")

    # Orders that change nothing
    NOT_CREATED = ("NotCreated", "There is nothing to cancel: it has not been created yet.")
    NOT_RECORDED = ("NotRecorded", "It was found by its mark; `batchctl apply` has to adopt it first.")
    HAS_ENDED = ("HasEnded", "There is nothing to cancel: it has ended.")
    RETRY_CALLED_OFF = ("RetryCalledOff", "`batchctl cancel` revokes the order of `batchctl retry`.")
    RETRY_REFUSED = ("RetryRefused", "A new attempt by `batchctl retry` is not possible.")
