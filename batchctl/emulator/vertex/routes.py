"""The routes of Vertex AI: which path is which call. Source: reference 3."""

from __future__ import annotations

import re

from batchctl.emulator.callers import Caller
from batchctl.emulator.exchange import Handler, Route
from batchctl.emulator.queries import LIST
from batchctl.emulator.replies import VERTEX
from batchctl.emulator.vertex.create import create_job
from batchctl.emulator.vertex.job_calls import cancel_job, delete_job, get_job, list_jobs
from batchctl.emulator.vertex.operations import get_operation
from batchctl.emulator.vertex.publishers import count_tokens, get_publisher_model, list_publisher_models

_PARENT = r"/(?P<version>v1|v1beta1)/projects/(?P<project>[^/]+)/locations/(?P<location>[^/:]+)"
_JOBS = rf"{_PARENT}/batchPredictionJobs"
_JOB = rf"{_PARENT}/batchPredictionJobs/(?P<id>[^/:]+)"
_UI_PARENT = _PARENT.replace("v1|v1beta1", "v1|v1beta1|ui")
"""Google's generated clients request operations below `/ui`. Source: reference 16."""
_OPERATION = rf"{_UI_PARENT}/(?:batchPredictionJobs/[^/:]+/)?operations/(?P<id>[^/:]+)"
_MODELS = "/v1beta1/publishers/(?P<publisher>[^/]+)/models"
"""Only this version has the list."""
_MODEL = "/(?:v1|v1beta1)/publishers/(?P<publisher>[^/]+)/models/(?P<id>[^/:]+)"
_COUNT = rf"{_PARENT}/publishers/google/models/(?P<id>[^/:]+):countTokens"

_OF_A_MODEL = frozenset({"view", "language_code", "is_hugging_face_model", "hugging_face_token"}) | frozenset(
    {"include_equivalent_model_garden_model_deployment_configs"}
)
_OF_JOBS = LIST | {"read_mask"}
_OF_MODELS = LIST | {"view", "language_code", "order_by", "list_all_versions"}


def _route(
    verb: str, path: str, method: str, handler: Handler, reply: str, query: frozenset[str] = frozenset()
) -> Route:
    return Route(verb, re.compile(path), method, handler, Caller.TOKEN, reply=reply, replies=VERTEX, query=query)


ROUTES = (
    _route("POST", _JOBS, "batchPredictionJobs.create", create_job, "BatchPredictionJob"),
    _route(
        "GET", _JOBS, "batchPredictionJobs.list", list_jobs, "ListBatchPredictionJobsResponse", LIST | {"read_mask"}
    ),
    _route("GET", _JOB, "batchPredictionJobs.get", get_job, "BatchPredictionJob"),
    _route("POST", f"{_JOB}:cancel", "batchPredictionJobs.cancel", cancel_job, "Empty"),
    _route("DELETE", _JOB, "batchPredictionJobs.delete", delete_job, "Operation"),
    _route("GET", _MODELS, "publishers.models.list", list_publisher_models, "ListPublisherModelsResponse", _OF_MODELS),
    _route("GET", _MODEL, "publishers.models.get", get_publisher_model, "PublisherModel", _OF_A_MODEL),
    _route("POST", _COUNT, "publishers.models.countTokens", count_tokens, "CountTokensResponse"),
    _route("GET", _OPERATION, "operations.get", get_operation, "Operation"),
)
