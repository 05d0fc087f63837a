"""Which path of Vertex AI is which call. Source: reference 3."""

from __future__ import annotations

import re

from batchctl.emulator.callers import Caller
from batchctl.emulator.exchange import Route
from batchctl.emulator.vertex.calls import cancel_job, delete_job, get_job, list_jobs
from batchctl.emulator.vertex.create import create_job
from batchctl.emulator.vertex.operations import get_operation

_PARENT = r"/(?P<version>v1|v1beta1)/projects/(?P<project>[^/]+)/locations/(?P<location>[^/:]+)"
_JOBS = re.compile(rf"{_PARENT}/batchPredictionJobs")
_JOB = rf"{_PARENT}/batchPredictionJobs/(?P<id>[^/:]+)"
_UI_PARENT = _PARENT.replace("v1|v1beta1", "v1|v1beta1|ui")
"""Google's generated clients ask for operations below `/ui`. Source: reference 16."""
_OPERATION = re.compile(rf"{_UI_PARENT}/(?:batchPredictionJobs/[^/:]+/)?operations/(?P<id>[^/:]+)")

ROUTES = (
    Route("POST", _JOBS, "batchPredictionJobs.create", create_job, Caller.TOKEN),
    Route("GET", _JOBS, "batchPredictionJobs.list", list_jobs, Caller.TOKEN),
    Route("GET", re.compile(_JOB), "batchPredictionJobs.get", get_job, Caller.TOKEN),
    Route("POST", re.compile(f"{_JOB}:cancel"), "batchPredictionJobs.cancel", cancel_job, Caller.TOKEN),
    Route("DELETE", re.compile(_JOB), "batchPredictionJobs.delete", delete_job, Caller.TOKEN),
    Route("GET", _OPERATION, "operations.get", get_operation, Caller.TOKEN),
)
