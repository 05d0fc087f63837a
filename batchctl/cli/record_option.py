"""`--record DIR`: a bundle of each decision."""

from __future__ import annotations

from functools import wraps
from pathlib import Path
from typing import Any

import click

from batchctl.cli import complete
from batchctl.cli.common import F
from batchctl.cli.new_files import cannot_write, real_name
from batchctl.engine.tools import BlackBox, keep_nothing
from batchctl.model.errors import UsageError


def record_option(command: F) -> F:
    """`--record`. The command gets the black box as `black_box`."""

    @wraps(command)
    def recorded(*, record: str | None, **given: Any) -> int:  # noqa: ANN401 - whatever the command takes
        code: int = command(black_box=_black_box(record), **given)
        return code

    return click.option(
        "--record",
        metavar="DIR",
        shell_complete=complete.folders,
        help="Also write each decision with its input as a file in DIR, for `replay`.",
    )(recorded)  # type: ignore[return-value]


def _black_box(name: str | None) -> BlackBox:
    if name is None:
        return keep_nothing
    if not name:
        raise UsageError("--record has no folder", hint="give the path of a folder, such as `--record bundles`")
    from batchctl.engine.bundles.folder import BundleFolder

    try:
        return BundleFolder(real_name(Path(name))).add
    except OSError as error:
        raise cannot_write(Path(name), error, "give the path of a folder that exists, or of a new one") from error
