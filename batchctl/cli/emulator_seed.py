"""Loads the seed of a stack's emulator, a file beside the stack file, before the first call."""

from __future__ import annotations

from pathlib import Path

import httpx

from batchctl.disk.safe_open import read_start
from batchctl.model.codes import ErrorCode
from batchctl.model.errors import BatchctlError
from batchctl.providers.http.clients import tls_for

EMULATOR_SEED = ".emulator.yaml"
"""The seed's name. It is hidden because the file is not a manifest."""
_MOST_BYTES = 16 * 1024**2
_TIMEOUT = 30.0
_BAD_REQUEST = 400


def seed_emulator(seed: Path, url: str, transport: httpx.BaseTransport | None) -> None:
    """Load the seed into the emulator at a base URL; names that exist there do not change.

    Does nothing if there is no seed. Raises BatchctlError if it cannot be read or is not valid.
    """
    try:
        content = read_start(seed, _MOST_BYTES + 1)
    except FileNotFoundError:
        return
    except OSError as error:
        message = f"{seed} cannot be read: {error.strerror}"
        raise BatchctlError(message, code=ErrorCode.EMULATOR_FAILED, hint="make it readable, or remove it") from error
    if len(content) > _MOST_BYTES:
        message = f"{seed} is larger than {_MOST_BYTES // 1024**2} MB"
        raise BatchctlError(message, code=ErrorCode.EMULATOR_FAILED, hint="create large files and tables by API calls")
    # Without the roots for http: reading them takes longer than the call.
    client = httpx.Client(transport=transport, trust_env=False, verify=tls_for(url.partition(":")[0].lower()))
    try:
        answer = client.put(f"{url.rstrip('/')}/_emulator/seed", content=content, timeout=_TIMEOUT)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        hint = "is `batchctl emulator serve` running there?"
        raise BatchctlError(f"the emulator at {url}: {error}", code=ErrorCode.EMULATOR_FAILED, hint=hint) from error
    finally:
        # The caller closes the transport that it passed in.
        if transport is None:
            client.close()
    if answer.status_code == _BAD_REQUEST:
        words = answer.json()["error"]["message"]
        raise BatchctlError(
            f"{seed.name}: {words}", code=ErrorCode.EMULATOR_FAILED, hint="see docs/emulator-control.md"
        )
