"""`batchctl init`: a new stack with a first job."""

from __future__ import annotations

import re
import secrets
import string
from pathlib import Path

import click

from batchctl.cli import complete
from batchctl.cli.common import Common, common_options
from batchctl.cli.new_files import is_taken, write_new
from batchctl.manifests.manifest_files import STACK_FILE
from batchctl.manifests.starters import new_manifest, new_stack_file
from batchctl.model.codes import ErrorCode
from batchctl.model.errors import BatchctlError, UsageError
from batchctl.model.keys import UID_LENGTH

_FIRST_JOB = "classify-tickets"
_IGNORED = ".batchctl/\nresults/\n"
_LONGEST_NAME = 32
_NAME = re.compile(rf"[a-z0-9]([a-z0-9-]{{0,{_LONGEST_NAME - 2}}}[a-z0-9])?")


@click.command()
@click.argument("folder", metavar="[DIR]", default=".", shell_complete=complete.folders)
@click.option("--name", metavar="NAME", help="The stack's name (default: the folder's).")
@common_options
def init(*, common: Common, folder: str, name: str | None) -> None:
    """Create a stack: batchctl.yaml, a manifest, a .gitignore.

    Writes into DIR and overwrites nothing.
    """
    target = Path(folder)
    name = name or _name_of(target)
    if not _NAME.fullmatch(name):
        hint = f"use lowercase letters, digits and dashes, at most {_LONGEST_NAME}"
        raise UsageError(f"{name!r} cannot be a stack's name", hint=hint)
    real = target.resolve()
    if is_taken(real / STACK_FILE, target / STACK_FILE):
        raise BatchctlError(
            f"{target / STACK_FILE} already exists", code=ErrorCode.STACK_EXISTS, hint="nothing was written"
        )
    uid = "".join(secrets.choice(string.ascii_lowercase + string.digits) for _ in range(UID_LENGTH))
    files = {
        Path(STACK_FILE): new_stack_file(name, uid),
        Path("jobs") / f"{_FIRST_JOB}.yaml": new_manifest(_FIRST_JOB),
        Path(".gitignore"): _IGNORED,
    }
    for path, text in files.items():
        _write_new(real / path, target / path, text)
    where = "" if folder == "." else f" -C {folder}"
    click.echo(f"\nNow: batchctl{where} plan, then batchctl{where} apply --wait")


def _name_of(folder: Path) -> str:
    """A valid stack name from the folder's name."""
    return re.sub(r"[^a-z0-9]+", "-", folder.resolve().name.lower()).strip("-")[:_LONGEST_NAME].strip("-") or "stack"


def _write_new(real: Path, shown: Path, text: str) -> None:
    if is_taken(real, shown):
        click.echo(f"kept     {shown}")
        return
    write_new(real, shown, text, hint="choose another folder", folders=True)
    click.echo(f"wrote    {shown}")
