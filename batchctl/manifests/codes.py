"""The codes of all faults that manifests and stack files can have.

Owns the names, which are stable, and what each means: a code's `__doc__` is the text for people.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Self


class Code(StrEnum):
    """What is wrong. Each member's docstring says what the fault is and what to do."""

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
        "A file is there but cannot be read: look at its permissions and its kind.",
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
            "The document is beyond a bound: 8 MB a file, 100 levels, 200,000 values with all aliases written out. Or "
            "a job's input is beyond what its provider takes: rows, bytes of the file, bytes of the create call."
        ),
    )
    TOO_MANY_FAULTS = (
        "TooManyFaults",
        "So many faults were found that the rest was not looked at. Mend these first.",
    )
    DUPLICATE_KEY = (
        "DuplicateKey",
        "A mapping has the same key twice. Remove one of the two.",
    )
    UNKNOWN_KIND = (
        "UnknownKind",
        "The document's `kind` is none that belongs here: BatchJob or EmbeddingsBatchJob.",
    )
    UNKNOWN_FIELD = (
        "UnknownField",
        "The field does not exist here: misspelt, or at the wrong level.",
    )
    UNKNOWN_VALUE = (
        "UnknownValue",
        "A warning: the API's enum had no such value when this release was made. APIs grow, so the value is sent.",
    )
    LARGE_RESULTS = (
        "LargeResults",
        "A warning: the answers may come to more bytes than the API is known to give back, by what the rows allow.",
    )
    DEPRECATED = (
        "Deprecated",
        "A warning: the API still takes the field, and advises another one.",
    )
    MISSING_FIELD = (
        "MissingField",
        "A required field is missing.",
    )
    WRONG_TYPE = (
        "WrongType",
        ("A value has the wrong type. YAML reads `1.5`, `true` and `null` as no strings: quote such a string."),
    )
    INVALID_VALUE = (
        "InvalidValue",
        "A value has the right type but is not allowed: out of range, misspelt, malformed.",
    )
    DUPLICATE_NAME = (
        "DuplicateName",
        "Two manifests of the stack have the same name, or take in the same remote job. Change one of them.",
    )
    UNKNOWN_PROVIDER = (
        "UnknownProvider",
        "The job names a provider that the stack file does not have.",
    )
    UNKNOWN_JOB = (
        "UnknownJob",
        "`dependsOn` or `moved` names a job that no manifest of the stack describes.",
    )
    DEPENDENCY_CIRCLE = (
        "DependencyCircle",
        "Jobs wait for each other by their `dependsOn`, so that none of them could ever be created.",
    )
    INVALID_MOVE = (
        "InvalidMove",
        (
            "An entry of `moved` cannot be carried out: its `from` is still the name of a job in a manifest, another "
            "entry has the same `from` or `to`, or the entries go in a circle."
        ),
    )
    WRONG_PROVIDER = (
        "WrongProvider",
        "The field or value is not for this provider: its API has no such thing, or it lies in another location.",
    )
    UNTRUSTED_ENDPOINT = (
        "UntrustedEndpoint",
        (
            "An endpoint in the stack file is neither at googleapis.com over https nor on this machine. Credentials go "
            "there only when the operator allows it with `BATCHCTL_ALLOW_ENDPOINT`."
        ),
    )
    UNTRUSTED_WEBHOOK = (
        "UntrustedWebhook",
        (
            "A webhook of `notify` is not https, or not on the public Internet. It is told only when the operator "
            "allows it with `BATCHCTL_ALLOW_WEBHOOK`."
        ),
    )
    NOT_SUPPORTED_YET = (
        "NotSupportedYet",
        "The field is planned, and this release does not have it yet.",
    )
    INVALID_ROW = (
        "InvalidRow",
        "A row of the job's input is wrong: in the manifest, or on a line of its JSONL file.",
    )
    USELESS_REQUEST = (
        "UselessRequest",
        ("`request` puts defaults under rows, but batchctl does not send this source's rows."),
    )
    MARK_LOOKALIKE = (
        "MarkLookalike",
        "A display name ends like the mark that batchctl writes. Choose another end.",
    )
    UNKNOWN_VARIABLE = (
        "UnknownVariable",
        "A variable is used or set that the stack file does not declare.",
    )
    UNSET_VARIABLE = (
        "UnsetVariable",
        "A variable is used that has neither a default nor a value given by `--set`.",
    )
