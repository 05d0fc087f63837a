"""docs/ci/gitlab: the jobs of the pipeline are run, against a stub of GitLab and the emulator."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from google.auth import identity_pool

from tests.support import pipeline_runs
from tests.support.code_hosts import CodeHost, GitLabHost, serving
from tests.support.command_line import ROOT, Ran, Service
from tests.support.git_hosting import Repository

MERGE_REQUEST = 5
NOTES = f"/projects/7/merge_requests/{MERGE_REQUEST}/notes"
PUSH = {"CI_PIPELINE_SOURCE": "push", "CI_COMMIT_BRANCH": "main"}


@pytest.fixture
def host() -> Iterator[CodeHost]:
    with serving(GitLabHost()) as host:
        yield host


class GitLab:
    """Runs the pipelines of a project."""

    def __init__(self, folder: Path, host: CodeHost, batchctl: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.host, self._monkeypatch = host, monkeypatch
        self.repository = Repository(folder, host, batchctl)
        self.stack, self.push = self.repository.stack, self.repository.push

    def pipeline(self, branch: str, **variables: str) -> dict[str, Ran]:
        """Run the jobs whose rules fit; each on a machine of its own."""
        known = {
            "CI_API_V4_URL": self.host.url,
            "CI_PROJECT_ID": "7",
            "CI_DEFAULT_BRANCH": "main",
            "CI_COMMIT_REF_NAME": branch,
            "BATCHCTL_GITLAB_TOKEN": "bot-token",
            **variables,
        }
        ran = {}
        for name in pipeline_runs.jobs_of(known):
            folder, checkout = self.repository.machine(branch)
            programs = folder / "batchctl" / "bin"
            (programs / "batchctl-ci").symlink_to(ROOT / "docs" / "ci" / "batchctl_ci.py")
            with self._monkeypatch.context() as patch:
                patch.setenv("PATH", str(programs), prepend=":")
                ran[name] = pipeline_runs.run(name, checkout, known)
            self.reports = {path.name: path.read_text() for path in checkout.glob("batchctl-*.json")}
        return ran

    def merge_request(self, branch: str, project: str = "7") -> dict[str, Ran]:
        given = {"CI_MERGE_REQUEST_IID": str(MERGE_REQUEST), "CI_MERGE_REQUEST_SOURCE_PROJECT_ID": project}
        return self.pipeline(branch, CI_PIPELINE_SOURCE="merge_request_event", **given)

    def merge(self, branch: str) -> Ran:
        commit = self.repository.merge(branch, MERGE_REQUEST)
        (ran,) = self.pipeline("main", **PUSH, CI_COMMIT_SHA=commit).values()
        return ran


@pytest.fixture
def team(
    tmp_path: Path, service: Service, host: CodeHost, warm_batchctl: Path, monkeypatch: pytest.MonkeyPatch
) -> GitLab:
    service.seed(buckets={"team": {}})
    team = GitLab(tmp_path, host, warm_batchctl, monkeypatch)
    team.stack.write_job("translate")
    team.push("main")
    return team


def test_from_a_merge_request_to_its_jobs(team: GitLab, host: CodeHost, service: Service) -> None:
    team.push("new")
    host.add_comment(MERGE_REQUEST, "mallory", "<!-- batchctl plan shop a1b2c3 -->\nmine")
    for _ in range(2):
        ran = team.merge_request("new")
        assert {name: one.code for name, one in ran.items()} == {"batchctl-validate": 0, "batchctl-plan": 0}
    assert host.writes == [f"POST {NOTES}"]
    _, text = host.texts(MERGE_REQUEST)
    assert "| create | translate |" in text
    assert json.loads(team.reports["batchctl-plan.json"]) == {"create": 1, "update": 0, "delete": 0}
    merged = team.merge("new")
    assert merged.code == 0, merged
    assert "Apply: 1 done" in merged.out
    team.merge_request("new")
    assert (host.texts(MERGE_REQUEST)[1:], service.creates) == ([], 1)


def test_a_stale_plan_waits_for_a_pipeline_by_hand(team: GitLab, service: Service) -> None:
    team.push("new")
    team.merge_request("new")
    team.stack.write_job("classify")
    team.push("new")
    merged = team.merge("new")
    assert (merged.code, "PlanStale" in merged.err, service.creates) == (6, True, 0)
    (present,) = re.findall("^Digest (p1:[0-9a-f]{64})$", merged.out, re.MULTILINE)
    by_hand = {"CI_PIPELINE_SOURCE": "web", "CI_COMMIT_BRANCH": "main", "BATCHCTL_CI_DIGEST": present}
    ran = team.pipeline("main", **by_hand)
    assert ({name: one.code for name, one in ran.items()}, service.creates) == ({"batchctl-apply": 0}, 2)


def test_a_fork_is_validated_only(team: GitLab, host: CodeHost) -> None:
    team.push("fork")
    assert {name: one.code for name, one in team.merge_request("fork", "8").items()} == {"batchctl-validate": 0}
    team.stack.write_job("classify", unknwn=1)
    team.push("fork")
    assert {name: one.code for name, one in team.merge_request("fork", "8").items()} == {"batchctl-validate": 65}
    (found,) = json.loads(team.reports["batchctl-quality.json"])
    assert found["location"]["path"] == "jobs/classify.yaml"
    assert host.writes == []


def test_drift_opens_one_issue_and_closes_it(team: GitLab, host: CodeHost, service: Service) -> None:
    team.push("new")
    team.merge_request("new")
    assert team.merge("new").code == 0
    night = {"CI_PIPELINE_SOURCE": "schedule", "BATCHCTL_SCHEDULE": "drift"}
    assert team.pipeline("main", **night)["batchctl-drift"].code == 0
    assert host.issues == []
    service.cancel(service.of("translate")[0]["name"])
    for _ in range(2):
        assert team.pipeline("main", **night)["batchctl-drift"].code == 0
    assert [(one["title"], one["open"]) for one in host.issues] == [("batchctl: drift in stack shop", True)]
    assert host.writes[1:] == ["POST /projects/7/issues"]
    team.stack.write_job("translate", runId="again")
    team.push("new")
    team.merge_request("new")
    assert team.merge("new").code == 0
    assert team.pipeline("main", **night)["batchctl-drift"].code == 0
    assert [one["open"] for one in host.issues] == [False]


def test_watch_collects_and_buys_nothing(team: GitLab, service: Service) -> None:
    hour = {"CI_PIPELINE_SOURCE": "schedule", "BATCHCTL_SCHEDULE": "watch"}
    (ran,) = team.pipeline("main", **hour).values()
    assert (ran.code, service.creates) == (6, 0)


def test_a_missing_token_is_named(team: GitLab) -> None:
    ran = team.pipeline("main", **PUSH, BATCHCTL_GITLAB_TOKEN="")["batchctl-apply"]
    assert (ran.code, ran.err) == (1, "batchctl-ci: BATCHCTL_GITLAB_TOKEN is not set (hint: see docs/ci.md)\n")


def test_a_wrong_token_is_named(team: GitLab) -> None:
    ran = team.pipeline("main", **PUSH, CI_COMMIT_SHA="0", BATCHCTL_GITLAB_TOKEN="wrong")["batchctl-apply"]
    assert ran.code == 1
    assert "HTTP 401" in ran.err
    assert "hint: the token needs the scope `api`" in ran.err


def test_the_identity_is_one_that_google_auth_reads(team: GitLab, tmp_path: Path) -> None:
    provider = "projects/1/locations/global/workloadIdentityPools/ci/providers/gitlab"
    script = pipeline_runs.job("batchctl-plan")["before_script"]
    pipeline_runs.PIPELINE["test"] = {
        "before_script": script,
        "variables": {"ACCOUNT": "$BATCHCTL_PLAN_ACCOUNT"},
        "script": [f'cp "$GOOGLE_APPLICATION_CREDENTIALS" {tmp_path}/key.json'],
    }
    variables = {
        "BATCHCTL_IDENTITY_PROVIDER": provider,
        "BATCHCTL_PLAN_ACCOUNT": "reader@p.iam.gserviceaccount.com",
        "GOOGLE_ID_TOKEN": "a.b.c",
    }
    try:
        assert pipeline_runs.run("test", tmp_path, variables).code == 0
    finally:
        del pipeline_runs.PIPELINE["test"]
    found = identity_pool.Credentials.from_file(str(tmp_path / "key.json"))
    assert found.service_account_email == "reader@p.iam.gserviceaccount.com"
    assert found.retrieve_subject_token(None) == "a.b.c"
    assert found.info["audience"] == f"//iam.googleapis.com/{provider}"
