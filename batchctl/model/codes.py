"""The codes of all errors and refusals outside of manifests.

The codes are stable, because programs match on them. `meaning`, `cause` and `way_out` are for people, and make up
`docs/errors.md`. Errors in manifests and stack files have their own codes in `manifests.fault_codes`.

The file is long because it is one catalogue: an enum cannot be spread over modules.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Self


class ErrorCode(StrEnum):
    """A stable name for an error or a refusal."""

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
        "An environment variable for the address of a service has no valid URL.",
        "`BATCHCTL_EMULATOR`, `STORAGE_EMULATOR_HOST` or `BIGQUERY_EMULATOR_HOST` is misspelt.",
        "Write `http://HOST:PORT`, or unset the variable.",
    )
    INVALID_ENVIRONMENT = (
        "InvalidEnvironment",
        "A setting in the environment prevents every call: a proxy, or the trusted certificates.",
        "A proxy variable is misspelt, a SOCKS proxy lacks its package, or `SSL_CERT_FILE` names no certificates.",
        "Correct the variable that the message names, or unset it.",
    )
    USAGE = (
        "Usage",
        "The command line cannot be read.",
        "An unknown command or option, a missing argument, or two options that exclude each other.",
        "`batchctl COMMAND --help` shows its usage.",
    )
    INVALID_SELECTOR = (
        "InvalidSelector",
        "A term of `-l` cannot be read.",
        "A term that is not one of `a=b`, `a!=b`, `a in (b,c)`, `a notin (b,c)`, `a` and `!a`.",
        "Write it in one of these forms, and quote it for the shell.",
    )
    JOB_NOT_FOUND = (
        "JobNotFound",
        "A name on the command line is not the name of a job in a manifest or in the state.",
        "A typing error, another stack, or a job that was removed long ago.",
        "`batchctl status` lists the jobs.",
    )
    ATTEMPT_NOT_FOUND = (
        "AttemptNotFound",
        "The job has no attempt of this number.",
        "`--attempt` counts from 1, and not every job was retried or replaced.",
        "`batchctl describe NAME` lists the attempts.",
    )
    ROW_NOT_FOUND = (
        "RowNotFound",
        "No collected row has a key that `results --key` names.",
        "A typing error, another attempt, or a row without a result.",
        "`batchctl results NAME -o csv` lists the keys.",
    )
    OWNED = (
        "Owned",
        "The remote job for `import` belongs to this stack already.",
        "It carries this stack's mark, or was imported before.",
        "The message names the job.",
    )
    STACK_EXISTS = (
        "StackExists",
        "`init` found a stack file and wrote nothing.",
        "The folder already has a stack.",
        "Choose another folder.",
    )
    CANNOT_WRITE = (
        "CannotWrite",
        "A file cannot be written.",
        "The folder is read-only, or the disk is full.",
        "Free space, grant access, or choose another folder.",
    )
    MISSING_LIBRARY = (
        "MissingLibrary",
        "An output format, the place of the state, or a server needs a library that is not installed.",
        "The extra `parquet` is for Parquet, `postgres` for PostgreSQL, `server` for web page and served emulator.",
        "`pip install 'batchctl[EXTRA]'`, or `pip install '.[EXTRA]'` in the clone of batchctl.",
    )
    SYSTEM = (
        "System",
        "The operating system returned an error that has no code of its own.",
        "Most often a full disk or a closed stream.",
        "Free space, or fix the access that the message names.",
    )
    EXHAUSTED = (
        "Exhausted",
        "The process has no more open files, connections, threads or memory. No decision was based on that.",
        "A low limit, many programs at once, or too many parallel calls.",
        "`watch` tries again by itself. Raise the limit (`ulimit -n`, `ulimit -u`), or lower `limits.concurrency`.",
    )
    INTERRUPTED = (
        "Interrupted",
        "A signal ended the command. Calls in flight were finished and recorded.",
        "Ctrl-C, or a SIGTERM from a service manager.",
        "Run the same command again: it continues from there.",
    )
    TIME_UP = (
        "TimeUp",
        "`--timeout` expired while jobs were still active.",
        "Batch jobs may take a day; some sit in the queue for longer.",
        "Run `batchctl watch` to go on. `lifecycle.pendingDeadline` limits how long a job may wait.",
    )
    JOBS_FAILED = (
        "JobsFailed",
        "Jobs failed, were rejected or cancelled, lost their results, or wait for such a job. Exit code 4.",
        "`batchctl status` shows the phase of each job, and `batchctl explain NAME` the reason.",
        "Run `batchctl retry NAME`, change the manifest, or remove it. With `--allow-failed` the exit code is 0.",
    )
    NOT_YET = (
        "NotYet",
        "A create call could not be made yet, or its outcome is not known yet. Nothing is lost. Exit code 7.",
        "The API accepts no more jobs now, the account cannot be read, or the reply to a create call was lost.",
        "Run `batchctl apply` again later, or let `batchctl watch` continue by itself.",
    )
    SEVERAL = (
        "Several",
        "Several actions failed or were refused, for different reasons.",
        "The report above names them; with `-o json` each action has its `error`.",
        "See the error of each action.",
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
        "Run the command again: it reads the file again and plans with it.",
    )
    SOURCE_CHANGED = (
        "SourceChanged",
        "The source of a job at Cloud Storage has other rows than those that were sent before. Nothing was bought.",
        "The object was overwritten after the first attempt, and a part of its rows was to be sent.",
        "Write the new rows under another name and name it in `src`, restore the object, or use `--rerun`.",
    )
    STAGED_FILE_CHANGED = (
        "StagedFileChanged",
        "The copy of an input file in the staging bucket is not the one that batchctl uploaded. Nothing was created.",
        "Something else wrote to it. Its name is derived from its content, and batchctl never writes it twice.",
        "Delete the object that the message names; then run the command again, which uploads the file again.",
    )
    EMULATOR_FAILED = (
        "EmulatorFailed",
        "The emulator cannot start.",
        "Its port is taken, its store cannot be used, or its seed is invalid.",
        "The message says which; see `--port`, `--data` and `--seed`.",
    )

    # Refusals: exit code 6
    CONSENT_NEEDED = (
        "ConsentNeeded",
        "Changes were planned, and were not approved.",
        "There is no terminal for the question, as in CI, and no `--yes`.",
        "Look at `batchctl plan`, then add `--yes`.",
    )
    DECLINED = (
        "Declined",
        "The question on the terminal was answered with no. Nothing was done.",
        "You answered no.",
        "Nothing needs to be undone.",
    )
    PLAN_CHANGED = (
        "PlanChanged",
        "The plan changed after it was shown. Nothing was done.",
        "Another run of batchctl, another person, or a job that has ended since.",
        "Run the command again and look at the new plan.",
    )
    PLAN_STALE = (
        "PlanStale",
        "The reviewed plan no longer fits. Nothing was done.",
        "Since the review, the manifests, the state or the remote jobs changed; the message says which job and what.",
        "Run `batchctl plan` again and have the new plan reviewed.",
    )
    MANIFESTS_CHANGED = (
        "ManifestsChanged",
        "Between two passes of a run, its manifests changed, or its stack file names other places.",
        "An edit, a new checkout, or another run that applies one. The older version could undo its changes.",
        "Run the command again: it uses the present manifests. `watch --forever` follows changes.",
    )
    NOTHING_DESIRED = (
        "NothingDesired",
        "No manifest is left in scope, and that would remove every recorded job.",
        "An empty checkout, a wrong `-f`, or the intention to remove everything.",
        "To remove everything: `--allow-empty`, or `batchctl destroy`.",
    )
    TOO_MANY_CREATES = (
        "TooManyCreates",
        "More jobs would be created than the stack's limit allows.",
        "`limits.maxCreate` is 100 by default.",
        "If this is intended: `--max-create N`.",
    )
    OVER_BUDGET = (
        "OverBudget",
        "The work to buy costs more, or has more tokens, than the stack's limits leave.",
        "`limits.budget` and `limits.tokens` count the attempts of `limits.budgetPeriod` and the work to buy.",
        "If this is intended: `--budget-increase 'AMOUNT'`, as the message says.",
    )
    COST_UNKNOWN = (
        "CostUnknown",
        "There is a budget, and the cost of a job is not known.",
        "The model has no price, or nothing bounds its output (`maxOutputTokens`), or batchctl does not send the rows.",
        "Add the price, or set `maxOutputTokens`; to buy it all the same: `--allow-unknown-cost`.",
    )
    TOO_MANY_REPLACES = (
        "TooManyReplaces",
        "More jobs would be replaced than the stack's limit allows, and each is bought again.",
        "Often a change of the stack's `defaults`, or of the endpoint, which changes every job.",
        "Look at the changes in the plan. If they are intended: `--max-replace N`.",
    )
    TOO_MANY_DELETES = (
        "TooManyDeletes",
        "More jobs would be removed than the stack's limit allows.",
        "Often a moved folder or a wrong `-f`.",
        "If this is intended: `--max-delete N`.",
    )
    PROTECTED = (
        "Protected",
        "A job with `lifecycle.protect` would be ended.",
        "Its manifest was removed or changed, or a command would cancel it.",
        "Set `protect: false` and apply, then remove it; or `--allow-protected`.",
    )
    LIKELY_RENAME = (
        "LikelyRename",
        "A job would be removed, and another job bought for the same work.",
        "A manifest has a new `metadata.name`, and `spec.moved` has no entry for it.",
        "Add the entry that the plan shows to `spec.moved`; or `--yes-rename-as-new` to buy the work again.",
    )
    NEVER_FITS = (
        "NeverFits",
        "A job has more tokens than its model may have enqueued, so it would wait forever.",
        "Its input is large, or `limits.enqueuedTokens` is small.",
        "Split the input, or raise `limits.enqueuedTokens`.",
    )
    ADOPTED_CHANGED = (
        "AdoptedChanged",
        "A job was found by its mark, and its work is not what the manifest says. Replacing it would buy it again.",
        "The state was lost, and the manifest has changed since.",
        "If the manifest is right: `--adopt-changed`. Otherwise restore the manifest.",
    )
    NO_NUMBER_LEFT = (
        "NoNumberLeft",
        "A job needs a new attempt, and no attempt number is left that fits into a mark.",
        "A remote job with this stack's mark and a number near 999999 that batchctl did not give.",
        "Give the job another name: its attempts are numbered from 1 again.",
    )
    ON_CHANGE_FAIL = (
        "OnChangeFail",
        "The work of a job with `lifecycle.onChange: fail` changed.",
        "An edit of its model, source, rows, `request` or `runId`.",
        "Undo the edit, or set `onChange: replace`.",
    )
    RETRY_REFUSED = (
        "RetryRefused",
        "`batchctl retry` names a job that cannot be retried now.",
        "It is still active, has succeeded, was never created, is in no manifest, or its manifest has changed.",
        "The message says which. To run finished work again, change `spec.runId`; after a change, run `apply`.",
    )
    MOVED_TWICE = (
        "MovedTwice",
        "`spec.moved` renames a job, and the state already has a job with the new name.",
        "The rename was applied before `moved` was written, so both jobs were created.",
        "Remove the entry from `spec.moved`: the old job is then removed like any other without a manifest.",
    )
    NEW_STATE = (
        "NewState",
        "There is no state, and a job may have run before. Nothing was created, because it could be bought again.",
        "CI without a kept state: a job with `ttlAfterFinished` leaves no trace. Or the work has results here.",
        "Keep the state between runs, or run `batchctl state rebuild`. On a first run: `--new-state`.",
    )
    GUARD = (
        "Guard",
        "batchctl refused an action for safety.",
        "See the message.",
        "The hint names the flag that allows it.",
    )

    # The API
    NO_CREDENTIALS = (
        "NoCredentials",
        "There is no API key for Gemini, or there are no Google credentials for Vertex AI or Cloud Storage.",
        "Neither `GOOGLE_API_KEY` nor `GEMINI_API_KEY` is set; or there are no Application Default Credentials.",
        (
            "Gemini: set one of the two. Vertex: `gcloud auth application-default login`, or let "
            "`GOOGLE_APPLICATION_CREDENTIALS` name a file. `endpoint: emulator` needs none."
        ),
    )
    INVALID_KEY = (
        "InvalidKey",
        "The API key of Gemini is not valid, or the credentials file for Vertex is invalid.",
        "A typing error, a key of another service, a revoked key, white space; a truncated or missing file.",
        "Gemini: check `GOOGLE_API_KEY` (it wins) and `GEMINI_API_KEY`. Vertex: create or download the file again.",
    )
    UNTRUSTED_ENDPOINT = (
        "UntrustedEndpoint",
        "An endpoint is neither Google's nor on this machine, so batchctl sends no credentials to it.",
        "The stack file names another host, or plain http.",
        "If you trust it: `BATCHCTL_ALLOW_ENDPOINT=https://host`.",
    )
    CONNECTION_FAILED = (
        "ConnectionFailed",
        "No connection could be opened, so nothing was sent.",
        "No network, a wrong endpoint, a proxy, a firewall, or a certificate that is not trusted.",
        "Check the endpoint, the network and `HTTPS_PROXY`; then run the command again.",
    )
    REPLY_LOST = (
        "ReplyLost",
        "A call was sent, and no complete reply came back.",
        "A time-out, a reset connection, or a truncated reply.",
        "Run the command again. It searches for the job of a create call by its mark before it sends the call again.",
    )
    BAD_REPLY = (
        "BadReply",
        "The reply does not have the form that the API documents.",
        "A proxy's page, a gateway that is not a Gemini API, or a change of the API.",
        "Check the endpoint. If it is Google's own, report it.",
    )
    API_STATUS = (
        "ApiStatus",
        "The API answered with an error.",
        "See the message, which quotes the API.",
        "See the message.",
    )
    BAD_REQUEST = (
        "BadRequest",
        "The API refused the request.",
        "A value that the model or the API does not accept.",
        "Change the manifest as the message says.",
    )
    UNAUTHENTICATED = (
        "Unauthenticated",
        "The API does not accept the credentials. Nothing was done.",
        "A wrong or revoked key. On Vertex, an expired login, or a machine without a service account.",
        (
            "Gemini: check `GOOGLE_API_KEY` and `GEMINI_API_KEY`. Vertex: log in again, or check the credentials' "
            "file; `batchctl doctor` shows who you are."
        ),
    )
    PERMISSION_DENIED = (
        "PermissionDenied",
        "The credentials may not do this, or the resource does not exist: the API gives the same error for both.",
        "A key of another project, a model that needs another plan, or a file that is gone.",
        "Check the project of the key, and that files are younger than 48 hours.",
    )
    NOT_FOUND = (
        "NotFound",
        "The API does not have the resource.",
        "An unknown model, a model that has no batch mode, or a file or job that is gone.",
        "Check the name in the manifest.",
    )
    CONFLICT = (
        "Conflict",
        "The call collided with another.",
        "Two calls changed the same resource at the same time.",
        "Run the command again.",
    )
    QUOTA_EXCEEDED = (
        "QuotaExceeded",
        "The quota is used up for now. Nothing was done.",
        "Too many jobs or tokens in the queue of this project, or a plan without batch jobs.",
        "Wait for jobs to end; `batchctl watch` continues by itself.",
    )
    USER_PROJECT_MISSING = (
        "UserProjectMissing",
        "The reader of a bucket pays for its reads, and no project to bill is set.",
        'The bucket is set to "requester pays", and the provider\'s own project may not be billed for it.',
        "Set the provider's `userProject` to a project that may be billed.",
    )
    SERVICE_DISABLED = (
        "ServiceDisabled",
        "The API is not enabled in the project, or was enabled only a moment ago.",
        "Right after an API was enabled, calls are refused for a few minutes.",
        "Enable it in the project that the message names. A create call is tried again by itself for an hour.",
    )
    NOT_PROVISIONED = (
        "NotProvisioned",
        "The service is being set up in the project, because this is its first use there.",
        "The first job of a project.",
        "Wait: it is tried again by itself for an hour.",
    )
    INPUT_NOT_READY = (
        "InputNotReady",
        "The API still processes the uploaded input file, so no job can use it yet.",
        "A large file takes minutes after its last byte.",
        "Wait: it is tried again by itself for an hour.",
    )
    UPLOAD_REFUSED = (
        "UploadRefused",
        "The API refused the upload of an input file.",
        "The message quotes the API. No field of a manifest causes this.",
        "Send the rows inline (`src` as a list), or upgrade batchctl.",
    )
    UPLOAD_FAILED = (
        "UploadFailed",
        "The API accepted an input file and could not process it.",
        "The message quotes the API: most often it does not accept the rows.",
        "Fix the rows, then run `apply`. To try the same file again: `batchctl retry NAME`.",
    )
    STORAGE_QUOTA = (
        "StorageQuota",
        "The project's storage for uploaded files is full, so the input could not be uploaded.",
        "Uploaded files count until they are deleted or 48 hours old; other programs upload to the same project.",
        "`batchctl doctor` shows how much is used. Delete files, or wait until they expire.",
    )
    NO_CREDIT = (
        "NoCredit",
        "The project has no credit left, or its billing does not work. Waiting does not help.",
        "Prepaid credits are used up, a spending cap is reached, or the billing account is closed.",
        "Add credits, raise the cap or fix the billing; then run `apply`.",
    )
    NO_QUOTA = (
        "NoQuota",
        "The project's quota for this is 0. Waiting does not help.",
        "A plan, such as the free one, without batch jobs or without this model.",
        "Choose another model, or get a plan or a quota that has it; then run `apply`.",
    )
    DATA_LOCATION = (
        "DataLocation",
        "A bucket or a dataset is in another location than the job.",
        "Vertex AI reads and writes in the job's own location only.",
        "Use a bucket or dataset in that location, or change the provider's `location`.",
    )
    MODEL_NOT_IN_BATCH = (
        "ModelNotInBatch",
        "The model exists, but not for batch jobs here.",
        "Some models have no batch mode, or have it in some locations only.",
        "Choose another model, or another `location` of the provider.",
    )
    SERVER_FAILED = (
        "ServerFailed",
        "The API failed on its side. A create call may have been carried out.",
        "A temporary fault of the service.",
        "Run the command again. It searches for the job of a create call by its mark first.",
    )
    INPUT_TOO_LARGE = (
        "InputTooLarge",
        "The rows are too large for one create call, or for one file.",
        "Inline rows may have 20 MiB in all; for a file the limit is `limits.fileBytes` of the provider.",
        "Move inline rows into a file: `src: {file: rows.jsonl}`. For a file, lower `sharding.maxBytes`.",
    )
    INVALID_INPUT = (
        "InvalidInput",
        "A job's input cannot be sent.",
        "A file name or a row that the API cannot accept.",
        "Change the manifest as the message says.",
    )
    INVALID_MODEL = (
        "InvalidModel",
        "The name of a model is invalid, or the API does not have the model, or not for batch jobs.",
        "It is empty, or holds `..`, `?` or `&`; or it is misspelt, or not offered at the provider's location.",
        "Write it as the API lists it, such as gemini-2.5-flash; on Vertex also publishers/google/models/….",
    )
    INVALID_NAME = (
        "InvalidName",
        "A resource name is invalid.",
        (
            "It does not have the API's form: `batches/…` or `files/…` on Gemini; on Vertex "
            "`projects/…/batchPredictionJobs/…` of the provider's own project and location, `gs://…` or `bq://…`."
        ),
        "Copy it from the API.",
    )
    UNSUPPORTED_LOCATION = (
        "UnsupportedLocation",
        "The API is not offered in this location.",
        "Gemini: the plan or the country. Vertex: the provider's `location`.",
        "Gemini: enable billing, or use Vertex. Vertex: choose another `location`.",
    )
    UNKNOWN_FIELD = (
        "UnknownField",
        "The API does not know a field of the request.",
        "A misspelt field in `request` or in a row, or a field of the other API.",
        "Correct its name as the message says, or upgrade batchctl.",
    )
    REJECTED = (
        "Rejected",
        "The API refused the job for good, so it has no results.",
        "`batchctl describe NAME` shows the API's reason.",
        "Change the manifest: the job is created again only after a change.",
    )

    # Notifications
    NOT_DELIVERED = (
        "NotDelivered",
        "An event could not be delivered to a hook of `notify`. It is tried again with pauses, for three days.",
        "The receiver is down or slow, or does not answer with 2xx; or the command did not exit with status 0.",
        "Fix the receiver. No job waits for it, and no exit code changes.",
    )
    NO_HOOK_VARIABLE = (
        "NoHookVariable",
        "A command of `notify` did not run, because a variable in its `env` is not set. Its events wait.",
        "The machine lacks the variable, or the name is misspelt.",
        "Set it, or remove it from the hook's `env`.",
    )
    NO_WEBHOOK_SECRET = (
        "NoWebhookSecret",
        "The variable with a webhook's signing secret is not set, or its value is not a secret. Nothing was sent.",
        "`secretEnv` names a variable that this machine does not have; or its value is not `whsec_` and base64.",
        "Set the variable. The events wait in the state, also for another machine that has it.",
    )
    UNTRUSTED_WEBHOOK = (
        "UntrustedWebhook",
        "The host of a webhook resolves to an address outside the public Internet. Nothing was sent.",
        "A private, link-local or loopback address.",
        "If you trust it: `BATCHCTL_ALLOW_WEBHOOK=https://host`.",
    )
    COMMANDS_NOT_ALLOWED = (
        "CommandsNotAllowed",
        "The stack's `notify` has a command, and this machine does not allow commands.",
        "The author of a stack file does not decide what runs on this machine.",
        "If you trust the stack file: `BATCHCTL_ALLOW_COMMANDS=1`.",
    )

    # Results
    RESULTS_NOT_READY = (
        "ResultsNotReady",
        "There are no results yet.",
        "The job has not ended, or its results are not collected. Its result file cannot be read, or has too few rows.",
        "`batchctl watch` waits for the end and collects.",
    )
    RESULTS_GONE = (
        "ResultsGone",
        "The API still has the job, but no longer its result file.",
        "Result files are kept for about 48 hours.",
        "Change `spec.runId` to run the same work again.",
    )
    RESULTS_LOST = (
        "ResultsLost",
        "The results of the job were deleted before they were collected. The job is never bought again automatically.",
        "Neither `apply` nor `watch` ran between the job's end and its deletion at the API.",
        "Change `spec.runId` to run the same work again, and keep `batchctl watch` running.",
    )
    RESULTS = (
        "Results",
        "The results folder cannot be used.",
        "See the message.",
        "See the hint.",
    )
    RESULTS_MISSING = (
        "ResultsMissing",
        "Collected results are missing from the results folder, or incomplete.",
        "The folder was moved, cleaned up or damaged.",
        "`batchctl apply` collects them again while the API has them. Otherwise restore the folder.",
    )
    RESULTS_CORRUPT = (
        "ResultsCorrupt",
        "A collected results file was changed or damaged.",
        "Something other than batchctl wrote to the results folder.",
        "If the remote job still exists, move the folder away and run `batchctl apply`: it collects the results again.",
    )
    RESULTS_OUTSIDE = (
        "ResultsOutside",
        "A path in the results folder leads out of it.",
        "A symbolic link that batchctl did not create.",
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
        "This user may not write to the results folder.",
        "Another user created it.",
        "Change its owner or mode, or set `spec.results` to another place.",
    )
    RESULTS_FAILED = (
        "ResultsFailed",
        "Results cannot be written or read.",
        "See the operating system's reason in the message.",
        "Fix it, then run the command again.",
    )
    RESULTS_UNREACHABLE = (
        "ResultsUnreachable",
        "Results in a bucket could not be read or written. No remote job is deleted before its results are there.",
        "The bucket does not answer, refuses the credentials, or does not exist. See the message.",
        "Run the command again: it uses the results that are in the bucket, and collects the others.",
    )
    RESULTS_CHANGED = (
        "ResultsChanged",
        "Another process changed the results of a job in the bucket at the same time. Nothing of theirs was replaced.",
        "Two processes without a common lock, such as two machines with a local state each.",
        "Let the machines share a state (`spec.state: gs://…`), or give each its own address in `spec.results`.",
    )
    RESULTS_FOREIGN = (
        "ResultsForeign",
        "The results at this address belong to another stack.",
        "Two stacks with the same `spec.results`, or a stack whose name or uid changed.",
        "Give each stack its own address in `spec.results`.",
    )
    RESULTS_UNPROTECTED = (
        "ResultsUnprotected",
        "The server of the results ignores preconditions, so two writers could mix their results.",
        "It is not Cloud Storage, but a substitute without `ifGenerationMatch`.",
        "Use a bucket at Cloud Storage, `batchctl emulator`, or a local folder.",
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
        "Another process holds the lock of the state.",
        "Another `apply` or `watch` is in the middle of a pass.",
        "Wait, or set a longer `--lock-timeout` (30 s by default).",
    )
    LOCK_LOST = (
        "LockLost",
        "Another process took over the state. This one has sent nothing since.",
        "The process was suspended for long, or somebody broke its lock.",
        "Look at `batchctl status`, then run the command again.",
    )
    STATE_CORRUPT = (
        "StateCorrupt",
        "The state file is damaged, or is not a state file.",
        "A broken disk, a file copied while it was written, or an edit by hand.",
        "`batchctl state rebuild` rebuilds it from the jobs' marks and the results folder. Or restore a backup.",
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
        "Its folder or file system is read-only, or the database is a standby.",
        "Make it writable, or name another place with `--state`.",
    )
    STATE_DISK_FULL = (
        "StateDiskFull",
        "The state does not fit on the disk. Nothing was started that could not be recorded.",
        "The disk or the quota is full.",
        "Free space; then run the command again.",
    )
    STATE_PERMISSION = (
        "StatePermission",
        "This user may not use the state.",
        "Another user created it; the file is private on purpose. In PostgreSQL, another role owns the schema.",
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
        "The state file, or a file beside it, is a link or not a regular file. It was neither read nor changed.",
        "Something in the checkout put it there: a link could lead to any file that this user can write.",
        "Remove the file that the message names. If it came with a pull request, ask why.",
    )
    STATE_ON_NETWORK = (
        "StateOnNetwork",
        "The state is on a network file system, where locks are not reliable.",
        "A home folder on NFS or SMB, a shared volume.",
        "Name a local place with `--state` or `spec.state`.",
    )
    STATE_FAILED = (
        "StateFailed",
        "SQLite or PostgreSQL returned an error that has no code of its own.",
        "See the message.",
        "Report it, with the message.",
    )

    STATE_UNREACHABLE = (
        "StateUnreachable",
        "The shared state could not be read or written.",
        "The bucket or the database does not answer, refuses the credentials, or does not exist. See the message.",
        "Run the command again: the next run reads what was written, and settles calls without a reply.",
    )
    STATE_UNPROTECTED = (
        "StateUnprotected",
        "The server of the shared state ignores preconditions, so two writers could overwrite each other.",
        "It is not Cloud Storage, but a substitute without `ifGenerationMatch`.",
        "Use a bucket at Cloud Storage, `batchctl emulator`, or a local state.",
    )
    STATE_MOVED = (
        "StateMoved",
        "The state was moved to another place by `state migrate`.",
        "The stack file, or `--state`, still names the old place.",
        "Set `spec.state` to the new place, which the message names.",
    )
    STATE_SOUND = (
        "StateSound",
        "`state rebuild` found a valid state and did not change it.",
        "The command is for a lost or damaged state: a rebuilt state lacks the history, among other things.",
        "Nothing needs to be done. To rebuild it anyway: `--force`; the old state is kept.",
    )
    STATE_REPLACED = (
        "StateReplaced",
        "While `watch` ran, its state file disappeared, or another file took its place. Nothing was done.",
        "The file was in a checkout that was switched or cleaned up, or somebody restored or rebuilt it.",
        "Restore the file. To use the other one, start `watch` again.",
    )
    STATE_DIVERGED = (
        "StateDiverged",
        "The file for `state push` does not continue the present state.",
        "It is older, has another lineage, or both were used since they were copies: records would be lost.",
        "Look at both with `batchctl state list --state FILE`; if the file is right, use `--force`; a backup is kept.",
    )
    NOT_READ_IN_FULL = (
        "NotReadInFull",
        "`state rebuild` wrote nothing, because an account could not be read in full.",
        "A job on a failed page would be lost, and bought again.",
        "Fix the error of the account, which is shown above; then run the command again.",
    )
    UNSETTLED = (
        "Unsettled",
        "The command would drop a create call whose outcome is not known.",
        "The call got no reply; the next `apply` searches for its mark.",
        "Run `batchctl apply` first. `state rm --force` drops it anyway; a second bill is possible.",
    )
    OTHER_KEY = (
        "OtherKey",
        "The API key has changed, and the new one shows none of the recorded jobs. They count as unknown, not as gone.",
        "A key of another project. Less often a new key of the same project, whose recorded jobs are all deleted.",
        "Set the key of the jobs' project. If the new key is right: `batchctl state rebind --all --to PROVIDER`.",
    )
    NOT_SHOWN = (
        "NotShown",
        "The account for `state rebind` does not show the jobs. Nothing was changed.",
        "Another project, another region, or remote jobs that are deleted.",
        "Check the provider and the credentials. If the jobs are gone: `--force`; then they count as gone there.",
    )

    # Manifests
    INVALID_MANIFEST = (
        "InvalidManifest",
        "Manifests or the stack file have errors; each is listed with its place and its own code.",
        "See the list.",
        "Fix them; `batchctl validate` checks without any call.",
    )
    INVALID_ROWS = (
        "InvalidRows",
        "A file of rows has errors; each is listed with its line.",
        "See the list.",
        "Fix them; `batchctl validate` checks without any call.",
    )
    PROVIDER_GONE = (
        "ProviderGone",
        "Recorded jobs are in an account that no provider of the stack names any more, and that cannot be reached.",
        "The provider was removed from the stack file before its jobs.",
        "Put the provider back until its jobs are removed, or restore its credentials.",
    )

    # The web page
    ADDRESS_UNUSABLE = (
        "AddressUnusable",
        "The web page cannot be served at the address of `--serve`.",
        "Another program listens on the port, or the address is not one of this machine.",
        "Choose another port, such as `--serve 127.0.0.1:8421`, or port 0 for a free one.",
    )
    HOST_NOT_ALLOWED = (
        "HostNotAllowed",
        "A request came under a host name that is not one of the server's.",
        "A proxy or a name of the machine that batchctl does not know, or a foreign page that tries to read this one.",
        "`--allow-host NAME` allows a name.",
    )
    OTHER_ORIGIN = (
        "OtherOrigin",
        "A page of another origin tried to read the web page of a stack.",
        "A link into the data of the page, or a foreign page in the same browser.",
        "Open the address of the page itself.",
    )
    TOKEN_NEEDED = (
        "TokenNeeded",
        "The web page needs its token, and the request had none or another one.",
        "It is served beyond this machine, or with `--show-rows`; or batchctl was started again with another token.",
        "Open the address that batchctl printed, or send `Authorization: Bearer TOKEN`.",
    )
    READ_ONLY = (
        "ReadOnly",
        "The web page only reads, and the request would change something.",
        "A method other than GET and HEAD.",
        "Use the command line: the page shows the commands.",
    )
    ROWS_HIDDEN = (
        "RowsHidden",
        "The rows of a job were asked for, and the web page does not show them.",
        "Rows may have private content, so they are shown on request only.",
        "Start it with `--show-rows`, or use `batchctl results NAME`.",
    )
    ADDRESS_NOT_FOUND = (
        "AddressNotFound",
        "The web page has no such address.",
        "A typing error, or another version of batchctl.",
        "docs/web.md lists the addresses.",
    )
    PAGE_NOT_READY = (
        "PageNotReady",
        "The web page has nothing to show yet, or is open too often.",
        "The first look at the state is not complete, or 100 pages are open.",
        "Ask again in a moment, or close some of the pages.",
    )

    # Bases of the exception tree; an error with one of these has no more specific code.
    ERROR = ("Error", "Something went wrong.", "See the message.", "See the hint.")
    API = ("Api", "A call to an API failed.", "See the message.", "See the hint.")
