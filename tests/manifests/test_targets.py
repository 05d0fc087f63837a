"""Targets: what lies over the stack file, and the key, the state and the results of each."""

from __future__ import annotations

from pathlib import Path

import pytest

from batchctl.manifests.schema import load_schema
from batchctl.manifests.targets import LAID_OVER
from batchctl.model.errors import UsageError
from batchctl.model.keys import Api, short_uid
from batchctl.model.stack import SharedPlace
from tests.support.manifest_files import JOB, STACK, lines, load_in, the_job, with_spec, with_stack, write

TARGETS = with_stack("""\
providers:
  main: {type: vertex, project: shared, location: europe-west1, stagingBucket: gs://shared/staging/}
  spare: {type: gemini}
defaults: {provider: spare, request: {generationConfig: {maxOutputTokens: 5, temperature: 1}}}
limits: {maxCreate: 50, active: 3}
notify: [{url: https://example.com/all, secretEnv: A}]
variables: {bucket: {default: none}}
targets:
  dev:
    providers: {main: {project: dev-project, stagingBucket: null}, spare: {endpoint: emulator}}
    defaults: {request: {generation_config: {temperature: 0}}}
    limits: {maxCreate: 5, active: {m: 1}}
    notify: []
    suspend: true
  prod:
    name: shop
    defaults: {provider: main}
    variables: {bucket: company}
    providers: {main: {stagingBucket: "gs://${var.bucket}/${var.target}/"}, spare: null}
    results: out/${var.target}
defaultTarget: dev
""")


def test_a_target_lies_over_the_stack_file(tmp_path: Path) -> None:
    job = the_job(tmp_path, with_spec(""), TARGETS, target="dev")
    stack = load_in(tmp_path, target="dev").stack
    main, spare = stack.providers["main"], stack.providers["spare"]
    assert (main.api, main.project, main.location, main.staging_bucket) == (
        Api.VERTEX,
        "dev-project",
        "europe-west1",
        None,
    )
    assert (spare.endpoint, job.provider) == ("emulator", "spare")
    assert job.request == {"generationConfig": {"maxOutputTokens": 5, "temperature": 0}}
    assert (stack.limits.max_create, dict(stack.limits.admission.active_by_model)) == (5, {"m": 1})
    assert (stack.limits.concurrency, stack.suspend, stack.notify) == (8, True, ())


def test_the_other_target(tmp_path: Path) -> None:
    write(tmp_path, {"batchctl.yaml": TARGETS})
    stack = load_in(tmp_path, target="prod").stack
    assert list(stack.providers) == ["main"]
    assert stack.providers["main"].staging_bucket == "gs://company/prod/"
    assert (stack.limits.max_create, stack.suspend, len(stack.notify)) == (50, False, 1)


def test_each_target_has_a_key_and_places_of_its_own(tmp_path: Path) -> None:
    write(tmp_path, {"batchctl.yaml": with_stack("targets: {dev: null, prod: {}, eu: {name: shop-europe}}\n")})
    found = {name: load_in(tmp_path, target=name).stack for name in ("dev", "prod", "eu")}
    assert {name: (stack.name, stack.uid, stack.target) for name, stack in found.items()} == {
        "dev": ("shop-dev", "k3v9q2.shop-dev", "dev"),
        "prod": ("shop-prod", "k3v9q2.shop-prod", "prod"),
        "eu": ("shop-europe", "k3v9q2.shop-europe", "eu"),
    }
    assert len({short_uid(stack.uid) for stack in found.values()} | {"k3v9q2"}) == 4
    assert {stack.state for stack in found.values()} == {tmp_path / f".batchctl/{name}/state.db" for name in found}
    assert {stack.results for stack in found.values()} == {tmp_path / f"results/{name}" for name in found}


def test_a_target_with_the_stacks_own_name_goes_on_with_its_jobs(tmp_path: Path) -> None:
    write(tmp_path, {"batchctl.yaml": with_stack("targets: {dev: {results: dev/}, prod: {name: shop}}\n")})
    stack = load_in(tmp_path, target="prod").stack
    assert (stack.name, stack.uid) == ("shop", "k3v9q2")
    assert (stack.state, stack.results) == (tmp_path / ".batchctl/state.db", tmp_path / "results")


def test_the_results_of_no_target_are_read_as_manifests(tmp_path: Path) -> None:
    targets = "targets: {dev: {results: out-dev/}, prod: {results: out-prod/}}\n"
    write(tmp_path, {"batchctl.yaml": with_stack(targets), "job.yaml": with_spec("")})
    write(tmp_path, {"out-dev/a/manifest.json": "{}", "out-prod/a/manifest.json": "{}"})
    for target in ("dev", "prod"):
        assert [job.name for job in load_in(tmp_path, target=target).jobs] == ["classify"]


def test_the_default_target(tmp_path: Path) -> None:
    write(tmp_path, {"batchctl.yaml": with_stack("targets: {dev: {}, prod: {}}\ndefaultTarget: prod\n")})
    assert load_in(tmp_path).stack.target == "prod"
    assert load_in(tmp_path, target="dev").stack.target == "dev"


@pytest.mark.parametrize(
    ("targets", "wanted", "env", "message"),
    [
        (
            "targets: {prod: {}, dev: {}}",
            None,
            {},
            (
                "this stack has targets, and none is chosen (--target NAME, or BATCHCTL_TARGET, or spec.defaultTarget "
                "in the stack file; one of: dev, prod)"
            ),
        ),
        (
            "targets: {prod: {}, dev: {}}",
            "prd",
            {},
            "--target prd: there is no such target (did you mean prod? one of: dev, prod)",
        ),
        (
            "targets: {prod: {}, dev: {}}",
            "prd",
            {"BATCHCTL_TARGET": "prd"},
            "BATCHCTL_TARGET prd: there is no such target (did you mean prod? one of: dev, prod)",
        ),
        (
            "targets: {}",
            "dev",
            {},
            (
                "--target dev: the stack has no targets (leave it out, or declare targets under spec.targets of the "
                "stack file)"
            ),
        ),
    ],
)
def test_a_target_that_is_missing_is_wrong_usage(
    tmp_path: Path, targets: str, wanted: str | None, env: dict[str, str], message: str
) -> None:
    write(tmp_path, {"batchctl.yaml": with_stack(targets)})
    with pytest.raises(UsageError) as raised:
        load_in(tmp_path, target=wanted, env=env)
    assert f"{raised.value} ({raised.value.hint})" == message


LONG = "a-target-with-a-very-long-name-1"
SAME = "write ${var.target} in its path, or set it in each target"


@pytest.mark.parametrize(
    ("spec", "faults"),
    [
        ("targets: {dev: {}}\ndefaultTarget: prod", ['6:18: InvalidValue there is no target "prod" (one of: dev)']),
        (
            "targets: {dev: {}}\ndefaultTarget: 5",
            ['6:18: WrongType "defaultTarget" must be a string, not a number (quote it: "5")'],
        ),
        ("targets: []", ['5:12: WrongType "targets" must be a mapping, not a list']),
        (
            "targets: {dev: [], prod: {moved: [], stat: x}, No: {}}\ndefaultTarget: dev",
            [
                '5:18: WrongType "dev" must be a mapping, not a list',
                '5:29: UnknownField there is no field "moved" in "prod" (one of: defaults, limits, name, notify, providers, results, state, suspend, variables)',
                '5:40: UnknownField there is no field "stat" in "prod" (did you mean state?)',
                '5:50: InvalidValue "No" cannot be a name in "targets" (a target\'s name must be 1 to 32 lower-case letters, digits and dashes, without a dash at either end)',
            ],
        ),
        (
            "targets: {dev: {limits: {maxCreate: x}}, prod: {limits: {maxCreate: x}}}\ndefaultTarget: dev",
            ['5:39: WrongType "maxCreate" must be a whole number, not a string'],
        ),
        (
            f"targets: {{{LONG}: {{}}}}\ndefaultTarget: {LONG}",
            [
                f"5:13: InvalidValue the name of the stack with this target, shop-{LONG}, is longer than 32 characters (set a shorter one: spec.targets.{LONG}.name)"
            ],
        ),
        (
            "targets: {dev: {name: shop-prod}, prod: {}}\ndefaultTarget: prod",
            ["5:37: DuplicateName two targets have the name shop-prod (first at batchctl.yaml:5:25)"],
        ),
        (
            "targets: {dev: {}, prod: {}}\ndefaultTarget: prod\nstate: s.db\nresults: ${var.target}",
            [f"5:22: InvalidValue the targets prod and dev have the same state ({SAME})"],
        ),
        (
            "targets: {dev: {}, prod: {results: y}}\ndefaultTarget: prod\nstate: gs://bucket/state.db\nresults: y",
            [
                f"5:22: InvalidValue the targets prod and dev have the same results folder ({SAME})",
                f"5:22: InvalidValue the targets prod and dev have the same state ({SAME})",
            ],
        ),
        (
            "targets: {dev: {results: gs://team/r}, prod: {results: gs://team/r/x}}\ndefaultTarget: prod",
            [f"5:42: InvalidValue the targets prod and dev have results folders inside each other ({SAME})"],
        ),
        (
            "targets: {dev: {}, prod: {}}\ndefaultTarget: prod\nresults: gs://team/r/",
            [f"5:22: InvalidValue the targets prod and dev have the same results folder ({SAME})"],
        ),
        (
            "targets: {dev: {}, prod: {name: shop}}\ndefaultTarget: dev",
            [f"5:13: InvalidValue the targets dev and prod have results folders inside each other ({SAME})"],
        ),
    ],
)
def test_faults(tmp_path: Path, spec: str, faults: list[str]) -> None:
    write(tmp_path, {"batchctl.yaml": with_stack(spec)})
    assert lines(tmp_path) == [f"batchctl.yaml:{fault}" for fault in faults]


@pytest.mark.parametrize(
    ("spec", "results"),
    [
        ("targets: {dev: {}, prod: {}}\nresults: gs://team/${var.target}/", SharedPlace("gs://team/prod/")),
        ("targets: {dev: {results: r}, prod: {results: gs://team/r}}", SharedPlace("gs://team/r/")),
    ],
)
def test_results_of_targets_in_a_bucket(tmp_path: Path, spec: str, results: SharedPlace) -> None:
    write(tmp_path, {"batchctl.yaml": with_stack(f"{spec}\ndefaultTarget: prod\n"), "job.yaml": JOB})
    assert load_in(tmp_path).stack.results == results


def test_a_state_of_the_command_line_is_compared_with_no_other(tmp_path: Path) -> None:
    spec = "targets: {dev: {}, prod: {}}\ndefaultTarget: prod\nstate: s.db\n"
    write(tmp_path, {"batchctl.yaml": with_stack(spec)})
    assert load_in(tmp_path, state=str(tmp_path / "t.db")).stack.state == tmp_path / "t.db"


def test_what_a_target_lays_over_is_what_its_schema_has(tmp_path: Path) -> None:
    fields = load_schema("stack")["definitions"]["target"]["properties"]
    assert set(fields) - LAID_OVER == {"name", "variables"}
    spec = "providers: {g: {type: gemini}}\ntargets: {dev: {manifests: [nowhere], limit: {}}}\ndefaultTarget: dev\n"
    write(tmp_path, {"batchctl.yaml": with_stack(spec), "jobs/a.yaml": JOB})
    found = [line.split(" ")[1] for line in lines(tmp_path)]
    assert found == ["UnknownField", "UnknownField"], "each mistake is reported once, and not used"


def test_a_stack_without_targets_is_as_before(tmp_path: Path) -> None:
    write(tmp_path, {"batchctl.yaml": STACK})
    stack = load_in(tmp_path).stack
    assert (stack.name, stack.uid, stack.target) == ("shop", "k3v9q2", None)


def test_a_provider_of_a_target_has_the_fields_of_a_provider() -> None:
    definitions = load_schema("stack")["definitions"]
    assert definitions["targetProvider"]["properties"] == definitions["provider"]["properties"]
