#!/usr/bin/env bash
# curl, with the calls that the guides of both APIs make.
set -uo pipefail

here=$(mktemp -d)
trap 'rm -rf "$here"' EXIT

# attempt API OPERATION WANTED COMMAND...: the command's output is $answer, and has to have the wanted text.
# `because` explains an answer that is known: a part of it, a bar, and the reason in plain words.
attempt() {
  local api=$1 operation=$2 wanted=$3 outcome=works
  shift 3
  if ! answer=$("$@" 2> "$here/errors"); then
    outcome="exit status: $(cat "$here/errors")"
  elif [[ $answer != *"$wanted"* ]]; then
    outcome=$answer
    [[ -n ${because:-} && $answer == *"${because%%|*}"* ]] && outcome=${because#*|}
  fi
  printf '{"api": "%s", "operation": "%s", "outcome": "%s"}\n' "$api" "$operation" "$(line "$outcome")"
}

line() { printf %s "$1" | tr '\n"\\' "  '" | cut -c 1-200; }

# member NAME: the first text of that name in $answer, as `jq -r` would tell it.
member() { printf %s "$answer" | tr ',{}[]' '\n\n\n\n\n' | sed -n "s/.*\"$1\": *\"\([^\"]*\)\".*/\1/p" | head -n 1; }

# header NAME: of the answer that -D or -i put into FILE.
header() { grep -i "^$1: " "$2" | cut -d ' ' -f 2 | tr -d '\r'; }

# set-up
gemini=$GOOGLE_GEMINI_BASE_URL/v1beta
key=(-H "x-goog-api-key: $GEMINI_API_KEY")
vertex=$GOOGLE_VERTEX_BASE_URL/v1/projects/$GOOGLE_CLOUD_PROJECT/locations/$GOOGLE_CLOUD_LOCATION
token=(-H "Authorization: Bearer any-token")   # or $(gcloud auth print-access-token)
storage=$STORAGE_EMULATOR_HOST
# end of set-up
json=(-H "Content-Type: application/json")
printf '%s\n' '{"key": "a", "request": {"contents": [{"parts": [{"text": "one"}]}], "generation_config": {"temperature": 0.7}}}' \
  '{"key": "b", "request": {"contents": [{"parts": [{"text": "two"}]}]}}' > "$here/in.jsonl"
printf '%s\n' '{"contents": [{"parts": [{"text": "one"}]}], "generationConfig": {"temperature": 0.7}}' > "$here/bare.jsonl"
printf '%s\n' '{"key": "a", "request": {"output_dimensionality": 8, "content": {"parts": [{"text": "one"}]}}}' > "$here/embed.jsonl"

# upload FILE NAME TYPE: the two calls of an upload, as the guide has them.
upload() {
  local size
  size=$(wc -c < "$1" | tr -d ' ')
  curl -sS "${gemini%/*}/upload/v1beta/files" -D "$here/headers" "${key[@]}" \
    -H "X-Goog-Upload-Protocol: resumable" -H "X-Goog-Upload-Command: start" \
    -H "X-Goog-Upload-Header-Content-Length: $size" -H "X-Goog-Upload-Header-Content-Type: $3" \
    -H "Content-Type: application/jsonl" -d "{'file': {'display_name': '$2'}}" || return
  curl -sS "$(header x-goog-upload-url "$here/headers")" -H "Content-Length: $size" -H "X-Goog-Upload-Offset: 0" \
    -H "X-Goog-Upload-Command: upload, finalize" --data-binary "@$1"
}

gemini_calls() {
  local inline file from_file vectors vectors_from_file slow embed=$gemini/models/gemini-embedding-001:asyncBatchEmbedContent
  local create=$gemini/models/gemini-2.5-flash:batchGenerateContent
  attempt gemini "upload a file" '"ACTIVE"' upload "$here/in.jsonl" BatchInput application/jsonl
  file=$(member name)
  attempt gemini "upload a file in one request" '"ACTIVE"' curl -sS "${gemini%/*}/upload/v1beta/files" "${key[@]}" \
    -H "X-Goog-Upload-Protocol: multipart" -F 'metadata={"file": {"displayName": "form"}};type=application/json' \
    -F "file=@$here/in.jsonl;type=application/jsonl"
  attempt gemini "get a file" '"BatchInput"' curl -sS "$gemini/$file" "${key[@]}"
  attempt gemini "list files" "\"$file\"" curl -sS "$gemini/files?pageSize=100&key=$GEMINI_API_KEY"
  attempt gemini "download an uploaded file is refused" '"code":400' curl -sS "$gemini/$file:download?alt=media" "${key[@]}"
  attempt gemini "create a batch of inline rows" '"batches/' curl -sS "$create" "${key[@]}" -X POST -H "Content-Type:application/json" -d '{
    "batch": {
      "display_name": "inline",
      "input_config": {"requests": {"requests": [
        {"request": {"contents": [{"parts": [{"text": "one"}]}]}, "metadata": {"key": "a"}},
        {"request": {"contents": [{"parts": [{"text": "two"}]}]}, "metadata": {"key": "b"}}
      ]}}
    }
  }'
  inline=$(member name)
  attempt gemini "create a batch in single quotes" '"batches/' curl -sS "$create" "${key[@]}" "${json[@]}" -d "{
    'batch': {'display_name': 'quoted', 'input_config': {'requests': {'requests': [
      {'request': {'contents': [{'parts': [{'text': 'It\'s \"so\".'}]}]}, 'metadata': {'key': 'a'}},
    ]}}}
  }"
  attempt gemini "create a batch from a file" '"batches/' curl -sS "$create" -X POST "${key[@]}" "${json[@]}" -d "{
    'batch': {'display_name': 'of a file', 'input_config': {'file_name': '$file'}}
  }"
  from_file=$(member name)
  attempt gemini "upload a file of bare requests" '"ACTIVE"' upload "$here/bare.jsonl" Bare text/plain
  because="no such field|400: a line must be {key, request}, unlike the sample in the guide's REST tab" \
    attempt gemini "create a batch from bare requests" '"batches/' curl -sS "$create" "${key[@]}" "${json[@]}" -d "{
      'batch': {'input_config': {'file_name': '$(member name)'}}
    }"
  attempt gemini "create a batch of embeddings" '"batches/' curl -sS "$embed" "${key[@]}" "${json[@]}" -d '{
    "batch": {"display_name": "vectors", "input_config": {"requests": {"requests": [
      {"request": {"content": {"parts": [{"text": "one"}]}, "outputDimensionality": 8}, "metadata": {"key": "a"}}
    ]}}}
  }'
  vectors=$(member name)
  answer=$(upload "$here/embed.jsonl" Vectors application/jsonl)
  attempt gemini "create a batch of embeddings from a file" '"batches/' curl -sS "$embed" "${key[@]}" "${json[@]}" -d "{
    'batch': {'input_config': {'file_name': '$(member name)'}}
  }"
  vectors_from_file=$(member name)
  attempt gemini "get a batch" '"BATCH_STATE_SUCCEEDED"' curl -sS "$gemini/$inline" "${key[@]}"
  attempt gemini "read inline results" '"a"' curl -sS "$gemini/$inline" "${key[@]}"
  attempt gemini "list batches, by pages" '"nextPageToken"' curl -sS "$gemini/batches?pageSize=1" "${key[@]}"
  attempt gemini "read results from a file" '"key":"a"' results "$from_file"
  attempt gemini "read embeddings" '"embedding"' curl -sS "$gemini/$vectors" "${key[@]}"
  attempt gemini "read embeddings from a file" '"embedding"' results "$vectors_from_file"
  attempt gemini "create a batch that runs" '"batches/' curl -sS "${create/flash/pro}" "${key[@]}" "${json[@]}" -d '{
    "batch": {"input_config": {"requests": {"requests": [{"request": {"contents": [{"parts": [{"text": "one"}]}]}}]}}}
  }'
  slow=$(member name)
  because="was not found on this server|404: the guide's line is a GET; cancel requires a POST (-X POST)" \
    attempt gemini "cancel a batch by the guide's line" '{}' curl -sS "$gemini/$slow:cancel" "${key[@]}"
  attempt gemini "cancel a batch" '{}' curl -sS -X POST "$gemini/$slow:cancel" "${key[@]}"
  attempt gemini "get a cancelled batch" '"BATCH_STATE_CANCELLED"' curl -sS "$gemini/$slow" "${key[@]}"
  because="was not found on this server|404: the API has no :delete; use -X DELETE with the batch's name" \
    attempt gemini "delete a batch by the guide's line" '{}' curl -sS "$gemini/$slow:delete" "${key[@]}"
  attempt gemini "delete a batch" '{}' curl -sS -X DELETE "$gemini/$inline" "${key[@]}"
  attempt gemini "delete a file" '{}' curl -sS -X DELETE "$gemini/$file" "${key[@]}"
  attempt gemini "get a model" '"models/gemini-2.5-flash"' curl -sS "$gemini/models/gemini-2.5-flash" "${key[@]}"
  attempt gemini "list models" '"models/gemini-2.5-flash"' curl -sS "$gemini/models" "${key[@]}"
  attempt gemini "an unknown model is refused" '"code":404' curl -sS "${create/gemini-2.5-flash/nobody}" "${key[@]}" "${json[@]}" \
    -d '{"batch": {"input_config": {"requests": {"requests": [{"request": {"contents": [{"parts": [{"text": "one"}]}]}}]}}}}'
  attempt gemini "a wrong key is refused" '"API_KEY_INVALID"' curl -sS "$gemini/batches?key=invalid"
}

# results BATCH: its result file.
results() {
  answer=$(curl -sS "$gemini/$1" "${key[@]}")
  curl -sS "${gemini%/*}/download/v1beta/$(member responsesFile):download?alt=media" "${key[@]}"
}

storage_calls() {
  local bucket=$storage/storage/v1/b/from-curl upload=$storage/upload/storage/v1/b/from-curl/o
  attempt storage "create a bucket" '"storage#bucket"' curl -sS -X POST "${token[@]}" "${json[@]}" \
    -d '{"name": "from-curl", "location": "US-CENTRAL1"}' "$storage/storage/v1/b?project=$GOOGLE_CLOUD_PROJECT"
  attempt storage "upload an object" '"folder/in.jsonl"' curl -sS -X POST --data-binary "@$here/in.jsonl" "${token[@]}" \
    -H "Content-Type: application/jsonl" "$upload?uploadType=media&name=folder%2Fin.jsonl"
  attempt storage "upload in chunks, resumable" '"resumed"' resumable "$upload?uploadType=resumable&name=resumed"
  attempt storage "list objects" '"folder/in.jsonl"' curl -sS "${token[@]}" "$bucket/o?prefix=folder/"
  attempt storage "get metadata" '"md5Hash"' curl -sS "${token[@]}" "$bucket/o/folder%2Fin.jsonl"
  attempt storage "download an object" '"contents"' curl -sS "${token[@]}" "$bucket/o/folder%2Fin.jsonl?alt=media"
  attempt storage "a missing object is not found" '"notFound"' curl -sS "${token[@]}" "$bucket/o/missing"
  attempt storage "delete an object" 204 curl -sS -X DELETE "${token[@]}" -o "$here/none" -w '%{http_code}' "$bucket/o/resumed"
  attempt storage "calls without a token are refused" '"code":401' curl -sS "$bucket/o"
}

# resumable URL: opens a session, asks it how far it is, and sends 300,000 bytes to it in two pieces.
resumable() {
  local session
  curl -sS -X POST "${token[@]}" "${json[@]}" -D "$here/headers" -d '{"metadata": {"a": "b"}}' "$1" || return
  session=$(header location "$here/headers")
  head -c 262144 /dev/zero > "$here/one"
  head -c 37856 /dev/zero > "$here/two"
  [[ $(piece "*" "*" /dev/null) == 308 && $(piece 0-262143 "*" "$here/one") == 308 ]] || return
  curl -sS -X PUT -H "Content-Range: bytes 262144-299999/300000" --data-binary "@$here/two" "$session"
}

# piece PLACE TOTAL FILE: the status that it is answered with.
piece() { curl -sS -X PUT -H "Content-Range: bytes $1/$2" --data-binary "@$3" -o "$here/none" -w '%{http_code}' "$session"; }

# table_results JOB: the rows of its output table, when it has succeeded.
table_results() {
  [[ $(curl -sS "${token[@]}" "${vertex%/v1/*}/v1/$1") == *'"JOB_STATE_SUCCEEDED"'* ]] || return
  curl -sS "${token[@]}" "$BIGQUERY_EMULATOR_HOST/bigquery/v2/projects/emulator/datasets/clients/tables/from_curl/data"
}

vertex_calls() {
  local made table slow folder
  cat > "$here/request.json" << END
{
  "displayName": "from curl",
  "model": "publishers/google/models/gemini-2.5-flash",
  "inputConfig": {"instancesFormat": "jsonl", "gcsSource": {"uris": "gs://clients/in.jsonl"}},
  "outputConfig": {"predictionsFormat": "jsonl", "gcsDestination": {"outputUriPrefix": "gs://clients/from-curl"}},
  "labels": {"team": "search"},
}
END
  attempt vertex "create a batch from Cloud Storage" '"JOB_STATE_' curl -sS -X POST "${token[@]}" \
    -H "Content-Type: application/json; charset=utf-8" -d "@$here/request.json" "$vertex/batchPredictionJobs"
  made=$(member name)
  attempt vertex "create a batch from BigQuery" '"JOB_STATE_' curl -sS -X POST "${token[@]}" "${json[@]}" -d '{
    "name": "MY_JOB",
    "displayName": "of a table",
    "model": "publishers/google/models/gemini-2.5-flash",
    "inputConfig": {"instancesFormat": "bigquery", "bigquerySource": {"inputUri": "bq://emulator.clients.rows"}},
    "outputConfig": {"predictionsFormat": "bigquery", "bigqueryDestination": {"outputUri": "bq://emulator.clients.from_curl"}}
  }' "$vertex/batchPredictionJobs"
  table=$(member name)
  attempt vertex "read results from BigQuery" '"rows"' table_results "$table"
  attempt vertex "list batches, by pages" '"nextPageToken"' curl -sS "${token[@]}" "$vertex/batchPredictionJobs?pageSize=1"
  attempt vertex "list batches, with a filter" "\"$made\"" curl -sS -G "${token[@]}" "$vertex/batchPredictionJobs" \
    --data-urlencode 'filter=labels.team=search AND state="JOB_STATE_SUCCEEDED"'
  attempt vertex "create a batch of embeddings" '"JOB_STATE_' curl -sS -X POST "${token[@]}" "${json[@]}" \
    -d "$(sed 's/gemini-2.5-flash/gemini-embedding-001/; s/in.jsonl/embed.jsonl/' "$here/request.json")" "$vertex/batchPredictionJobs"
  attempt vertex "get a batch" '"gcsOutputDirectory"' curl -sS "${token[@]}" "${vertex%/v1/*}/v1/$made"
  folder=$(member gcsOutputDirectory)
  attempt vertex "read results from Cloud Storage" '"response"' curl -sS "${token[@]}" \
    "$storage/storage/v1/b/clients/o/$(printf %s "${folder#gs://clients/}/predictions.jsonl" | sed 's,/,%2F,g; s,:,%3A,g')?alt=media"
  attempt vertex "create a batch that runs" '"JOB_STATE_PENDING"' curl -sS -X POST "${token[@]}" "${json[@]}" \
    -d "$(sed s/flash/pro/ "$here/request.json")" "$vertex/batchPredictionJobs"
  slow=$(member name)
  attempt vertex "deleting an unfinished batch is refused" '"FAILED_PRECONDITION"' curl -sS -X DELETE "${token[@]}" "${vertex%/v1/*}/v1/$slow"
  attempt vertex "cancel a batch" '{}' curl -sS -X POST "${token[@]}" "${json[@]}" -d "" "${vertex%/v1/*}/v1/$slow:cancel"
  attempt vertex "delete a batch" '/operations/' curl -sS -X DELETE "${token[@]}" "${vertex%/v1/*}/v1/$made"
  attempt vertex "get a model" '"launchStage"' curl -sS "${token[@]}" "$GOOGLE_VERTEX_BASE_URL/v1/publishers/google/models/gemini-2.5-flash"
  attempt vertex "list models" '"launchStage"' curl -sS "${token[@]}" "$GOOGLE_VERTEX_BASE_URL/v1beta1/publishers/google/models"
  attempt vertex "an unknown model is refused" '"code":404' curl -sS -X POST "${token[@]}" "${json[@]}" \
    -d "$(sed s/gemini-2.5-flash/nobody/ "$here/request.json")" "$vertex/batchPredictionJobs"
  attempt vertex "calls without a token are refused" '"UNAUTHENTICATED"' curl -sS "$vertex/batchPredictionJobs"
}

gemini_calls
vertex_calls
storage_calls
