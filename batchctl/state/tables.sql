CREATE TABLE "jobs" (
   "name" TEXT PRIMARY KEY NOT NULL,
   "kind" TEXT NOT NULL,
   "provider" TEXT NOT NULL,
   "model" TEXT NOT NULL,
   "path" TEXT NOT NULL,
   "account" TEXT NOT NULL,
   "display_name" TEXT,
   "current" INTEGER NOT NULL,
   "removing_time" TEXT,
   "released_time" TEXT,
   "cancel_requested" TEXT,
   "lifecycle" TEXT NOT NULL,
   "labels" TEXT NOT NULL
, "former_names" TEXT NOT NULL DEFAULT '[]', "depends_on" TEXT NOT NULL DEFAULT '[]', "retry_requested" TEXT, "priority" INTEGER, "webhook" TEXT, "row_settings" TEXT, "rows_since" INTEGER, "canary_accepted" TEXT, "retry_rows" TEXT) STRICT;
CREATE TABLE "attempts" (
   "job" TEXT NOT NULL REFERENCES "jobs"("name") ON DELETE CASCADE,
   "attempt" INTEGER NOT NULL,
   "shard" INTEGER NOT NULL,
   "state" TEXT,
   "remote" TEXT,
   "account" TEXT NOT NULL,
   "digest" TEXT NOT NULL,
   "token" TEXT NOT NULL,
   "create_time" TEXT,
   "start_time" TEXT,
   "end_time" TEXT,
   "rows_total" INTEGER,
   "rows_ok" INTEGER,
   "rows_failed" INTEGER,
   "error_code" INTEGER,
   "error_message" TEXT,
   "rejected" INTEGER NOT NULL,
   "results_lost" INTEGER NOT NULL,
   "adopted" INTEGER NOT NULL,
   "cancel_time" TEXT,
   "cancel_cause" TEXT,
   "delete_time" TEXT,
   "gone_time" TEXT,
   "results" TEXT,
   "tree" TEXT NOT NULL, "input_bytes" INTEGER, "tokens" INTEGER, "missed" TEXT, "missed_there" TEXT, "row_hashes" TEXT, "trouble" TEXT, "input_file" TEXT, "rows_verdicts" TEXT, "rows_accepted" TEXT, "rows_too_many_failed" INTEGER, "sent" TEXT, "merged" TEXT, "counted" TEXT, "expected" TEXT,
   PRIMARY KEY ("job", "attempt", "shard")
) STRICT;
CREATE TABLE "intents" (
   "job" TEXT NOT NULL,
   "attempt" INTEGER NOT NULL,
   "shard" INTEGER NOT NULL,
   "time" TEXT NOT NULL,
   "first_look" TEXT, "first_look_there" TEXT,
   FOREIGN KEY ("job", "attempt", "shard") REFERENCES "attempts"("job", "attempt", "shard") ON DELETE CASCADE,
   PRIMARY KEY ("job", "attempt", "shard")
) STRICT;
CREATE TABLE "files" (
   "account" TEXT NOT NULL,
   "sha256" TEXT NOT NULL,
   "name" TEXT NOT NULL,
   "expire_time" TEXT,
   PRIMARY KEY ("account", "sha256")
) STRICT;
CREATE TABLE "events" (
   "id" INTEGER PRIMARY KEY,
   "time" TEXT NOT NULL,
   "job" TEXT NOT NULL,
   "attempt" INTEGER,
   "who" TEXT NOT NULL,
   "what" TEXT NOT NULL,
   "why" TEXT NOT NULL
, "code" TEXT) STRICT;
CREATE TABLE "meta" (
   "id" INTEGER PRIMARY KEY NOT NULL,
   "format_version" INTEGER NOT NULL,
   "lineage" TEXT NOT NULL,
   "serial" INTEGER NOT NULL,
   "epoch" INTEGER NOT NULL,
   "stack" TEXT NOT NULL,
   "uid" TEXT NOT NULL
, "seal" TEXT NOT NULL DEFAULT '0') STRICT;
CREATE TABLE "accounts" (
   "account" TEXT PRIMARY KEY NOT NULL,
   "identity" TEXT NOT NULL
) STRICT;
CREATE TABLE "quotas" (
   "account" TEXT NOT NULL,
   "model" TEXT NOT NULL,
   "learned_limit" INTEGER NOT NULL,
   "refused_time" TEXT NOT NULL,
   "retry_time" TEXT NOT NULL,
   "refusals" INTEGER NOT NULL,
   PRIMARY KEY ("account", "model")
) STRICT;
CREATE TABLE "outbox" (
   "time" TEXT NOT NULL,
   "job" TEXT NOT NULL,
   "attempt" INTEGER NOT NULL,
   "type" TEXT NOT NULL,
   "hook" TEXT NOT NULL,
   "delivered_time" TEXT,
   "given_up_time" TEXT,
   "tries" INTEGER NOT NULL,
   "next_time" TEXT,
   "problem" TEXT NOT NULL,
   "id" TEXT NOT NULL,
   "body" TEXT NOT NULL,
   PRIMARY KEY ("id", "hook")
) STRICT;
CREATE TABLE "ghosts" (
   "account" TEXT NOT NULL,
   "remote" TEXT NOT NULL,
   "time" TEXT NOT NULL,
   PRIMARY KEY ("account", "remote")
) STRICT;
CREATE TABLE "history" (
   "account" TEXT NOT NULL,
   "remote" TEXT NOT NULL,
   "model" TEXT NOT NULL,
   "rows" INTEGER,
   "state" TEXT NOT NULL,
   "create_time" TEXT NOT NULL,
   "start_time" TEXT,
   "end_time" TEXT NOT NULL, "counted" TEXT,
   PRIMARY KEY ("account", "remote")
) STRICT;
