"""`batchctl import REMOTE --as NAME`: manage a remote job that was created manually."""

from __future__ import annotations

import os
from pathlib import Path

import click
import yaml

from batchctl.cli import complete
from batchctl.cli.call_progress import watch_calls
from batchctl.cli.common import Common, common_options, lock_option, output_option
from batchctl.cli.connect import open_connections
from batchctl.cli.consent import Consent
from batchctl.cli.new_files import is_taken, real_name, write_new
from batchctl.cli.notes import note, warn
from batchctl.cli.run_plan import Request, carry_out
from batchctl.cli.workspace import Workspace, open_workspace
from batchctl.engine.loop.drive import Until
from batchctl.manifests.accounts import resolve_account
from batchctl.model.capabilities import CAPABILITIES, is_embedding_model
from batchctl.model.codes import ErrorCode
from batchctl.model.errors import BatchctlError, NotFound, UsageError
from batchctl.model.keys import Mark, without_mark
from batchctl.model.kinds import Kind
from batchctl.model.observed import RemoteJob
from batchctl.model.stack import ProviderConfig
from batchctl.reconcile import Options, is_ours

_JOBS = "jobs"
_OTHER_PLACE = "name another file with -f"
"""The folder of manifests that `init` creates."""


@click.command("import")
@click.argument("remote")
@click.option("--as", "name", metavar="NAME", required=True, help="Name of the job in the stack.")
@click.option(
    "--provider", metavar="NAME", shell_complete=complete.providers, help="The job's provider (default: the only one)."
)
@click.option("-f", "--filename", metavar="PATH", help="The manifest to write (default: NAME.yaml beside the others).")
@output_option("json", "yaml", "markdown", "name")
@lock_option
@common_options
def import_(
    *,
    common: Common,
    remote: str,
    name: str,
    provider: str | None,
    filename: str | None,
    output: str,
    lock_timeout: str,
) -> int:
    """Import the existing job REMOTE: manifest and state.

    Nothing is created or changed at the API. If REMOTE carries the mark of another stack, the command warns, because
    both stacks then manage the job.
    """
    workspace = open_workspace(common, lock_timeout=lock_timeout)
    if name in {job.name for job in workspace.desired.jobs} | workspace.state.load().jobs.keys():
        raise UsageError(f"there is a job {name} already", hint="choose another name with --as")
    config = _provider(workspace, provider)
    with watch_calls(common, workspace.clock, workspace.board):
        job = _find(workspace, config, remote)
    path = _place(workspace, name, filename)
    write_new(real_name(path), path, _manifest(name, config if provider else None, job), hint=_OTHER_PLACE)
    try:
        widened = open_workspace(common, [str(path)], names=[name], lock_timeout=lock_timeout)
    except BatchctlError:
        # A stack that does not load is worse than a missing manifest.
        path.unlink()
        raise
    note(f"wrote {path}", job=name)
    if job.mark is not None:
        warn(_warning(job, job.mark), job=name)
    consent = Consent(yes=False, no_input=True)
    return carry_out(widened, Request(Options(widened.scope), Until(ended=False), consent, output, "import"))


def _provider(workspace: Workspace, name: str | None) -> ProviderConfig:
    providers = workspace.stack.providers
    if name is not None and name in providers:
        return providers[name]
    if name is None and len(providers) == 1:
        return next(iter(providers.values()))
    hint = f"one of: {', '.join(sorted(providers))}"
    raise UsageError(
        f"there is no provider named {name}" if name else "the stack has several providers: name one", hint=hint
    )


def _find(workspace: Workspace, config: ProviderConfig, remote: str) -> RemoteJob:
    """The remote job. Raises BatchctlError if this stack has it already."""
    account = resolve_account(config, os.environ)
    provider = open_connections(workspace)(account)
    try:
        job = provider.get_job(remote)
    except NotFound as error:
        hint = "`batchctl drift --unmanaged` lists jobs that batchctl does not manage"
        raise BatchctlError(f"{account} has no job {remote}", code=ErrorCode.NOT_FOUND, hint=hint) from error
    finally:
        provider.close()
    if is_ours(job.mark, workspace.stack):
        message = f"{remote} carries this stack's own mark, as job {job.mark.key.job}"
        hint = f"a manifest with metadata.name: {job.mark.key.job} adopts it"
        raise BatchctlError(message, code=ErrorCode.OWNED, hint=hint)
    for recorded in workspace.state.load().jobs.values():
        if any(attempt.remote == job.name for attempt in recorded.attempts):
            raise BatchctlError(
                f"{remote} is {recorded.name} already", code=ErrorCode.OWNED, hint="it was imported before"
            )
    return job


def _warning(job: RemoteJob, mark: Mark) -> str:
    return (
        f"{job.name} carries the mark of another stack, {mark.stack} (uid {mark.uid}), as its job"
        f" {mark.key.job}: from now on both stacks may cancel and delete it. Release it in the other stack"
        " (`onRemove: keep`, then remove its manifest)"
    )


def _place(workspace: Workspace, name: str, filename: str | None) -> Path:
    if filename is not None:
        path = Path(filename)
    else:
        folder = workspace.file.parent
        jobs = folder / _JOBS
        path = (jobs if jobs.is_dir() and not jobs.is_symlink() else folder) / f"{name}.yaml"
    if is_taken(real_name(path), path):
        raise BatchctlError(f"{path} already exists", code=ErrorCode.CANNOT_WRITE, hint=_OTHER_PLACE)
    return path


def _manifest(name: str, config: ProviderConfig | None, job: RemoteJob) -> str:
    """The text of the manifest. It has no `src`, because the API does not return the input."""
    spec: dict[str, str] = {"provider": config.name} if config else {}
    spec |= {"model": job.model, "adopt": job.name}
    display_name = without_mark(job.display_name)
    if display_name:
        spec["displayName"] = display_name
    embeds = CAPABILITIES[job.account.api].embeddings_kind and is_embedding_model(job.model)
    kind = Kind.EMBEDDINGS_BATCH_JOB if embeds else Kind.BATCH_JOB
    document = {"apiVersion": "batchctl.dev/v1", "kind": kind.value, "metadata": {"name": name}, "spec": spec}
    head = "# Written by `batchctl import`. The job ran already; to run such a job again, add a src.\n"
    return head + yaml.safe_dump(document, sort_keys=False, allow_unicode=True)
