"""GitHub's and GitLab's APIs, as far as docs/ci/batchctl_ci.py uses them: comments, issues, and which request was merged."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.support.patience import PATIENCE

TOKENS = {"bot-token": "github-actions[bot]", "other-token": "mallory"}
LONGEST = 65_536
"""Characters of a comment or an issue; GitHub answers more with 422."""


class Refused(Exception):
    """A call that ends with this status."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


@dataclass
class CodeHost:
    """A repository with requests, comments and issues. Each write is recorded."""

    writes: list[str] = field(default_factory=list)
    comments: dict[int, list[dict[str, Any]]] = field(default_factory=dict)
    issues: list[dict[str, Any]] = field(default_factory=list)
    merged: dict[str, int] = field(default_factory=dict)
    """The number of the request that a commit merged."""
    refuses: int = 0
    """A status for every write."""
    url: str = ""
    _next: int = 100

    def add_comment(self, request: int, login: str, text: str) -> dict[str, Any]:
        """A comment, of the program or of somebody else."""
        self._next += 1
        made = {"id": self._next, "login": login, "text": text}
        self.comments.setdefault(request, []).append(made)
        return made

    def texts(self, request: int) -> list[str]:
        """The comments of a request."""
        return [one["text"] for one in self.comments.get(request, [])]

    def open_issue(self, login: str, title: str, text: str) -> dict[str, Any]:
        """An issue."""
        self._next += 1
        made = {"id": self._next, "login": login, "title": title, "text": text, "open": True}
        self.issues.append(made)
        return made

    def admit(self, method: str, path: str, token: str) -> None:
        """Raise Refused unless the token may do this; record it."""
        if token not in TOKENS:
            raise Refused(401, "Bad credentials")
        if method != "GET":
            if self.refuses:
                raise Refused(self.refuses, "Resource not accessible by integration")
            self.writes.append(f"{method} {path}")

    def answer(self, method: str, path: str, query: dict[str, str], body: Any, login: str) -> Any:
        """The reply to a call. Raises Refused."""
        raise NotImplementedError

    def page(self, items: list[Any], query: dict[str, str]) -> list[Any]:
        """One page of a list, oldest first."""
        size, number = min(int(query.get("per_page", 30)), 100), int(query.get("page", 1))
        return items[(number - 1) * size : number * size]

    def comment(self, number: int) -> tuple[list[dict[str, Any]], dict[str, Any]]:
        """A comment by its number, and the list that has it."""
        for some in self.comments.values():
            for one in some:
                if one["id"] == number:
                    return some, one
        raise Refused(404, "Not Found")

    def issue(self, number: int) -> dict[str, Any]:
        """An issue by its number."""
        return next(one for one in self.issues if one["id"] == number)


def _text(body: dict[str, Any], key: str) -> str:
    text: str = body[key]
    if not text or len(text) > LONGEST:
        raise Refused(422, "Validation Failed")
    return text


class GitHubHost(CodeHost):
    """With the paths and members of https://docs.github.com/rest."""

    def answer(self, method: str, path: str, query: dict[str, str], body: Any, login: str) -> Any:
        path = path.removeprefix("/repos/acme/jobs")
        if found := re.fullmatch(r"/commits/(\w+)/pulls", path):
            number = self.merged.get(found[1])
            pulls = [{"number": 1, "merged_at": None, "base": {"ref": "main"}, "merge_commit_sha": "other"}]
            if number:
                pulls.append(
                    {"number": number, "merged_at": "x", "base": {"ref": "main"}, "merge_commit_sha": found[1]}
                )
            return self.page(pulls, query)
        if found := re.fullmatch(r"/issues/(\d+)/comments", path):
            if method == "POST":
                return self._comment(self.add_comment(int(found[1]), login, _text(body, "body")))
            return self.page([self._comment(one) for one in self.comments.get(int(found[1]), [])], query)
        if found := re.fullmatch(r"/issues/comments/(\d+)", path):
            some, one = self.comment(int(found[1]))
            if method == "DELETE":
                return some.remove(one)
            one["text"] = _text(body, "body")
            return self._comment(one)
        if path == "/issues":
            if method == "POST":
                return self._issue(self.open_issue(login, body["title"], _text(body, "body")))
            return self.page([self._issue(one) for one in self.issues if one["open"]], query)
        if found := re.fullmatch(r"/issues/(\d+)", path):
            one = self.issue(int(found[1]))
            one["text"] = body.get("body", one["text"])
            one["open"] = body.get("state", "open") == "open"
            return self._issue(one)
        raise Refused(404, "Not Found")

    def _comment(self, one: dict[str, Any]) -> dict[str, Any]:
        # Line ends as a browser sends them, which are kept.
        return {"id": one["id"], "user": {"login": one["login"]}, "body": one["text"].replace("\n", "\r\n")}

    def _issue(self, one: dict[str, Any]) -> dict[str, Any]:
        return {"number": one["id"], "user": {"login": one["login"]}, "body": one["text"], "title": one["title"]}


class GitLabHost(CodeHost):
    """With the paths and members of https://docs.gitlab.com/api."""

    def answer(self, method: str, path: str, query: dict[str, str], body: Any, login: str) -> Any:  # noqa: C901, PLR0911 - one branch a path
        if path == "/user":
            return self._author(login)
        path = path.removeprefix("/projects/7")
        if found := re.fullmatch(r"/repository/commits/(\w+)/merge_requests", path):
            number = self.merged.get(found[1])
            requests = [{"iid": 1, "state": "opened", "target_branch": "main"}]
            if number:
                requests.append(
                    {"iid": number, "state": "merged", "target_branch": "main", "merge_commit_sha": found[1]}
                )
            return self.page(requests, query)
        if found := re.fullmatch(r"/merge_requests/(\d+)/notes(?:/(\d+))?", path):
            if found[2]:
                some, one = self.comment(int(found[2]))
                if method == "DELETE":
                    return some.remove(one)
                one["text"] = _text(body, "body")
                return self._note(one)
            if method == "POST":
                return self._note(self.add_comment(int(found[1]), login, _text(body, "body")))
            return self.page([self._note(one) for one in self.comments.get(int(found[1]), [])], query)
        if path == "/issues":
            if method == "POST":
                return self._issue(self.open_issue(login, body["title"], _text(body, "description")))
            return self.page([self._issue(one) for one in self.issues if one["open"]], query)
        if found := re.fullmatch(r"/issues/(\d+)", path):
            one = self.issue(int(found[1]))
            one["text"] = body.get("description", one["text"])
            one["open"] = body.get("state_event") != "close"
            return self._issue(one)
        raise Refused(404, "404 Not Found")

    def _author(self, login: str) -> dict[str, Any]:
        return {"id": sorted(TOKENS.values()).index(login) if login in TOKENS.values() else 99, "username": login}

    def _note(self, one: dict[str, Any]) -> dict[str, Any]:
        return {"id": one["id"], "author": self._author(one["login"]), "body": one["text"]}

    def _issue(self, one: dict[str, Any]) -> dict[str, Any]:
        return {"iid": one["id"], "author": self._author(one["login"]), "description": one["text"]}


def _handler(host: CodeHost) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def _call(self) -> None:
            length = int(self.headers.get("content-length") or 0)
            body = json.loads(self.rfile.read(length) or b"null")
            url = urlsplit(self.path)
            query = {name: values[0] for name, values in parse_qs(url.query).items()}
            token = self.headers.get("private-token") or self.headers.get("authorization", "").removeprefix("Bearer ")
            try:
                host.admit(self.command, url.path, token)
                status, reply = 200, host.answer(self.command, url.path, query, body, TOKENS[token])
            except Refused as error:
                status, reply = error.status, {"message": str(error)}
            data = b"" if reply is None else json.dumps(reply).encode()
            self.send_response(204 if status == 200 and not data else status)
            self.send_header("content-length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        do_GET = do_POST = do_PATCH = do_PUT = do_DELETE = _call  # noqa: N815 - the names that http.server calls

        def log_message(self, *_: object) -> None:
            pass

    return Handler


@contextmanager
def serving(host: CodeHost) -> Iterator[CodeHost]:
    """Serve the API on this machine."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(host))
    host.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield host
    finally:
        server.shutdown()
        thread.join(PATIENCE)
        server.server_close()
