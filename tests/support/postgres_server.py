"""A real PostgreSQL server for tests: in a folder of its own, on a socket, never as root."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
from pathlib import Path

from tests.support.patience import PATIENCE

ACCOUNTS = ("postgres", "nobody")
"""The server refuses to run as root; then it runs as one of these."""


def find_programs() -> Path | None:
    """The folder of the newest `initdb` and `pg_ctl`; None if PostgreSQL is not installed."""
    folders = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name))
    found = shutil.which("initdb")
    folders += [Path(found).parent] if found and not folders else []
    fit = [folder for folder in folders if (folder / "initdb").exists() and (folder / "pg_ctl").exists()]
    return fit[-1] if fit else None


class PostgresServer:
    """One cluster. `start` and `stop` may be called again and again."""

    def __init__(self, programs: Path, *, port: int | None = None) -> None:
        self._programs = programs
        self.port = port or 5432
        self._listens = "" if port is None else "127.0.0.1"
        # A short path: the name of a socket has 107 bytes at most.
        self.folder = Path(tempfile.mkdtemp(prefix="bpg-", dir="/tmp"))
        self._account = None
        if os.geteuid() == 0:
            self._account = next(pwd.getpwnam(name) for name in ACCOUNTS if _exists(name))
            os.chown(self.folder, self._account.pw_uid, self._account.pw_gid)
        self.folder.chmod(0o755)
        self._run("initdb", "-D", str(self.data), "-U", "tester", "-A", "trust", "-E", "UTF8", "--locale=C", "-N")
        with (self.data / "postgresql.conf").open("a") as stream:
            stream.write(
                f"fsync = off\nfull_page_writes = off\nsynchronous_commit = on\nlisten_addresses = '{self._listens}'\n"
                f"port = {self.port}\nunix_socket_directories = '{self.folder}'\nmax_connections = 100\n"
                "shared_buffers = 16MB\nautovacuum = off\nmax_wal_senders = 4\nwal_level = replica\n"
            )

    @property
    def data(self) -> Path:
        return self.folder / "data"

    def url(self, database: str = "postgres", user: str = "tester", **more: str) -> str:
        """The address of a database; `more` are parameters."""
        parameters = "".join(f"&{name}={value}" for name, value in more.items())
        return f"postgresql://{user}@/{database}?host={self.folder}&port={self.port}{parameters}"

    def start(self) -> None:
        self._run("pg_ctl", "-D", str(self.data), "-w", "-t", str(PATIENCE), "-l", str(self.folder / "log"), "start")

    def stop(self, mode: str = "immediate") -> None:
        self._run("pg_ctl", "-D", str(self.data), "-w", "-t", str(PATIENCE), "-m", mode, "stop")

    def promote(self) -> None:
        self._run("pg_ctl", "-D", str(self.data), "-w", "-t", str(PATIENCE), "promote")

    def remove(self) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)

    def run_program(self, program: str, *arguments: str) -> None:
        """Run a program of PostgreSQL as the account of the server."""
        self._run(program, *arguments)

    def _run(self, program: str, *arguments: str) -> None:
        account: dict[str, object] = {}
        if self._account is not None:
            account = {"user": self._account.pw_uid, "group": self._account.pw_gid, "extra_groups": []}
        subprocess.run(
            [str(self._programs / program), *arguments],
            check=True,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            cwd=self.folder,
            env={"PATH": os.environ["PATH"], "LC_ALL": "C"},
            **account,  # type: ignore[call-overload]
        )


def _exists(name: str) -> bool:
    try:
        pwd.getpwnam(name)
    except KeyError:
        return False
    return True
