"""One served emulator and one client of each form for all tests of the SDK; the emulator is emptied for each test."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from google import genai

from batchctl.emulator.core import Emulator
from batchctl.emulator.serve import EmulatorServer
from tests.support.patience import PATIENCE
from tests.support.sdk_clients import Sdk, Service, new_client
from tests.support.sdk_own_tests import one_root

HERE = Path(__file__).parent
SDK_WARNINGS = (
    # Of its own class; nothing that a caller could do otherwise.
    "ignore:Inheritance class AiohttpClientSession from ClientSession is discouraged:DeprecationWarning",
    # It sends a chunk of 8 MiB as one value.
    "ignore:Sending a large body directly with raw bytes:ResourceWarning",
    # The one way there is to make an embeddings job.
    r"ignore:batches.create_embeddings\(\) is experimental",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.is_relative_to(HERE):
            for warning in SDK_WARNINGS:
                item.add_marker(pytest.mark.filterwarnings(warning))


@pytest.fixture(scope="session")
def sdk_environment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Nothing of whoever runs the tests counts, and a client does not read all the world's certificates."""
    roots = tmp_path_factory.mktemp("roots") / "roots.pem"
    roots.write_text(one_root())
    with pytest.MonkeyPatch.context() as patch:
        for name in list(os.environ):
            if name.startswith(("GOOGLE_", "GEMINI_", "BATCHCTL_")) or name in {"CI", "GITHUB_ACTIONS"}:
                patch.delenv(name)
        patch.setenv("SSL_CERT_FILE", str(roots))
        patch.setenv("NO_PROXY", "*")
        yield


@pytest.fixture(scope="session")
def sdk_server(sdk_environment: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    emulator = Emulator(tmp_path_factory.mktemp("sdk-emulator") / "emulator.db")
    listening = threading.Event()
    server = EmulatorServer(emulator, "127.0.0.1", 0, lambda _line: listening.set())
    thread = threading.Thread(target=server.run)
    thread.start()
    http = httpx.Client(base_url=server.url, headers={"x-goog-api-key": "key"}, timeout=PATIENCE, verify=False)
    try:
        assert listening.wait(PATIENCE)
        yield Service(server.url, emulator, http)
    finally:
        http.close()
        server.stop()
        thread.join(PATIENCE)
        server.close()
        emulator.close()


@pytest.fixture
def service(sdk_server: Service) -> Service:
    """The emulator, empty; jobs end at once."""
    sdk_server.reset()
    return sdk_server


@pytest.fixture(scope="session")
def sdk_client(sdk_server: Service) -> Iterator[genai.Client]:
    client = new_client(sdk_server.url)
    yield client
    client.close()


@pytest.fixture(scope="session")
def sdk_runner(sdk_client: genai.Client) -> Iterator[asyncio.Runner]:
    with asyncio.Runner() as runner:
        yield runner
        runner.run(sdk_client.aio.aclose())


@pytest.fixture(params=["sync", "async"])
def sdk(request: pytest.FixtureRequest, service: Service, sdk_client: genai.Client, sdk_runner: asyncio.Runner) -> Sdk:
    """The SDK, once in each form, over an empty emulator."""
    return Sdk(sdk_client, sdk_runner if request.param == "async" else None)


@pytest.fixture
def sync_sdk(service: Service, sdk_client: genai.Client) -> genai.Client:
    """The synchronous client, where the two forms share the code in question."""
    return sdk_client
