"""The engine's tools for a loaded stack: only commands that make calls import this.

The modules of a tool are loaded when the tool is first used: most commands use few.
"""

from __future__ import annotations

import gc
from typing import TYPE_CHECKING

from batchctl.cli.later import later
from batchctl.cli.notes import note
from batchctl.cli.workspace import Workspace
from batchctl.engine.providers import Providers
from batchctl.engine.tools import BlackBox, Tools, keep_nothing
from batchctl.model.keys import Account, short_uid
from batchctl.model.stack import Stack
from batchctl.model.token_counting import RowSampler

if TYPE_CHECKING:  # it loads httpx
    from batchctl.cli.connect import Connections
    from batchctl.engine.token_samples import TokenSamples
    from batchctl.model.ports.inputs import InputEncoder
    from batchctl.model.ports.providers import Provider, ProviderFactory
    from batchctl.model.ports.results import ResultStore, RowLedger
    from batchctl.model.ports.surroundings import Notifier, Progress


def open_tools(
    workspace: Workspace, progress: Progress, black_box: BlackBox = keep_nothing, samples: TokenSamples | None = None
) -> Tools:
    """The engine's tools. Close their providers when done."""
    stack, results = workspace.stack, workspace.results

    def connect() -> Connections:
        from batchctl.cli.connect import open_connections

        return open_connections(workspace)

    def encoder() -> InputEncoder:
        from batchctl.rows.encode import RowEncoder

        return RowEncoder(stack.limits.line_bytes, workspace.board, results, providers.get, workspace.rows.checked)

    def store() -> ResultStore:
        return results.store

    def ledger() -> RowLedger:
        return results.ledger(short_uid(stack.uid), inputs)

    def notifier() -> Notifier:
        from batchctl.cli.open_notifier import open_notifier

        return open_notifier(workspace)

    def open_account(account: Account) -> Provider:
        return connections.open(account)

    def follow(stack: Stack) -> ProviderFactory:
        return connections.follow(stack)

    connections, inputs = later(connect), later(encoder)
    providers = Providers(open_account)
    return Tools(
        workspace.state,
        providers,
        inputs,
        later(store),
        later(notifier),
        workspace.clock,
        progress,
        shelf=results.shelf,
        ledger=later(ledger),
        connect=follow,
        activity=workspace.board,
        opened=stack,
        black_box=black_box,
        get_ready=_get_ready,
        samples=samples,
    )


def _get_ready() -> None:
    """Do what creates would have to wait for."""
    import batchctl.rows.encode
    import batchctl.rows.ledger  # noqa: F401 - both are used by the tools

    if gc.get_count()[0] > gc.get_threshold()[0] // 2:
        # A collection of young values is near. With 1,000 jobs it takes as long as to decide on them.
        gc.collect(0)


def token_samples(workspace: Workspace) -> TokenSamples:
    """Counts tokens for one run, of `plan` or `apply`."""
    from batchctl.engine.token_samples import TokenSamples

    def sampler() -> RowSampler:
        from batchctl.rows.samples import RowSamples

        return RowSamples(workspace.stack.limits.line_bytes)

    return TokenSamples(later(sampler), note if workspace.common.verbose else _nothing)


def _nothing(_message: str) -> None:
    """The note of a run without -v."""
