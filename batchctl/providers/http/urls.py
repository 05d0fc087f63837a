"""URL and transport types, so that other packages need not import httpx."""

from __future__ import annotations

from typing import TypeAlias

import httpx

Url: TypeAlias = httpx.URL
Transport: TypeAlias = httpx.BaseTransport
"""Carries requests instead of the network: the embedded emulator's transport."""


def read_url(text: str) -> Url:
    """Parse a URL. Raises ValueError."""
    try:
        return httpx.URL(text)
    except httpx.InvalidURL as error:
        raise ValueError(str(error)) from error
