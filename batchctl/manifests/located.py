"""What lies in a location at Google: models, datasets and batch jobs by their full names.

Owns the rule that a job, its model and its dataset lie where its provider is. Source: reference chapter 3, 6.3.
"""

from __future__ import annotations

import re
from typing import assert_never

from batchctl.manifests.codes import Code
from batchctl.manifests.faults import Faults
from batchctl.manifests.nodes import Node, value_of
from batchctl.manifests.places import Resource
from batchctl.model.desired import Location, ProviderConfig
from batchctl.model.keys import API_NAMES, Api
from batchctl.model.quoting import shown

_GEMINI_JOB = re.compile(r"batches/[A-Za-z0-9_-]+")
_JOB_NUMBER = re.compile("[0-9]+")
_JOBS = "batchPredictionJobs"
_GEMINI_MODEL = re.compile(r"(tunedModels/)?[A-Za-z0-9][A-Za-z0-9._-]*")
"""Anything else would change the path of the create call. Source: reference 6.2."""
_VERTEX_MODEL = re.compile(
    r"(?:publishers/[A-Za-z0-9_-]+/models/|(?!(?:projects|publishers|models|tunedModels|endpoints)/)[A-Za-z0-9_-]+/)?"
    r"[A-Za-z0-9][A-Za-z0-9._-]*(?:@[A-Za-z0-9._-]+)?"
)
"""A publisher's model: Google's by its name alone. Source: reference 6.2."""
_GLOBAL = "global"


def has_bigquery(config: ProviderConfig | None, place: Location, faults: Faults) -> bool:
    """Whether batch jobs of a provider can read and write BigQuery: they cannot in `global` (reference 16)."""
    if config is None or config.location != _GLOBAL:
        return True
    message = f"batch jobs in the location {_GLOBAL} have no BigQuery, and the provider {config.name} is there"
    faults.add(
        place, Code.WRONG_PROVIDER, message, "use a provider in the region of the table, such as us-central1, or gs://"
    )
    return False


def read_model(node: Node, config: ProviderConfig | None, faults: Faults) -> str | None:
    """The model's name without `models/`, or None with a fault told. Without a provider, any that can be one."""
    model = str(value_of(node)).removeprefix("models/")
    if ".." in model or not model:
        faults.add(node.location, Code.INVALID_VALUE, '"model" is not the name of a model')
        return None
    if config is None:
        return model
    match config.api:
        case Api.GEMINI:
            hint = "on Gemini a model is NAME, models/NAME or tunedModels/NAME"
            sound = _GEMINI_MODEL.fullmatch(model) is not None
        case Api.VERTEX:
            hint = "on Vertex a model is NAME, PUBLISHER/NAME, publishers/PUBLISHER/models/NAME or projects/…/models/ID"
            tuned = Resource.of(model, "models")
            if tuned is not None:
                return model if _is_tuned_model_here(tuned, config, node.location, faults) else None
            sound = _VERTEX_MODEL.fullmatch(model) is not None
        case _ as never:
            assert_never(never)
    if not sound:
        message = f"{API_NAMES[config.api]} has no models like {shown(model)}"
        faults.add(node.location, Code.WRONG_PROVIDER, message, hint)
        return None
    return model


def _is_tuned_model_here(tuned: Resource, config: ProviderConfig, place: Location, faults: Faults) -> bool:
    if config.location == _GLOBAL:
        message = f"tuned models do not run in the location {_GLOBAL}"
        faults.add(place, Code.WRONG_PROVIDER, message, "use a provider in the model's own location")
        return False
    return is_here(tuned, config, "the model", place, faults)


def is_here(thing: Resource, config: ProviderConfig, what: str, place: Location, faults: Faults) -> bool:
    """Whether a thing lies in the provider's location; if not, it is told."""
    # A provider without a location has been told of.
    if thing.location == config.location or not config.location:
        return True
    message = f"{what} is in {shown(thing.location)}, and the provider {config.name} in {shown(config.location)}"
    faults.add(place, Code.WRONG_PROVIDER, message, "use a provider in the same location")
    return False


def read_adopt(node: Node, config: ProviderConfig | None, faults: Faults) -> str:
    """The remote job that a manifest takes in, as it is written; a fault is told when it cannot be the provider's."""
    name = str(value_of(node))
    if config is None:
        return name
    match config.api:
        case Api.GEMINI:
            sound = _GEMINI_JOB.fullmatch(name) is not None
            hint = "on Gemini a batch job is batches/ID"
        case Api.VERTEX:
            job = Resource.of(name, _JOBS)
            sound = _JOB_NUMBER.fullmatch(name if job is None else job.id) is not None
            hint = f"on Vertex a batch job is its number, in quotes, or projects/…/locations/…/{_JOBS}/NUMBER"
            if job is not None and sound and is_here(job, config, "the job", node.location, faults):
                _check_project(job, config, node.location, faults)
        case _ as never:
            assert_never(never)
    if not sound:
        message = f"{API_NAMES[config.api]} has no batch jobs like {shown(name)}"
        faults.add(node.location, Code.WRONG_PROVIDER, message, hint)
    return name


def _check_project(job: Resource, config: ProviderConfig, place: Location, faults: Faults) -> None:
    # Nobody here knows which number belongs to which id.
    comparable = job.project.isdigit() == config.project.isdigit()
    if comparable and config.project and job.project != config.project:
        message = f"the job is in the project {shown(job.project)}, and the provider in {shown(config.project)}"
        faults.add(place, Code.WRONG_PROVIDER, message, "use a provider of the same project")


def remote_id(adopt: str) -> str:
    """What two names of one job on one account have in common."""
    return adopt.rpartition("/")[2]
