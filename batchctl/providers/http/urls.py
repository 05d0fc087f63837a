"""Addresses and transports, by names that the rest of the providers may use."""

from __future__ import annotations

from typing import TypeAlias

import httpx

Url: TypeAlias = httpx.URL
Transport: TypeAlias = httpx.BaseTransport
"""What carries requests in place of the network: the embedded emulator's."""


def read_url(text: str) -> Url:
    """The address that a text names. Raises ValueError."""
    try:
        return httpx.URL(text)
    except httpx.InvalidURL as error:
        raise ValueError(str(error)) from error
