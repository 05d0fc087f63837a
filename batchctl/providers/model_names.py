"""Characters that a model's name may not contain, on either API. Source: reference 6.2."""

from __future__ import annotations

from batchctl.model.codes import ErrorCode
from batchctl.model.errors import BadRequest

_FAULTS = ("..", "?", "&")


def require_model_name(model: str, forms: str) -> None:
    """Raise BadRequest (nothing was sent) when a text cannot be a model's name. `forms` gives valid examples."""
    if not model.strip() or any(fault in model for fault in _FAULTS):
        raise BadRequest(
            f"not the name of a model: {model[:80]!r}", http=400, code=ErrorCode.INVALID_MODEL, hint=f"a name {forms}"
        )
