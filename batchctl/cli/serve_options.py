"""`--serve` and the options beside it: where the web page is served, and who may read it."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import wraps
from pathlib import Path
from typing import Any, Final

import click
from msgspec import Struct

from batchctl.cli import complete
from batchctl.cli.common import F
from batchctl.model.errors import UsageError
from batchctl.model.quoting import shown

DEFAULT_ADDRESS: Final = "127.0.0.1:8420"
_ADDRESS = re.compile(r"(?:(?P<host>\[[0-9A-Fa-f:.]+\]|[^\[\]:/@\s]+):)?(?P<port>[0-9]{1,5})")
_MOST_PORT = 65535
_LEAST_TOKEN = 16
_MOST_TOKEN = 1024
_PLAIN_TOKEN = re.compile(r"[A-Za-z0-9._~-]+")


class ServeOptions(Struct, frozen=True):
    """The address of the web page, and who may read it."""

    host: str
    port: int
    """0: a free one."""
    token_file: Path | None = None
    names: frozenset[str] = frozenset()
    """Further host names that are allowed."""
    show_rows: bool = False

    def read_token(self) -> str | None:
        """The token of the file; None if no file is given. Raises UsageError."""
        if self.token_file is None:
            return None
        try:
            with self.token_file.open("rb") as stream:
                content = stream.read(_MOST_TOKEN + 2)
        except OSError as error:
            reason = error.strerror or error
            raise UsageError(f"cannot read --token-file {self.token_file}: {reason}", hint=_TOKEN_HINT) from error
        token = content.decode("ascii", "replace").strip()
        if not (_LEAST_TOKEN <= len(token) <= _MOST_TOKEN and _PLAIN_TOKEN.fullmatch(token)):
            message = (
                f"--token-file {self.token_file} has no token: {_LEAST_TOKEN} to {_MOST_TOKEN} of A-Z a-z 0-9 . _ ~ -"
            )
            raise UsageError(message, hint=_TOKEN_HINT)
        return token


_TOKEN_HINT = "`openssl rand -hex 32 > FILE` writes one"  # noqa: S105 - a command


_HOST_NAME = re.compile(r"[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?(\.[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?)*")


def _require_host_names(names: Sequence[str]) -> None:
    """Raise UsageError for a name that no request can have."""
    for name in names:
        if not _HOST_NAME.fullmatch(name):
            message = f"--allow-host {shown(name)} is not a host name"
            raise UsageError(message, hint="give the name alone, such as ci.example.com: no scheme, port or path")


def serve_options(default: str | None = None) -> Callable[[F], Callable[..., Any]]:
    """The options. The command gets them as `serving`; None without an address, if there is no default."""

    def decorate(command: F) -> Callable[..., Any]:
        @wraps(command)
        def served(
            *,
            serve: str | None,
            token_file: str | None,
            allow_host: tuple[str, ...],
            show_rows: bool,
            **given: Any,  # noqa: ANN401 - whatever the command takes
        ) -> int:
            if serve is None and (token_file or allow_host or show_rows):
                given_name = "--token-file" if token_file else "--allow-host" if allow_host else "--show-rows"
                raise UsageError(f"{given_name} is for the web page", hint=f"add --serve {DEFAULT_ADDRESS}")
            serving = None
            if serve is not None:
                host, port = _address(serve)
                _require_host_names(allow_host)
                file = None if token_file is None else Path(token_file)
                serving = ServeOptions(host, port, file, frozenset(allow_host), show_rows)
            code: int = command(serving=serving, **given)
            return code

        decorated: Any = served
        for option in (
            click.option("--show-rows", is_flag=True, help="Show requests and answers on the page; needs a token."),
            click.option("--allow-host", metavar="NAME", multiple=True, help="Accept this host name too. Repeatable."),
            click.option(
                "--token-file",
                metavar="FILE",
                shell_complete=complete.files,
                help="The token of the page (default: a random one, where one is needed).",
            ),
            click.option(
                "--serve",
                metavar="ADDRESS",
                default=default,
                show_default=default is not None,
                help="Serve the web page at HOST:PORT." if default else f"Serve a web page, as at {DEFAULT_ADDRESS}.",
            ),
        ):
            decorated = option(decorated)
        return decorated  # type: ignore[no-any-return]

    return decorate


def _address(text: str) -> tuple[str, int]:
    """Host and port. A port alone is one of this machine. Raises UsageError."""
    found = _ADDRESS.fullmatch(text)
    if found is None or int(found["port"]) > _MOST_PORT:
        raise UsageError(f"--serve: {text!r} is not HOST:PORT", hint=f"such as {DEFAULT_ADDRESS}, or [::1]:8420")
    return (found["host"] or "127.0.0.1").strip("[]"), int(found["port"])
