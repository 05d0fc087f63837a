"""The rules that one API adds to stack files and manifests."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from batchctl.manifests.located import Misfit
from batchctl.model.kinds import Kind
from batchctl.model.stack import ProviderConfig


class ApiRules(Protocol):
    """The rules of one API. They are pure: the same text and provider give the same answer."""

    @property
    def base_url_variable(self) -> str:
        """The environment variable of the API's own SDK that holds a base URL."""

    @property
    def place_fields(self) -> Mapping[str, str]:
        """The fields that say where a provider's account is, each required, with a hint for one that is missing."""

    @property
    def source_forms(self) -> str:
        """A hint: the forms of `src` that the API reads."""

    @property
    def create_fields(self) -> Mapping[str, str]:
        """The fields that batchctl writes into a create call, each with the field of the manifest it comes from.

        In `extraBody`, they could remove the mark or change the work behind the plan's back.
        """

    def google_url(self, config: ProviderConfig) -> str:
        """The base URL of the real API for a provider."""

    def model_misfit(self, model: str, config: ProviderConfig) -> Misfit | None:
        """Why a provider cannot run a model, by its name without `models/`; None if it can."""

    def model_doubt(self, model: str, kind: Kind, config: ProviderConfig) -> Misfit | None:
        """Why the API is likely to refuse batch jobs of a kind with a model; None if nothing is known against it."""

    def job_misfit(self, name: str, config: ProviderConfig) -> Misfit | None:
        """Why a name cannot be a batch job of a provider; None if it can."""
