"""docs/ci/github and action.yml: the workflows' jobs are run, against a stub of GitHub and the emulator."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.support.code_hosts import CodeHost, GitHubHost, serving
from tests.support.command_line import ROOT, Cli, Service
from tests.support.git_hosting import Repository
from tests.support.workflow_runs import Runner, StepRan, event_file

WORKFLOWS = {path.stem: yaml.safe_load(path.read_text()) for path in (ROOT / "docs/ci/github").glob("*.yml")}
PULL = 5
COMMENTS = f"/repos/acme/jobs/issues/{PULL}/comments"
BOT = "github-actions[bot]"


@pytest.fixture
def host() -> Iterator[CodeHost]:
    with serving(GitHubHost()) as host:
        yield host


class GitHub:
    """Runs the workflows of a repository when something happens to it."""

    def __init__(self, folder: Path, host: CodeHost, batchctl: Path) -> None:
        self.host, self.variables = host, {"BATCHCTL_ARGS": ""}
        self.repository = Repository(folder, host, batchctl)
        self.push, self.stack = self.repository.push, self.repository.stack

    def _run(self, name: str, job: str, branch: str, github: dict[str, Any], **inputs: str) -> StepRan | None:
        """Run a job; None if its condition is false. `github` is what the event is about."""
        folder, checkout = self.repository.machine(branch)
        token = "bot-token"
        known = {"repository": "acme/jobs", "token": token, "ref_name": branch, **github}
        env = {
            "GITHUB_REPOSITORY": "acme/jobs",
            "GITHUB_API_URL": self.host.url,
            "GITHUB_REF_NAME": branch,
            "GITHUB_SHA": github.get("sha", ""),
            "GITHUB_EVENT_PATH": event_file(folder, github["event"]),
        }
        runner = Runner(folder, checkout, {"github": known, "vars": self.variables, "inputs": inputs}, env)
        definition = WORKFLOWS[name]["jobs"][job]
        if not runner.job_runs(definition):
            return None
        (ran,) = runner.steps(definition)
        return ran

    def pull_request(self, branch: str, job: str = "plan", origin: str = "acme/jobs") -> StepRan | None:
        event = {"pull_request": {"number": PULL, "head": {"repo": {"full_name": origin}}}}
        return self._run("batchctl-plan", job, branch, {"event": event})

    def plan(self, branch: str) -> StepRan:
        ran = self.pull_request(branch)
        assert ran is not None
        return ran

    def merge(self, branch: str) -> StepRan:
        commit = self.repository.merge(branch, PULL)
        return self.apply(commit)

    def apply(self, commit: str = "", **inputs: str) -> StepRan:
        event = {"repository": {"default_branch": "main"}}
        ran = self._run("batchctl-apply", "apply", "main", {"event": event, "sha": commit}, **inputs)
        assert ran is not None
        return ran

    def night(self, job: str) -> StepRan:
        ran = self._run("batchctl-schedule", job, "main", {"event": {"schedule": ""}})
        assert ran is not None
        return ran


@pytest.fixture
def team(tmp_path: Path, cli: Cli, service: Service, host: CodeHost, warm_batchctl: Path) -> GitHub:
    """A repository with one job that was applied by hand."""
    service.seed(buckets={"team": {}})
    team = GitHub(tmp_path, host, warm_batchctl)
    team.stack.write_job("translate")
    team.push("main")
    cli.ok("-C", str(team.stack.path), "apply", "--yes")
    return team


def test_one_comment_is_made_updated_and_removed(team: GitHub, host: CodeHost) -> None:
    team.stack.write_job("classify")
    team.push("new")
    planned = team.plan("new")
    (text,) = host.texts(PULL)
    assert (planned.code, planned.outputs["changes"]) == (0, "true")
    assert re.match(r"<!-- batchctl plan shop a1b2c3 -->\n", text)
    assert f"Digest: `{planned.outputs['digest']}`" in text
    assert planned.summary.strip() == text.strip()
    assert team.plan("new").code == 0
    assert host.writes == [f"POST {COMMENTS}"], "the same plan again writes nothing"
    team.stack.write_job("summarise")
    team.push("new")
    assert team.plan("new").code == 0
    (text,) = host.texts(PULL)
    assert "| create | summarise |" in text
    assert [write.split(" ")[0] for write in host.writes] == ["POST", "PATCH"]
    for name in ("classify", "summarise"):
        team.stack.job_path(name).unlink()
    team.push("new")
    assert team.plan("new").outputs["changes"] == "false"
    assert host.texts(PULL) == []
    assert team.plan("new").code == 0
    assert [write.split(" ")[0] for write in host.writes] == ["POST", "PATCH", "DELETE"]


def test_comments_of_others_are_left_alone(team: GitHub, host: CodeHost) -> None:
    copied = "<!-- batchctl plan shop a1b2c3 -->\nDigest: `p1:" + "0" * 64 + "`\n"
    for number in range(120):
        host.add_comment(PULL, "mallory", copied if number % 2 else "nice")
    host.add_comment(PULL, BOT, "<!-- batchctl plan other a1b2c3 -->\nthe plan of another stack\n")
    before = host.texts(PULL)
    team.stack.write_job("classify")
    team.push("new")
    assert team.plan("new").code == 0
    assert host.texts(PULL)[:-1] == before
    merged = team.merge("new")
    assert merged.code == 0, merged
    assert "Apply: 1 done" in merged.log


def test_two_comments_of_runs_that_overlapped_become_one(team: GitHub, host: CodeHost) -> None:
    for text in ("old", "older"):
        host.add_comment(PULL, BOT, f"<!-- batchctl plan shop a1b2c3 -->\n{text}\n")
    team.stack.write_job("classify")
    team.push("new")
    assert team.plan("new").code == 0
    assert ["classify" in text for text in host.texts(PULL)] == [True]


def test_a_merge_applies_what_the_comment_says(team: GitHub, service: Service) -> None:
    team.stack.write_job("classify")
    team.push("new")
    team.plan("new")
    merged = team.merge("new")
    assert (merged.code, merged.outputs["done"], merged.outputs["failed"]) == (0, "1", "0"), merged
    assert len(service.of("classify")) == 1


def test_a_merge_of_a_stale_plan_is_refused_until_somebody_names_the_present_one(
    team: GitHub, service: Service
) -> None:
    team.stack.write_job("classify")
    team.push("new")
    team.plan("new")
    team.stack.write_job("summarise")
    team.push("new")
    merged = team.merge("new")
    assert (merged.code, "PlanStale" in merged.log) == (6, True)
    (present,) = re.findall("^Digest (p1:[0-9a-f]{64})$", merged.log, re.MULTILINE)
    assert service.of("classify") == []
    assert team.apply(digest=present).code == 0
    assert [len(service.of(name)) for name in ("classify", "summarise")] == [1, 1]


def test_a_merge_without_a_plan_buys_nothing(team: GitHub, service: Service, host: CodeHost) -> None:
    (team.stack.path / "README.md").write_text("words")
    team.push("words")
    team.plan("words")
    merged = team.merge("words")
    assert (merged.code, host.writes) == (0, [])
    assert "nothing new is applied" in merged.log
    team.stack.write_job("classify")
    team.push("main")
    pushed = team.apply(commit="0" * 40)
    assert (pushed.code, service.of("classify")) == (6, []), "a push without a pull request"


def test_a_plan_that_a_guard_refuses_is_shown_and_fails(team: GitHub, host: CodeHost) -> None:
    team.stack.write_stack(state="gs://team/prod/state.db", limits={"maxCreate": 0})
    team.stack.write_job("classify")
    team.push("new")
    assert team.plan("new").code == 6
    (text,) = host.texts(PULL)
    assert "TooManyCreates" in text
    team.variables["BATCHCTL_ARGS"] = "--max-create 1"
    assert team.plan("new").code == 0
    assert team.merge("new").code == 0


def test_invalid_manifests_leave_the_comment(team: GitHub, host: CodeHost) -> None:
    team.stack.write_job("classify", unknwn=1)
    team.push("new")
    checked = team.pull_request("new", "validate")
    assert checked is not None
    assert (checked.code, "::error file=jobs/classify.yaml,line=" in checked.log) == (65, True)
    assert (team.plan("new").code, host.writes) == (65, [])


def test_a_fork_is_validated_without_credentials_and_not_planned(team: GitHub, service: Service) -> None:
    team.push("fork")
    calls = service.calls("batches.list")
    assert team.pull_request("fork", origin="mallory/jobs") is None
    checked = team.pull_request("fork", "validate", origin="mallory/jobs")
    assert checked is not None
    assert (checked.code, service.calls("batches.list")) == (0, calls)


def test_a_token_that_may_not_write_is_named_with_the_way_out(team: GitHub, host: CodeHost) -> None:
    host.refuses = 403
    team.stack.write_job("classify")
    team.push("new")
    ran = team.plan("new")
    assert ran.code == 1
    assert (
        f'batchctl-ci: POST {COMMENTS}: HTTP 403: {{"message": "Resource not accessible by integration"}} '
        "(hint: the permissions of the job: see docs/ci.md)"
    ) in ran.log


def test_the_longest_comment_is_accepted(team: GitHub, host: CodeHost) -> None:
    for number in range(500):
        team.stack.write_job(f"job-{number:03}-{'x' * 30}")
    team.variables["BATCHCTL_ARGS"] = "--max-create 1000"
    team.push("new")
    assert team.plan("new").code == 0
    (text,) = host.texts(PULL)
    assert 60_000 < len(text.encode()) <= 65_000
    assert re.search(r"^Digest: `p1:", text, re.MULTILINE)


def test_drift_opens_one_issue_and_closes_it(team: GitHub, host: CodeHost, service: Service) -> None:
    host.open_issue("mallory", "mine", "<!-- batchctl drift shop a1b2c3 -->\nmine")
    calm = team.night("drift")
    assert (calm.code, calm.outputs["drift"], host.writes) == (0, "false", [])
    (remote,) = [job["name"] for job in service.of("translate")]
    creates = service.creates
    service.cancel(remote)
    for _ in range(2):
        found = team.night("drift")
        assert (found.code, found.outputs["drift"]) == (0, "true")
    assert [(one["title"], one["open"]) for one in host.issues[1:]] == [("batchctl: drift in stack shop", True)]
    assert "| Cancelled | translate |" in host.issues[1]["text"]
    assert host.writes == ["POST /repos/acme/jobs/issues"], "the second night writes nothing"
    service.faults({"method": "batches.list", "kind": "status", "status": 403})
    assert team.night("drift").code == 1
    assert host.writes == ["POST /repos/acme/jobs/issues"], "nobody knows whether it is gone"
    service.faults()
    assert service.creates == creates, "drift never buys"
    team.stack.write_job("translate", runId="again")
    team.push("new")
    team.plan("new")
    assert team.merge("new").code == 0
    assert (team.night("drift").code, host.issues[1]["open"], host.issues[0]["open"]) == (0, False, True)


def test_watch_follows_jobs_and_buys_nothing(team: GitHub, service: Service) -> None:
    watched = team.night("watch")
    assert (watched.code, watched.outputs["failed"]) == (0, "0")
    team.stack.write_job("classify")
    team.push("main")
    assert (team.night("watch").code, service.of("classify")) == (6, [])
