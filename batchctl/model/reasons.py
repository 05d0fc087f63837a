"""The codes of all reasons for which a plan decides as it does.

Owns the names, which are stable: programs match on them. `meaning` is for people, and makes up `docs/reasons.md`.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Self


class Reason(StrEnum):
    """Why a job has the action that it has. The words beside a code may change, the code does not."""

    meaning: str

    def __new__(cls, value: str, meaning: str) -> Self:
        member = str.__new__(cls, value)
        member._value_ = value
        member.meaning = meaning
        return member

    # A first or a further attempt
    NEW = ("New", "A manifest asks for it, and it was not created so far.")
    NOT_SENT = ("NotSent", "The create call did not get through, and surely made nothing.")
    REFUSED_FOR_NOW = (
        "RefusedForNow",
        "The API refused the call, for a reason that may pass; it is tried again for an hour.",
    )
    CALL_LOST = ("CallLost", "The create call got no answer, and its mark did not turn up within the grace.")
    WORK_CHANGED = ("WorkChanged", "The manifest asks for other work than that of the attempt that counts.")
    CHANGED_BACK = (
        "ChangedBack",
        "The manifest asks again for the work of an earlier attempt; its results are kept.",
    )
    CHANGE_KEPT = ("ChangeKept", "The work changed, and `onChange: keep` keeps the old attempt.")
    CHANGE_REFUSED = ("ChangeRefused", "The work changed, and `onChange: fail` refuses that.")
    SETTINGS_CHANGED = ("SettingsChanged", "Settings of its manifest changed that leave its work as it is.")
    WANTED_AGAIN = ("WantedAgain", "A manifest asks for it again, after its removal had begun.")
    ATTEMPT_FAILED = ("AttemptFailed", "The attempt failed, and `retryOn` and `backoffLimit` allow another.")
    REUSED = ("Reused", "Whole results of this very work are in the results folder: nothing is bought.")
    RESULTS_FOUND = (
        "ResultsFound",
        "Its results are in the results folder, though the state did not know of them, as after a restored backup.",
    )
    RERUN_ORDERED = ("RerunOrdered", "`--rerun` ordered to buy the same work again.")
    SAME_WORK_LEAVES = (
        "SameWorkLeaves",
        "A job that did the same work is removed; its results are collected, and used.",
    )
    RETRY_ORDERED = ("RetryOrdered", "`batchctl retry` ordered a new attempt.")

    # What holds it back
    SUSPENDED = ("Suspended", "`suspend`, the job's or the stack's, holds back creates and retries.")
    DEPENDENCY_PENDING = ("DependencyPending", "A job that it depends on has not succeeded so far.")
    DEPENDENCY_FAILED = (
        "DependencyFailed",
        "A job that it depends on will not succeed by itself.",
    )
    DEPENDANT_LEFT = ("DependantLeft", "A job that depends on it is removed first.")
    BACK_OFF = ("BackOff", "The attempt failed, and the next one waits for its back-off.")
    ACTIVE_LIMIT = ("ActiveLimit", "As many jobs are active as `limits.active` allows.")
    TOKEN_LIMIT = ("TokenLimit", "As many tokens are enqueued as `limits.enqueuedTokens` allows.")
    RATE_LIMIT = ("RateLimit", "As many create calls a minute were made as `limits.createsPerMinute` allows.")
    QUOTA = ("Quota", "The API has no quota for another job now, as its refusals say.")
    SETTLING = ("Settling", "A create call got no answer, and its mark is looked for.")
    UNSEEN = ("Unseen", "Its account could not be read in full, so nothing is done about it.")
    NOT_CONFIRMED = (
        "NotConfirmed",
        "Its remote job is missing, and a second look has yet to confirm that it is gone.",
    )
    MARK_DAMAGED = (
        "MarkDamaged",
        "A mark on its account cannot be read any more, so a create call that is lost would not be found again.",
    )
    STATE_UNKNOWN = ("StateUnknown", "The API shows a state of which nobody knows what it leads to.")
    NOTHING_TO_ADOPT = ("NothingToAdopt", "`spec.adopt` names a remote job that is not there, or has an owner.")

    # On its way, and at its end
    ACTIVE = ("Active", "The remote job waits for work, or works.")
    CANCELLING = ("Cancelling", "A cancel was sent, and the remote job has not ended so far.")
    PENDING_DEADLINE = ("PendingDeadline", "It did not begin to run within `pendingDeadline`.")
    ACTIVE_DEADLINE = ("ActiveDeadline", "It ran longer than `activeDeadline`.")
    SUCCEEDED = ("Succeeded", "It succeeded.")
    ROWS_FAILED = ("RowsFailed", "It succeeded, but for some of its rows.")
    NOT_COLLECTED = ("NotCollected", "It has ended, and its results are not collected so far.")
    RESULTS_MISSING = (
        "ResultsMissing",
        "Its collected results are not whole in the results folder any more; they are collected again.",
    )
    REJECTED = ("Rejected", "The API refused the create call for good.")
    NOT_RETRIED = ("NotRetried", "It ended without success, in a way that is not in `retryOn`.")
    UNPLACED = ("Unplaced", "It succeeded, and none of its results could be matched with a row of the input.")
    BACKOFF_LIMIT = ("BackoffLimit", "It failed, and there were as many attempts as `backoffLimit` allows.")
    MISSING = ("Missing", "Its remote job is gone, and had not ended.")
    RECREATE_LIMIT = ("RecreateLimit", "It went missing more often than `onMissing: recreate` makes it again.")
    RESULTS_LOST = ("ResultsLost", "It succeeded, and its results were gone before they were collected.")
    CANCEL_ORDERED = ("CancelOrdered", "`batchctl cancel` stopped it, and it is not tried again.")
    TTL_AFTER_FINISHED = ("TtlAfterFinished", "Its remote job has ended, and `ttlAfterFinished` is over.")

    # Found, doubled, removed
    ADOPTED = ("Adopted", "Its remote job was found by its mark, and the state did not know it.")
    IMPORTED = ("Imported", "A job that was made by hand is taken in (`spec.adopt`).")
    DUPLICATE = ("Duplicate", "More than one remote job lives for it; one is kept.")
    REMOVED = ("Removed", "It is in no manifest any more.")
    DESTROY_ORDERED = ("DestroyOrdered", "`batchctl destroy` removes it.")
    NOTHING_LEFT = ("NothingLeft", "It is in no manifest any more, and has no remote job.")
    KEPT = ("Kept", "It is in no manifest any more, and `onRemove` keeps its remote job.")
    ORPHAN = ("Orphan", "A remote job has this stack's mark, but is neither in a manifest nor in the state.")

    # Orders that change nothing
    NOT_CREATED = ("NotCreated", "There is nothing to cancel: it was not created so far.")
    NOT_RECORDED = ("NotRecorded", "It was found by its mark, and `batchctl apply` has to adopt it first.")
    HAS_ENDED = ("HasEnded", "There is nothing to cancel: it has ended.")
    RETRY_CALLED_OFF = ("RetryCalledOff", "`batchctl cancel` calls off the order of `batchctl retry`.")
    RETRY_REFUSED = ("RetryRefused", "There can be no new attempt by order.")
