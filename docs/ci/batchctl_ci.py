#!/usr/bin/env python3
"""batchctl in pull requests of GitHub and merge requests of GitLab: one comment, the reviewed digest, one drift issue.

    batchctl-ci plan  [ARGS]    batchctl plan; keeps one comment on the pull request
    batchctl-ci apply [ARGS]    batchctl apply --expect, with the digest of that comment, after the merge
    batchctl-ci drift [ARGS]    batchctl drift; opens one issue, keeps it up to date, and closes it
    batchctl-ci COMMAND [ARGS]  any other command of batchctl, as it is

ARGS are arguments of batchctl; BATCHCTL_CI_ARGS holds more of them, quoted as in a shell. Give `plan` and `apply` the
same ones. BATCHCTL_CI_DIGEST is a digest to apply in place of the one in the comment. Comments and issues count only
if they were written by the token's user: on GitHub BATCHCTL_CI_AUTHOR, by default github-actions[bot].

The service's API gets GITHUB_TOKEN, or BATCHCTL_GITLAB_TOKEN (a project access token with the scope `api`). batchctl
gets neither. Needs Python 3.11 and nothing else.
"""

from __future__ import annotations

import hashlib
import itertools
import json
import os
import re
import shlex
import subprocess
import sys
import tempfile
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

PAGE = 100
DRIFT = 3
"""The exit code of `batchctl drift` that means drift."""
LOCK = ("--lock-timeout", "10m")
TOKENS = ("GITHUB_TOKEN", "BATCHCTL_GITLAB_TOKEN")
DIGEST = re.compile(r"^Digest: `(p1:[0-9a-f]{64})`$", re.MULTILINE)


class Failure(Exception):
    """Ends the program with a message."""


class Api:
    """Calls with JSON to the API of the service that runs this program."""

    def __init__(self, url: str, headers: Mapping[str, str], hint: str) -> None:
        self._url, self._headers, self._hint = url, headers, hint

    def __call__(self, method: str, path: str, body: object = None) -> Any:  # noqa: ANN401 - JSON
        data = None if body is None else json.dumps(body).encode()
        headers = {"content-type": "application/json", "user-agent": "batchctl-ci", **self._headers}
        request = urllib.request.Request(self._url + path, data, headers, method=method)  # noqa: S310 - CI's own API
        try:
            with urllib.request.urlopen(request, timeout=30) as reply:  # noqa: S310
                return json.loads(reply.read() or b"null")
        except urllib.error.HTTPError as error:
            text = error.read(300).decode(errors="replace")
            reason = f"HTTP {error.code}: {''.join(one if one.isprintable() else ' ' for one in text)}"
            hint = f" (hint: {self._hint})" if error.code in {401, 403, 404} else ""
        except OSError as error:
            reason, hint = str(error), ""
        raise Failure(f"{method} {path}: {reason}{hint}")

    def each(self, path: str) -> Iterator[Any]:
        """The items of all pages of a list."""
        for page in itertools.count(1):
            items = self("GET", f"{path}{'&' if '?' in path else '?'}per_page={PAGE}&page={page}")
            yield from items
            if len(items) < PAGE:
                return


@dataclass(frozen=True)
class Notes:
    """The comments of a pull request, or the open issues, as far as this program has written them."""

    api: Api
    is_own: Callable[[Any], bool]
    """Whoever may comment can copy a marker, so the author counts."""
    path: str
    item: str
    number: str
    text: str
    edit: str
    end: tuple[str, object]
    query: str = ""

    def marked(self, marker: str) -> list[Any]:
        """Those that begin with a marker."""
        found = self.api.each(self.path + self.query)
        return [one for one in found if (one[self.text] or "").startswith(marker) and self.is_own(one)]

    def keep_one(self, marker: str, text: str, **fields: str) -> None:
        """Make one note with this text, or none if it is empty. Writes nothing if that is so already."""
        first, *others = self.marked(marker) or [None]
        if text and first is None:
            self.api("POST", self.path, {self.text: text, **fields})
        elif text and _plain(first[self.text]) != _plain(text):
            self.api(self.edit, self._item(first), {self.text: text})
        elif not text and first is not None:
            others.append(first)
        for one in others:
            self.api(self.end[0], self._item(one), self.end[1])

    def _item(self, one: Any) -> str:  # noqa: ANN401 - JSON
        return f"{self.item}/{one[self.number]}"


def _plain(text: str) -> str:
    """Services may change line ends and the end of a text."""
    return text.replace("\r\n", "\n").rstrip()


class GitHub:
    """The repository whose workflow runs."""

    def __init__(self, env: Mapping[str, str]) -> None:
        self._env, self._path = env, f"/repos/{env['GITHUB_REPOSITORY']}"
        self._author = env.get("BATCHCTL_CI_AUTHOR") or "github-actions[bot]"
        headers = {"authorization": f"Bearer {_token(env, 'GITHUB_TOKEN')}"}
        self._api = Api(env["GITHUB_API_URL"], headers, "the permissions of the job: see docs/ci.md")

    def open_request(self) -> int | None:
        """The number of the pull request that this run is for."""
        event = json.loads(Path(self._env["GITHUB_EVENT_PATH"]).read_text(encoding="utf-8"))
        return event["pull_request"]["number"] if "pull_request" in event else None

    def merged_request(self) -> int | None:
        """The number of the pull request whose merge made the commit of this run."""
        commit, branch = self._env["GITHUB_SHA"], self._env["GITHUB_REF_NAME"]
        found = self._api.each(f"{self._path}/commits/{commit}/pulls")
        merged = [one for one in found if one["merged_at"] and one["base"]["ref"] == branch]
        merged.sort(key=lambda one: one["merge_commit_sha"] != commit)
        return merged[0]["number"] if merged else None

    def comments(self, request: int) -> Notes:
        """The comments of a pull request."""
        path = f"{self._path}/issues"
        item, end = f"{path}/comments", ("DELETE", None)
        return Notes(self._api, self._is_own, f"{path}/{request}/comments", item, "id", "body", "PATCH", end)

    def issues(self) -> Notes:
        """The open issues."""
        path, end = f"{self._path}/issues", ("PATCH", {"state": "closed"})
        return Notes(self._api, self._is_own, path, path, "number", "body", "PATCH", end, "?state=open")

    def _is_own(self, one: Any) -> bool:  # noqa: ANN401 - JSON
        return bool(one["user"]) and one["user"]["login"] == self._author


class GitLab:
    """The project whose pipeline runs."""

    def __init__(self, env: Mapping[str, str]) -> None:
        self._env, self._path = env, f"/projects/{env['CI_PROJECT_ID']}"
        headers = {"private-token": _token(env, "BATCHCTL_GITLAB_TOKEN")}
        self._api = Api(env["CI_API_V4_URL"], headers, "the token needs the scope `api`: see docs/ci.md")

    def open_request(self) -> int | None:
        """The number of the merge request that this run is for."""
        number = self._env.get("CI_MERGE_REQUEST_IID")
        return int(number) if number else None

    def merged_request(self) -> int | None:
        """The number of the merge request whose merge made the commit of this run."""
        commit, branch = self._env["CI_COMMIT_SHA"], self._env["CI_COMMIT_REF_NAME"]
        found = self._api.each(f"{self._path}/repository/commits/{commit}/merge_requests")
        merged = [one for one in found if one["state"] == "merged" and one["target_branch"] == branch]
        merged.sort(key=lambda one: commit not in {one.get("merge_commit_sha"), one.get("squash_commit_sha")})
        return merged[0]["iid"] if merged else None

    def comments(self, request: int) -> Notes:
        """The notes of a merge request."""
        path, end = f"{self._path}/merge_requests/{request}/notes", ("DELETE", None)
        return Notes(self._api, self._is_own, path, path, "id", "body", "PUT", end)

    def issues(self) -> Notes:
        """The open issues."""
        path, end = f"{self._path}/issues", ("PUT", {"state_event": "close"})
        return Notes(self._api, self._is_own, path, path, "iid", "description", "PUT", end, "?state=opened")

    def _is_own(self, one: Any) -> bool:  # noqa: ANN401 - JSON
        return bool(one["author"]["id"] == self._user)

    @cached_property
    def _user(self) -> int:
        return int(self._api("GET", "/user")["id"])


def _token(env: Mapping[str, str], name: str) -> str:
    token = env.get(name)
    if not token:
        raise Failure(f"{name} is not set (hint: see docs/ci.md)")
    return token


def service_of(env: Mapping[str, str]) -> GitHub | GitLab:
    """The service that runs this program. Raises Failure."""
    if env.get("GITHUB_ACTIONS") == "true":
        return GitHub(env)
    if env.get("GITLAB_CI") == "true":
        return GitLab(env)
    raise Failure("neither GITHUB_ACTIONS nor GITLAB_CI is set (hint: outside of CI, use batchctl itself)")


def marker(document: Mapping[str, Any]) -> str:
    """The first line of a plan's comment. `plan -o markdown` has it too, but prints nothing if nothing changes."""
    uid: str = document["uid"]
    short = uid if re.fullmatch("[a-z0-9]{6}", uid) else hashlib.sha256(uid.encode()).hexdigest()[:6]
    return f"<!-- batchctl plan {document['stack']} {short} -->"


def batchctl(*arguments: str, stdout: int | None = None) -> subprocess.CompletedProcess[str]:
    """Run batchctl, without the tokens of this program."""
    sys.stdout.flush()
    env = {name: value for name, value in os.environ.items() if name not in TOKENS}
    return subprocess.run(["batchctl", *arguments], env=env, stdout=stdout, text=True, check=False)  # noqa: S603, S607


def make_plan(arguments: list[str]) -> tuple[int, dict[str, Any], str]:
    """Run `batchctl plan`: its exit code, the document, and the Markdown. The document is empty after an error."""
    with tempfile.TemporaryDirectory() as folder:
        document, page = Path(folder, "plan.json"), Path(folder, "plan.md")
        reports = ("--report", f"json={document}", "--report", f"markdown={page}")
        code = batchctl("plan", *reports, *arguments).returncode
        if not page.exists():
            return code, {}, ""
        return code, json.loads(document.read_text(encoding="utf-8")), page.read_text(encoding="utf-8")


def comment_plan(service: GitHub | GitLab, arguments: list[str]) -> int:
    """Plan, and keep the comment, also of a plan that a guard refuses."""
    code, document, text = make_plan(arguments)
    request = service.open_request() if document else None
    if request is not None:
        service.comments(request).keep_one(marker(document), text)
    return code


def apply_reviewed(service: GitHub | GitLab, arguments: list[str]) -> int:
    """Apply what was reviewed. If nothing was, follow the jobs that exist, which buys nothing."""
    code, document, _ = make_plan(arguments)
    if not document:
        return code
    digest = os.environ.get("BATCHCTL_CI_DIGEST") or _reviewed(service, marker(document))
    if digest:
        return batchctl("apply", "--expect", digest, *LOCK, *arguments).returncode
    print("batchctl-ci: no merged pull request of this commit has a plan, so nothing new is applied")  # noqa: T201
    return batchctl("watch", "--once", *LOCK, *arguments).returncode


def _reviewed(service: GitHub | GitLab, line: str) -> str:
    """The digest of the plan in the comment; empty without one."""
    request = service.merged_request()
    if request is None:
        return ""
    comments = service.comments(request)
    found = [DIGEST.findall(_plain(one[comments.text])) for one in comments.marked(line)[:1]]
    return found[0][-1] if found and found[0] else ""


def report_drift(service: GitHub | GitLab, arguments: list[str]) -> int:
    """Look for drift, and keep the issue. If not everything could be read, the issue stays as it is."""
    done = batchctl("drift", "-o", "markdown", *arguments, stdout=subprocess.PIPE)
    print(done.stdout)  # noqa: T201
    found = re.match(r"<!-- batchctl drift (\S+) \S+ -->\n", done.stdout)
    if found is None or done.returncode not in {0, DRIFT}:
        return done.returncode
    text = done.stdout if done.returncode == DRIFT else ""
    service.issues().keep_one(found[0], text, title=f"batchctl: drift in stack {found[1]}")
    return 0


FLOWS = {"plan": comment_plan, "apply": apply_reviewed, "drift": report_drift}


def main(words: list[str]) -> int:
    """Run one command line and give its exit code."""
    try:
        arguments = [*words[1:], *shlex.split(os.environ.get("BATCHCTL_CI_ARGS", ""))]
        if not words or words[0] not in FLOWS:
            return batchctl(*words[:1], *arguments).returncode
        return FLOWS[words[0]](service_of(os.environ), arguments)
    except (Failure, OSError, ValueError) as error:
        print(f"batchctl-ci: {error}", file=sys.stderr)  # noqa: T201
        return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
