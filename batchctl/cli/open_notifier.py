"""Opens the stack's hooks."""

from __future__ import annotations

import os

from batchctl.cli.workspace import Workspace
from batchctl.manifests.trust import Trust
from batchctl.model.ports.surroundings import Notifier
from batchctl.providers.notify.command import CommandRunner
from batchctl.providers.notify.notifier import HookNotifier
from batchctl.providers.notify.webhook import WebhookSender


def open_notifier(workspace: Workspace) -> Notifier:
    """Notifies the stack's hooks."""
    trust = Trust.from_env(os.environ)
    return HookNotifier(
        WebhookSender(os.environ, trust.allows_webhook, workspace.clock),
        CommandRunner(workspace.stack.folder, trust.allow_commands),
    )
