"""The codes of all errors in manifests and stack files.

The names are stable. A code's `__doc__` is its explanation for users.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Self


class Code(StrEnum):
    """The kind of an error. Each member's docstring explains it and names the way out."""

    def __new__(cls, value: str, meaning: str) -> Self:
        member = str.__new__(cls, value)
        member._value_ = value
        member.__doc__ = meaning
        return member

    STACK_NOT_FOUND = (
        "StackNotFound",
        "No stack file `batchctl.yaml` was found. Go to its folder, name it with `--config`, or run `batchctl init`.",
    )
    FILE_NOT_FOUND = (
        "FileNotFound",
        "A named file or folder does not exist. Paths in a file are relative to that file.",
    )
    UNREADABLE_FILE = (
        "UnreadableFile",
        "A file exists but cannot be read. Check its permissions, and that it is a regular file.",
    )
    OUTSIDE_STACK = (
        "OutsideStack",
        (
            "A path leaves the stack's folder, perhaps through a symbolic link. Move the file inside, or let the "
            "operator allow it with `BATCHCTL_ALLOW_OUTSIDE=1`."
        ),
    )
    INVALID_YAML = (
        "InvalidYaml",
        "The text is not YAML as batchctl reads it: UTF-8, YAML 1.2 core rules, no merge keys, no tags.",
    )
    TOO_LARGE = (
        "TooLarge",
        (
            "A document exceeds a limit: 8 MB per file, 100 levels, 200,000 values with all aliases expanded. Or a "
            "job's inline rows have more bytes than one create call may have. Files of any size are split into shards."
        ),
    )
    TOO_MANY_FAULTS = (
        "TooManyFaults",
        "There are so many errors that batchctl stopped checking. Fix these first.",
    )
    DUPLICATE_KEY = (
        "DuplicateKey",
        "A mapping has the same key twice. Remove one of the two.",
    )
    UNKNOWN_KIND = (
        "UnknownKind",
        "The document's `kind` is not BatchJob, EmbeddingsBatchJob or List, or a list is inside a list.",
    )
    UNKNOWN_FIELD = (
        "UnknownField",
        "The field does not exist here: it is misspelt or at the wrong level.",
    )
    UNKNOWN_VALUE = (
        "UnknownValue",
        "A warning: this release does not know the value. APIs add values, so batchctl sends it.",
    )
    LARGE_RESULTS = (
        "LargeResults",
        "A warning: the rows allow answers of more bytes than the API is known to return.",
    )
    DEPRECATED = (
        "Deprecated",
        "A warning: the API still accepts the field but recommends another one.",
    )
    UNDOCUMENTED = (
        "Undocumented",
        "A warning: the API's documentation lacks the field, but Google's SDK sends it. Try it on one row first.",
    )
    MISSING_FIELD = (
        "MissingField",
        "A required field is missing.",
    )
    WRONG_TYPE = (
        "WrongType",
        ("A value has the wrong type. YAML does not read `1.5`, `true` and `null` as strings: quote such a string."),
    )
    INVALID_VALUE = (
        "InvalidValue",
        "A value has the right type but is not allowed: out of range, misspelt or malformed.",
    )
    DUPLICATE_NAME = (
        "DuplicateName",
        "Two manifests of the stack have the same name or adopt the same remote job. Change one of them.",
    )
    UNKNOWN_PROVIDER = (
        "UnknownProvider",
        "The job names a provider that the stack file does not have.",
    )
    UNKNOWN_JOB = (
        "UnknownJob",
        "`dependsOn`, `fromJob` or `moved` names a job that no manifest of the stack describes.",
    )
    DEPENDENCY_CIRCLE = (
        "DependencyCircle",
        "Jobs depend on each other in a circle (`dependsOn`, `fromJob`), so none of them could ever be created.",
    )
    INVALID_MOVE = (
        "InvalidMove",
        (
            "An entry of `moved` cannot be applied: its `from` is still the name of a job in a manifest, another "
            "entry has the same `from` or `to`, or the entries form a circle."
        ),
    )
    WRONG_PROVIDER = (
        "WrongProvider",
        "The field or value does not fit the provider: its API does not have it, or it is in another location.",
    )
    UNTRUSTED_ENDPOINT = (
        "UntrustedEndpoint",
        (
            "An endpoint in the stack file is neither https at googleapis.com nor on this machine. batchctl sends "
            "credentials there only if the operator allows it with `BATCHCTL_ALLOW_ENDPOINT`."
        ),
    )
    UNTRUSTED_WEBHOOK = (
        "UntrustedWebhook",
        (
            "A webhook of `notify` is not https, or not on the public Internet. batchctl calls it only if the "
            "operator allows it with `BATCHCTL_ALLOW_WEBHOOK`."
        ),
    )
    NOT_SUPPORTED_YET = (
        "NotSupportedYet",
        "This release does not support the field yet.",
    )
    INVALID_ROW = (
        "InvalidRow",
        "A row of the job's input is wrong: in the manifest, or on a line of its JSONL file.",
    )
    USELESS_REQUEST = (
        "UselessRequest",
        ("`request` sets defaults for rows, but batchctl does not send this source's rows."),
    )
    MARK_LOOKALIKE = (
        "MarkLookalike",
        "A display name ends like batchctl's own mark. Choose another ending.",
    )
    UNREAD_MANIFEST = (
        "UnreadManifest",
        (
            "A warning: there is a manifest in the folder of the stack file that its `manifests` do not name, so "
            "its job is not part of the stack."
        ),
    )
    MODEL_RETIRES = (
        "ModelRetires",
        (
            "A warning: the model of a job is shut down within 60 days, or was already: by `retires` of its price, or "
            "by the short list in batchctl."
        ),
    )
    DOUBTFUL_MODEL = (
        "DoubtfulModel",
        (
            "A warning: by its documentation, the API runs no batch jobs of this kind with the model, or not in the "
            "location of the provider. Such a create call is refused, and costs nothing."
        ),
    )
    SHORT_DEADLINE = (
        "ShortDeadline",
        (
            "A warning: more than one in ten attempts like this job took longer than its `pendingDeadline` or "
            "`activeDeadline` allows, by the history of the stack."
        ),
    )
    UNKNOWN_VARIABLE = (
        "UnknownVariable",
        "The stack file does not declare a variable that is used or set.",
    )
    UNSET_VARIABLE = (
        "UnsetVariable",
        "A variable is used, but has neither a default nor a value from `--set`.",
    )
