"""Limits what a manifest's author can decide: where credentials go, and which files are read.

Exceptions come from the operator, by flag or environment, never from a file.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path

from msgspec import Struct

from batchctl.model.addresses import WebAddress, is_loopback_host
from batchctl.model.pattern import Pattern

_URL = Pattern(
    r"(https?)://(\[[0-9a-fA-F:.]+\]|[A-Za-z0-9._-]+)(?::([0-9]{1,5}))?(/[A-Za-z0-9._~/-]*)?", re.ASCII | re.IGNORECASE
)
"""Strict on purpose: no user part, no query, nothing that two URL parsers could read differently."""
_DEFAULT_PORTS = {"http": "80", "https": "443"}


class Origin(Struct, frozen=True):
    """Scheme, host and port of a base URL, lower-cased, default ports dropped."""

    scheme: str
    host: str
    port: str

    def __str__(self) -> str:
        return f"{self.scheme}://{self.netloc}"

    @property
    def netloc(self) -> str:
        """Host and port."""
        return f"{self.host}:{self.port}" if self.port else self.host

    @property
    def is_loopback(self) -> bool:
        """Whether calls stay on this machine."""
        return is_loopback_host(self.host)

    @classmethod
    def of(cls, url: str) -> Origin:
        """The origin of a base URL. Raises ValueError with the reason."""
        match = _URL.fullmatch(url)
        if match is None:
            raise ValueError("must be a base URL such as https://host or http://127.0.0.1:8085")
        scheme, host, port = match[1].lower(), match[2].lower(), (match[3] or "").lstrip("0")
        return cls(scheme, host, "" if port == _DEFAULT_PORTS[scheme] else port)


class Trust(Struct, frozen=True):
    """The permissions of the operator, by flag or environment."""

    allow_outside: bool = False
    """Paths may leave the stack's folder."""
    allow_endpoint: frozenset[str] = frozenset()
    """Origins, hosts, or hosts with ports that credentials may go to."""
    allow_webhook: frozenset[str] = frozenset()
    """The same for webhooks: these may be on private networks."""
    allow_commands: bool = False
    """`notify` may run commands."""

    @classmethod
    def from_env(cls, env: Mapping[str, str]) -> Trust:
        """Read `BATCHCTL_ALLOW_OUTSIDE`, `…_COMMANDS` (1, true, yes), `…_ENDPOINT`, `…_WEBHOOK` (comma-separated)."""
        return cls(
            is_on(env, "BATCHCTL_ALLOW_OUTSIDE"),
            _words(env, "BATCHCTL_ALLOW_ENDPOINT"),
            _words(env, "BATCHCTL_ALLOW_WEBHOOK"),
            is_on(env, "BATCHCTL_ALLOW_COMMANDS"),
        )

    def allows_endpoint(self, origin: Origin) -> bool:
        """Whether credentials may go there. A host that is allowed by its bare name is allowed over https only."""
        if origin.is_loopback or str(origin) in self.allow_endpoint:
            return True
        if origin.scheme != "https":
            return False
        google = origin.host.endswith(".googleapis.com") and not origin.port
        return google or origin.host in self.allow_endpoint or origin.netloc in self.allow_endpoint

    def allows_webhook(self, place: WebAddress) -> bool:
        """Whether the operator allows this webhook, whatever its host resolves to. A bare host needs https."""
        by_host = place.host in self.allow_webhook or place.netloc in self.allow_webhook
        return place.origin in self.allow_webhook or (place.scheme == "https" and by_host)

    def allows_path(self, path: Path, folder: Path) -> bool:
        """Whether a path, with all symlinks resolved, may be used by the stack in `folder` (resolved)."""
        return self.allow_outside or resolved(path).is_relative_to(folder)


def is_on(env: Mapping[str, str], name: str) -> bool:
    """Whether a variable of the environment is set to 1, true or yes."""
    return env.get(name, "").strip().lower() in {"1", "true", "yes"}


def _words(env: Mapping[str, str], name: str) -> frozenset[str]:
    words = (word.strip().lower().rstrip("/") for word in env.get(name, "").split(","))
    return frozenset(word for word in words if word)


def resolved(path: Path) -> Path:
    """The absolute path with all symlinks resolved; unlike `Path.resolve`, a circle of links is not an error."""
    return Path(os.path.realpath(path))


GIT_HINT = "it holds credentials; move the file out of it"


def is_in_git(path: Path, folder: Path) -> bool:
    """Whether a path, relative to the stack's folder, is in `.git`, where CI keeps the checkout's credentials."""
    return any(part.casefold() == ".git" for part in Path(os.path.relpath(resolved(path), folder)).parts)
