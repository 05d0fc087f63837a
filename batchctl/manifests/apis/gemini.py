"""The Gemini Developer API's rules for stack files and manifests. Source: reference 1.1, 6.1, 6.2, 10."""

from __future__ import annotations

from collections.abc import Mapping

from batchctl.manifests.located import Misfit, no_batch
from batchctl.model.capabilities import is_embedding_model
from batchctl.model.kinds import Kind
from batchctl.model.pattern import Pattern
from batchctl.model.quoting import shown
from batchctl.model.stack import ProviderConfig

_JOB = Pattern(r"batches/[A-Za-z0-9_-]+")
_MODEL = Pattern(r"(tunedModels/)?[A-Za-z0-9][A-Za-z0-9._-]*")
"""Anything else would change the path of the create call."""
_GENERATES = Pattern(r"gemini-[0-9].*")


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

    def model_doubt(self, model: str, kind: Kind, config: ProviderConfig) -> Misfit | None:  # noqa: ARG002 - as above
        """See `ApiRules`."""
        if "/" in model:
            return None
        if kind is Kind.BATCH_JOB and is_embedding_model(model):
            return Misfit(
                f"{model} makes embeddings, for which Gemini has another kind of job",
                f"write kind: {Kind.EMBEDDINGS_BATCH_JOB}",
            )
        if kind is not Kind.BATCH_JOB and _GENERATES.fullmatch(model):
            hint = f"write kind: {Kind.BATCH_JOB}, or a model such as gemini-embedding-001"
            return Misfit(f"{model} makes no embeddings", hint)
        return no_batch(model)

    def job_misfit(self, name: str, config: ProviderConfig) -> Misfit | None:  # noqa: ARG002 - no locations
        """See `ApiRules`."""
        if _JOB.fullmatch(name):
            return None
        return Misfit(f"Gemini has no batch jobs like {shown(name)}", "on Gemini a batch job is batches/ID")
