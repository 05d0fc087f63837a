"""`batchctl version`: the versions of batchctl, Python and libraries."""

from __future__ import annotations

import platform
from importlib.metadata import version as library_version

import click

from batchctl import __version__
from batchctl.cli.common import Common, common_options, output_option
from batchctl.cli.output import emit
from batchctl.report.job_document import version_document
from batchctl.report.reports import VersionReport
from batchctl.report.status_text import write_version

_LIBRARIES = ("click", "google-auth", "httpx", "jsonschema", "pyyaml", "sqlite-utils")


@click.command()
@output_option("json", "yaml")
@common_options
def version(*, common: Common, output: str) -> None:
    """Print the versions that a bug report needs."""
    libraries = {name: library_version(name) for name in _LIBRARIES}
    # Without platform.platform(), which starts `uname` and passes it the whole environment.
    system = f"{platform.system()}-{platform.release()}-{platform.machine()}"
    report = VersionReport(__version__, platform.python_version(), system, libraries)
    emit(
        common,
        output,
        text=lambda console: write_version(report, console, verbose=common.verbose),
        document=lambda: version_document(report),
    )
