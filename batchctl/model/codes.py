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
    INVALID_URL = (
        "InvalidUrl",
        "An environment variable that names a service's address holds none.",
        "`BATCHCTL_EMULATOR`, `STORAGE_EMULATOR_HOST` or `BIGQUERY_EMULATOR_HOST` is misspelt.",
        "Write `http://HOST:PORT`, or take the variable away.",
    )
    INVALID_ENVIRONMENT = (
        "InvalidEnvironment",
        "A setting of the environment keeps every call from being made: a proxy, or the trusted certificates.",
        "A proxy variable is misspelt, a SOCKS proxy lacks its package, or `SSL_CERT_FILE` names no certificates.",
        "Correct the variable that the message names, or unset it.",
    )
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
        "`import` was given a remote job that is this stack's already.",
        "It carries this stack's mark, or was imported before.",
        "The message names the job that it is.",
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
    EXHAUSTED = (
        "Exhausted",
        "The machine gives this process no more open files, connections, threads or memory. Nothing was decided by it.",
        "A low limit, many programs at once, or more calls side by side than there is room for.",
        "`watch` tries again by itself. Raise the limit (`ulimit -n`, `ulimit -u`), or lower `limits.concurrency`.",
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
    JOBS_FAILED = (
        "JobsFailed",
        "Jobs have failed, were rejected, cancelled or lost their results, or wait for such a job. Exit code 4.",
        "What each of them is in, the table of `batchctl status` says; why, `batchctl explain NAME`.",
        "`batchctl retry NAME`, a change of the manifest, or its removal. `--allow-failed` ends with 0 all the same.",
    )
    NOT_YET = (
        "NotYet",
        "A create call could not be made yet, or its answer is not known yet. Nothing is lost. Exit code 7.",
        "The API takes no further job now, its account cannot be read, or the answer to a create call was lost.",
        "Run `batchctl apply` again later, or let `batchctl watch` go on by itself.",
    )
    SEVERAL = (
        "Several",
        "Several actions failed or were refused, each for a reason of its own.",
        "The report above names them; with `-o json` each action has its `error`.",
        "Go by the errors of the single actions.",
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
    STAGED_FILE_CHANGED = (
        "StagedFileChanged",
        "The uploaded copy of an input file in the staging bucket is not what batchctl put there. Nothing was created.",
        "Somebody wrote to it: such a copy is named by its content, and is never written twice.",
        "Delete the object that the message names; then run the command again, which uploads the file anew.",
    )
    EMULATOR_FAILED = (
        "EmulatorFailed",
        "The emulator cannot start.",
        "Its port is taken, its store cannot be used, or its seed is not sound.",
        "The message says which; see `--port`, `--data` and `--seed`.",
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
    MANIFESTS_CHANGED = (
        "ManifestsChanged",
        "While a run of several passes went on, its manifests were changed, or its stack file names other places.",
        "An edit, a new checkout, or another run that applies one. The older version could undo what that has done.",
        "Run the command again: it goes on with the manifests as they are now. `watch --forever` follows changes.",
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
    LIKELY_RENAME = (
        "LikelyRename",
        "A job would be removed, and another one bought for the very same work.",
        "A manifest got another `metadata.name`, and `spec.moved` does not say so.",
        "Add the entry that the plan shows to `spec.moved`; or `--yes-rename-as-new` if it is meant so.",
    )
    NEVER_FITS = (
        "NeverFits",
        "A job has more tokens than its model may have enqueued, so it would wait for ever.",
        "Its input is large, or `limits.enqueuedTokens` is small.",
        "Split the input, or raise `limits.enqueuedTokens`.",
    )
    ADOPTED_CHANGED = (
        "AdoptedChanged",
        "A job was found by its mark, and its work is not what the manifest says. Replacing it would buy it again.",
        "The state was lost, and the manifest changed meanwhile.",
        "If the manifest is right: `--adopt-changed`. Else restore the manifest.",
    )
    NO_NUMBER_LEFT = (
        "NoNumberLeft",
        "A job is to make a new attempt, and the numbers that a mark can carry are used up.",
        "A remote job with this stack's mark and a number near 999999, which batchctl did not count up to.",
        "Give the job another name: its attempts are numbered from 1 again.",
    )
    ON_CHANGE_FAIL = (
        "OnChangeFail",
        "The work of a job changed whose `lifecycle.onChange` is `fail`.",
        "An edit of its model, source, rows, `request` or `runId`.",
        "Undo the edit, or set `onChange: replace`.",
    )
    RETRY_REFUSED = (
        "RetryRefused",
        "`batchctl retry` was asked for a job that cannot be tried again as it stands.",
        "It still works, has succeeded, was never created, is in no manifest, or its manifest has changed.",
        "The message says which. To run finished work again, change `spec.runId`; after a change, run `apply`.",
    )
    MOVED_TWICE = (
        "MovedTwice",
        "`spec.moved` says that a job has another name now, and there is a job of that name in the state already.",
        "The rename was applied before `moved` was written, so that both jobs were made.",
        "Take the entry out of `spec.moved`: the old job is then removed as any that left the manifests.",
    )
    NEW_STATE = (
        "NewState",
        "There is no state, and a job may have run before: nothing was created, for it would be bought again.",
        "CI that keeps no state: a job with `ttlAfterFinished` leaves no trace. Or results of this very work are here.",
        "Keep the state between runs, or `batchctl state rebuild` takes the results in. On a first run: `--new-state`.",
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
        "There is no API key for Gemini, or there are no Google credentials for Vertex.",
        "Neither `GOOGLE_API_KEY` nor `GEMINI_API_KEY` is set; or Application Default Credentials are found nowhere.",
        (
            "Gemini: set one of the two. Vertex: `gcloud auth application-default login`, or let "
            "`GOOGLE_APPLICATION_CREDENTIALS` name a file. `endpoint: emulator` needs none."
        ),
    )
    INVALID_KEY = (
        "InvalidKey",
        "The API key of Gemini is not valid, or the file with the credentials for Vertex is not sound.",
        "A typing error, a key of another service, a revoked key, white space in the variable; a file cut or missing.",
        "Gemini: check `GOOGLE_API_KEY` (it wins) and `GEMINI_API_KEY`. Vertex: make or download the file anew.",
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
        "A wrong or revoked key. On Vertex, a log-in that has run out, or a machine without a service account.",
        (
            "Gemini: check `GOOGLE_API_KEY` and `GEMINI_API_KEY`. Vertex: log in again, or check the credentials' "
            "file; `batchctl doctor` shows who you are."
        ),
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
    USER_PROJECT_MISSING = (
        "UserProjectMissing",
        "A bucket's reader pays for what it reads, and nothing says whom to bill.",
        'The bucket is set to "requester pays", and the provider\'s own project may not be billed for it.',
        "Set the provider's `userProject` to a project that may be billed.",
    )
    SERVICE_DISABLED = (
        "ServiceDisabled",
        "The API is not enabled in the project, or was enabled a moment ago.",
        "Right after an API was enabled, calls are refused for a few minutes.",
        "Enable it in the project that the message names. A create call is tried again by itself for an hour.",
    )
    NOT_PROVISIONED = (
        "NotProvisioned",
        "The service sets itself up in the project, because it is used there for the first time.",
        "The first job of a project.",
        "Wait: it is tried again by itself for an hour.",
    )
    INPUT_NOT_READY = (
        "InputNotReady",
        "The API still processes the uploaded input file, so no job can be made of it yet.",
        "A large file takes minutes after its last byte.",
        "Wait: it is tried again by itself for an hour.",
    )
    UPLOAD_REFUSED = (
        "UploadRefused",
        "The API does not take the upload of an input file.",
        "The API's words say what it does not take. No field of a manifest has to do with it.",
        "Send the rows inline (`src` as a list), or upgrade batchctl.",
    )
    UPLOAD_FAILED = (
        "UploadFailed",
        "The API took an input file, and could not process it.",
        "The API's words say why: most often rows that it does not take.",
        "Mend the rows, then run `apply`. To try the same file again: `batchctl retry NAME`.",
    )
    STORAGE_QUOTA = (
        "StorageQuota",
        "The project's storage for uploaded files is full, so the input could not be uploaded.",
        "Uploaded files count until they are deleted or 48 hours old; other programs upload to the same project.",
        "`batchctl doctor` shows how much is used. Delete files, or wait until they expire.",
    )
    NO_CREDIT = (
        "NoCredit",
        "The project has no credit left, or its billing does not work. Waiting does not change that.",
        "Prepaid credits are used up, a spending cap is reached, or the billing account is closed.",
        "Add credits, raise the cap or mend the billing; then run `apply`.",
    )
    NO_QUOTA = (
        "NoQuota",
        "The project's quota for this is 0. Waiting does not change that.",
        "A plan, such as the free one, that has no batch jobs or not this model.",
        "Choose another model, or get a plan or a quota that has it; then run `apply`.",
    )
    DATA_LOCATION = (
        "DataLocation",
        "A bucket or a dataset lies in another location than the job.",
        "Vertex AI reads and writes in the job's own location only.",
        "Name a bucket or dataset that lies there, or change the provider's `location`.",
    )
    MODEL_NOT_IN_BATCH = (
        "ModelNotInBatch",
        "The model exists, and runs in no batch job here.",
        "Some models have no batch mode, or have it in some locations only.",
        "Choose another model, or another `location` of the provider.",
    )
    SERVER_FAILED = (
        "ServerFailed",
        "The API failed on its side. A create call may have been carried out.",
        "A passing fault of the service.",
        "Run the command again. A create call is looked for by its mark first.",
    )
    INPUT_TOO_LARGE = (
        "InputTooLarge",
        "The rows are too large for one create call, or for one file.",
        "Inline rows may have 20 MiB in all; for a file the provider's `limits.fileBytes` counts.",
        "Put inline rows into a file: `src: {file: rows.jsonl}`. Split those of a file over several jobs.",
    )
    INVALID_INPUT = (
        "InvalidInput",
        "A job's input cannot be sent.",
        "A file name or row that the API has no form for.",
        "Change the manifest as the message says.",
    )
    INVALID_MODEL = (
        "InvalidModel",
        "A model's name cannot be one; or the API does not have the model, or not for batch jobs.",
        "It is empty, or holds `..`, `?` or `&`; or it is misspelt, or not offered at the provider's location.",
        "Write it as the API lists it, such as gemini-2.5-flash; on Vertex publishers/google/models/… will do too.",
    )
    INVALID_NAME = (
        "InvalidName",
        "A resource name cannot be one.",
        (
            "It is not of the API's form: `batches/…` or `files/…` on Gemini; on Vertex "
            "`projects/…/batchPredictionJobs/…` of the provider's own project and location, `gs://…` or `bq://…`."
        ),
        "Write it as the API gives it.",
    )
    UNSUPPORTED_LOCATION = (
        "UnsupportedLocation",
        "The API is not offered for this place.",
        "Gemini: the plan or the country. Vertex: the provider's `location`.",
        "Gemini: enable billing, or use Vertex. Vertex: choose another `location`.",
    )
    UNKNOWN_FIELD = (
        "UnknownField",
        "The API does not know a field of the request.",
        "A misspelt field in `request` or in a row, or one of the other API's.",
        "Correct its name as the message says, or upgrade batchctl.",
    )
    REJECTED = (
        "Rejected",
        "The API refused the job for good, so it has no results.",
        "`batchctl describe NAME` shows the API's reason.",
        "Change the manifest: the job is created again after a change only.",
    )

    # Notifications
    NOT_DELIVERED = (
        "NotDelivered",
        "A hook of the stack's `notify` was not told of a job. It is told again after a pause, for three days.",
        "The receiver is down or slow, or answers with anything but 2xx; or the command ended with a status but 0.",
        "Mend the receiver. No job is held up, and no exit code changed.",
    )
    NO_HOOK_VARIABLE = (
        "NoHookVariable",
        "A command of `notify` was not run, because a variable that its `env` names is not set. Its events wait.",
        "The machine lacks the variable, or the name is misspelt.",
        "Set it, or take it out of the hook's `env`.",
    )
    NO_WEBHOOK_SECRET = (
        "NoWebhookSecret",
        "The environment variable with a webhook's signing secret is not set, or holds none. Nothing was sent.",
        "`secretEnv` names a variable that this machine does not have; or its value is no `whsec_` and base64.",
        "Set the variable. The notices wait in the state, also for another machine that has it.",
    )
    UNTRUSTED_WEBHOOK = (
        "UntrustedWebhook",
        "A webhook's host leads to an address that is not the public Internet's. Nothing was sent.",
        "Its name resolves to a private, link-local or loopback address.",
        "If you trust it: `BATCHCTL_ALLOW_WEBHOOK=https://host`.",
    )
    COMMANDS_NOT_ALLOWED = (
        "CommandsNotAllowed",
        "The stack's `notify` names a command, and was not allowed to run it.",
        "Whoever writes the stack file does not decide what runs on this machine.",
        "If you trust the stack file: `BATCHCTL_ALLOW_COMMANDS=1`.",
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
    RESULTS_MISSING = (
        "ResultsMissing",
        "Collected results are not in the results folder any more, or not whole.",
        "The folder was moved, cleaned up or damaged.",
        "`batchctl apply` collects them again while the API has them. Else put the folder back.",
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
        "Wait, or give a longer `--lock-timeout` than the 30 s that it waits by itself.",
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
        "`batchctl state rebuild` makes it anew from the jobs' marks and the results folder; or restore a backup.",
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
    STATE_UNSAFE = (
        "StateUnsafe",
        "The state file, or a file beside it, is a symbolic link or no regular file. It was neither read nor changed.",
        "Something in the checkout put it there: a link could lead to any file that this user can write.",
        "Remove what the message names; if it came with a pull request, ask why.",
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

    STATE_SOUND = (
        "StateSound",
        "`state rebuild` found a state that can be used, and left it alone.",
        "The command is for a lost or damaged state: what it makes anew lacks the history and more.",
        "Nothing needs to be done. If you want it all the same: `--force`, the old state is kept aside.",
    )
    STATE_REPLACED = (
        "StateReplaced",
        "While `watch` ran, its state file vanished, or another took its place. Nothing is done on such a state.",
        "The file lay in a checkout that was switched or cleaned up, or somebody restored or rebuilt it.",
        "Put the file back where it was. If the other one is meant, start `watch` again.",
    )
    STATE_DIVERGED = (
        "StateDiverged",
        "`state push` was given a file that does not continue the present state.",
        "It is older, of another line of states, or both went on since they were copies: something would be forgotten.",
        "Look at both with `batchctl state list --state FILE`; if the file is right: `--force`, a backup is kept.",
    )
    NOT_READ_IN_FULL = (
        "NotReadInFull",
        "`state rebuild` wrote nothing, because an account could not be read in full.",
        "A job on a page that failed would be forgotten, and bought again.",
        "Mend what keeps the account from being read, named before; then run the command again.",
    )
    UNSETTLED = (
        "Unsettled",
        "A create call was to be forgotten while nobody knows whether it took effect.",
        "The call got no answer; the next `apply` looks for its mark.",
        "Run `batchctl apply` first. If you must: `state rm --force`, and a second bill is possible.",
    )
    OTHER_KEY = (
        "OtherKey",
        "The API key has changed, and the new one shows none of the recorded jobs: they are not known, not gone.",
        "A key of another project. Less often a new key of the same project, whose recorded jobs are all deleted.",
        "Set the key of the jobs' project. If it is theirs all the same: `batchctl state rebind --all --to PROVIDER`.",
    )
    NOT_SHOWN = (
        "NotShown",
        "`state rebind` was to bind jobs to an account that does not show them. Nothing was changed.",
        "Another project, another region, or remote jobs that are deleted.",
        "Check provider and credentials. If the jobs are gone for good: `--force`; then they count as gone there.",
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
