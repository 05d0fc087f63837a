"""The files that `batchctl init` writes.

They are valid without changes and run on the embedded emulator.
"""

from __future__ import annotations

SCHEMAS_FOLDER = ".schemas"
"""Where `init` writes the schemas for editors: in the repository, because no address has them for every version."""
STACK_SCHEMA = "stack"
MANIFEST_SCHEMA = "manifest"


def new_stack_file(name: str, uid: str) -> str:
    """The text of a new `batchctl.yaml`. `name` and `uid` have to be valid by the stack's schema."""
    return f"""\
# yaml-language-server: $schema={SCHEMAS_FOLDER}/{STACK_SCHEMA}.schema.json
apiVersion: batchctl.dev/v1
kind: Stack
metadata:
  name: {name}
  uid: "{uid}"              # part of the mark on every remote job: never change or copy it
spec:
  manifests: [jobs]          # files and folders, relative to this file
  providers:
    gemini:
      type: gemini
      endpoint: emulator     # remove this line to use the real API; the key comes from GEMINI_API_KEY
  # defaults:                # merged under every job's spec; the job wins
  #   model: gemini-2.5-flash
  #   lifecycle: {{backoffLimit: 1, pendingDeadline: 24h}}
  # variables:               # use as ${{var.night}}, set with --set night=2026-11-22
  #   night: {{description: Which night's run this is, default: "1"}}
"""


def new_manifest(name: str) -> str:
    """The text of a first manifest. `name` has to be valid by the schema."""
    return f"""\
# yaml-language-server: $schema=../{SCHEMAS_FOLDER}/{MANIFEST_SCHEMA}.schema.json
apiVersion: batchctl.dev/v1
kind: BatchJob
metadata:
  name: {name}
  labels: {{team: support}}
spec:
  model: gemini-2.5-flash
  request:                   # defaults put under every row; a row may say otherwise
    systemInstruction: Answer with one word, the topic of the message.
    generationConfig: {{temperature: 0, maxOutputTokens: 64}}
  src:                       # or a JSONL file beside this one: {{file: rows.jsonl}}
    - key: ticket-1042
      text: My parcel was due on Monday and has not arrived.
    - key: ticket-1043
      text: I was charged twice for one order.
  # runId: "1"               # change it to run the same work again
  # lifecycle:
  #   backoffLimit: 1        # more attempts after a failed one
  #   ttlAfterFinished: 7d   # then the remote job is deleted; collected results stay
"""
