"""`watch --serve`, `ui` and `report --html`: real processes and their pages over HTTP."""

from __future__ import annotations

import json
import re
import signal
import socket
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest

from batchctl.cli.common import Common
from batchctl.cli.row_browser import Browser
from batchctl.cli.web import as_recorded
from batchctl.cli.workspace import open_workspace
from batchctl.engine.clock import SystemClock
from batchctl.reconcile import Options
from batchctl.state.store import open_state
from tests.support.closed_schemas import check_closed
from tests.support.command_line import LONG, SOON, Cli, Service, StackFolder, process
from tests.support.held_calls import held
from tests.support.patience import PATIENCE
from tests.support.web import Site, serving
from tests.support.web_process import WebProcess

Start = Callable[..., WebProcess]
TOKEN = "a-token-of-some-length"


@pytest.fixture
def start() -> Iterator[Start]:
    started: list[WebProcess] = []

    def begin(*arguments: str, folder: Path | None = None) -> WebProcess:
        started.append(WebProcess(*arguments, folder=folder))
        return started[-1]

    yield begin
    for one in started:
        one.close()


def tree(folder: Path) -> dict[str, bytes]:
    """All files but those that SQLite leaves beside a state that was read."""
    files = (path for path in folder.rglob("*") if path.is_file() and path.suffix not in {".db-shm", ".db-wal"})
    return {str(path): path.read_bytes() for path in files}


class TestWatch:
    def test_jobs_move_on_the_page(self, stack: StackFolder, service: Service, start: Start) -> None:
        service.rules(LONG)
        stack.write_job("a")
        page = start("watch", "--yes", "--forever", "--poll-min", "1s", "--poll-max", "1s")
        messages, reader = page.follow()
        page.wait(lambda: page.phases() == {"a": "Active"})
        assert page.get("/api/summary")["source"] == "watch"
        service.advance("1h")
        page.wait(lambda: page.phases() == {"a": "Succeeded"})
        summary = page.get("/api/summary")
        assert summary["pass"]["number"] >= 2
        assert summary["rows"]["verdicts"] == {"OK": 3}
        assert page.end() == 130
        reader.join(PATIENCE)
        seen = [job["phase"] for event, data in messages if event == "change" for job in data["jobs"]]
        assert list(dict.fromkeys(seen))[-2:] == ["Active", "Succeeded"]
        assert messages[-1][0] == "bye"

    def test_the_page_ends_with_the_watch(self, stack: StackFolder, service: Service, start: Start) -> None:
        service.rules(LONG)
        stack.write_job("a")
        page = start("watch", "--yes", "--poll-min", "1s", "--poll-max", "1s")
        messages, reader = page.follow()
        page.wait(lambda: page.phases() == {"a": "Active"})
        service.advance("1h")
        assert page.join() == 0
        reader.join(PATIENCE)
        assert messages[-1][0] == "bye"
        with pytest.raises(httpx.ConnectError):
            page.client.get("/")

    @pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
    def test_a_signal_ends_both(self, stack: StackFolder, service: Service, start: Start, number: int) -> None:
        service.rules(LONG)
        stack.write_job("a")
        page = start("watch", "--yes", "--forever")
        page.wait(lambda: page.phases() == {"a": "Active"})
        page.follow()
        assert page.end(number) == 130
        with pytest.raises(httpx.ConnectError):
            page.client.get("/")

    def test_a_port_in_use_ends_it_before_anything_is_done(
        self, stack: StackFolder, service: Service, cli: Cli
    ) -> None:
        stack.write_job("a")
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
            ran = cli("watch", "--yes", "--once", "--serve", f"127.0.0.1:{port}")
        assert (ran.code, service.creates) == (1, 0)
        assert (
            f"error: AddressUnusable the web page cannot be served at 127.0.0.1:{port}: Address already in use"
            in ran.err
        )
        assert "another batchctl, listens there; --serve HOST:0 chooses a free port" in ran.err

    def test_the_record_is_shown_before_the_first_pass(
        self, stack: StackFolder, service: Service, cli: Cli, start: Start
    ) -> None:
        service.rules(LONG)
        stack.write_job("a")
        cli.ok("apply", "--yes")
        path = stack.path / ".batchctl" / "state.db"
        with open_state(path, stack="shop", uid="a1b2c3", clock=SystemClock(), who="ada@laptop").lock():
            page = start("watch", "--forever")
            assert (page.get("/api/summary")["source"], page.phases()) == ("state", {"a": "Active"})
        page.wait(lambda: page.get("/api/summary")["source"] == "watch")

    def test_a_long_pass_is_shown_as_it_goes(self, stack: StackFolder, service: Service, start: Start) -> None:
        service.rules(LONG)
        service.faults(held("batches.create"))
        stack.write_job("a")
        stack.write_job("b")
        page = start("watch", "--yes", "--once")
        messages, reader = page.follow()
        page.wait(lambda: sorted(page.phases().values()) == ["Active", "Settling"])
        assert (page.get("/api/summary")["source"], page.get("/api/summary")["pass"]) == ("watch", None)
        page.wait(lambda: any(event == "activity" and data["busy"] for event, data in messages))
        service.let_go()
        assert page.join() == 0
        reader.join(PATIENCE)


class TestUi:
    def test_it_calls_no_api_and_writes_nothing(
        self, stack: StackFolder, service: Service, cli: Cli, start: Start
    ) -> None:
        service.rules(SOON)
        stack.write_job("a")
        cli.ok("apply", "--yes")
        service.advance("1h")
        before, calls = tree(stack.path), service.calls("batches.list")
        page = start("ui")
        assert page.phases() == {"a": "Active"}, "as it was last seen"
        summary = page.get("/api/summary")
        assert (summary["source"], summary["pass"], summary["lock"]) == ("state", None, None)
        for path in ("/api/jobs/a", "/api/graph", "/api/timeline", "/api/rows-over-time", "/api/events", "/api/plan"):
            page.get(path)
        assert page.end() == 130
        after = tree(stack.path)
        assert {name for name in before.keys() | after.keys() if before.get(name) != after.get(name)} == set()
        assert service.calls("batches.list") == calls

    def test_it_follows_the_state_and_the_manifests(
        self, stack: StackFolder, service: Service, cli: Cli, start: Start
    ) -> None:
        service.rules(LONG)
        page = start("ui")
        assert page.phases() == {}
        stack.write_job("a")
        page.wait(lambda: page.phases() == {"a": "Waiting"})
        cli.ok("apply", "--yes")
        page.wait(lambda: page.phases() == {"a": "Active"})
        stack.job_path("a").write_text("nonsense: [")
        page.wait(lambda: any("the manifests cannot be used" in line for line in page.err))
        assert page.phases() == {"a": "Active"}

    def test_it_shows_who_holds_the_lock(self, stack: StackFolder, service: Service, start: Start) -> None:
        stack.write_job("a")
        page = start("ui")
        state = open_state(
            stack.path / ".batchctl" / "state.db", stack="shop", uid="a1b2c3", clock=_Clock(), who="ada@laptop"
        )
        with state.lock():
            page.wait(lambda: "ada@laptop" in ((page.get("/api/summary")["lock"] or {}).get("holder") or ""))

    def test_a_selection_narrows_it(self, stack: StackFolder, service: Service, start: Start) -> None:
        for name, team in (("a", "search"), ("b", "ads")):
            stack.write_job(name, labels={"team": team})
        assert start("ui", "-l", "team=ads").phases() == {"b": "Waiting"}
        assert start("ui", "a").phases() == {"a": "Waiting"}

    def test_invalid_manifests_at_the_start(self, stack: StackFolder, cli: Cli) -> None:
        stack.job_path("a").write_text("nonsense: [")
        assert cli("ui", "--serve", "127.0.0.1:0").code == 65


class TestAccess:
    def test_loopback_needs_no_token(self, stack: StackFolder, start: Start) -> None:
        page = start("ui")
        assert "token" not in page.address
        assert httpx.get(f"{page.address}api/summary", timeout=PATIENCE, verify=False).status_code == 200

    def test_rows_need_a_token_on_loopback_too(self, stack: StackFolder, start: Start) -> None:
        page = start("ui", "--show-rows")
        assert re.fullmatch(r"http://127\.0\.0\.1:\d+/\?token=[A-Za-z0-9_-]{43}", page.address)
        bare = page.address.partition("?")[0]
        assert httpx.get(f"{bare}api/summary", timeout=PATIENCE, verify=False).status_code == 401
        assert page.get("/api/summary")["rowsShown"] is True

    def test_all_addresses_need_a_token(self, stack: StackFolder, start: Start) -> None:
        page = start("ui", "--serve", "0.0.0.0:0")
        port = re.search(r":(\d+)/\?token=", page.address)
        assert port is not None
        assert httpx.get(f"http://127.0.0.1:{port[1]}/api/summary", timeout=PATIENCE, verify=False).status_code == 401

    def test_the_token_of_a_file_is_not_shown(self, stack: StackFolder, start: Start) -> None:
        (stack.path / "token").write_text(f"{TOKEN}\n")
        process_words = ("ui", "--token-file", "token", "--serve", "127.0.0.1:0")
        child = subprocess.Popen(
            [sys.executable, "-c", "from batchctl.cli import main; main()", *process_words],
            stderr=subprocess.PIPE,
            text=True,
        )
        try:
            assert child.stderr is not None
            address = child.stderr.readline().strip().partition("web page: ")[2]
            assert TOKEN not in address
            assert httpx.get(f"{address}api/summary", timeout=PATIENCE, verify=False).status_code == 401
            given = {"authorization": f"Bearer {TOKEN}"}
            assert httpx.get(f"{address}api/summary", headers=given, timeout=PATIENCE, verify=False).status_code in {
                200,
                503,
            }
        finally:
            child.kill()
            child.communicate()

    @pytest.mark.parametrize(
        ("words", "message"),
        [
            (("--show-rows",), "--show-rows is for the web page"),
            (("--allow-host", "x"), "--allow-host is for the web page"),
            (("--token-file", "x"), "--token-file is for the web page"),
            (("--serve", "127.0.0.1:0", "--allow-host", "http://ci/"), '--allow-host "http://ci/" is not a host name'),
            (("--serve", "127.0.0.1:0", "--allow-host", "ci:80"), '--allow-host "ci:80" is not a host name'),
            (("--serve", "nonsense"), "--serve: 'nonsense' is not HOST:PORT"),
            (("--serve", "http://127.0.0.1:8420"), "is not HOST:PORT"),
            (("--serve", "127.0.0.1:65536"), "is not HOST:PORT"),
            (("--serve", "127.0.0.1:0", "--token-file", "nowhere"), "cannot read --token-file nowhere: No such file"),
            (("--serve", "127.0.0.1:0", "--token-file", "short"), "--token-file short has no token: 16 to 1024 of"),
            (("--serve", "127.0.0.1:0", "--token-file", "spaces"), "--token-file spaces has no token"),
        ],
    )
    def test_wrong_usage(
        self, stack: StackFolder, service: Service, cli: Cli, words: tuple[str, ...], message: str
    ) -> None:
        stack.write_job("a")
        Path("short").write_text("short")
        Path("spaces").write_text("a token with spaces in it")
        ran = cli("watch", "--once", "--yes", *words)
        assert (ran.code, message in ran.err, service.creates) == (64, True, 0), ran.err


class TestRows:
    @pytest.fixture
    def page(self, stack: StackFolder, service: Service, cli: Cli) -> Iterator[Site]:
        service.rules(
            {**SOON, "fate": "rows", "match": {"row": "two"}, "rowError": {"code": 3, "message": "bad row"}}, SOON
        )
        stack.write_job("a")
        stack.write_job("b", src=[{"key": f"k{number}", "text": "x" * 30_000} for number in range(5)])
        stack.write_job("new")
        cli("apply", "a", "b", "--yes")
        service.advance("1h")
        cli("apply", "a", "b", "--yes")
        workspace = open_workspace(Common(), offline=True)
        with serving(None, as_recorded(workspace, Options()), rows=Browser(workspace)) as site:
            yield site
        assert site.warnings == []

    def test_they_are_those_of_results_failed_first(self, page: Site, cli: Cli) -> None:
        found = page.get("/api/jobs/a/rows")
        printed = {row["key"]: row for row in cli.ok("results", "a", "--join").rows}
        assert [row["key"] for row in found["items"]] == ["two", "one", "three"]
        assert {row["key"]: row for row in found["items"]} == printed
        for row in found["items"]:
            check_closed("results-row", row)
        assert (found["verdicts"], found["total"], found["next"]) == ({"INVALID_ARGUMENT": 1, "OK": 2}, 3, None)

    def test_pages_have_each_row_once(self, page: Site) -> None:
        for more, expected in (
            ({}, ["two", "one", "three"]),
            ({"verdict": "OK"}, ["one", "three"]),
            ({"verdict": "failed"}, ["two"]),
        ):
            found, cursor = [], None
            while True:
                document = page.get("/api/jobs/a/rows", limit=1, **more, **({"cursor": cursor} if cursor else {}))
                found += [row["key"] for row in document["items"]]
                cursor = document["next"]
                if cursor is None:
                    break
            assert found == expected

    def test_search(self, page: Site) -> None:
        assert [row["key"] for row in page.get("/api/jobs/a/rows", q="SECOND")["items"]] == ["two"]
        assert [row["key"] for row in page.get("/api/jobs/a/rows", q="k1 nothing")["items"]] == []
        assert [row["key"] for row in page.get("/api/jobs/b/rows", q="k1")["items"]] == ["k1"]

    def test_long_texts_are_cut(self, page: Site) -> None:
        answer = page.client.get("/api/jobs/b/rows")
        assert "… (30,000 characters)" in answer.json()["items"][0]["request"]["contents"][0]["parts"][0]["text"]
        assert len(answer.content) < 5 * 80_000

    @pytest.mark.parametrize(
        ("path", "expected"),
        [
            ("/api/jobs/new/rows", (404, "ResultsNotReady")),
            ("/api/jobs/nope/rows", (404, "JobNotFound")),
            ("/api/jobs/a/rows?attempt=7", (404, "AttemptNotFound")),
            ("/api/jobs/a/rows?verdict=NOPE", (400, "Usage")),
            ("/api/jobs/a/rows?cursor=good", (400, "Usage")),
            ("/api/jobs/a/rows?cursor=any-1", (400, "Usage")),
            ("/api/jobs/a/rows?limit=101", (400, "Usage")),
            ("/api/jobs/a/rows?nope=1", (400, "Usage")),
        ],
    )
    def test_errors(self, page: Site, path: str, expected: tuple[int, str]) -> None:
        answer = page.client.get(path)
        assert (answer.status_code, answer.json()["error"]["code"]) == expected


class TestReport:
    def test_it_is_one_private_file_without_a_call(self, stack: StackFolder, service: Service, cli: Cli) -> None:
        service.rules(SOON)
        stack.write_job("a", labels={"team": "search"})
        stack.write_job("b")
        cli.ok("apply", "--yes")
        calls = service.calls("batches.list")
        ran = cli.ok("report", "--html", "report.html")
        assert (ran.out, service.calls("batches.list")) == ("", calls)
        assert stat.S_IMODE(Path("report.html").stat().st_mode) == 0o600
        report = embedded(Path("report.html"))
        assert [item["job"] for item in report["documents"]["jobs"]["items"]] == ["a", "b"]
        assert report["documents"]["summary"]["source"] == "state"
        cli.ok("report", "--html", "one.html", "-l", "team=search")
        one = embedded(Path("one.html"))
        assert [item["job"] for item in one["documents"]["jobs"]["items"]] == list(one["jobs"]) == ["a"]
        assert {item["job"] for item in one["documents"]["events"]["items"]} == {"a"}

    def test_usage(self, stack: StackFolder, cli: Cli) -> None:
        assert cli("report").code == 64
        assert cli("report", "--html", "-").code == 64
        assert cli("report", "--html", "nowhere/report.html").code == 1
        assert cli("report", "nope", "--html", "report.html").code == 1


class TestWithoutTheExtra:
    """The libraries of the extra are hidden from the process."""

    HIDDEN = "import sys; sys.modules.update(dict.fromkeys(('starlette', 'uvicorn', 'anyio.from_thread')))"

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        program = f"{self.HIDDEN}; from batchctl.cli import main; main()"
        return subprocess.run([sys.executable, "-c", program, *words], text=True, capture_output=True, timeout=120)  # noqa: PLW1510

    @pytest.mark.parametrize(
        ("words", "what"),
        [
            (("emulator", "serve", "--port", "0"), "`batchctl emulator serve`"),
            (("ui", "--serve", "127.0.0.1:0"), "the web page"),
            (("watch", "--once", "--serve", "127.0.0.1:0"), "the web page"),
        ],
    )
    def test_a_server_names_it(self, stack: StackFolder, service: Service, words: tuple[str, ...], what: str) -> None:
        stack.write_job("a")
        ran = self.run(*words)
        assert (ran.returncode, ran.stdout, service.creates) == (1, "", 0)
        assert re.search(rf"error: MissingLibrary {what} needs (uvicorn|starlette), which is not installed", ran.stderr)
        assert (
            "hint: `pip install 'batchctl[server]'`, or `pip install '.[server]'` in the clone of batchctl"
            in ran.stderr
        )

    def test_everything_else_works(self, stack: StackFolder, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delenv("BATCHCTL_EMULATOR")
        stack.write_job("a")
        for words in (
            ("apply", "--yes", "--wait"),
            ("watch", "--once"),
            ("results", "a"),
            ("report", "--html", "r.html"),
        ):
            ran = self.run(*words)
            assert ran.returncode == 0, ran.stderr
        assert embedded(Path("r.html"))["documents"]["summary"]["phases"] == {"Succeeded": 1}


def test_help_names_the_options() -> None:
    assert {"--serve", "--token-file", "--allow-host", "--show-rows"} <= set(process("ui", "--help").out.split())


class _Clock:
    def now(self) -> datetime:
        return datetime.now(UTC)

    def sleep(self, seconds: float) -> None:
        raise AssertionError(f"the lock is free, and {seconds} s were to be waited for it")


def embedded(path: Path) -> dict[str, object]:
    found = re.search(r'<script type="application/json" id="batchctl-data">(.*?)</script>', path.read_text())
    assert found is not None
    return json.loads(found[1])
