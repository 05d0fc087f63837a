"""The engine's tools for a loaded stack: only commands that make calls import this."""

from __future__ import annotations

import os

from batchctl.cli.connect import Connections
from batchctl.cli.workspace import Workspace
from batchctl.engine.tools import Providers, Tools
from batchctl.manifests.trust import Trust
from batchctl.model.keys import short_uid
from batchctl.model.ports import Notifier, Progress
from batchctl.providers.notify.command import CommandRunner
from batchctl.providers.notify.notifier import HookNotifier
from batchctl.providers.notify.webhook import WebhookSender
from batchctl.rows.encode import RowEncoder
from batchctl.rows.ledger import ResultsLedger
from batchctl.rows.looks import ResultsShelf
from batchctl.rows.results import ResultsFolder


def open_tools(workspace: Workspace, progress: Progress) -> Tools:
    """The engine's tools. Close their providers when done."""
    stack = workspace.stack
    connections = open_connections(workspace)
    providers = Providers(connections)
    inputs = RowEncoder(stack.limits.line_bytes, workspace.board, stack.results, providers.get)
    return Tools(
        workspace.state,
        providers,
        inputs,
        ResultsFolder(stack.results),
        open_notifier(workspace),
        workspace.clock,
        progress,
        shelf=ResultsShelf(stack.results),
        ledger=ResultsLedger(stack.results, short_uid(stack.uid), inputs),
        connect=connections.follow,
        activity=workspace.board,
        opened=stack,
    )


def open_connections(workspace: Workspace) -> Connections:
    """The connections to the stack's accounts."""
    return Connections(workspace.stack, os.environ, Trust.from_env(os.environ), workspace.clock, workspace.board)


def open_notifier(workspace: Workspace) -> Notifier:
    """Notifies the stack's hooks."""
    trust = Trust.from_env(os.environ)
    return HookNotifier(
        WebhookSender(os.environ, trust.allows_webhook, workspace.clock),
        CommandRunner(workspace.stack.folder, trust.allow_commands),
    )
