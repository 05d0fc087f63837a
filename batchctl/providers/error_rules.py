"""Classifies errors by the API's message where the HTTP status is ambiguous: gives a code and a fitting hint.

Rules match complete phrases, never single words: a wrong hint is worse than none. An error that no rule matches keeps
the code of its status. Source: reference chapters 9 and 16.
"""

from __future__ import annotations

import re

from msgspec import Struct

from batchctl.model.codes import ErrorCode
from batchctl.model.verdicts import SERVICE_IS_BEING_SET_UP
from batchctl.providers.rpc_status import RpcStatus

REQUESTER_PAYS = re.compile(r"requester.?pays", re.IGNORECASE)


class Rule(Struct, frozen=True):
    """One kind of error. Every field that is set has to match."""

    code: ErrorCode
    hint: str
    https: frozenset[int]
    words: str
    """A pattern for the API's message, followed by the reason and the quota from its details."""
    calls: str = ""
    """A pattern for the beginning of the call's name."""
    status: str = ""

    def fits(self, http: int, status: RpcStatus, what: str) -> bool:
        """Whether an error is of this kind."""
        said = f"{status.message} {status.reason} {status.quota}"
        return (
            http in self.https
            and self.status in ("", status.status)
            and re.match(self.calls, what) is not None
            and re.search(self.words, said, re.IGNORECASE | re.DOTALL) is not None
        )


_REFUSED = frozenset({400, 403, 404, 412})
_QUOTA = frozenset({429})
_UPLOADS = r"files\.upload$"

RULES: tuple[Rule, ...] = (
    Rule(
        ErrorCode.USER_PROJECT_MISSING,
        "requester pays for this bucket: set the provider's `userProject` to a project that may be billed for it",
        _REFUSED,
        REQUESTER_PAYS.pattern,
    ),
    Rule(
        ErrorCode.SERVICE_DISABLED,
        "enable the API in the project that the message names; calls succeed a few minutes later",
        _REFUSED,
        r"\bSERVICE_DISABLED\b|\bhas not been used in project\b|\bAPI (?:is|has been) disabled\b",
    ),
    Rule(
        ErrorCode.DATA_LOCATION,
        "the bucket or dataset is not in the job's location: use one that is, or change the provider's `location`",
        frozenset({400, 412}),
        r"\b(?:bucket|dataset|table)\b.{0,200}\b(?:location|region)\b|\bread and write in different locations\b",
    ),
    Rule(
        ErrorCode.UNSUPPORTED_LOCATION,
        "",
        _REFUSED,
        r"\b(?:user|this|the|your) location is not supported\b|\bnot available in your (?:country|region)\b"
        r"|\bunsupported (?:location|region)\b"
        r"|\bnot (?:supported|available|offered|served) (?:in|at|for) (?:the |this )?(?:location|region)\b",
    ),
    Rule(
        ErrorCode.NO_CREDIT,
        "waiting does not change this: add credits, raise the spending cap or fix the project's billing",
        _REFUSED | _QUOTA,
        r"\bBILLING_DISABLED\b|\bcredits? (?:balance )?(?:is|are|has been|have been|has|have) "
        r"(?:depleted|exhausted|used up|run out|expired|too low)\b|\b(?:out of|insufficient|no remaining) credits?\b"
        r"|\bspend(?:ing)? (?:cap|limit)\b|\brequires? billing\b"
        r"|\bbilling (?:account )?(?:is|has been|to be) (?:disabled|closed|not enabled|enabled|inactive)\b",
    ),
    Rule(
        ErrorCode.NO_QUOTA,
        "the quota is 0, so waiting does not change this: choose another model, or a plan or quota that includes it",
        _QUOTA,
        r"\blimit: ?0(?![.\d])|\bquota_?(?:limit_?)?value\W{0,3}0(?![.\d])| = 0$",
    ),
    Rule(
        ErrorCode.STORAGE_QUOTA,
        "uploaded files fill the project's file storage: `batchctl doctor` shows how much; delete files, or wait until "
        "they expire after 48 hours",
        _QUOTA,
        r"\bfile[ _-]?storage|\bstorage (?:quota|limit|space)\b|\bfile_?bytes",
    ),
    Rule(
        ErrorCode.STORAGE_QUOTA,
        "if uploaded files fill the project's file storage (`batchctl doctor` shows how much): delete files, or wait "
        "until they expire after 48 hours",
        _QUOTA,
        r"^(?!.*\b(?:per[ _]?(?:minute|second|day)|request (?:rate|quota)|requests|rate limit)).",
        calls=_UPLOADS,
    ),
    Rule(
        ErrorCode.UNKNOWN_FIELD,
        "the API does not know a field of the request: correct its name, or upgrade batchctl",
        frozenset({400}),
        r"\bUnknown name\b",
    ),
    Rule(
        ErrorCode.MODEL_NOT_IN_BATCH,
        "the model does not support batch jobs here: choose another model, or a location that supports it",
        _REFUSED,
        r"\bdo(?:es)? not support publisher ?model\b|\bMODEL_NOT_SUPPORTED_FOR_BATCH\b"
        r"|\bnot supported (?:for|in|by) batch\b|\bdoes not support batch\b",
    ),
    Rule(
        ErrorCode.INVALID_MODEL,
        "check the model's spelling, and that the API offers it for batch jobs in this project, location and API "
        "version",
        _REFUSED,
        r"\bpublisher ?model\b.{0,200}\b(?:not found|not exist)\b|\bmodels?[ /]\S+ (?:is|was) not found\b"
        r"|\bmodels?[ /]\S+ does not exist\b",
    ),
    Rule(
        ErrorCode.INPUT_NOT_READY,
        "the API still processes the uploaded file; batchctl tries again",
        frozenset({400}),
        r"\bnot (?:yet )?(?:in (?:an? |the )?)?ACTIVE\b|\bstill (?:being )?process|\bPROCESSING\b",
        status="FAILED_PRECONDITION",
    ),
    Rule(
        ErrorCode.NOT_PROVISIONED,
        "first use in this project, so the service is still being set up; batchctl tries again",
        _REFUSED,
        SERVICE_IS_BEING_SET_UP,
    ),
    Rule(
        ErrorCode.UPLOAD_REFUSED,
        "no field of a manifest changes how files are uploaded: send the rows inline, or upgrade batchctl",
        frozenset({400, 415}),
        "",
        calls=_UPLOADS,
    ),
)
"""In order of precedence: the first match is used."""


def find_rule(http: int, status: RpcStatus, what: str) -> Rule | None:
    """The kind of an error; None when its message adds nothing to its status."""
    return next((rule for rule in RULES if rule.fits(http, status, what)), None)
