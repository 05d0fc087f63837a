"""Resource names of the Gemini Developer API, and their URL paths.

A name comes from a manifest, the state or a reply. It is checked, so that it cannot direct a call to another method.
Paths are relative to the API's version. Source: reference 1.2, 2.1, 6.2, 6.3.
"""

from __future__ import annotations

import re
from typing import TypeGuard
from urllib.parse import quote

from batchctl.model.codes import ErrorCode
from batchctl.model.errors import BadRequest
from batchctl.providers.model_names import require_model_name

_ID = r"[A-Za-z0-9][A-Za-z0-9._~-]{0,255}"
_JOB = re.compile(f"batches/{_ID}")
_FILE = re.compile(f"files/{_ID}")


def is_job_name(name: object) -> TypeGuard[str]:
    """Whether a text is `batches/{id}`."""
    return isinstance(name, str) and _JOB.fullmatch(name) is not None


def is_file_name(name: object) -> TypeGuard[str]:
    """Whether a text is `files/{id}`."""
    return isinstance(name, str) and _FILE.fullmatch(name) is not None


def job_path(name: str, method: str = "") -> str:
    """The URL path of a job, with a custom method such as `:cancel`. Raises BadRequest (nothing was sent)."""
    if not is_job_name(name):
        raise BadRequest(
            f"not the name of a Gemini batch job: {name[:80]!r}",
            http=400,
            code=ErrorCode.INVALID_NAME,
            hint="batches/{id}",
        )
    return f"/{name}{method}"


def model_path(model: str, method: str) -> str:
    """The URL path of a model's method; a bare name gets `models/`. Raises BadRequest (nothing was sent)."""
    require_model_name(model, "such as gemini-2.5-flash, models/… or tunedModels/…")
    full = model if model.startswith(("models/", "tunedModels/")) else f"models/{model}"
    return f"/{quote(full, safe='/', errors='replace')}{method}"
