"""The Gemini Developer API's rules for stack files and manifests. Source: reference 1.1, 6.1, 6.2."""

from __future__ import annotations

from collections.abc import Mapping

from batchctl.manifests.located import Misfit
from batchctl.model.pattern import Pattern
from batchctl.model.quoting import shown
from batchctl.model.stack import ProviderConfig

_JOB = Pattern(r"batches/[A-Za-z0-9_-]+")
_MODEL = Pattern(r"(tunedModels/)?[A-Za-z0-9][A-Za-z0-9._-]*")
"""Anything else would change the path of the create call."""


class GeminiRules:
    """See `ApiRules`."""

    base_url_variable = "GOOGLE_GEMINI_BASE_URL"
    place_fields: Mapping[str, str] = {}
    source_forms = "Gemini reads rows in the manifest, a local JSONL file ({file: PATH}) or an uploaded file (files/…)"
    create_fields: Mapping[str, str] = {"displayName": "displayName", "model": "model", "inputConfig": "src"}

    def google_url(self, config: ProviderConfig) -> str:  # noqa: ARG002 - one URL for all accounts
        """See `ApiRules`."""
        return "https://generativelanguage.googleapis.com"

    def model_misfit(self, model: str, config: ProviderConfig) -> Misfit | None:  # noqa: ARG002 - no locations
        """See `ApiRules`."""
        if _MODEL.fullmatch(model):
            return None
        hint = "on Gemini a model is NAME, models/NAME or tunedModels/NAME"
        return Misfit(f"Gemini has no models like {shown(model)}", hint)

    def job_misfit(self, name: str, config: ProviderConfig) -> Misfit | None:  # noqa: ARG002 - no locations
        """See `ApiRules`."""
        if _JOB.fullmatch(name):
            return None
        return Misfit(f"Gemini has no batch jobs like {shown(name)}", "on Gemini a batch job is batches/ID")
