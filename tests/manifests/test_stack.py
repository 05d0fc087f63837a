from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from batchctl.manifests.load import load_stack
from batchctl.manifests.overrides import Overrides
from batchctl.manifests.trust import Trust
from batchctl.model.errors import ManifestError, UsageError
from batchctl.model.keys import Api
from batchctl.model.stack import Limits, ProviderConfig, SharedPlace
from tests.support.manifest_files import JOB, STACK, lines, load_in, the_job, with_spec, with_stack, write


def stack_in(folder: Path, text: str, state: str | None = None, **options: object):
    write(folder, {"batchctl.yaml": text})
    given = {"env": {}, "trust": Trust(), **options}
    return load_stack(folder / "batchctl.yaml", overrides=Overrides(state=state), **given)


def test_a_missing_field_has_its_default(tmp_path: Path) -> None:
    stack = stack_in(tmp_path, STACK)
    assert (stack.name, stack.uid, stack.suspend, stack.limits) == ("shop", "k3v9q2", False, Limits())
    assert (stack.folder, stack.file) == (tmp_path, tmp_path / "batchctl.yaml")
    assert (stack.state, stack.results) == (tmp_path / ".batchctl/state.db", tmp_path / "results")
    assert stack.providers == {"gemini": ProviderConfig("gemini", Api.GEMINI)}


def test_written_fields_are_read(tmp_path: Path) -> None:
    stack = stack_in(
        tmp_path,
        with_stack("""\
        state: var/jobs.db
        results: out/rows
        suspend: true
        providers:
          local: {type: gemini, endpoint: emulator}
        limits:
          concurrency: 2
          maxCreate: 0
          maxReplace: 1
          maxDelete: 2
          displayName: 200
          createTimeout: 30s
          readTimeout: 3m
          settleGrace: 2m
          fileMinLife: 1d
          lineBytes: 2097152
          stuckFactor: 1.5
          pauseWhenStalled: false
          countTokens: false
        """),
    )
    assert stack.suspend
    assert (stack.state, stack.results) == (tmp_path / "var/jobs.db", tmp_path / "out/rows")
    assert stack.providers == {"local": ProviderConfig("local", Api.GEMINI, "emulator")}
    assert stack.limits == Limits(
        2,
        0,
        1,
        2,
        200,
        timedelta(seconds=30),
        timedelta(minutes=2),
        timedelta(days=1),
        line_bytes=2**21,
        read_timeout=timedelta(minutes=3),
        stuck_factor=1.5,
        pause_when_stalled=False,
        count_tokens=False,
    )


def test_null_is_the_same_as_leaving_it_out(tmp_path: Path) -> None:
    stack = stack_in(tmp_path, with_stack("state:\nlimits: ~\nresults: null\n"))
    assert stack == stack_in(tmp_path, STACK)


def test_the_operators_state_may_be_anywhere(tmp_path: Path) -> None:
    assert stack_in(tmp_path, STACK, state="/var/lib/state.db").state == Path("/var/lib/state.db")
    assert stack_in(tmp_path, STACK, state="s.db").state == Path.cwd() / "s.db"
    assert stack_in(tmp_path, STACK, state="gs://bucket/state.db").state == SharedPlace("gs://bucket/state.db")
    database = "postgresql://me@db/batchctl?schema=shop"
    assert stack_in(tmp_path, STACK, state=database).state == SharedPlace(database)
    with pytest.raises(ManifestError, match=r'^--state: InvalidValue "state" cannot be at mysql://') as caught:
        stack_in(tmp_path, STACK, state="mysql://me:hunter2@db/batchctl")
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize("state", ["gs:/bucket/state.db", "gs:bucket", "postgresql:/me:hunter2@db/batchctl"])
def test_an_address_with_a_slash_too_few_is_no_path(tmp_path: Path, state: str) -> None:
    scheme = state.split(":", maxsplit=1)[0]
    with pytest.raises(ManifestError, match=rf'^--state: InvalidValue "state" has no // after {scheme}: ') as caught:
        stack_in(tmp_path, STACK, state=state)
    assert "hunter2" not in str(caught.value)
    with pytest.raises(ManifestError, match=rf'"state" has no // after {scheme}: \(write it as gs://'):
        stack_in(tmp_path, with_stack(f"state: '{state}'\n"))


def test_a_shared_state_is_an_object_in_a_bucket(tmp_path: Path) -> None:
    stack = stack_in(tmp_path, with_stack("state: gs://team/prod/state.db"))
    assert str(stack.state) == "gs://team/prod/state.db"
    for url in (
        "gs://team",
        "gs://team/",
        "gs://team/a/",
        "gs://t/a",
        "gs://team/a//b",
        "gs://team/a%2Fb",
    ):
        with pytest.raises(ManifestError, match=r'"state" is not the address of an object: '):
            stack_in(tmp_path, with_stack(f"state: {url}"))


@pytest.mark.parametrize(
    ("spec", "faults"),
    [
        (
            "provider: {}",
            ['batchctl.yaml:5:3: UnknownField there is no field "provider" in "spec" (did you mean providers?)'],
        ),
        ("providers: {}", ['batchctl.yaml:5:14: InvalidValue "providers" may not be empty']),
        (
            "providers: {A_b: {type: gemini}}",
            [
                (
                    'batchctl.yaml:5:15: InvalidValue "A_b" cannot be a name in "providers" (a provider\'s name must be 1 to '
                    "40 lower-case letters, digits and dashes, without a dash at either end)"
                )
            ],
        ),
        (
            "providers: {g: {type: gemeni}}",
            ['batchctl.yaml:5:25: InvalidValue "type" cannot be "gemeni" (did you mean gemini?)'],
        ),
        (
            "providers: {g: {}}",
            [
                'batchctl.yaml:5:18: MissingField the field "type" is missing in "g" (The API: gemini (Developer API) or vertex (Vertex AI))'
            ],
        ),
        (
            "providers: {g: {type: gemini, project: p}}",
            [
                (
                    'batchctl.yaml:5:33: WrongProvider "project" is for Vertex only (remove it: a provider of type gemini '
                    "does not use it)"
                )
            ],
        ),
        (
            "providers: {v: {type: vertex, project: p}}",
            [
                'batchctl.yaml:5:19: MissingField a provider of type vertex needs "location" (such as europe-west1 or global)',
            ],
        ),
        (
            "providers: {g: {type: gemini, endpoint: emulater}}",
            [
                (
                    'batchctl.yaml:5:33: InvalidValue "endpoint" must be a base URL such as https://host or '
                    "http://127.0.0.1:8085 (did you mean emulator?)"
                )
            ],
        ),
        (
            "providers: {g: {type: gemini, endpoint: 'https://evil.example/x'}}",
            [
                (
                    "batchctl.yaml:5:33: UntrustedEndpoint https://evil.example is neither https at googleapis.com nor on "
                    "this machine (if you trust it with your credentials: BATCHCTL_ALLOW_ENDPOINT=https://evil.example)"
                )
            ],
        ),
        (
            "state: gs://team/state.db/",
            [
                (
                    "batchctl.yaml:5:3: InvalidValue \"state\" is not the address of an object: 'gs://team/state.db/' "
                    "(write it as gs://bucket/prefix/state.db or postgresql://user@host/database?schema=name, or use a local path)"
                )
            ],
        ),
        (
            "state: ../state.db",
            [
                (
                    'batchctl.yaml:5:3: OutsideStack "state" is outside the stack\'s folder (choose a path inside, or allow '
                    "it with BATCHCTL_ALLOW_OUTSIDE=1)"
                )
            ],
        ),
        (
            "results: .",
            [
                (
                    'batchctl.yaml:5:3: InvalidValue "results" cannot be the stack\'s own folder (name a folder of its own, '
                    "such as results/)"
                )
            ],
        ),
        (
            "limits: {active: 3, enqueuedTokens: 5, maxDeletes: 1}",
            ['batchctl.yaml:5:42: UnknownField there is no field "maxDeletes" in "limits" (did you mean maxDelete?)'],
        ),
        (
            "limits: {active: 0, enqueuedTokens: {m: 0}}",
            [
                'batchctl.yaml:5:20: InvalidValue "active" must be at least 1',
                'batchctl.yaml:5:43: InvalidValue "m" must be at least 1',
            ],
        ),
        ("limits: {concurrency: 0}", ['batchctl.yaml:5:25: InvalidValue "concurrency" must be at least 1']),
        ("limits: {displayName: 9999}", ['batchctl.yaml:5:25: InvalidValue "displayName" must be at most 512']),
        (
            "limits: {settleGrace: 1m}",
            [
                (
                    'batchctl.yaml:5:12: InvalidValue "settleGrace" must be longer than "createTimeout" (a create call that '
                    "may still be running must not be sent again)"
                )
            ],
        ),
        (
            "limits: {createTimeout: 1h}",
            [
                (
                    'batchctl.yaml:5:12: InvalidValue "settleGrace" must be longer than "createTimeout" (a create call that '
                    "may still be running must not be sent again)"
                )
            ],
        ),
        (
            "limits: {createTimeout: 0s}",
            ['batchctl.yaml:5:12: InvalidValue "createTimeout" must be longer than 0s'],
        ),
        (
            "limits: {fileMinLife: 999999999999w}",
            ['batchctl.yaml:5:12: InvalidValue "fileMinLife" is longer than ten years'],
        ),
        (
            "limits: {fileMinLife: 36}",
            [
                'batchctl.yaml:5:25: WrongType "fileMinLife" must be a string, not a number (it must be a duration such as 90s, 12h or 1d12h)'
            ],
        ),
        (
            "limits: {fileMinLife: 36 h}",
            [
                (
                    'batchctl.yaml:5:25: InvalidValue "fileMinLife" cannot be "36 h" (it must be a duration such as 90s, '
                    "12h or 1d12h)"
                )
            ],
        ),
        ("manifests: []", ['batchctl.yaml:5:14: InvalidValue "manifests" may not be empty']),
        ("manifests: ['']", ['batchctl.yaml:5:15: InvalidValue an item of "manifests" may not be empty']),
        (
            "manifests: [jbos]",
            ["batchctl.yaml:5:15: FileNotFound there is no file or folder jbos"],
        ),
        (
            'manifests: ["a\\0b"]',
            [
                "batchctl.yaml:5:15: FileNotFound there is no file or folder a\\x00b",
                (
                    'batchctl.yaml:5:15: InvalidValue an item of "manifests" cannot be "a\\x00b" (it may not contain line '
                    "breaks or control characters)"
                ),
            ],
        ),
        (
            'results: "a\\0b"',
            [
                (
                    'batchctl.yaml:5:12: InvalidValue "results" cannot be "a\\x00b" (it may not contain line breaks or control '
                    "characters)"
                )
            ],
        ),
        (
            "manifests: jobs",
            ['batchctl.yaml:5:14: WrongType "manifests" must be a list, not a string (write it as a list: [jobs])'],
        ),
        (
            "suspend: yes",
            [
                'batchctl.yaml:5:12: WrongType "suspend" must be true or false, not a string (write it as true, without quotes)'
            ],
        ),
        (
            "defaults: {modle: x}",
            ['batchctl.yaml:5:14: UnknownField there is no field "modle" in "defaults" (did you mean model?)'],
        ),
        (
            "defaults: {src: files/x}",
            [
                (
                    'batchctl.yaml:5:14: UnknownField there is no field "src" in "defaults" (one of: adopt, canary, dependsOn, '
                    "dest, displayName, extraBody, extraRequest, lifecycle, model, priority, provider, request, rows, runId, "
                    "sharding, webhookConfig)"
                )
            ],
        ),
    ],
)
def test_faults_of_the_stack_file(tmp_path: Path, spec: str, faults: list[str]) -> None:
    write(tmp_path, {"batchctl.yaml": with_stack(spec)})
    assert lines(tmp_path) == faults


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("", "batchctl.yaml:1:1: WrongType a stack file is one mapping"),
        ("[a]\n", "batchctl.yaml:1:1: WrongType a stack file is one mapping"),
        ("a: 1\n---\nb: 2\n", "batchctl.yaml:3:1: WrongType a stack file is one mapping"),
        ("a: [\n", "batchctl.yaml:2:1: InvalidYaml did not find expected node content"),
    ],
)
def test_a_stack_file_without_a_usable_content(tmp_path: Path, text: str, fault: str) -> None:
    write(tmp_path, {"batchctl.yaml": text})
    (line,) = lines(tmp_path)
    assert line.startswith(fault)


def test_a_stack_file_that_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / "batchctl.yaml").mkdir()
    assert lines(tmp_path) == ["batchctl.yaml:1:1: UnreadableFile the stack file cannot be read: Is a directory"]


@pytest.mark.parametrize("spec", ["3", "[a]", "text"])
def test_a_spec_that_is_no_mapping(tmp_path: Path, spec: str) -> None:
    head = "apiVersion: batchctl.dev/v1\nkind: Stack\nmetadata: {name: shop, uid: k3v9q2}\n"
    write(tmp_path, {"batchctl.yaml": f"{head}spec: {spec}\n"})
    assert lines(tmp_path)[0].startswith('batchctl.yaml:4:7: WrongType "spec" ')


def test_head_of_the_stack_file(tmp_path: Path) -> None:
    write(tmp_path, {"batchctl.yaml": "apiVersion: v2\nkind: Stak\nmetadata: {name: Shop, uid: 123456}\nspec: {}\n"})
    assert lines(tmp_path) == [
        'batchctl.yaml:1:13: InvalidValue "apiVersion" must be batchctl.dev/v1, not "v2"',
        'batchctl.yaml:2:7: InvalidValue "kind" must be Stack, not "Stak"',
        (
            'batchctl.yaml:3:18: InvalidValue "name" cannot be "Shop" (it must be 1 to 32 lower-case letters, digits and '
            "dashes, without a dash at either end)"
        ),
        'batchctl.yaml:3:29: WrongType "uid" must be a string, not a number (quote it: "123456")',
        (
            'batchctl.yaml:4:7: MissingField the field "providers" is missing in "spec" (The accounts that jobs can run on, '
            "by name)"
        ),
    ]


@pytest.mark.parametrize(
    ("uid", "good"),
    [
        ("k3v9q2", True),
        ("A-long.hand_written-uid", True),
        ("short", False),
        ("-k3v9q2", False),
        ("a" * 65, False),
        ("k3v9q2\\n", False),
    ],
)
def test_the_uid_keeps_to_its_pattern(tmp_path: Path, uid: str, good: bool) -> None:
    write(tmp_path, {"batchctl.yaml": STACK.replace("k3v9q2", f'"{uid}"')})
    if good:
        assert load_in(tmp_path).stack.uid == uid
    else:
        assert " InvalidValue " in lines(tmp_path)[0]


def test_errors_of_the_stack_and_of_manifests_are_reported_in_one_run(tmp_path: Path) -> None:
    write(
        tmp_path,
        {"batchctl.yaml": with_stack("limit: {}\n"), "a.yaml": JOB.replace("model:", "modle:"), "b.yaml": "x: ["},
    )
    assert [line.split(" ")[:2] for line in lines(tmp_path)] == [
        ["a.yaml:5:3:", "UnknownField"],
        ["b.yaml:1:5:", "InvalidYaml"],
        ["batchctl.yaml:5:3:", "UnknownField"],
    ]


# Defaults


def test_defaults_are_merged_into_every_spec_and_null_removes_them(tmp_path: Path) -> None:
    stack = with_stack("""\
    defaults:
      model: gemini-2.5-pro
      runId: "1"
      request: {systemInstruction: Be kind., generationConfig: {temperature: 0.5, topP: 0.9, seed: null}}
      lifecycle: {backoffLimit: 3, protect: true}
    """)
    job = the_job(
        tmp_path,
        with_spec("""\
        model: gemini-2.5-flash
        runId: null
        request: {generationConfig: {temperature: null, topK: 4}}
        lifecycle: {protect: false}
        """),
        stack,
    )
    assert (job.model, job.run_id) == ("gemini-2.5-flash", None)
    assert job.request == {
        "systemInstruction": {"parts": [{"text": "Be kind."}]},
        "generationConfig": {"topP": 0.9, "topK": 4},
    }
    assert (job.lifecycle.backoff_limit, job.lifecycle.protect) == (3, False)


def test_a_json_schema_is_one_value_and_keeps_its_nulls(tmp_path: Path) -> None:
    stack = with_stack("defaults: {request: {generationConfig: {responseJsonSchema: {type: object, title: T}}}}\n")
    job = the_job(tmp_path, with_spec("request: {generationConfig: {responseJsonSchema: {const: null}}}\n"), stack)
    assert job.request == {"generationConfig": {"responseJsonSchema": {"const": None}}}


def test_each_kind_takes_the_request_defaults_that_it_knows(tmp_path: Path) -> None:
    stack = with_stack("defaults: {request: {generationConfig: {seed: 1}, taskType: CLUSTERING}}\n")
    write(tmp_path, {"batchctl.yaml": stack, "a.yaml": JOB, "b.yaml": with_spec("", "EmbeddingsBatchJob", "vectors")})
    requests = {job.name: job.request for job in load_in(tmp_path).jobs}
    assert requests == {"classify": {"generationConfig": {"seed": 1}}, "vectors": {"taskType": "CLUSTERING"}}


def test_a_kind_without_any_of_the_request_defaults_gets_none(tmp_path: Path) -> None:
    job = the_job(tmp_path, JOB, with_stack("defaults: {request: {taskType: CLUSTERING}, runId: a}\n"))
    assert (job.request, job.run_id) == ({}, "a")


def test_an_invalid_default_is_reported_once_at_its_place(tmp_path: Path) -> None:
    stack = with_stack("defaults: {model: 2.5, provider: gemni}\n")
    jobs = {
        name: with_spec("src: [{key: a, text: b}]", name=name[0]).replace("  model: gemini-2.5-flash\n", "")
        for name in ("a.yaml", "b.yaml")
    }
    write(tmp_path, {"batchctl.yaml": stack, **jobs})
    assert lines(tmp_path) == ['batchctl.yaml:5:21: WrongType "model" must be a string, not a number (quote it: "2.5")']
    write(tmp_path, {"batchctl.yaml": stack.replace("2.5", "m")})
    assert lines(tmp_path) == [
        'batchctl.yaml:5:34: UnknownProvider the stack has no provider "gemni" (did you mean gemini?)'
    ]


# Variables

VARIABLES = with_stack("""\
variables:
  night: {}
  heat: {type: number, default: 0.5}
  stop: {type: boolean, default: false}
  who: {type: string, default: Ann, description: Whom to greet.}
results: out-${var.who}
""")


@pytest.mark.parametrize(
    ("spec", "settings", "value"),
    [
        ("runId: ${var.night}", ["night=2026-11-22"], "2026-11-22"),
        ("runId: ${var.night}", ["night=1", "night=a=b"], "a=b"),
        ("runId: run-${var.night}-${var.heat}-${var.stop}", ["night="], "run--0.5-false"),
        ('runId: "x ${var.stop} $${var.night} ${HOME} $5"', ["stop=true"], "x true ${var.night} ${HOME} $5"),
        ("runId: $${", [], "${"),
    ],
)
def test_references_are_replaced(tmp_path: Path, spec: str, settings: list[str], value: str) -> None:
    assert the_job(tmp_path, with_spec(spec), VARIABLES, set_values=settings).run_id == value


def test_a_reference_that_is_the_whole_string_keeps_the_variables_type(tmp_path: Path) -> None:
    spec = "request: {generationConfig: {temperature: '${var.heat}'}}\nlifecycle: {suspend: '${var.stop}'}\n"
    job = the_job(tmp_path, with_spec(spec), VARIABLES)
    assert (job.request, job.lifecycle.suspend) == ({"generationConfig": {"temperature": 0.5}}, False)
    job = the_job(tmp_path, with_spec(spec), VARIABLES, set_values=["heat=1", "stop=true"])
    assert (job.request, job.lifecycle.suspend) == ({"generationConfig": {"temperature": 1}}, True)


def test_rows_and_the_stack_file_take_variables_too(tmp_path: Path) -> None:
    job = the_job(tmp_path, with_spec("src: [{key: a, text: 'Hello ${var.who}'}]"), VARIABLES)
    assert job.source.rows[0].request["contents"][0]["parts"] == [{"text": "Hello Ann"}]
    assert load_in(tmp_path, set_values=["who=Eve"]).stack.results == tmp_path / "out-Eve"


def test_declarations_of_variables_are_not_substituted(tmp_path: Path) -> None:
    stack = with_stack("variables: {a: {default: '${var.zzz}'}}\n")
    assert the_job(tmp_path, with_spec("runId: ${var.a}"), stack).run_id == "${var.zzz}"


@pytest.mark.parametrize(
    ("spec", "settings", "fault"),
    [
        (
            "runId: ${var.nigth}",
            [],
            'job.yaml:5:10: UnknownVariable there is no variable "nigth" (did you mean night?)',
        ),
        (
            "runId: ${var.target}",
            [],
            'job.yaml:5:10: UnknownVariable there is no variable "target" (it is the name of the target, and the stack file has no spec.targets)',
        ),
        (
            "runId: a${var.night}",
            [],
            'batchctl.yaml:6:5: UnsetVariable the variable "night" has no value (--set night=VALUE, or BATCHCTL_VAR_NIGHT=VALUE in the environment)',
        ),
        (
            "runId: ${var.night",
            ["night=1"],
            "job.yaml:5:10: InvalidValue a ${var.…} reference is not closed (write $${ for a plain ${)",
        ),
        (
            "runId: ${var.heat}",
            [],
            'job.yaml:5:10: WrongType "runId" must be a string, not a number (declare "heat" with type: string)',
        ),
        ("", ["nite=1"], '--set nite: UnknownVariable there is no variable "nite" (did you mean night?)'),
        ("", ["heat=hot"], '--set heat: InvalidValue "hot" is not a number, the type of the variable "heat"'),
        ("", ["heat=.inf"], '--set heat: InvalidValue ".inf" is not a number, the type of the variable "heat"'),
        ("", ["heat="], '--set heat: InvalidValue "" is not a number, the type of the variable "heat"'),
        ("", ["heat=true"], '--set heat: InvalidValue "true" is not a number, the type of the variable "heat"'),
        ("", ["stop=1"], '--set stop: InvalidValue "1" is not a boolean, the type of the variable "stop"'),
    ],
)
def test_faults_of_variables(tmp_path: Path, spec: str, settings: list[str], fault: str) -> None:
    write(tmp_path, {"batchctl.yaml": VARIABLES, "job.yaml": with_spec(spec)})
    assert lines(tmp_path, set_values=settings) == [fault]


def test_without_any_variable_the_hint_says_where_to_declare_one(tmp_path: Path) -> None:
    write(tmp_path, {"batchctl.yaml": STACK, "job.yaml": with_spec("runId: ${var.night}")})
    assert lines(tmp_path, set_values=["a=1"]) == [
        '--set a: UnknownVariable there is no variable "a" (declare it under spec.variables of the stack file)',
        'job.yaml:5:10: UnknownVariable there is no variable "night" (declare it under spec.variables of the stack file)',
    ]


@pytest.mark.parametrize(
    ("declaration", "fault"),
    [
        (
            "{type: number, default: '1'}",
            '6:32: WrongType the default of "v" must be a number (the variable\'s type is number)',
        ),
        ("{default: 1}", '6:18: WrongType the default of "v" must be a string (quote it: "1")'),
        (
            "{type: float}",
            '6:15: InvalidValue "type" cannot be "float" (one of: boolean, integer, list, number, string)',
        ),
    ],
)
def test_faults_of_declarations(tmp_path: Path, declaration: str, fault: str) -> None:
    write(tmp_path, {"batchctl.yaml": with_stack(f"variables:\n  v: {declaration}\n")})
    (line,) = lines(tmp_path)
    assert line == f"batchctl.yaml:{fault}"


@pytest.mark.parametrize("setting", ["night", "=x"])
def test_a_setting_without_key_or_value_is_wrong_usage(tmp_path: Path, setting: str) -> None:
    write(tmp_path, {"batchctl.yaml": VARIABLES})
    with pytest.raises(UsageError, match="not key=value"):
        load_in(tmp_path, set_values=[setting])
