"""Reads the names of resources that exist at the API: a job's model, and the remote job that a manifest adopts."""

from __future__ import annotations

from batchctl.manifests.apis import RULES
from batchctl.manifests.fault_codes import Code
from batchctl.manifests.fault_list import Faults
from batchctl.manifests.nodes import Node, value_of
from batchctl.model.kinds import Kind
from batchctl.model.stack import ProviderConfig


def read_model(node: Node, kind: Kind, config: ProviderConfig | None, faults: Faults) -> str | None:
    """The model's name without `models/`, or None after an error. Without a provider, any safe name passes."""
    model = str(value_of(node)).removeprefix("models/")
    if ".." in model or not model:
        faults.add(node.location, Code.INVALID_VALUE, '"model" is not the name of a model')
        return None
    if config is None:
        return model
    misfit = RULES[config.api].model_misfit(model, config)
    if misfit is not None:
        misfit.add_to(faults, node.location)
        return None
    doubt = RULES[config.api].model_doubt(model, kind, config)
    if doubt is not None:
        doubt.warn_of(faults, node.location)
    return model


def read_adopt(node: Node, config: ProviderConfig | None, faults: Faults) -> str:
    """The remote job that a manifest adopts, as it is written; a name that is not the provider's is an error."""
    name = str(value_of(node))
    misfit = None if config is None else RULES[config.api].job_misfit(name, config)
    if misfit is not None:
        misfit.add_to(faults, node.location)
    return name


def remote_id(adopt: str) -> str:
    """The last part of a remote job's name, which is the same in the short and the full form."""
    return adopt.rpartition("/")[2]
