"""Reads the stack's `notify`: the webhooks and commands that receive events.

It checks where a webhook may be. Its secret is read only when it is used, because the machine that validates need not
be the one that sends.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import timedelta

from batchctl.manifests.duration_reader import parse_duration
from batchctl.manifests.fault_codes import Code
from batchctl.manifests.fault_list import Faults
from batchctl.manifests.merge import without_nulls
from batchctl.manifests.nodes import Items, Node, find, key_place, plain
from batchctl.manifests.trust import Trust
from batchctl.model.addresses import WebAddress, is_private_host
from batchctl.model.json_value import Json
from batchctl.model.locations import Location
from batchctl.model.notices import ALL_TYPES, STUCK_AFTER, CommandHook, Hook, NoticeType, Webhook
from batchctl.model.quoting import cut, shown

_MOST_HOOKS = 10
_NAME_LENGTH = 8


def read_notify(root: Node, trust: Trust, faults: Faults) -> tuple[Hook, ...]:
    """The valid hooks of a stack file that is valid by its schema; errors in the others go to the faults."""
    items = find(root, "spec", "notify")
    nodes = items.values if isinstance(items, Items) else ()
    if len(nodes) > _MOST_HOOKS:
        place = key_place(root, "spec", "notify")
        faults.add(place, Code.INVALID_VALUE, f'"notify" may have up to {_MOST_HOOKS} entries')
    hooks: dict[str, tuple[Hook, Location]] = {}
    for node in nodes[:_MOST_HOOKS]:
        hook = _read(node, trust, faults)
        if hook is None:
            continue
        if hook.name in hooks:
            hint = f"first at {hooks[hook.name][1]}"
            message = f'the entry {shown(hook.name)} appears twice in "notify"'
            faults.add(key_place(node, "name"), Code.DUPLICATE_NAME, message, hint)
        hooks.setdefault(hook.name, (hook, node.location))
    return tuple(hook for hook, _ in hooks.values())


def _read(node: Node, trust: Trust, faults: Faults) -> Hook | None:
    entry: Mapping[str, Json] = plain(without_nulls(node))
    types = frozenset(NoticeType(name) for name in entry["events"]) if "events" in entry else ALL_TYPES
    stuck_after = _stuck_after(node, entry, faults)
    match entry:
        case {"url": _, "command": _}:
            message = 'an entry of "notify" has "url" or "command", not both'
            faults.add(key_place(node, "command"), Code.INVALID_VALUE, message, "write two entries")
        case {"url": _, "env": _}:
            message = '"env" is for commands: a webhook gets no environment'
            faults.add(key_place(node, "env"), Code.INVALID_VALUE, message, "leave it out; its secret is secretEnv")
        case {"url": url, "secretEnv": variable}:
            hook = Webhook(entry.get("name") or _name("webhook", url), url, variable, types, stuck_after)
            return hook if _is_allowed(url, key_place(node, "url"), trust, faults) else None
        case {"url": _}:
            hint = "the environment variable that holds its signing secret"
            faults.add(node.location, Code.MISSING_FIELD, 'a webhook needs "secretEnv"', hint)
        case {"command": _, "secretEnv": _}:
            message = '"secretEnv" is for webhooks: a command is not signed'
            faults.add(key_place(node, "secretEnv"), Code.INVALID_VALUE, message, "leave it out")
        case {"command": words}:
            command = tuple(words)
            if command[0]:
                name = entry.get("name") or _name("command", *command)
                return CommandHook(name, command, types, stuck_after, tuple(entry.get("env", ())))
            faults.add(key_place(node, "command"), Code.INVALID_VALUE, '"command" names no program')
        case _:
            message = 'an entry of "notify" needs "url" or "command"'
            faults.add(node.location, Code.MISSING_FIELD, message, "a webhook's address, or a program to run")
    return None


def _name(kind: str, *parts: str) -> str:
    """The name of an entry without one: a hash, because the URL may be secret and must not be in the state."""
    return f"{kind}-{hashlib.sha256(chr(0).join(parts).encode()).hexdigest()[:_NAME_LENGTH]}"


def _stuck_after(node: Node, entry: Mapping[str, Json], faults: Faults) -> timedelta:
    text = entry.get("stuckAfter")
    if text is None:
        return STUCK_AFTER
    place = key_place(node, "stuckAfter")
    try:
        duration = parse_duration(text)
    except ValueError as error:
        faults.add(place, Code.INVALID_VALUE, f'"stuckAfter" {error}')
        return STUCK_AFTER
    if not duration:
        hint = "to get no job.stuck events, leave job.stuck out of events"
        faults.add(place, Code.INVALID_VALUE, '"stuckAfter" must be longer than 0s', hint)
    return duration


def _is_allowed(url: str, place: Location, trust: Trust, faults: Faults) -> bool:
    try:
        address = WebAddress.parse(url)
    except ValueError as error:
        faults.add(place, Code.INVALID_VALUE, f'"url" {error}')
        return False
    if trust.allows_webhook(address):
        return True
    origin = cut(address.origin)
    why = ""
    if address.scheme != "https":
        why = "is not https"
    elif is_private_host(address.host):
        why = "is not on the public Internet"
    if why:
        hint = f"if you trust it, set BATCHCTL_ALLOW_WEBHOOK={origin}"
        faults.add(place, Code.UNTRUSTED_WEBHOOK, f"{origin} {why}", hint)
    return not why
