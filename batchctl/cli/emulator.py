"""`batchctl emulator`: a local Gemini batch service, for tests with any client."""

from __future__ import annotations

from pathlib import Path

import click

from batchctl.cli import complete
from batchctl.cli.aimed_hints import refuse_stack_options
from batchctl.cli.common import Common, common_options
from batchctl.cli.missing_library import missing_server
from batchctl.model.codes import ErrorCode
from batchctl.model.errors import BatchctlError


@click.group()
def emulator() -> None:
    """Run a local Gemini batch service for tests."""


@emulator.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=8085,
    show_default=True,
    help="Port to listen on; 0 chooses a free one.",
)
@click.option(
    "--data", metavar="DIR", shell_complete=complete.folders, help="Keep all data in DIR (default: keep nothing)."
)
@click.option(
    "--seed", metavar="FILE", shell_complete=complete.files, help="Start with the jobs and files in a YAML file."
)
@click.option("--allow-host", "names", metavar="NAME", multiple=True, help="Accept this host name too. Repeatable.")
@common_options
def serve(*, common: Common, host: str, port: int, data: str | None, seed: str | None, names: tuple[str, ...]) -> None:
    """Serve the emulator until interrupted.

    Prints the environment variables that SDKs and batchctl need.
    """
    refuse_stack_options(common, "emulator serve")
    try:
        from batchctl.emulator.serve import serve as serve_emulator
    except ImportError as error:
        raise missing_server("`batchctl emulator serve`", error) from error

    folder = Path(data) if data else None
    try:
        serve_emulator(host, port, folder, Path(seed) if seed else None, _announce, frozenset(names))
    except (OSError, ValueError) as error:
        message = f"the emulator cannot serve on {host}:{port}: {error}"
        raise BatchctlError(message, code=ErrorCode.EMULATOR_FAILED, hint="see --port, --data and --seed") from error


def _announce(line: str) -> None:
    # The parent process reads the address from a pipe, so it must not stay in a buffer.
    print(line, flush=True)  # noqa: T201
