"""`batchctl init`: a new stack with a first job."""

from __future__ import annotations

import re
import secrets
import shlex
import string
from pathlib import Path

import click

from batchctl.cli import complete
from batchctl.cli.common import Common, common_options
from batchctl.cli.new_files import append_lines, is_taken, write_new
from batchctl.manifests.manifest_files import STACK_FILE
from batchctl.manifests.schema import schema_text
from batchctl.manifests.starters import MANIFEST_SCHEMA, SCHEMAS_FOLDER, STACK_SCHEMA, new_manifest, new_stack_file
from batchctl.model.codes import ErrorCode
from batchctl.model.errors import BatchctlError, UsageError
from batchctl.model.keys import UID_LENGTH

_FIRST_JOB = "classify-tickets"
_IGNORED = (".batchctl/", "results/")
_GITIGNORE = Path(".gitignore")
_LONGEST_NAME = 32
_NAME = re.compile(rf"[a-z0-9]([a-z0-9-]{{0,{_LONGEST_NAME - 2}}}[a-z0-9])?")


@click.command()
@click.argument("folder", metavar="[DIR]", default=".", shell_complete=complete.folders)
@click.option("--name", metavar="NAME", help="The stack's name (default: the folder's).")
@common_options
def init(*, common: Common, folder: str, name: str | None) -> None:
    """Create a stack: batchctl.yaml, a manifest, a .gitignore.

    Writes into DIR and overwrites nothing; a .gitignore gets the lines that it lacks. The schemas in .schemas are for
    editors: commit them, and update them with `batchctl schema manifest > .schemas/manifest.schema.json`.
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
        **{Path(SCHEMAS_FOLDER) / f"{one}.schema.json": schema_text(one) for one in (STACK_SCHEMA, MANIFEST_SCHEMA)},
    }
    for path, text in files.items():
        _write_new(real / path, target / path, text)
    _ignore(real / _GITIGNORE, target / _GITIGNORE)
    where = [] if folder == "." else ["-C", folder]
    click.echo("\nNext:")
    for command in (["plan"], ["apply", "--wait"]):
        click.echo(f"  {shlex.join(['batchctl', *where, *command])}")


def _name_of(folder: Path) -> str:
    """A valid stack name from the folder's name."""
    return re.sub(r"[^a-z0-9]+", "-", folder.resolve().name.lower()).strip("-")[:_LONGEST_NAME].strip("-") or "stack"


def _ignore(real: Path, shown: Path) -> None:
    """Keep state and results out of Git: in a new .gitignore, or at the end of one that exists and is no link."""
    if not is_taken(real, shown):
        _write_new(real, shown, "".join(f"{line}\n" for line in _IGNORED))
        return
    added = [] if real.is_symlink() else append_lines(real, shown, _IGNORED)
    click.echo(f"extended {shown} by {' and '.join(added)}" if added else f"kept     {shown}")


def _write_new(real: Path, shown: Path, text: str) -> None:
    if is_taken(real, shown):
        click.echo(f"kept     {shown}")
        return
    write_new(real, shown, text, hint="choose another folder", folders=True)
    click.echo(f"wrote    {shown}")
