"""Vertex AI's rules for stack files and manifests. Source: reference chapter 3, 6.1, 6.2, 6.3, 10."""

from __future__ import annotations

from collections.abc import Mapping

from batchctl.manifests.located import GLOBAL, Misfit, location_misfit, no_batch
from batchctl.manifests.resource_names import Resource
from batchctl.model.kinds import Kind
from batchctl.model.pattern import Pattern
from batchctl.model.quoting import shown
from batchctl.model.stack import ProviderConfig

_JOBS = "batchPredictionJobs"
_JOB_NUMBER = Pattern("[0-9]+")
_MODEL = Pattern(
    r"(?:publishers/[A-Za-z0-9_-]+/models/|(?!(?:projects|publishers|models|tunedModels|endpoints)/)[A-Za-z0-9_-]+/)?"
    r"[A-Za-z0-9][A-Za-z0-9._-]*(?:@[A-Za-z0-9._-]+)?"
)
"""A publisher's model: Google's by its name alone."""
_MULTI_REGIONS = ("us", "eu")
_EMBEDDING_PLACES: Mapping[str, tuple[str, ...]] = {
    "gemini-embedding-001": ("us-central1", "us-east4", "us-west1", "us-west4", "europe-west1", "europe-west4"),
    "gemini-embedding-2": (GLOBAL, *_MULTI_REGIONS),
}
"""The locations where an embedding model runs in batch jobs."""


class VertexRules:
    """See `ApiRules`."""

    base_url_variable = "GOOGLE_VERTEX_BASE_URL"
    place_fields: Mapping[str, str] = {
        "project": "your project's id",
        "location": "such as europe-west1 or global",
    }
    source_forms = "Vertex reads a local JSONL file ({file: PATH}), gs://…, bq://… or a dataset"
    create_fields: Mapping[str, str] = {
        "displayName": "displayName",
        "model": "model",
        "inputConfig": "src",
        "outputConfig": "dest",
        "labels": "metadata.labels",
    }

    def google_url(self, config: ProviderConfig) -> str:
        """See `ApiRules`."""
        if config.location == GLOBAL:
            return "https://aiplatform.googleapis.com"
        if config.location in _MULTI_REGIONS:
            return f"https://aiplatform.{config.location}.rep.googleapis.com"
        return f"https://{config.location}-aiplatform.googleapis.com"

    def model_misfit(self, model: str, config: ProviderConfig) -> Misfit | None:
        """See `ApiRules`."""
        tuned = Resource.of(model, "models")
        if tuned is not None:
            if config.location == GLOBAL:
                message = f"tuned models do not run in the location {GLOBAL}"
                return Misfit(message, "use a provider in the model's own location")
            return location_misfit(tuned, config, "the model")
        if _MODEL.fullmatch(model):
            return None
        hint = "on Vertex a model is NAME, PUBLISHER/NAME, publishers/PUBLISHER/models/NAME or projects/…/models/ID"
        return Misfit(f"Vertex has no models like {shown(model)}", hint)

    def model_doubt(self, model: str, kind: Kind, config: ProviderConfig) -> Misfit | None:  # noqa: ARG002 - one kind
        """See `ApiRules`."""
        name = model.removeprefix("publishers/google/models/").removeprefix("google/")
        places = _EMBEDDING_PLACES.get(name)
        if places is not None and config.location and config.location not in places:
            message = f"batch jobs with {name} are documented for other locations than {shown(config.location)}"
            return Misfit(message, f"use a provider in one of them: {', '.join(places)}")
        return no_batch(name)

    def job_misfit(self, name: str, config: ProviderConfig) -> Misfit | None:
        """See `ApiRules`."""
        job = Resource.of(name, _JOBS)
        if not _JOB_NUMBER.fullmatch(name if job is None else job.id):
            hint = f"on Vertex a batch job is its number, in quotes, or projects/…/locations/…/{_JOBS}/NUMBER"
            return Misfit(f"Vertex has no batch jobs like {shown(name)}", hint)
        if job is None:
            return None
        return location_misfit(job, config, "the job") or _project_misfit(job, config)


def _project_misfit(job: Resource, config: ProviderConfig) -> Misfit | None:
    # Only the API knows which project number belongs to which project id.
    comparable = job.project.isdigit() == config.project.isdigit()
    if not comparable or not config.project or job.project == config.project:
        return None
    message = f"the job is in the project {shown(job.project)}, and the provider in {shown(config.project)}"
    return Misfit(message, "use a provider of the same project")
