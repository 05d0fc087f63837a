"""The codes of all errors and refusals outside of manifests, and what each means.

Owns the names, which are stable: programs match on them. A code's `meaning`, `cause` and `way_out` are for people,
and make up `docs/errors.md`. The faults of manifests and stack files have codes of their own, in `manifests.codes`.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Self


class ErrorCode(StrEnum):
    """What went wrong, or what was refused."""

    meaning: str
    cause: str
    way_out: str

    def __new__(cls, value: str, meaning: str, cause: str, way_out: str) -> Self:
        member = str.__new__(cls, value)
        member._value_ = value
        member.meaning, member.cause, member.way_out = meaning, cause, way_out
        return member

    # The command line and the machine
    USAGE = (
        "Usage",
        "The command line cannot be read.",
        "An unknown command or option, a missing argument, or two that exclude each other.",
        "`batchctl COMMAND --help` shows how it is called.",
    )
    INVALID_SELECTOR = (
        "InvalidSelector",
        "A term of `-l` cannot be read.",
        "A term that is none of `a=b`, `a!=b`, `a in (b,c)`, `a notin (b,c)`, `a` and `!a`.",
        "Write it in one of these forms, and quote it for the shell.",
    )
    JOB_NOT_FOUND = (
        "JobNotFound",
        "A name on the command line is that of no job, neither in a manifest nor in the state.",
        "A typing error, another stack, or a job that was removed long ago.",
        "`batchctl status` lists the jobs.",
    )
    ATTEMPT_NOT_FOUND = (
        "AttemptNotFound",
        "The job has no attempt of this number.",
        "`--attempt` counts from 1, and not every job was retried or replaced.",
        "`batchctl describe NAME` lists the attempts.",
    )
    OWNED = (
        "Owned",
        "The remote job has an owner: this stack or another.",
        "It carries a stack's mark, or was imported before.",
        "Leave it to its owner.",
    )
    STACK_EXISTS = (
        "StackExists",
        "`init` found a stack file and wrote nothing.",
        "The folder is a stack's already.",
        "Choose another folder.",
    )
    CANNOT_WRITE = (
        "CannotWrite",
        "A file cannot be written.",
        "The folder is read-only, or the disk is full.",
        "Make room or give access, or choose another folder.",
    )
    SYSTEM = (
        "System",
        "The operating system refused something that has no better name here.",
        "Most often a full disk or a closed stream.",
        "Free space, or mend the access that the message names.",
    )
    INTERRUPTED = (
        "Interrupted",
        "A signal ended the command. What was in flight was finished and written down.",
        "Ctrl-C, or a SIGTERM from whoever runs batchctl.",
        "Run the same command again: it goes on where it was.",
    )
    TIME_UP = (
        "TimeUp",
        "`--timeout` ran out while jobs were still at work.",
        "Batch jobs may take a day; some sit in the queue for longer.",
        "`batchctl watch` goes on waiting. `lifecycle.pendingDeadline` bounds the wait for good.",
    )
    CANNOT_PREPARE_INPUT = (
        "CannotPrepareInput",
        "The temporary copy of an upload cannot be written.",
        "The temporary folder is full or read-only.",
        "Free space there, or set `TMPDIR` to another folder.",
    )
    INPUT_CHANGED = (
        "InputChanged",
        "A local input file changed while the command ran. Nothing was created from it.",
        "Another process writes the file.",
        "Run the command again: it reads the file anew and plans what follows.",
    )
    EMULATOR_FAILED = (
        "EmulatorFailed",
        "The emulator cannot start.",
        "Its port is taken, its store cannot be used, or its seed is not sound.",
        "The message says which; see `--port`, `--data` and `--seed`.",
    )
    NOT_SUPPORTED_YET = (
        "NotSupportedYet",
        "Something that batchctl will do one day, and refuses until then.",
        "The state holds jobs of a later release, or of a provider that this one does not know.",
        "Use a release that supports it.",
    )

    # Refusals: exit code 6
    CONSENT_NEEDED = (
        "ConsentNeeded",
        "Changes were planned, and nobody agreed to them.",
        "There is no terminal to ask on, as in CI, and no `--yes`.",
        "Look at `batchctl plan`, then add `--yes`.",
    )
    DECLINED = (
        "Declined",
        "The question on the terminal was answered with no. Nothing was done.",
        "You said so.",
        "Nothing needs to be undone.",
    )
    PLAN_CHANGED = (
        "PlanChanged",
        "Between the plan that was shown and its execution, things changed. Nothing was done.",
        "Another run of batchctl, another person, or a job that ended meanwhile.",
        "Run the command again and look at the new plan.",
    )
    NOTHING_DESIRED = (
        "NothingDesired",
        "No manifest is left in scope, and that would remove every recorded job.",
        "An empty checkout, a wrong `-f`, or a wish to remove everything.",
        "If it is the wish: `--allow-empty`, or `batchctl destroy`.",
    )
    TOO_MANY_CREATES = (
        "TooManyCreates",
        "More jobs would be created than the stack's limit allows.",
        "`limits.maxCreate` is 100 unless the stack says otherwise.",
        "If it is right: `--max-create N`.",
    )
    TOO_MANY_REPLACES = (
        "TooManyReplaces",
        "More jobs would be replaced than the stack's limit allows, and each is bought again.",
        "Often a change of the stack's `defaults`, or of the endpoint, which changes every job.",
        "Look at the changes in the plan; if they are right: `--max-replace N`.",
    )
    TOO_MANY_DELETES = (
        "TooManyDeletes",
        "More jobs would be removed than the stack's limit allows.",
        "Often a moved folder or a wrong `-f`.",
        "If it is right: `--max-delete N`.",
    )
    PROTECTED = (
        "Protected",
        "A job with `lifecycle.protect` would go.",
        "Its manifest was removed or changed, or somebody cancels it.",
        "Set `protect: false` and apply, then remove it; or `--allow-protected`.",
    )
    ADOPTED_CHANGED = (
        "AdoptedChanged",
        "A job was found by its mark, and its work is not what the manifest says. Replacing it would buy it again.",
        "The state was lost, and the manifest changed meanwhile.",
        "If the manifest is right: `--adopt-changed`. Else restore the manifest.",
    )
    ON_CHANGE_FAIL = (
        "OnChangeFail",
        "The work of a job changed whose `lifecycle.onChange` is `fail`.",
        "An edit of its model, source, rows, `request` or `runId`.",
        "Undo the edit, or set `onChange: replace`.",
    )
    GUARD = (
        "Guard",
        "Something was refused for safety.",
        "See the message.",
        "The hint names the flag that allows it.",
    )

    # The API
    NO_CREDENTIALS = (
        "NoCredentials",
        "There is no API key.",
        "Neither `GOOGLE_API_KEY` nor `GEMINI_API_KEY` is set.",
        "Set one of them in the environment. `endpoint: emulator` needs none.",
    )
    INVALID_KEY = (
        "InvalidKey",
        "The API key is not valid.",
        "A typing error, a key of another service, a revoked key, or white space in the variable.",
        "Check `GOOGLE_API_KEY` (it wins) and `GEMINI_API_KEY`.",
    )
    UNTRUSTED_ENDPOINT = (
        "UntrustedEndpoint",
        "An endpoint is neither Google's nor on this machine, so it gets no credentials.",
        "The stack file names another host, or plain http.",
        "If you trust it: `BATCHCTL_ALLOW_ENDPOINT=https://host`.",
    )
    CONNECTION_FAILED = (
        "ConnectionFailed",
        "No connection came about, so nothing was sent.",
        "No network, a wrong endpoint, a proxy, a firewall, or a certificate that is not trusted.",
        "Check the endpoint, the network and `HTTPS_PROXY`; then run the command again.",
    )
    REPLY_LOST = (
        "ReplyLost",
        "A call was sent, and no whole answer came back.",
        "A time-out, a reset connection, or an answer cut short.",
        "Run the command again. A create call is looked for by its mark, never sent again blindly.",
    )
    BAD_REPLY = (
        "BadReply",
        "The answer is not what the API promises.",
        "A proxy's page, a gateway that is no Gemini API, or a change of the API.",
        "Check the endpoint. If it is Google's own, report it.",
    )
    API_STATUS = (
        "ApiStatus",
        "The API answered with an error.",
        "See the message; it is the API's own.",
        "See the message.",
    )
    BAD_REQUEST = (
        "BadRequest",
        "The API refused the request.",
        "A value that the model or the API does not take.",
        "Change the manifest as the message says.",
    )
    UNAUTHENTICATED = (
        "Unauthenticated",
        "The API does not accept the credentials. Nothing was done.",
        "A wrong or revoked key.",
        "Check `GOOGLE_API_KEY` and `GEMINI_API_KEY`.",
    )
    PERMISSION_DENIED = (
        "PermissionDenied",
        "The credentials may not do this, or the thing is not there: the API says the same of both.",
        "A key of another project, a model that needs another plan, or a file that is gone.",
        "Check whose key it is, and that files are younger than 48 hours.",
    )
    NOT_FOUND = (
        "NotFound",
        "The API does not know the thing.",
        "An unknown model, a model that has no batch mode, or a file or job that is gone.",
        "Check the name in the manifest.",
    )
    CONFLICT = (
        "Conflict",
        "The call collided with another.",
        "Two calls about one thing at one moment.",
        "Run the command again.",
    )
    QUOTA_EXCEEDED = (
        "QuotaExceeded",
        "The quota is used up for now. Nothing was done.",
        "Too many jobs or tokens in the queue of this project, or a plan without batch jobs.",
        "Wait for jobs to end; `batchctl watch` goes on by itself.",
    )
    SERVER_FAILED = (
        "ServerFailed",
        "The API failed on its side. A create call may have been carried out.",
        "A passing fault of the service.",
        "Run the command again. A create call is looked for by its mark first.",
    )
    INPUT_TOO_LARGE = (
        "InputTooLarge",
        "The rows are too large for one create call.",
        "Inline rows may have 20 MiB in all.",
        "Put them into a file: `src: {file: rows.jsonl}`.",
    )
    INVALID_INPUT = (
        "InvalidInput",
        "A job's input cannot be sent.",
        "A file name or row that the API has no form for.",
        "Change the manifest as the message says.",
    )
    INVALID_MODEL = (
        "InvalidModel",
        "A model's name cannot be one.",
        "It is empty, or holds `..`, `?` or `&`.",
        "Write it as the API lists it, such as gemini-2.5-flash.",
    )
    INVALID_NAME = (
        "InvalidName",
        "A resource name cannot be one.",
        "It is not of the form `batches/…` or `files/…`.",
        "Write it as the API gives it.",
    )
    REJECTED = (
        "Rejected",
        "The API refused the job for good, so it has no results.",
        "`batchctl describe NAME` shows the API's reason.",
        "Change the manifest: the job is created again after a change only.",
    )

    # Results
    RESULTS_NOT_READY = (
        "ResultsNotReady",
        "There are no results yet.",
        "The job has not ended, its results are not collected, or its result file cannot be read yet.",
        "`batchctl watch` waits for the end and collects.",
    )
    RESULTS_GONE = (
        "ResultsGone",
        "The API has the job, but not its result file any more.",
        "Result files are kept for about 48 hours.",
        "Change `spec.runId` to run the same work again.",
    )
    RESULTS_LOST = (
        "ResultsLost",
        "The job's results went before they were collected. It is never bought again by itself.",
        "Nobody ran `apply` or `watch` between the job's end and its deletion at the API.",
        "Change `spec.runId` to run the same work again, and keep a watcher running.",
    )
    RESULTS = (
        "Results",
        "The results folder cannot be used.",
        "See the message.",
        "See the hint.",
    )
    RESULTS_CORRUPT = (
        "ResultsCorrupt",
        "A collected results file was changed or damaged.",
        "Something other than batchctl wrote to the results folder.",
        "If the remote job still exists: move the folder away, and let a lost state adopt the job again.",
    )
    RESULTS_OUTSIDE = (
        "ResultsOutside",
        "A path in the results folder leads out of it.",
        "A symbolic link that batchctl did not make.",
        "Remove the link.",
    )
    RESULTS_DISK_FULL = (
        "ResultsDiskFull",
        "The results do not fit on the disk. The remote job is kept until they are collected.",
        "The disk or the quota is full.",
        "Free space, or set `spec.results` to another place; then run the command again.",
    )
    RESULTS_READ_ONLY = (
        "ResultsReadOnly",
        "The results folder is on a read-only file system.",
        "A mount without write access.",
        "Make it writable, or set `spec.results` to another place.",
    )
    RESULTS_PERMISSION = (
        "ResultsPermission",
        "The results folder may not be written by this user.",
        "Another user made it.",
        "Change its owner or mode, or set `spec.results` to another place.",
    )
    RESULTS_FAILED = (
        "ResultsFailed",
        "Results cannot be written or read.",
        "See the operating system's reason in the message.",
        "Mend it; then run the command again.",
    )

    # The state
    STATE = (
        "State",
        "The state file cannot be used.",
        "See the message.",
        "See the hint.",
    )
    STATE_LOCKED = (
        "StateLocked",
        "Another process holds the state.",
        "Another `apply` or `watch` is in the middle of a pass.",
        "Wait, or give `--lock-timeout 60s`.",
    )
    LOCK_LOST = (
        "LockLost",
        "Another process took the state over. This one has sent nothing since.",
        "The process was asleep or cut off for long, or somebody broke its lock.",
        "Look at `batchctl status`, then run the command again.",
    )
    STATE_CORRUPT = (
        "StateCorrupt",
        "The state file is damaged, or no state file at all.",
        "A broken disk, a file copied while it was written, or an edit by hand.",
        "Restore a backup beside it; or move it away and run `batchctl apply`, which adopts the jobs by their marks.",
    )
    STATE_TOO_NEW = (
        "StateTooNew",
        "The state file was written by a newer batchctl.",
        "Two versions work on one stack.",
        "Upgrade this one.",
    )
    STATE_FOREIGN = (
        "StateForeign",
        "The state file belongs to another stack.",
        "A wrong `--state`, or a changed `metadata.name` or `metadata.uid`.",
        "Name the right file, or restore name and uid.",
    )
    STATE_READ_ONLY = (
        "StateReadOnly",
        "The state file cannot be written.",
        "Its folder or file system is read-only.",
        "Make it writable, or name another place with `--state`.",
    )
    STATE_DISK_FULL = (
        "StateDiskFull",
        "The state does not fit on the disk. Nothing was begun that could not be written down.",
        "The disk or the quota is full.",
        "Free space; then run the command again.",
    )
    STATE_PERMISSION = (
        "StatePermission",
        "The state file may not be opened by this user.",
        "Another user made it; it is private on purpose.",
        "Run as that user, or change the owner.",
    )
    STATE_BUSY = (
        "StateBusy",
        "The state file is in use by something other than batchctl.",
        "A program that has it open and locked.",
        "Close that program; then run the command again.",
    )
    STATE_ON_NETWORK = (
        "StateOnNetwork",
        "The state lies on a network file system, where locks cannot be trusted.",
        "A home folder on NFS or SMB, a shared volume.",
        "Name a local place with `--state` or `spec.state`.",
    )
    STATE_FAILED = (
        "StateFailed",
        "SQLite refused something that has no better name here.",
        "See the message.",
        "Report it, with the message.",
    )

    # Manifests
    INVALID_MANIFEST = (
        "InvalidManifest",
        "Manifests or the stack file have faults; each is listed with its place and a code of its own.",
        "See the list.",
        "Mend them; `batchctl validate` checks without any call.",
    )
    INVALID_ROWS = (
        "InvalidRows",
        "A file of rows has faults; each is listed with its line.",
        "See the list.",
        "Mend them; `batchctl validate` checks without any call.",
    )
    PROVIDER_GONE = (
        "ProviderGone",
        "Recorded jobs live on an account that no provider of the stack names any more, and that cannot be reached.",
        "The provider was removed from the stack file before its jobs.",
        "Put the provider back until its jobs are removed, or restore its credentials.",
    )

    # Bases of the exception tree; a message with one of these has no better name.
    ERROR = ("Error", "Something went wrong.", "See the message.", "See the hint.")
    API = ("Api", "A call to an API failed.", "See the message.", "See the hint.")
