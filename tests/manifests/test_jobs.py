from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from batchctl.manifests.duration_reader import parse_duration
from batchctl.manifests.fault_codes import Code
from batchctl.manifests.fault_list import MOST_FAULTS, Faults
from batchctl.manifests.load import Asked, load
from batchctl.manifests.overrides import Overrides
from batchctl.manifests.trust import Trust
from batchctl.model.errors import ManifestError
from batchctl.model.keys import Account, Api, AttemptKey, Mark
from batchctl.model.kinds import Kind
from batchctl.model.lifecycle import Lifecycle, OnChange, OnMissing, OnRemove
from batchctl.model.locations import Location
from batchctl.model.ports.row_reader import RowRules, RowsSummary
from batchctl.model.sources import InlineRows, LocalFile, UploadedFile
from batchctl.rows.reader import RowFiles
from tests.support.manifest_files import (
    JOB,
    STACK,
    PlainRows,
    faults_in,
    lines,
    load_in,
    the_job,
    with_spec,
    with_stack,
    write,
)

GOOGLE = "https://generativelanguage.googleapis.com"


def test_a_small_job_has_all_defaults(tmp_path: Path) -> None:
    job = the_job(tmp_path, JOB)
    assert (job.name, job.kind, job.provider, job.model) == ("classify", Kind.BATCH_JOB, "gemini", "gemini-2.5-flash")
    assert job.account == Account(Api.GEMINI, GOOGLE)
    assert isinstance(job.source, InlineRows)
    assert [row.key for row in job.source.rows] == ["a"]
    assert (job.path, str(job.location)) == ("job.yaml", f"{tmp_path}/job.yaml:1:1")
    assert job.lifecycle == Lifecycle()
    assert (job.labels, job.display_name, job.dest, job.request) == ({}, None, None, {})
    assert (job.run_id, job.extra_body) == (None, {})


def test_every_written_field_is_read(tmp_path: Path) -> None:
    job = the_job(
        tmp_path,
        with_spec("""\
        provider: gemini
        model: models/gemini-2.5-pro
        displayName: Nightly run
        runId: "7"
        extraBody: {newField: {a: 1}}
        lifecycle:
          backoffLimit: 2
          retryOn: [PARTIALLY_SUCCEEDED, CANCELLED]
          pendingDeadline: 12h
          activeDeadline: 1d12h
          ttlAfterFinished: 2w
          onChange: keep
          onRemove: cancel
          onMissing: recreate
          suspend: true
          protect: true
        """).replace("name: classify", "name: classify, labels: {team: search, '0': ''}"),
    )
    assert (job.model, job.display_name, job.run_id) == ("gemini-2.5-pro", "Nightly run", "7")
    assert job.labels == {"team": "search", "0": ""}
    assert job.extra_body == {"newField": {"a": 1}}
    assert job.lifecycle == Lifecycle(
        backoff_limit=2,
        retry_on=frozenset({"PARTIALLY_SUCCEEDED", "CANCELLED"}),
        pending_deadline=timedelta(hours=12),
        active_deadline=timedelta(hours=36),
        ttl_after_finished=timedelta(days=14),
        on_change=OnChange.KEEP,
        on_remove=OnRemove.CANCEL,
        on_missing=OnMissing.RECREATE,
        suspend=True,
        protect=True,
    )


def test_annotations_are_kept_and_are_no_part_of_the_digest(tmp_path: Path) -> None:
    noted = JOB.replace("name: classify", "name: classify, annotations: {example.com/Owner: 'Ann ${var.x}', old: null}")
    stack = with_stack("variables: {x: {default: B}}")
    plain, job = the_job(tmp_path, JOB, stack), the_job(tmp_path, noted, stack)
    assert (plain.annotations, job.annotations) == ({}, {"example.com/Owner": "Ann B"})
    assert job.digest == plain.digest


@pytest.mark.parametrize(
    ("annotations", "fault"),
    [
        (
            "{a: 1}",
            '3:45: WrongType "a" must be a string, not a number (quote it: "1")',
        ),
        (
            "{-a: x}",
            (
                '3:42: InvalidValue "-a" cannot be a name in "annotations" (an annotation\'s key must be 1 to 253 letters, '
                "digits, `.`, `_`, `-` or `/`, with a letter or digit at both ends)"
            ),
        ),
    ],
)
def test_faults_of_annotations(tmp_path: Path, annotations: str, fault: str) -> None:
    job = JOB.replace("name: classify", f"name: classify, annotations: {annotations}")
    write(tmp_path, {"batchctl.yaml": STACK, "job.yaml": job})
    assert lines(tmp_path) == [f"job.yaml:{fault}"]


@pytest.mark.parametrize(
    ("spec", "source"),
    [
        ("src: files/abc-1", UploadedFile("files/abc-1")),
        ("src: {fileName: files/abc-1}", UploadedFile("files/abc-1")),
    ],
)
def test_a_source_in_its_short_and_long_form(tmp_path: Path, spec: str, source: UploadedFile) -> None:
    assert the_job(tmp_path, with_spec(spec)).source == source


def test_rows_in_their_short_and_long_form_are_the_same(tmp_path: Path) -> None:
    short = the_job(
        tmp_path, with_spec("src: [{key: a, text: x}, {key: b, request: {contents: [{parts: [{text: y}]}]}}]")
    )
    long = the_job(
        tmp_path,
        with_spec("src: {inlinedRequests: [{key: a, text: x}, {key: b, request: {contents: [{parts: [{text: y}]}]}}]}"),
    )
    assert short.source == long.source
    assert short.digest == long.digest


def test_a_local_file_is_relative_to_its_manifest(tmp_path: Path) -> None:
    rows = '{"key": "a", "text": "x"}\n{"key": "b", "text": "y"}\n'
    write(
        tmp_path, {"batchctl.yaml": STACK, "jobs/a.yaml": with_spec("src: {file: rows.jsonl}"), "jobs/rows.jsonl": rows}
    )
    (job,) = load_in(tmp_path).jobs
    path = tmp_path / "jobs" / "rows.jsonl"
    assert job.source == LocalFile(path, PlainRows().fingerprint(path, Kind.BATCH_JOB).sha256, 2)
    assert job.path == "jobs/a.yaml"


@pytest.mark.parametrize(
    ("instruction", "request_form"),
    [
        ("Be kind.", {"parts": [{"text": "Be kind."}]}),
        ("{role: user, parts: [{text: Be kind.}]}", {"role": "user", "parts": [{"text": "Be kind."}]}),
    ],
)
def test_request_defaults_are_given_in_rest_form(tmp_path: Path, instruction: str, request_form: object) -> None:
    job = the_job(tmp_path, with_spec(f"request: {{systemInstruction: {instruction}}}"))
    assert job.request == {"systemInstruction": request_form}


ALL_OF_A_REQUEST = """\
request:
  systemInstruction: {parts: [{text: a}, {inlineData: {mimeType: image/png, data: AAAA}}, {fileData: {fileUri: u}}]}
  safetySettings: [{category: HARM_CATEGORY_HATE_SPEECH, threshold: "OFF"}]
  tools:
    - googleSearch: {}
    - {codeExecution: {}, urlContext: {}, googleMaps: {}, fileSearch: {topK: 1}, computerUse: {environment: E}}
    - functionDeclarations: [{name: f, description: d, parameters: {type: OBJECT}, responseJsonSchema: true}]
  toolConfig:
    functionCallingConfig: {mode: ANY, allowedFunctionNames: [f]}
    retrievalConfig: {latLng: {latitude: 1.5, longitude: -2}, languageCode: fr}
  labels: {a: b}
  serviceTier: flex
  store: false
  continuationToken: dGVzdA==
  generationConfig:
    temperature: 0.2
    topP: 1
    topK: 40
    candidateCount: 1
    maxOutputTokens: 512
    stopSequences: [END]
    responseLogprobs: true
    logprobs: 2
    presencePenalty: 0.1
    frequencyPenalty: -0.1
    seed: 7
    responseMimeType: application/json
    responseSchema: {type: OBJECT}
    responseModalities: [TEXT, IMAGE]
    mediaResolution: MEDIA_RESOLUTION_LOW
    speechConfig: {languageCode: fr-FR, voiceConfig: {prebuiltVoiceConfig: {voiceName: Kore}}}
    thinkingConfig: {thinkingBudget: 0, includeThoughts: false, thinkingLevel: LOW}
    imageConfig: {aspectRatio: "16:9", imageSize: 1K}
    enableEnhancedCivicAnswers: true
    audioTranscriptionConfig: {}
"""


def test_every_field_of_a_request_is_known(tmp_path: Path) -> None:
    job = the_job(tmp_path, with_spec(ALL_OF_A_REQUEST))
    assert len(job.request) == 9
    assert len(job.request["generationConfig"]) == 20


NOT_YET = "is not supported yet"


@pytest.mark.parametrize(
    ("spec", "faults"),
    [
        ("modle: x", ['5:3: UnknownField there is no field "modle" in "spec" (did you mean model?)']),
        ("zzz: x\nqqq: y", 2),
        (
            "request: {generationconfig: {}}",
            ['5:13: UnknownField there is no field "generationconfig" in "request" (write generationConfig)'],
        ),
        (
            "request: {generation_config: {}, generationConfig: {}}",
            ["5:13: DuplicateKey both generation_config and generationConfig are given (keep one)"],
        ),
        ("request: {contents: []}", 1),
        (
            "request: {cachedContent: cachedContents/a, tools: [{codeExecution: {}}]}",
            [
                (
                    '5:53: InvalidValue "tools" cannot be used with "cachedContent" (put it into the cached content, or leave '
                    "cachedContent out)"
                )
            ],
        ),
        (
            "webhookConfig: {uris: ['http://example.com/h']}",
            [
                (
                    '5:26: InvalidValue an item of "uris" cannot be "http://example.com/h" (it must be an https URL such as'
                    " https://example.com/hook: the API calls no other)"
                )
            ],
        ),
        ("provider: gemni", ['5:13: UnknownProvider the stack has no provider "gemni" (did you mean gemini?)']),
        ("provider: ''", ['5:13: InvalidValue "provider" may not be empty']),
        ("model: 2.5", ['5:10: WrongType "model" must be a string, not a number (quote it: "2.5")']),
        ("model: true", ['5:10: WrongType "model" must be a string, not a boolean (quote it: "true")']),
        ("model: [a]", ['5:10: WrongType "model" must be a string, not a list']),
        ("model: ''", 1),
        ("model: models/", ['5:10: InvalidValue "model" is not the name of a model']),
        ("model: a..b", ['5:10: InvalidValue "model" is not the name of a model']),
        (
            "model: a?b",
            ['5:10: InvalidValue "model" cannot be "a?b" (it must be a model\'s name, such as gemini-2.5-flash)'],
        ),
        ('model: "gemini\\n"', 1),
        (
            "model: publishers/google/models/x",
            [
                (
                    '5:10: WrongProvider Gemini has no models like "publishers/google/models/x" (on Gemini a model is NAME, '
                    "models/NAME or tunedModels/NAME)"
                )
            ],
        ),
        ("model: tunedModels/my-tune", 0),
        (
            "model: null",
            [
                (
                    '5:3: MissingField the field "model" is missing (for example model: gemini-2.5-flash; or set '
                    "spec.defaults.model in the stack file)"
                )
            ],
        ),
        ("runId: 2026", ['5:10: WrongType "runId" must be a string, not a number (quote it: "2026")']),
        ("runId: 2026-11-22", 0),
        (f"runId: {'x' * 257}", ['5:10: InvalidValue "runId" is longer than 256 characters']),
        ('displayName: "a\\nb"', 1),
        (
            f'displayName: "x {Mark("shop", "k3v9q2", AttemptKey("a", 1), "d1:" + "0" * 12, "t" * 10)}  "',
            [
                (
                    '5:16: MarkLookalike "displayName" ends like the mark that batchctl writes itself (remove the part in '
                    "brackets at its end)"
                )
            ],
        ),
        ("displayName: x [bc1 mine]", 0),
        # src
        (
            "src: 5",
            [
                '5:8: WrongType "src" must be a string, a list or a mapping, not a number (it must be files/…, gs://…, bq://… or projects/…/locations/…/datasets/…; write {file: PATH} for a local file)'
            ],
        ),
        (
            "src: rows.jsonl",
            [
                (
                    '5:8: InvalidValue "src" cannot be "rows.jsonl" (it must be files/…, gs://…, bq://… or '
                    "projects/…/locations/…/datasets/…; write {file: PATH} for a local file)"
                )
            ],
        ),
        (
            "src: {}",
            [
                (
                    '5:8: InvalidValue "src" may not be empty (exactly one of: file, inlinedRequests, fileName, gcsUri, '
                    "bigqueryUri, vertexDatasetName, fromJob)"
                )
            ],
        ),
        (
            "src: {file: a, fileName: files/b}",
            [
                (
                    '5:8: InvalidValue "src" has too many members (exactly one of: file, inlinedRequests, fileName, gcsUri, '
                    "bigqueryUri, vertexDatasetName, fromJob)"
                )
            ],
        ),
        ("src: {flie: a}", ['5:9: UnknownField there is no field "flie" in "src" (did you mean file?)']),
        ("src: null", 1),
        ("src: []", ["5:8: InvalidRow the list has no rows"]),
        ("src: {inlinedRequests: {}}", ['5:26: WrongType "inlinedRequests" must be a list, not a mapping']),
        ("src: [x]", ["5:9: InvalidRow the row has no key"]),
        (
            "src: [{key: a}]",
            ["5:9: InvalidRow the row has neither text nor request"],
        ),
        ("src: [{key: 7, text: x}]", ['5:15: WrongType "key" must be a string (quote it: "7")']),
        ("src: [{key: a, text: 7}]", ['5:24: WrongType "text" must be a string (quote it: "7")']),
        ("src: [{key: null, text: x}]", 1),
        (
            "src: [{key: a, text: x}, {key: a, text: y}]",
            ['5:28: InvalidRow the key "a" appears twice (first at 5:9)'],
        ),
        (
            "src: gs://b/in.jsonl",
            [
                (
                    "5:8: WrongProvider a gs:// source is for Vertex only (Gemini reads rows in the manifest, a local JSONL "
                    "file ({file: PATH}) or an uploaded file (files/…))"
                )
            ],
        ),
        ("src: bq://p.d.t", 1),
        ("src: {gcsUri: [gs://b/a, gs://b/b]}", 1),
        (
            "src: {gcsUri: b/a}",
            ['5:17: InvalidValue "gcsUri" cannot be "b/a" (it must look like gs://bucket/path.jsonl)'],
        ),
        ("src: {gcsUri: []}", ['5:17: InvalidValue "gcsUri" may not be empty']),
        ("src: projects/p/locations/l/datasets/1", 1),
        (
            "dest: gs://b/out/",
            [
                '5:3: WrongProvider "dest" is for Vertex only (leave it out: Gemini keeps results itself, and batchctl collects them)'
            ],
        ),
        (
            "src: files/abc\nrequest: {generationConfig: {seed: 1}}",
            [
                (
                    '6:3: UselessRequest "request" has no effect on rows that batchctl does not send (put the fields into the '
                    "rows themselves; `request: null` removes the stack's defaults)"
                )
            ],
        ),
        ("src: files/abc\nrequest: {}", 0),
        # later releases
        (
            "dependsOn: [other]",
            ['5:15: UnknownJob "dependsOn" names "other", and there is no such job (one of: classify)'],
        ),
        ("webhookConfig: {uris: ['HTTPS://Example.com/h']}", 0),
        ("webhookConfig: {uris: []}", ['5:25: InvalidValue "uris" may not be empty']),
        ("priority: 3.5", ['5:13: WrongType "priority" must be a whole number, not "3.5"']),
        (
            "adopt: files/x",
            [
                '5:10: InvalidValue "adopt" cannot be "files/x" (it must be the name of a batch job, such as batches/abc123 or projects/…/locations/…/batchPredictionJobs/123)'
            ],
        ),
        ("lifecycle: {maxFailedRows: 5.5}", 1),
        ("lifecycle: {maxFailedRows: 100.5%}", 1),
        ("lifecycle: {maxFailedRows: -1}", 1),
        # lifecycle
        (
            "lifecycle: {retryOn: [FAILD]}",
            ['5:25: InvalidValue an item of "retryOn" cannot be "FAILD" (did you mean FAILED?)'],
        ),
        (
            "lifecycle: {retryOn: [5]}",
            [
                '5:25: WrongType an item of "retryOn" must be a string, not a number (one of: CANCELLED, EXPIRED, FAILED, PARTIALLY_SUCCEEDED, ROWS)'
            ],
        ),
        ("lifecycle: {retryOn: [FAILED, FAILED]}", ['5:33: InvalidValue "retryOn" names "FAILED" twice']),
        (
            "lifecycle: {onRemove: drop}",
            ['5:25: InvalidValue "onRemove" cannot be "drop" (one of: cancel, delete, keep)'],
        ),
        (
            "lifecycle: {onChange: true}",
            ['5:25: WrongType "onChange" must be a string, not a boolean (one of: fail, keep, replace)'],
        ),
        ("lifecycle: {backoffLimit: -1}", ['5:29: InvalidValue "backoffLimit" must be at least 0']),
        ("lifecycle: {backoffLimit: 1.5}", ['5:29: WrongType "backoffLimit" must be a whole number, not "1.5"']),
        ("lifecycle: {backoffLimit: 1.0}", 0),
        ("lifecycle: {pendingDeadline: 9999w}", ['5:32: InvalidValue "pendingDeadline" is longer than ten years']),
        ("lifecycle: {pendingDeadline: 12 h}", 1),
        ("lifecycle: {pendingDeadline: null, suspend: null}", 0),
        ("lifecycle: 5", ['5:14: WrongType "lifecycle" must be a mapping, not a number']),
        # request
        (
            "request: {systemInstruction: 5}",
            ['5:32: WrongType "systemInstruction" must be a string or a mapping, not a number (quote it: "5")'],
        ),
        ("request: {systemInstruction: {parts: []}}", ['5:40: InvalidValue "parts" may not be empty']),
        ("request: {systemInstruction: {parts: [{}]}}", 1),
        ("request: {safetySettings: [{category: HARM_CATEGORY_HATE_SPEECH}]}", 1),
        (
            "request: {safetySettings: [{category: HARM_CATEGORY_HATE_SPEECH, threshold: 'OFF', method: SEVERITY}]}",
            ['5:86: WrongProvider "method" is for Vertex only (leave it out)'],
        ),
        ("request: {tools: [{}]}", 1),
        ("request: {tools: [{googleSearch: true}]}", 1),
        ("request: {tools: [{retrieval: {}}]}", ['5:22: WrongProvider "retrieval" is for Vertex only (leave it out)']),
        (
            "request: {generationConfig: {audioTimestamp: true, imageConfig: {prominentPeople: X}}}",
            [
                '5:32: WrongProvider "audioTimestamp" is for Vertex only (leave it out)',
                '5:68: WrongProvider "prominentPeople" is for Vertex only (leave it out)',
            ],
        ),
        ("request: {generationConfig: {temperature: 3}}", ['5:45: InvalidValue "temperature" must be at most 2']),
        (
            "request: {generationConfig: {temperature: hot}}",
            ['5:45: WrongType "temperature" must be a number, not a string'],
        ),
        ("request: {generationConfig: {responseSchema: x}}", 1),
        (
            "request: {generationConfig: {responseJsonSchema: x}}",
            ['5:52: WrongType "responseJsonSchema" must be a mapping or true or false, not a string'],
        ),
        ("extraBody: [a]", ['5:14: WrongType "extraBody" must be a mapping, not a list']),
    ],
)
def test_faults_of_a_batch_job(tmp_path: Path, spec: str, faults: list[str] | int) -> None:
    write(tmp_path, {"batchctl.yaml": STACK, "job.yaml": with_spec(spec)})
    if faults == 0:
        assert len(load_in(tmp_path).jobs) == 1
        return
    found = lines(tmp_path)
    assert all(line.startswith("job.yaml:") for line in found)
    if isinstance(faults, int):
        assert len(found) == faults, found
    else:
        assert found == [f"job.yaml:{fault}" for fault in faults]


@pytest.mark.parametrize(
    ("spec", "faults"),
    [
        ("request: {taskType: RETRIEVAL_DOCUMENT, title: T, outputDimensionality: 768}", []),
        (
            "request: {generationConfig: {}}",
            [
                (
                    '5:13: UnknownField there is no field "generationConfig" in "request" (one of: embedContentConfig, '
                    "outputDimensionality, taskType, title)"
                )
            ],
        ),
        ("request: {outputDimensionality: 0}", ['5:35: InvalidValue "outputDimensionality" must be at least 1']),
    ],
)
def test_faults_of_an_embeddings_job(tmp_path: Path, spec: str, faults: list[str]) -> None:
    write(tmp_path, {"batchctl.yaml": STACK, "job.yaml": with_spec(spec, "EmbeddingsBatchJob")})
    if faults:
        assert lines(tmp_path) == [f"job.yaml:{fault}" for fault in faults]
    else:
        assert load_in(tmp_path).jobs[0].kind is Kind.EMBEDDINGS_BATCH_JOB


@pytest.mark.parametrize(
    ("text", "faults"),
    [
        ("[]", ["1:1: WrongType a manifest is a mapping (apiVersion, kind, metadata and spec)"]),
        ("text", ["1:1: WrongType a manifest is a mapping (apiVersion, kind, metadata and spec)"]),
        (
            "name: x",
            [
                (
                    '1:1: MissingField the field "kind" is missing (if this file is not a manifest, list the folders '
                    "of the manifests in spec.manifests of the stack file)"
                )
            ],
        ),
        ("kind: null", 1),
        (
            "kind: Batchjob",
            [
                '1:1: MissingField the field "apiVersion" is missing (apiVersion: batchctl.dev/v1)',
                '1:7: UnknownKind there is no kind "Batchjob" (did you mean BatchJob?)',
            ],
        ),
        (
            "apiVersion: batchctl.dev/v2\nkind: BatchRun",
            [
                '1:13: InvalidValue "apiVersion" must be batchctl.dev/v1, not "batchctl.dev/v2"',
                '2:7: UnknownKind there is no kind "BatchRun" (one of: BatchJob, EmbeddingsBatchJob, List)',
            ],
        ),
        (
            "apiVersion: batchctl.dev/v2\nkind: [BatchJob]",
            [
                '1:13: InvalidValue "apiVersion" must be batchctl.dev/v1, not "batchctl.dev/v2"',
                '2:7: WrongType "kind" must be a string (one of: BatchJob, EmbeddingsBatchJob, List)',
            ],
        ),
        ("apiVersion: batchctl.dev/v2", 2),
        ("apiVersion: batchctl.dev/v1", 1),
        ("kind: [BatchJob]", 2),
        (
            "kind: Stack",
            [
                (
                    "1:7: UnknownKind another stack's file is among this stack's manifests (list only the folders of this "
                    "stack in its spec.manifests)"
                )
            ],
        ),
        ("kind: BatchJob", 3),
        ("{apiVersion: batchctl.dev/v1, kind: BatchJob, metadata: {name: a}, spec: null}", 1),
        ("{apiVersion: batchctl.dev/v1, kind: BatchJob, metadata: [], spec: []}", 2),
        ("{apiVersion: batchctl.dev/v1, kind: BatchJob, metadata: {name: a}, spec: {}, extra: 1}", 1),
        (JOB.replace("classify", "Classify"), 1),
        (JOB.replace("classify", "a" * 41), 1),
        (JOB.replace("classify", "-a"), 1),
        (JOB.replace("classify", '"a\\n"'), 1),
        (JOB.replace("classify", "5"), ['3:18: WrongType "name" must be a string, not a number (quote it: "5")']),
        (JOB.replace("classify", "null"), 1),
        (
            JOB.replace("classify", "a, labels: {batchctl-x: y}"),
            [
                (
                    '3:30: InvalidValue "batchctl-x" cannot be a name in "labels" (a label\'s key must be 1 to 64 lower-case '
                    "letters, digits, `_` or `-`, and may not start with `batchctl-`)"
                )
            ],
        ),
        (
            JOB.replace("classify", "a, labels: {v: 1}"),
            ['3:33: WrongType "v" must be a string, not a number (quote it: "1")'],
        ),
        (
            JOB.replace("classify", f"a, labels: {{v: {'X' * 70}}}"),
            [
                (
                    f'3:33: InvalidValue "v" cannot be "{"X" * 60}…" (it must be at most 64 lower-case '
                    "letters, digits, `_` or `-`)"
                )
            ],
        ),
    ],
)
def test_faults_of_the_frame(tmp_path: Path, text: str, faults: list[str] | int) -> None:
    write(tmp_path, {"batchctl.yaml": STACK, "job.yaml": text})
    found = lines(tmp_path)
    if isinstance(faults, int):
        assert len(found) == faults, found
    else:
        assert found == [f"job.yaml:{fault}" for fault in faults]


TWO = with_stack("providers: {one: {type: gemini}, two: {type: gemini, endpoint: emulator}}\n")


def test_with_several_providers_the_job_or_the_defaults_choose(tmp_path: Path) -> None:
    assert the_job(tmp_path, with_spec("provider: two"), TWO).account == Account(Api.GEMINI, "emulator")
    assert the_job(tmp_path, JOB, TWO + "  defaults: {provider: one}\n").provider == "one"
    write(tmp_path, {"batchctl.yaml": TWO})
    assert lines(tmp_path) == [
        (
            'job.yaml:5:3: MissingField the field "provider" is missing, and the stack has several providers (one of: one, '
            "two; or set spec.defaults.provider in the stack file)"
        )
    ]


def test_useless_request_defaults_of_the_stack_are_reported_for_each_job(tmp_path: Path) -> None:
    stack = with_stack("defaults: {request: {generationConfig: {seed: 1}}}\n")
    write(
        tmp_path,
        {"batchctl.yaml": stack, "a.yaml": with_spec("src: files/x"), "b.yaml": with_spec("src: files/y", name="b")},
    )
    assert [line.split(" ")[:2] for line in lines(tmp_path)] == [
        ["a.yaml:5:8:", "UselessRequest"],
        ["b.yaml:5:8:", "UselessRequest"],
    ]
    write(tmp_path, {"a.yaml": with_spec("src: files/x\nrequest: null"), "b.yaml": JOB.replace("classify", "b")})
    assert [job.request for job in load_in(tmp_path).jobs] == [{"generationConfig": {"seed": 1}}, {}]


# Local files


@pytest.mark.parametrize(
    ("file", "rows", "faults"),
    [
        (
            "rows.jsonl",
            None,
            ["job.yaml:5:15: FileNotFound there is no file rows.jsonl (paths are relative to the manifest's folder)"],
        ),
        (".", None, ["job.yaml:5:15: UnreadableFile . is a folder (name one file of rows)"]),
        (
            "rows.jsonl",
            '{"key": "a", "text": "x"}\n{"key": "b"}\n{"text": "c"}\n',
            [
                "rows.jsonl:2:1: InvalidRow the row has neither text nor request",
                "rows.jsonl:3:1: InvalidRow the row has no key",
            ],
        ),
        (
            "rows.jsonl",
            "",
            [
                'rows.jsonl:1:1: InvalidRow the file has no rows (one row per line: {"key": …, "text": …} or {"key": …, "request": …})'
            ],
        ),
    ],
)
def test_faults_of_local_files(tmp_path: Path, file: str, rows: str | None, faults: list[str]) -> None:
    write(tmp_path, {"batchctl.yaml": STACK, "job.yaml": with_spec(f"src: {{file: {file}}}")})
    if rows is not None:
        (tmp_path / "rows.jsonl").write_text(rows)
    assert [line.replace(str(tmp_path), ".") for line in lines(tmp_path)] == faults


def test_a_name_that_is_too_long_for_a_file_is_not_found(tmp_path: Path) -> None:
    write(tmp_path, {"batchctl.yaml": STACK, "job.yaml": with_spec(f"src: {{file: {'r' * 300}}}")})
    (fault,) = lines(tmp_path)
    assert fault.startswith("job.yaml:5:15: FileNotFound there is no file rrrrrr")
    assert fault.endswith("r… (paths are relative to the manifest's folder)")


class _Unreadable(PlainRows):
    def fingerprint(self, path: Path, kind: Kind, line_bytes: int = 0, rules: RowRules | None = None) -> RowsSummary:
        raise PermissionError(13, "Permission denied", str(path))


def test_a_local_file_that_cannot_be_read(tmp_path: Path) -> None:
    write(tmp_path, {"batchctl.yaml": STACK, "job.yaml": with_spec("src: {file: rows.jsonl}"), "rows.jsonl": "x"})
    with pytest.raises(ManifestError, match=r":5:15: UnreadableFile .*rows.jsonl cannot be read: Permission denied"):
        load(
            tmp_path / "batchctl.yaml", Asked(), overrides=Overrides(), env={}, rows=_Unreadable(),
            trust=Trust(),
        )  # fmt: skip


def test_a_local_file_outside_the_stack_has_to_be_allowed(tmp_path: Path) -> None:
    stack = tmp_path / "stack"
    write(tmp_path, {"secret.jsonl": '{"key": "a", "text": "x"}\n', "stack/batchctl.yaml": STACK})
    (stack / "link.jsonl").symlink_to(tmp_path / "secret.jsonl")
    for file in ("../secret.jsonl", "link.jsonl", str(tmp_path / "secret.jsonl")):
        write(stack, {"job.yaml": with_spec(f"src: {{file: {file}}}")})
        (fault,) = faults_in(stack)
        assert (fault.code, str(fault.location)) == ("OutsideStack", f"{stack}/job.yaml:5:15")
        (job,) = load_in(stack, trust=Trust(allow_outside=True)).jobs
        assert job.source.path == tmp_path / "secret.jsonl"


@pytest.mark.parametrize(
    ("text", "seconds"), [("0s", 0), ("90s", 90), ("1d12h", 129_600), ("2w", 1_209_600), ("1h1h", 7200), ("5m", 300)]
)
def test_durations(text: str, seconds: int) -> None:
    assert parse_duration(text) == timedelta(seconds=seconds)


@pytest.mark.parametrize(
    "text", ["", "12", "h", "1y", "-1h", "1h ", "1h\n", "3651d", "1d" * 4000, "9" * 5000 + "s", "\u0661h"]
)
def test_invalid_durations(text: str) -> None:
    with pytest.raises(ValueError, match=r"must be a duration|is longer than ten years"):
        parse_duration(text)


def test_values_and_fields_that_the_api_may_take_are_warnings(tmp_path: Path) -> None:
    write(
        tmp_path,
        {
            "batchctl.yaml": STACK,
            "job.yaml": with_spec("""\
request:
  safetySettings: [{category: HARM_CATEGORY_HATE, threshold: BLOCK_NONE}]
  tools: [{google_search_retrieval: {}}]
"""),
        },
    )
    desired = load_in(tmp_path)
    assert [str(warning).removeprefix(f"{tmp_path}/") for warning in desired.warnings] == [
        (
            'job.yaml:6:33: UnknownValue "category" has the unknown value "HARM_CATEGORY_HATE"'
            " (did you mean HARM_CATEGORY_HATE_SPEECH?)"
        ),
        'job.yaml:7:14: Deprecated "googleSearchRetrieval" is deprecated (write googleSearch)',
    ]
    assert desired.jobs[0].request["tools"] == [{"googleSearchRetrieval": {}}]


def test_both_spellings_merge_over_the_stacks_defaults(tmp_path: Path) -> None:
    stack = STACK + "  defaults: {request: {generation_config: {top_k: 1, topP: 0.5}}}\n"
    job = the_job(tmp_path, with_spec("request: {generationConfig: {top_k: 2}}"), stack)
    assert job.request == {"generationConfig": {"topK": 2, "topP": 0.5}}


def test_requests_of_rows_in_the_manifest_are_checked_at_their_place(tmp_path: Path) -> None:
    rows = """\
src:
  - {key: a, text: fine}
  - key: b
    request:
      contents: [{role: assistant, parts: [{text: x}]}]
      generation_config: {max_tokens: 5}
"""
    write(tmp_path, {"batchctl.yaml": STACK, "job.yaml": with_spec(rows)})
    assert [line.partition("job.yaml:")[2] for line in lines(tmp_path)] == [
        '9:27: InvalidValue "role" cannot be "assistant" (write model)',
        '10:29: UnknownField there is no field "max_tokens" in "generation_config" (write generationConfig.maxOutputTokens)',
    ]


def test_unknown_values_in_rows_are_warnings_with_their_line(tmp_path: Path) -> None:
    row = '{"key": "a", "request": {"contents": [{"parts": [{"text": "x"}]}], "serviceTier": "gold"}}\n'
    write(tmp_path, {"batchctl.yaml": STACK, "job.yaml": with_spec("src: {file: rows.jsonl}"), "rows.jsonl": row})
    desired = load_in(tmp_path, rows=RowFiles())
    assert [str(warning).partition("rows.jsonl:")[2] for warning in desired.warnings] == [
        (
            '1:1: UnknownValue request.serviceTier: "serviceTier" has the unknown value "gold"'
            " (known are: unspecified, standard, flex, priority)"
        )
    ]


def test_a_row_in_another_form_has_its_problems_at_the_row(tmp_path: Path) -> None:
    rows = "src: [{key: a, contents: [{role: user, parts: [{text: x}]}], config: {max_tokens: 5}}]"
    write(tmp_path, {"batchctl.yaml": STACK, "job.yaml": with_spec(rows)})
    (line,) = lines(tmp_path, rows=RowFiles())
    assert 'job.yaml:5:9: UnknownField there is no field "maxTokens" in "generationConfig"' in line
    assert "write generationConfig.maxOutputTokens" in line


@pytest.mark.parametrize(
    ("row", "says"),
    [
        ("{contents: x, config: {tools: [google_search]}}", 'an item of "tools" must be an object, not a string'),
        ("{contents: x, config: {response_schema: Recipe}}", '"responseSchema" must be an object, not a string'),
        ("{contents: [{parts: x}]}", '"parts" must be a list, not a string (write [{text: …}])'),
    ],
)
def test_a_row_in_another_form_is_not_what_its_value_is(tmp_path: Path, row: str, says: str) -> None:
    """`"tools" must be a mapping, not a mapping`: the row was taken for the value of its member."""
    write(tmp_path, {"batchctl.yaml": STACK, "job.yaml": with_spec(f"src: [{row}]")})
    (line,) = lines(tmp_path, rows=RowFiles())
    assert f"WrongType {says}" in line


def test_warnings_beyond_the_limit_are_dropped() -> None:
    faults = Faults()
    for number in range(MOST_FAULTS + 1):
        faults.warn(Location("a.yaml", number + 1), Code.UNKNOWN_VALUE, "x")
    assert len(faults.warnings) == MOST_FAULTS
    assert not faults.any()


def test_unknown_members_are_possible_with_extra_request(tmp_path: Path) -> None:
    spec = "request: {generationConfig: {topK: 1}}\nextraRequest: {newMember: {on: true}, generationConfig: {newer: x}}"
    job = the_job(tmp_path, with_spec(spec))
    assert job.request == {"generationConfig": {"topK": 1, "newer": "x"}, "newMember": {"on": True}}
    alone = the_job(tmp_path, with_spec("extraRequest: {newMember: 1}"))
    assert alone.request == {"newMember": 1}
    assert alone.digest not in {job.digest, the_job(tmp_path, JOB).digest}
    default = the_job(tmp_path, JOB, with_stack("defaults: {extraRequest: {newMember: 1}}"))
    assert default.digest == alone.digest


def test_one_part_in_place_of_a_list_is_respelled_too(tmp_path: Path) -> None:
    spec = "request: {systemInstruction: {parts: {inline_data: {mime_type: a/b, data: AAAA}}}}"
    part = {"inlineData": {"mimeType": "a/b", "data": "AAAA"}}
    assert the_job(tmp_path, with_spec(spec)).request == {"systemInstruction": {"parts": part}}
    write(tmp_path, {"job.yaml": with_spec("request: {systemInstruction: {parts: x}}")})
    (line,) = lines(tmp_path)
    assert '"parts" must be a list, not a string' in line


def test_a_row_of_another_service_has_a_place_while_the_api_is_not_known(tmp_path: Path) -> None:
    row = "{custom_id: a, method: POST, url: /v1, body: {messages: [{role: user, content: b}]}}"
    write(tmp_path, {"batchctl.yaml": STACK, "job.yaml": with_spec(f"provider: gemni\nsrc: [{row}]")})
    with pytest.raises(ManifestError) as raised:
        load_in(tmp_path, rows=RowFiles())
    # The Gemini API may take such a row, so it is no error here.
    found = [
        [str(one).removeprefix(f"{tmp_path}/").split(" ")[:2] for one in some]
        for some in (raised.value.diagnostics, raised.value.warnings)
    ]
    assert found == [[["job.yaml:5:13:", "UnknownProvider"]], [["job.yaml:6:9:", "UnknownValue"]]]
