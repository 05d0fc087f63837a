"""Where the values of variables come from, their types, and what is allowed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from tests.support.manifest_files import lines, load_in, the_job, with_spec, with_stack, write

STACK = with_stack("""\
variables:
  run-id: {default: from-default}
  count: {type: integer, default: 3}
  langs: {type: list, default: [fr, de], enum: [fr, de, ja]}
  env: {enum: [dev, prod], default: dev}
  token: {sensitive: true, default: none}
  keys: {type: list, sensitive: true, enum: [key-one], default: []}
targets:
  dev: {variables: {run-id: from-target}}
  prod: null
defaultTarget: prod
""")


@pytest.mark.parametrize(
    ("target", "env", "settings", "value"),
    [
        (None, {}, [], "from-default"),
        ("dev", {}, [], "from-target"),
        ("dev", {"BATCHCTL_VAR_RUN_ID": "from-environment"}, [], "from-environment"),
        (None, {"batchctl_var_run-id": "lower"}, [], "lower"),
        (None, {"BATCHCTL_VAR_RUN_ID": "upper", "BATCHCTL_VAR_run_id": "lower"}, [], "upper"),
        (None, {"BATCHCTL_VAR_RUN_ID": ""}, [], ""),
        ("dev", {"BATCHCTL_VAR_RUN_ID": "from-environment"}, ["run-id=from-set"], "from-set"),
    ],
)
def test_the_nearest_value_counts(
    tmp_path: Path, target: str | None, env: Mapping[str, str], settings: Sequence[str], value: str
) -> None:
    job = the_job(tmp_path, with_spec("runId: r-${var.run-id}"), STACK, target=target, env=env, set_values=settings)
    assert job.run_id == f"r-{value}"


@pytest.mark.parametrize(
    ("settings", "names"),
    [
        ([], ["fr", "de"]),
        (["langs=ja"], ["ja"]),
        (["langs=ja, fr"], ["ja", "fr"]),
        (["langs="], []),
        (['langs=["ja"]'], ["ja"]),
    ],
)
def test_a_list_is_the_whole_value(tmp_path: Path, settings: list[str], names: list[str]) -> None:
    spec = "request: {generationConfig: {stopSequences: '${var.langs}'}}"
    job = the_job(tmp_path, with_spec(spec), STACK, set_values=settings)
    assert job.request == {"generationConfig": {"stopSequences": names}}


def test_an_integer(tmp_path: Path) -> None:
    job = the_job(tmp_path, with_spec("priority: ${var.count}\nrunId: n${var.count}"), STACK, set_values=["count=7"])
    assert (job.priority, job.run_id) == (7, "n7")


def test_the_name_of_the_target_is_a_variable(tmp_path: Path) -> None:
    assert the_job(tmp_path, with_spec("runId: for-${var.target}"), STACK, target="dev").run_id == "for-dev"


def test_a_list_in_a_template_is_a_list(tmp_path: Path) -> None:
    def template(sequences: str) -> str:
        request = "{contents: [{parts: [{text: '${row.text}'}]}], generationConfig: {stopSequences: SEQUENCES}}"
        spec = f"src: {{fromJob: one, template: {{request: {request.replace('SEQUENCES', sequences)}}}}}"
        write(tmp_path, {"batchctl.yaml": STACK, "one.yaml": with_spec("", name="one"), "job.yaml": with_spec(spec)})
        return load_in(tmp_path).jobs[0].chain.template

    assert template("'${var.langs}'") == template("[fr, de]") != template("[fr]")


@pytest.mark.parametrize(
    ("spec", "env", "settings", "fault"),
    [
        ("", {}, ["count=1.5"], '--set count: InvalidValue "1.5" is not an integer, the type of the variable "count"'),
        ("", {"BATCHCTL_VAR_COUNT": "x"}, [], 'BATCHCTL_VAR_COUNT: InvalidValue "x" is not an integer, the type of the variable "count"'),
        ("", {}, ["env=prd"], '--set env: InvalidValue "prd" is not allowed for the variable "env" (did you mean prod?)'),
        ("", {}, ["langs=fr,es"], '--set langs: InvalidValue "es" is not allowed for the variable "langs" (one of: de, fr, ja)'),
        ("", {}, ["langs=[fr"], '--set langs: InvalidValue "[fr" is not a list, the type of the variable "langs" (write it as a,b,c or ["a", "b", "c"])'),
        ("", {}, ["langs=[[]]"], '--set langs: InvalidValue "[[]]" is not a list, the type of the variable "langs" (write it as a,b,c or ["a", "b", "c"])'),
        ("", {}, ["keys=key-two"], '--set keys: InvalidValue the value is not allowed for the variable "keys"'),
        ("runId: a${var.langs}", {}, [], "job.yaml:5:10: WrongType a list cannot be a part of a text (write the reference as the whole value)"),
        ("runId: '${var.langs}'", {}, [], 'job.yaml:5:10: WrongType "runId" must be a string, not a list'),
        ("priority: '${var.token}'", {}, ["token=sk-1234"], 'job.yaml:5:13: WrongType "priority" must be a whole number, not a string'),
        ("lifecycle: {onChange: '${var.token}'}", {}, ["token=" + "sk-1234" * 40], 'job.yaml:5:25: InvalidValue "onChange" cannot be "(sensitive)" (one of: fail, keep, replace)'),
    ],
)  # fmt: skip
def test_faults(tmp_path: Path, spec: str, env: Mapping[str, str], settings: list[str], fault: str) -> None:
    write(tmp_path, {"batchctl.yaml": STACK, "job.yaml": with_spec(spec)})
    assert lines(tmp_path, env=env, set_values=settings) == [fault]


@pytest.mark.parametrize(
    ("variables", "faults"),
    [
        ("{a: {type: list, default: [[1]]}}", ['11:32: WrongType an item of "default" must be a string, a number or true or false, not a list']),
        ("{a: {type: integer, default: 1.5}}", ['11:34: WrongType the default of "a" must be an integer (the variable\'s type is integer)']),
        ("{a: {sensitive: true, default: 5}}", ['11:36: WrongType the default of "a" must be a string']),
        ("{a: {enum: [b, c], default: d}}", ['11:33: InvalidValue "d" is not allowed for the variable "a" (one of: b, c)']),
        ("{target: {}}", ['11:6: DuplicateName "target" is the name of a variable that batchctl defines (choose another name)']),
    ],
)  # fmt: skip
def test_faults_of_declarations(tmp_path: Path, variables: str, faults: list[str]) -> None:
    stack = with_stack(
        f"targets:\n  dev: {{}}\n  prod:\n    state: a\n    results: b\nvariables:\n  {variables}\ndefaultTarget: dev\n"
    )
    write(tmp_path, {"batchctl.yaml": stack})
    assert lines(tmp_path) == [f"batchctl.yaml:{fault}" for fault in faults]


def test_values_of_a_target_are_checked(tmp_path: Path) -> None:
    targets = "targets: {dev: {variables: {a: 5, b: x}}}\nvariables: {a: {}}\ndefaultTarget: dev"
    write(tmp_path, {"batchctl.yaml": with_stack(targets)})
    assert lines(tmp_path) == [
        'batchctl.yaml:5:34: WrongType the value of "a" must be a string (quote it: "5")',
        'batchctl.yaml:5:37: UnknownVariable there is no variable "b" (one of: a)',
    ]


def test_a_variable_without_a_value_is_one_error(tmp_path: Path) -> None:
    stack = with_stack("variables: {night: {}}")
    write(
        tmp_path,
        {
            "batchctl.yaml": stack,
            "a.yaml": with_spec("runId: ${var.night}", name="a"),
            "b.yaml": with_spec("runId: x${var.night}", name="b"),
        },
    )
    says = '"night" has no value (--set night=VALUE, or BATCHCTL_VAR_NIGHT=VALUE in the environment)'
    assert lines(tmp_path) == [f"batchctl.yaml:5:15: UnsetVariable the variable {says}"]


def test_an_environment_variable_that_no_variable_has_is_a_warning(tmp_path: Path) -> None:
    write(tmp_path, {"batchctl.yaml": STACK, "job.yaml": with_spec("")})
    found = load_in(tmp_path, env={"BATCHCTL_VAR_CUONT": "1", "BATCHCTL_VAR_ENV": "prod"}).warnings
    assert [str(one) for one in found] == [
        "BATCHCTL_VAR_CUONT: UnknownVariable the stack has no variable of this name (did you mean BATCHCTL_VAR_COUNT?)"
    ]
