"""PyYAML, whose events of libyaml batchctl reads.

PyYAML imports its own parser as well, and compiles 6 ms of regular expressions for it, which no event needs. Those that
it makes while it is imported here are compiled when they are first used.
"""

from __future__ import annotations

import base64  # noqa: F401 - PyYAML imports it; only its own regular expressions shall wait
import datetime  # noqa: F401, ICN001 - the same
import re

from batchctl.model.pattern import Pattern

__all__ = ["yaml"]

_compile = re.compile
re.compile = Pattern  # type: ignore[assignment]
try:
    import yaml
finally:
    re.compile = _compile

if not yaml.__with_libyaml__:  # pragma: no cover - the wheels of PyYAML all have it
    raise ImportError("batchctl needs PyYAML with libyaml; install a PyYAML wheel, or libyaml before building it")
