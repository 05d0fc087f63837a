"""The exception tree. Every error has a code, a hint and an exit code.

BatchctlError                    1
├── UsageError                  64
├── ManifestError               65   several diagnostics at once
├── LockedError                  5
├── GuardError                   6
├── JobsFailedError              4   jobs of the scope failed
├── TimeUpError                  7
├── NotYetError                  7   something could not be done yet
├── StoppedError               130
├── ExhaustedError               1   not enough open files, threads or memory
├── StateError                   1   corrupt, newer, read-only, full disk …
├── ResultsError                 1   the results folder cannot be written, results cannot be read
├── NotDelivered                 1   a hook could not be notified
│   └── HookUnusable                 not tried: its set-up does not allow it here
└── ApiError                     1
    ├── ConnectionFailed             nothing was sent: refused, no route, no such host
    ├── ReplyLost                    sent, but no complete answer came: time-out, reset, cut
    ├── BadReply                     an answer that breaks the API's contract
    └── ApiStatus                    an answer with an HTTP error
        ├── BadRequest  Unauthenticated  PermissionDenied  NotFound  Conflict
        └── QuotaExceeded  ServerFailed
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import Enum

from batchctl.model.codes import ErrorCode
from batchctl.model.json_value import Json
from batchctl.model.locations import Diagnostic, RowProblem


class BatchctlError(Exception):
    """Base of all errors that users see.

    `code` is a stable CamelCase name, `hint` a way out, `details` more facts for JSON output.
    """

    exit_code = 1
    default_code = ErrorCode.ERROR

    def __init__(
        self,
        message: str,
        *,
        code: str | None = None,
        hint: str = "",
        details: Mapping[str, Json] | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.code = str(code or self.default_code)
        self.hint = hint
        self.details = dict(details or {})


class UsageError(BatchctlError):
    """The command line is wrong."""

    exit_code = 64
    default_code = ErrorCode.USAGE


class ManifestError(BatchctlError):
    """Manifests or the stack file are invalid; has all errors, sorted by place."""

    exit_code = 65
    default_code = ErrorCode.INVALID_MANIFEST

    def __init__(
        self,
        diagnostics: Sequence[Diagnostic],
        *,
        warnings: Sequence[Diagnostic] = (),
        outside: int = 0,
        hint: str = "",
    ) -> None:
        self.diagnostics = tuple(sorted(diagnostics))
        self.warnings = tuple(warnings)
        """Found in the same reading, sorted by place."""
        self.outside = outside
        """The number of errors in manifests outside `-f`, where they are not among the diagnostics."""
        super().__init__("\n".join(str(item) for item in self.diagnostics), hint=hint)


class UnknownRowForm(ValueError):
    """A row in none of the forms that batchctl accepts; a message about it lists these."""


class RowsError(BatchctlError):
    """A file of rows is invalid; has the first errors, each with its line."""

    exit_code = 65
    default_code = ErrorCode.INVALID_ROWS

    def __init__(self, problems: Sequence[RowProblem], *, warnings: Sequence[RowProblem] = ()) -> None:
        self.problems = tuple(problems)
        self.warnings = tuple(warnings)
        super().__init__("\n".join(f"line {item.line}: {item.message}" for item in self.problems))


class LockedError(BatchctlError):
    """Another process holds the state."""

    exit_code = 5
    default_code = ErrorCode.STATE_LOCKED


class GuardError(BatchctlError):
    """Refused by a guard; the hint names the flag that lifts it."""

    exit_code = 6
    default_code = ErrorCode.GUARD


class JobsFailedError(BatchctlError):
    """Jobs of the scope failed, or wait for one that failed."""

    exit_code = 4
    default_code = ErrorCode.JOBS_FAILED


class NotYetError(BatchctlError):
    """Something could not be done yet. Nothing failed; a later run continues."""

    exit_code = 7
    default_code = ErrorCode.NOT_YET


class SeveralError(BatchctlError):
    """Several actions failed for different reasons, which the report lists."""

    default_code = ErrorCode.SEVERAL

    def __init__(self, message: str, *, exit_code: int, code: str | None = None, hint: str = "") -> None:
        super().__init__(message, code=code, hint=hint)
        self.exit_code = exit_code


class TimeUpError(BatchctlError):
    """`--timeout` ran out, or results are not there yet."""

    exit_code = 7
    default_code = ErrorCode.TIME_UP


class ExhaustedError(BatchctlError):
    """The process ran out of open files, threads or memory. That is temporary."""

    default_code = ErrorCode.EXHAUSTED


class StoppedError(BatchctlError):
    """Interrupted by a signal; the state is consistent."""

    exit_code = 130
    default_code = ErrorCode.INTERRUPTED


class StateError(BatchctlError):
    """The state file cannot be used."""

    default_code = ErrorCode.STATE


class ResultsError(BatchctlError):
    """Results cannot be written, or existing ones cannot be read."""

    default_code = ErrorCode.RESULTS


class NotDelivered(BatchctlError):
    """A notice was not delivered. It is sent again after a pause, and no job fails for it."""

    default_code = ErrorCode.NOT_DELIVERED


class HookUnusable(NotDelivered):
    """The set-up of a hook does not allow a delivery from here. Nothing was tried."""


class Effect(Enum):
    """The possible effect of a failed call at the API (design section 6)."""

    NONE = "none"
    """Certainly not processed: it may be sent again."""
    REFUSED = "refused"
    """Processed and refused: sending it again gives the same answer."""
    AMBIGUOUS = "ambiguous"
    """Perhaps processed: find out by looking for the mark, never by sending it again."""


class ApiError(BatchctlError):
    """A call to an API failed. `effect` is what a create call may have done."""

    default_code = ErrorCode.API
    effect = Effect.AMBIGUOUS


class ConnectionFailed(ApiError):
    """There was no connection, so nothing was sent."""

    default_code = ErrorCode.CONNECTION_FAILED
    effect = Effect.NONE


class ReplyLost(ApiError):
    """The call was sent, but no complete answer came back."""

    default_code = ErrorCode.REPLY_LOST


class BadReply(ApiError):
    """The answer breaks the API's contract: not JSON, wrong types, too large."""

    default_code = ErrorCode.BAD_REPLY


class ApiStatus(ApiError):
    """An answer with an HTTP error (reference chapter 9). `http` is its status, `status` the rpc name."""

    default_code = ErrorCode.API_STATUS

    def __init__(
        self,
        message: str,
        *,
        http: int,
        status: str = "",
        code: str | None = None,
        hint: str = "",
        details: Mapping[str, Json] | None = None,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(message, code=code, hint=hint, details=details)
        self.http = http
        self.status = status
        self.retry_after = retry_after
        """Seconds to wait, from Retry-After or RetryInfo; None if the reply has neither."""


class BadRequest(ApiStatus):
    """400 and every 4xx without a class of its own."""

    default_code = ErrorCode.BAD_REQUEST
    effect = Effect.REFUSED


class Unauthenticated(ApiStatus):
    """401: not executed."""

    default_code = ErrorCode.UNAUTHENTICATED
    effect = Effect.NONE


class PermissionDenied(ApiStatus):
    """403."""

    default_code = ErrorCode.PERMISSION_DENIED
    effect = Effect.REFUSED


class NotFound(ApiStatus):
    """404."""

    default_code = ErrorCode.NOT_FOUND
    effect = Effect.REFUSED


class Conflict(ApiStatus):
    """408 or 409: does not say whether this call was processed."""

    default_code = ErrorCode.CONFLICT


class QuotaExceeded(ApiStatus):
    """429: not executed."""

    default_code = ErrorCode.QUOTA_EXCEEDED
    effect = Effect.NONE


class ServerFailed(ApiStatus):
    """5xx: may have been executed."""

    default_code = ErrorCode.SERVER_FAILED
