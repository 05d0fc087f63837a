"""How long a test waits for another thread or process."""

from __future__ import annotations

PATIENCE = 120
"""Seconds. It measures nothing: it ends a test that hangs, and lets it name what it waited for. A machine may be so busy
that all takes twenty times as long, and nothing that ends within this time is wrong."""
