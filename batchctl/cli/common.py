"""The options that every command has, before or after the command's name."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import wraps
from typing import TYPE_CHECKING, Any, ClassVar, Final, NamedTuple, TypeVar

import click

from batchctl.cli import complete
from batchctl.cli.start_signals import leaving_while_importing

if TYPE_CHECKING:  # help and completion need no manifests
    from batchctl.manifests.overrides import Overrides
    from batchctl.report.log import JsonLog
    from batchctl.telemetry.otel_export import Export

F = TypeVar("F", bound=Callable[..., Any])

WIDE: Final = "wide"
"""The format that is another name for text with `-v`, as kubectl has it."""


class Common(NamedTuple):
    """The values of the common options."""

    chdir: str | None = None
    config: str | None = None
    state: str | None = None
    target: str | None = None
    set_values: tuple[str, ...] = ()
    color: str = "auto"
    verbose: bool = False
    quiet: bool = False
    log_format: str = "text"

    @property
    def overrides(self) -> Overrides:
        """The options that count in place of the stack file."""
        from batchctl.manifests.overrides import Overrides

        return Overrides(self.set_values, self.state, self.target)

    def overlaid(self, given: Common) -> Common:
        """These options, overridden by those after the command's name."""
        values = zip(Common._fields, given, Common(), strict=True)
        changed: dict[str, Any] = {name: value for name, value, default in values if value != default}
        return self._replace(**{**changed, "set_values": (*self.set_values, *given.set_values)})


class Invocation:
    """The running command line; errors are shown in its format."""

    current: ClassVar[Invocation | None] = None
    """Of this process: standard error is its, too."""

    def __init__(self) -> None:
        self.common: Common | None = None
        self.output = "text"
        self.command = ""
        """The names of the command, without the program's."""
        self.run = os.urandom(8).hex()
        """Identifies this run in logs and traces."""
        self.log: JsonLog | None = None
        """See `batchctl.cli.notes`."""
        self.export: Export | None = None
        """See `batchctl.cli.tracing`."""
        self.kept: tuple[object, ...] = ()
        """Values of a command that ends right after. To free ten thousand jobs one by one takes a twentieth of a plan,
        and the process gives all of their memory back at once."""


G = TypeVar("G", str | None, tuple[str, ...])


def not_empty(_context: click.Context, _parameter: click.Parameter, value: G) -> G:
    """Refuse an empty text, which `-l "$TEAM"` gives where the shell has no TEAM: it would select every job."""
    if value == "" or (isinstance(value, tuple) and "" in value):
        raise click.BadParameter("it is empty; if it comes from a variable of the shell, that is not set")
    return value


_OPTIONS: tuple[Callable[[F], F], ...] = (
    click.option(
        "-C",
        "--chdir",
        metavar="DIR",
        envvar="BATCHCTL_CHDIR",
        callback=not_empty,
        shell_complete=complete.folders,
        help="Work in DIR.",
    ),
    click.option(
        "--config",
        metavar="FILE",
        envvar="BATCHCTL_CONFIG",
        callback=not_empty,
        shell_complete=complete.files,
        help="The stack file (default: batchctl.yaml).",
    ),
    click.option(
        "--state",
        metavar="PLACE",
        envvar="BATCHCTL_STATE",
        callback=not_empty,
        shell_complete=complete.files,
        help="The state file, or gs://… or postgresql://… for a shared state (default: the stack's).",
    ),
    click.option(
        "--target",
        metavar="NAME",
        envvar="BATCHCTL_TARGET",
        callback=not_empty,
        shell_complete=complete.targets,
        help="The target of the stack file, such as dev or prod (default: spec.defaultTarget).",
    ),
    click.option(
        "--set",
        "--var",
        "set_values",
        metavar="KEY=VALUE",
        multiple=True,
        shell_complete=complete.variables,
        help="Set a variable of the stack file; so does BATCHCTL_VAR_KEY in the environment.",
    ),
    click.option(
        "--color", type=click.Choice(["auto", "always", "never"]), default="auto", help="When to use colours."
    ),
    click.option("-v", "--verbose", is_flag=True, help="Show more detail."),
    click.option("-q", "--quiet", is_flag=True, help="Show only warnings during the run."),
    click.option("--log-format", type=click.Choice(["text", "json"]), default="text", help="Format of standard error."),
)


def common_options(command: F) -> Callable[..., Any]:
    """Add the common options to a command, which gets them as one value, `common`."""

    @click.pass_context
    @wraps(command)
    def wrapped(context: click.Context, /, **given: Any) -> object:  # noqa: ANN401 - whatever the command takes
        invocation = context.find_object(Invocation)
        assert invocation is not None
        values = {name: given.pop(name) for name in Common._fields}
        common = (invocation.common or Common()).overlaid(Common(**values))
        if given.get("output") == WIDE:
            given["output"], common = "text", common._replace(verbose=True)
        invocation.output = given.get("output") or "text"
        invocation.command = context.command_path.partition(" ")[2]
        if invocation.common is None:
            _prepare()
        if invocation.common is None or common.chdir != invocation.common.chdir:
            _enter(common.chdir)
        invocation.common = common
        _prepare_reports(invocation.output, common)
        return command(common=common, **given)

    decorated: Any = wrapped
    for option in reversed(_OPTIONS):
        decorated = option(decorated)
    return decorated  # type: ignore[no-any-return]


def _prepare() -> None:
    """Prepare to run a command, after its line was parsed: help and completion need none of this."""
    with leaving_while_importing():
        # For later: if there is no file or no memory left, an import fails, too.
        import batchctl.cli.failures  # noqa: F401 - see above
        from batchctl.cli import folder
    folder.begin()


def _prepare_reports(output: str, common: Common) -> None:
    """Load what reports an error as a document, in the log, or in detail; for the same reason."""
    with leaving_while_importing():
        if output != "text" or common.verbose:
            import batchctl.report.documents
            import batchctl.report.error_document
        if os.environ.get("GITHUB_ACTIONS") == "true":
            import batchctl.cli.repository
            import batchctl.report.workflow
        if common.log_format == "json":
            import batchctl.report.log
            import batchctl.report.progress_log  # noqa: F401 - all of them for later


def _enter(place: str | None) -> None:
    if place is None:
        return
    from batchctl.cli import folder
    from batchctl.model.errors import UsageError

    try:
        folder.enter(place)
    except OSError as error:
        raise UsageError(f"cannot work in {place}: {error.strerror}", hint="name an existing folder with -C") from error


def output_option(*formats: str) -> Callable[[F], F]:
    """`-o`, with the formats of the command."""
    return click.option(
        "-o",
        "--output",
        type=click.Choice(["text", *formats]),
        default="text",
        show_default=True,
        help="Output format.",
    )


def scope_options(command: F) -> F:
    """`-f` and `-l`."""
    for option in (
        click.option(
            "-l",
            "--selector",
            metavar="TERMS",
            callback=not_empty,
            shell_complete=complete.selectors,
            help="Only jobs with these labels, such as team=search,lang!=fr.",
        ),
        click.option(
            "-f",
            "--filename",
            "filenames",
            metavar="PATH",
            multiple=True,
            callback=not_empty,
            shell_complete=complete.files,
            help="Only this file or folder; - reads standard input.",
        ),
    ):
        command = option(command)
    return command


def consent_options(command: F) -> F:
    """`--yes` and `--no-input`."""
    for option in (
        click.option("--no-input", is_flag=True, help="Never ask."),
        click.option("--yes", is_flag=True, help="Approve all changes without a question."),
    ):
        command = option(command)
    return command


def failed_option(command: F) -> F:
    """`--allow-failed`."""
    return click.option("--allow-failed", is_flag=True, help="Exit 0 even if jobs failed or wait for a failed job.")(
        command
    )


def lock_option(command: F) -> F:
    """`--lock-timeout`."""
    return click.option(
        "--lock-timeout", metavar="TIME", default="30s", show_default=True, help="How long to wait for a locked state."
    )(command)


def guard_options(command: F) -> F:
    """The options that allow what guards refuse."""
    # Lists of commands need no options.
    from batchctl.cli.budget_options import budget_options

    for option in (
        click.option("--discard-results", is_flag=True, help="Delete remote jobs whose results are not collected."),
        click.option(
            "--prune-orphans", is_flag=True, help="Remove orphans: jobs with this stack's mark and no record."
        ),
        click.option(
            "--yes-rename-as-new",
            "rename_as_new",
            is_flag=True,
            help="Not a rename: remove the one job, buy the work again.",
        ),
        click.option(
            "--rerun",
            metavar="NAME",
            multiple=True,
            shell_complete=complete.jobs,
            help="Buy this job again and reuse nothing. Repeatable.",
        ),
        click.option(
            "--adopt-changed", is_flag=True, help="Replace adopted jobs whose work differs from the manifest."
        ),
        click.option("--allow-protected", is_flag=True, help="End protected jobs too."),
        click.option("--allow-empty", is_flag=True, help="Remove all jobs if no manifest is left."),
        click.option("--new-state", is_flag=True, help="The stack has not run before: start with an empty state."),
        click.option("--max-delete", type=click.IntRange(0), metavar="N", help="Remove up to N jobs."),
        click.option("--max-replace", type=click.IntRange(0), metavar="N", help="Replace up to N jobs."),
        click.option("--max-create", type=click.IntRange(0), metavar="N", help="Create up to N jobs."),
    ):
        command = option(command)
    return budget_options(command)
