"""Locations: a job, its model, its dataset and its tables have to be where their provider is.

Source: reference chapter 3, 6.3, 10, 16.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from batchctl.manifests.fault_codes import Code
from batchctl.manifests.fault_list import Faults
from batchctl.model.locations import Location
from batchctl.model.pattern import Pattern
from batchctl.model.quoting import shown
from batchctl.model.stack import ProviderConfig

if TYPE_CHECKING:  # for APIs with locations
    from batchctl.manifests.resource_names import Resource

GLOBAL = "global"
_NO_BATCH = Pattern(r"(imagen|veo|lyria)-.*")


class Misfit(Struct, frozen=True):
    """Why a name in a manifest cannot belong to the job's provider."""

    message: str
    hint: str

    def add_to(self, faults: Faults, place: Location) -> None:
        """Report it as an error at the place of the name."""
        faults.add(place, Code.WRONG_PROVIDER, self.message, self.hint)

    def warn_of(self, faults: Faults, place: Location) -> None:
        """Report it as a warning: what is documented about models changes."""
        faults.warn(place, Code.DOUBTFUL_MODEL, self.message, self.hint)


def location_misfit(resource: Resource, config: ProviderConfig, subject: str) -> Misfit | None:
    """The mismatch of a resource and its provider's location. `subject` names the resource in the message."""
    # A provider without a location is an error of the stack file, which is reported there.
    if resource.location == config.location or not config.location:
        return None
    message = f"{subject} is in {shown(resource.location)}, and the provider {config.name} in {shown(config.location)}"
    return Misfit(message, "use a provider in the same location")


def no_batch(model: str) -> Misfit | None:
    """The doubt about a model of a family that makes images, videos or music, and runs in no batch jobs."""
    if not _NO_BATCH.fullmatch(model):
        return None
    return Misfit(f"{model} is of a family that does not run in batch jobs", "use a Gemini model")


def bigquery_misfit(config: ProviderConfig) -> Misfit | None:
    """The mismatch of a BigQuery table and a provider in `global`, whose batch jobs cannot use BigQuery."""
    if config.location != GLOBAL:
        return None
    message = f"batch jobs in the location {GLOBAL} cannot use BigQuery, and the provider {config.name} is there"
    return Misfit(message, "use a provider in the region of the table, such as us-central1, or gs://")
