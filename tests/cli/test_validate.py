"""`batchctl validate` with `-f`, and warnings beside errors."""

from __future__ import annotations

from tests.support.command_line import Cli, Service, StackFolder, check_schema, manifest

ROLE = {"key": "a", "request": {"contents": [{"role": "USER", "parts": [{"text": "x"}]}]}}


def test_a_file_is_valid_whatever_the_others_are(stack: StackFolder, cli: Cli) -> None:
    stack.write_job("one", src=[ROLE])
    stack.write_job("two", modell="x", src={"file": "gone.jsonl"})
    found = cli("validate", "-f", "jobs/one.yaml", "-o", "json")
    assert found.code == 0
    check_schema("validate", found.json)
    assert ([job["job"] for job in found.json["jobs"]], found.json["errorsOutside"]) == (["one"], 2)
    assert "jobs/two.yaml" not in found.err
    assert "2 errors in manifests outside -f: plan and apply need all manifests to be valid" in found.err
    found = cli("validate", "-f", "jobs/two.yaml", "-o", "json")
    assert found.code == 65
    check_schema("validate", found.json)
    assert {error["code"] for error in found.json["errors"]} == {"UnknownField", "FileNotFound"}
    assert "outside -f" not in found.err


def test_plan_needs_all_manifests_and_says_why(stack: StackFolder, cli: Cli) -> None:
    stack.write_job("one")
    stack.write_job("two", modell="x")
    found = cli("plan", "-f", "jobs/one.yaml")
    assert found.code == 65
    assert "jobs/two.yaml" in found.err
    assert "hint: batchctl reads all manifests of the stack, also those outside -f" in found.err
    assert "hint" not in cli("plan", "-f", "jobs/two.yaml").err


def test_warnings_are_shown_beside_errors(stack: StackFolder, cli: Cli) -> None:
    stack.write_job("one", src=[ROLE])
    stack.write_job("two", modell="x")
    found = cli("validate", "-o", "json")
    check_schema("validate", found.json)
    assert [warning["code"] for warning in found.json["warnings"]] == ["UnknownValue"]
    for ran in (found, cli("validate"), cli("plan")):
        assert ran.code == 65
        assert "warning: jobs/one.yaml" in ran.err
        assert "UnknownField" in ran.err


def test_a_manifest_that_nothing_names_is_a_warning_everywhere(stack: StackFolder, cli: Cli, service: Service) -> None:
    stack.write_stack(manifests=["jobs"])
    stack.write_job("one")
    (stack.path / "two.yaml").write_text(manifest("two"))
    for words, code in ((("validate",), 0), (("plan", "--detailed-exitcode"), 2), (("apply", "--yes"), 0)):
        ran = cli(*words)
        assert ran.code == code
        assert ran.err.count("warning: two.yaml: UnreadManifest this manifest is not read: spec.manifests of") == 1
    assert cli("watch", "--once").err.count("UnreadManifest") == 1
    assert [warning["code"] for warning in cli("validate", "-o", "json").json["warnings"]] == ["UnreadManifest"]
