"""URLs, and the types that other packages need of httpx."""

from __future__ import annotations

from functools import lru_cache
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


@lru_cache(maxsize=64)
def url_with(url: str, params: tuple[tuple[str, str], ...]) -> Url:
    """The address of a call, which many calls have in common; parameters take the place of those in it.

    Raises httpx.InvalidURL.
    """
    return httpx.URL(f"{url.partition('?')[0]}?{_query(params)}" if params else url)


@lru_cache(maxsize=64)
def _query(params: tuple[tuple[str, str], ...]) -> str:
    return str(httpx.QueryParams(params))
