"""How deeply a file may be nested, whatever libyaml's own bound is."""

from __future__ import annotations

from typing import Any

import yaml

MAX_DEPTH = 100
"""Levels of lists and mappings in one file."""


def find_too_deep(text: str) -> Any:  # noqa: ANN401 - PyYAML's events have no useful types
    """The first event beyond `MAX_DEPTH` in a text; None if there is none before its end or its first syntax error.

    libyaml 0.2.6 and later refuse 1,000 levels, and their scanner, which reads ahead, does so before the events of the
    first 100 come out. Give it what was read before such a refusal, and the place does not depend on libyaml's version.
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
