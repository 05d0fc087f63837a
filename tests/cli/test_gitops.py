"""The story of a team: real git repositories, and a thrown-away folder for each run of CI.

State and results are in a bucket, so nothing of a run stays on its machine.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.command_line import LONG, Cli, Ran, Service, StackFolder

GOLDEN = Path(__file__).parent / "golden"
STATE, RESULTS = "gs://team/prod/state.db", "gs://team/prod/results/"


def git(folder: Path, *words: str) -> str:
    identity = ("-c", "user.name=ada", "-c", "user.email=ada@example.com", "-c", "init.defaultBranch=main")
    done = subprocess.run(["git", *identity, *words], cwd=folder, check=True, capture_output=True, text=True)
    return done.stdout


class Team:
    """A repository, a working copy of a person, and runs of CI, each in a new clone."""

    def __init__(self, tmp_path: Path, cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
        self._folder, self._cli, self._monkeypatch = tmp_path, cli, monkeypatch
        self._origin = tmp_path / "origin.git"
        git(tmp_path, "init", "-q", "--bare", str(self._origin))
        self.person = tmp_path / "person"
        git(tmp_path, "clone", "-q", str(self._origin), str(self.person))
        self.stack = StackFolder(self.person)
        self._runs = 0

    def push(self, branch: str) -> None:
        """Commit all, on a branch, and push it."""
        git(self.person, "checkout", "-q", "-B", branch)
        git(self.person, "add", "-A")
        git(self.person, "commit", "-q", "--allow-empty", "-m", branch)
        git(self.person, "push", "-q", "-f", "origin", branch)

    def merge(self, branch: str) -> None:
        git(self.person, "checkout", "-q", "main")
        git(self.person, "merge", "-q", "--no-ff", "-m", f"merge {branch}", branch)
        git(self.person, "push", "-q", "origin", "main")

    def ci(self, branch: str, *commands: tuple[str, ...]) -> tuple[list[Ran], dict[str, str]]:
        """Run commands in a new clone, as a step of a workflow; gives their ends, and the outputs of the step."""
        self._runs += 1
        clone = self._folder / f"runner-{self._runs}"
        git(self._folder, "clone", "-q", "-b", branch, str(self._origin), str(clone))
        outputs = self._folder / f"outputs-{self._runs}"
        outputs.touch()
        with self._monkeypatch.context() as patch:
            patch.chdir(clone)
            patch.setenv("CI", "true")
            patch.setenv("GITHUB_ACTIONS", "true")
            patch.setenv("GITHUB_WORKSPACE", str(clone))
            patch.setenv("GITHUB_OUTPUT", str(outputs))
            ran = [self._cli(*command) for command in commands]
        assert git(clone, "status", "--porcelain", "--ignored") == "", "nothing stays on the machine"
        shutil.rmtree(clone)
        return ran, dict(line.split("=", 1) for line in outputs.read_text().splitlines())


@pytest.fixture
def team(tmp_path: Path, cli: Cli, service: Service, monkeypatch: pytest.MonkeyPatch) -> Team:
    service.seed(buckets={"team": {}})
    made = Team(tmp_path, cli, monkeypatch)
    made.stack.write_stack(state=STATE, results=RESULTS)
    made.stack.write_job("translate")
    made.stack.write_job("classify")
    made.push("main")
    ((applied,), _) = made.ci("main", ("apply", "--yes"))
    assert applied.code == 0
    return made


def test_from_a_pull_request_to_the_end_of_its_jobs(
    team: Team, service: Service, quick: list[float], golden_file: Callable[[Path, str], None]
) -> None:
    team.stack.write_job("summarise", labels={"team": "search"})
    team.stack.write_job("translate", model="gemini-2.5-pro")
    team.stack.job_path("classify").unlink()
    team.push("new-jobs")
    (valid, comment, _), outputs = team.ci(
        "new-jobs", ("validate",), ("plan", "-o", "markdown"), ("plan", "--detailed-exitcode")
    )
    assert (valid.code, valid.err) == (0, "")
    digest = outputs["digest"]
    assert f"`{digest}`" in comment.out
    golden_file(GOLDEN / "pull-request.md", re.sub("p1:[0-9a-f]{64}", "p1:…", comment.out))
    assert (outputs["create"], outputs["replace"], outputs["delete"]) == ("1", "1", "1")

    service.rules(LONG)  # the digest of a plan covers whether the replaced attempt has ended
    team.merge("new-jobs")
    (polled, applied, again), outputs = team.ci(
        "main", ("watch", "--once"), ("apply", "--expect", digest), ("apply", "--expect", digest)
    )
    assert polled.code == 6, "a watcher without consent changes nothing that was reviewed"
    assert (applied.code, outputs["failed"]) == (0, "0"), applied
    assert (again.code, "PlanStale" in again.err) == (6, True)
    assert len(service.of("summarise")) == 1

    team.stack.write_job("summarise", labels={"team": "find"}, model="gemini-2.5-flash-lite")
    team.push("one")
    (_, reviewed) = team.ci("one", ("plan",))
    git(team.person, "checkout", "-q", "main")
    team.stack.write_job("summarise", labels={"team": "find"}, model="gemini-2.5-pro")
    team.push("two")
    (_, others) = team.ci("two", ("plan",))
    team.merge("two")
    ((applied,), _) = team.ci("main", ("apply", "--expect", others["digest"]))
    assert applied.code == 0, applied
    ((stale,), _) = team.ci("main", ("apply", "--expect", reviewed["digest"]))
    assert (stale.code, "PlanStale" in stale.err) == (6, True), stale

    service.advance("5s")
    ((replaced,), _) = team.ci("main", ("watch", "--once"))
    assert replaced.code == 0, "the replaced attempt has ended, and the new one is created without another consent"
    service.cancel(service.of("summarise")[-1]["name"])
    service.advance("5s")
    ((found,), outputs) = team.ci("main", ("drift",))
    assert (found.code, outputs["drift"]) == (3, "true"), found
    (retried, calm), outputs = team.ci("main", ("retry", "summarise", "--yes"), ("drift",))
    assert (retried.code, calm.code, outputs["drift"]) == (0, 0, "false"), retried

    service.advance("1h")
    (watched, drift), _ = team.ci("main", ("watch", "--yes"), ("drift",))
    assert (watched.code, drift.code) == (0, 0), watched
    (silent,), outputs = team.ci("main", ("plan", "-o", "markdown"))
    assert (silent.out, outputs["changes"], outputs["create"]) == ("", "false", "0")
    assert [len(service.of(name)) for name in ("summarise", "translate", "classify")] == [3, 2, 1]
    (printed, described), _ = team.ci("main", ("results", "translate", "summarise"), ("describe", "translate"))
    assert [(row["job"], row["key"], row["verdict"]) for row in printed.rows] == [
        (job, key, "OK") for job in ("translate", "summarise") for key in ("one", "two", "three")
    ]
    assert f"{RESULTS}translate/" in described.out


def test_another_change_makes_the_reviewed_plan_stale(team: Team, service: Service) -> None:
    team.stack.write_job("translate", model="gemini-2.5-pro")
    team.push("one")
    (_, outputs) = team.ci("one", ("plan",))
    git(team.person, "checkout", "-q", "main")
    team.stack.write_job("summarise")
    team.push("two")
    (_, others) = team.ci("two", ("plan",))
    team.merge("two")
    ((applied,), _) = team.ci("main", ("apply", "--expect", others["digest"]))
    assert applied.code == 0
    team.merge("one")
    ((applied,), _) = team.ci("main", ("apply", "--dry-run", "--expect", outputs["digest"]))
    assert applied.code == 0, "the other change concerns another job"
    team.stack.write_job("translate", model="gemini-2.5-flash-lite")
    team.push("main")
    ((applied,), _) = team.ci("main", ("apply", "--expect", outputs["digest"]))
    assert (applied.code, "due now: replace translate" in applied.err) == (6, True)
    assert len(service.of("translate")) == 1


def test_drift_opens_and_closes(team: Team, service: Service) -> None:
    (calm,), outputs = team.ci("main", ("drift",))
    assert (calm.code, outputs["drift"]) == (0, "false")
    (remote,) = [job["name"] for job in service.of("translate")]
    service.cancel(remote)
    service.advance("5s")
    (found, report), outputs = team.ci("main", ("drift",), ("drift", "-o", "markdown"))
    assert (found.code, outputs["drift"]) == (3, "true")
    assert report.out.startswith("<!-- batchctl drift shop a1b2c3 -->\n")
    assert "| Cancelled | translate |" in report.out
    assert service.creates == 2, "drift never buys"
    (retried, calm), outputs = team.ci("main", ("retry", "translate", "--yes"), ("drift",))
    assert retried.code == 0, retried
    assert (calm.code, outputs["drift"]) == (0, "false")
    assert service.creates == 3
