"""One served emulator for all clients; it is reset for each program."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.client_runs import Service, served


@pytest.fixture(scope="session")
def service() -> Iterator[Service]:
    with served() as service:
        yield service
