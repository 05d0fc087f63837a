"""Delivers a notice to a hook of any kind."""

from __future__ import annotations

from typing import assert_never

from msgspec import Struct

from batchctl.model.notices import CommandHook, Hook, Notice, Webhook
from batchctl.providers.notify.command import CommandRunner
from batchctl.providers.notify.webhook import WebhookSender


class HookNotifier(Struct, frozen=True):
    """Implements Notifier."""

    webhooks: WebhookSender
    commands: CommandRunner

    def send(self, hook: Hook, notice: Notice) -> None:
        match hook:
            case Webhook():
                self.webhooks.send(hook, notice)
            case CommandHook():
                self.commands.send(hook, notice)
            case _ as never:
                assert_never(never)

    def check(self, hook: Hook) -> None:
        match hook:
            case Webhook():
                self.webhooks.check(hook)
            case CommandHook():
                self.commands.check(hook)
            case _ as never:
                assert_never(never)
