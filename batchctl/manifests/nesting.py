"""Limits the nesting of a file, independently of libyaml's own limit."""

from __future__ import annotations

from typing import Any

import yaml

MAX_DEPTH = 100
"""Levels of lists and mappings in one file."""


def find_too_deep(text: str) -> Any:  # noqa: ANN401 - PyYAML's events have no useful types
    """The first event deeper than `MAX_DEPTH`; None if there is none before the end or the first syntax error.

    libyaml 0.2.6 and later refuse 1,000 levels. Their scanner reads ahead and refuses before the events of the first
    100 levels come out. Pass the text before the refusal; then the place does not depend on libyaml's version.
    """
    depth = 0
    try:
        for event in yaml.parse(text, Loader=yaml.CSafeLoader):
            if isinstance(event, yaml.NodeEvent) and depth >= MAX_DEPTH:
                return event
            if isinstance(event, yaml.CollectionStartEvent):
                depth += 1
            elif isinstance(event, yaml.CollectionEndEvent):
                depth -= 1
    except yaml.MarkedYAMLError:
        return None
    return None
