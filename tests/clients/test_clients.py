"""Third-party clients have their recorded outcomes against the emulator."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.client_installs import NotInstalledError, install
from tests.support.client_registry import Client, clients, recorded, recorded_hosts
from tests.support.client_runs import Service, run
from tests.support.long_mode import LONG


@pytest.mark.parametrize("client", [one for one in clients() if LONG or one.lane == "gate"], ids=lambda one: one.name)
def test_a_client_does_what_is_on_record(client: Client, service: Service, tmp_path: Path) -> None:
    try:
        installed = install(client)
    except NotInstalledError as error:
        # The gate's clients need nothing that the development environment lacks: one that is missing is a failure.
        if client.lane == "gate":
            raise
        pytest.skip(f"{client.name} cannot be installed here: {error}")
    ended = run(client, installed, service, tmp_path)
    assert ended.outcomes, "the program printed nothing"
    assert ended.outcomes == recorded(client), (
        f"with {client.name} {installed.version}; read the difference, then: python tests/clients/record.py '{client.name}'"
    )
    assert set(ended.hosts) == set(recorded_hosts(client))
