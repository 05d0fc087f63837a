"""Reads sources that the API itself reads: Cloud Storage, BigQuery, datasets.

Checks their forms and their location. Source: reference 3.1, 6.4, chapter 4.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from batchctl.manifests.fault_codes import Code
from batchctl.manifests.fault_list import Faults
from batchctl.manifests.located import Misfit, bigquery_misfit, location_misfit
from batchctl.manifests.nodes import Items, Node, plain
from batchctl.manifests.resource_names import Resource, check_bigquery_table, check_gcs_object
from batchctl.model.capabilities import SourceForm
from batchctl.model.quoting import shown
from batchctl.model.sources import RemoteSource
from batchctl.model.stack import ProviderConfig
from batchctl.model.wildcards import matches

_DATASETS = "datasets"
_STAGING_FOLDER = "batchctl/"
"""The folder in a staging bucket that is configured without a prefix."""
_STAGED = f"{'0' * 6}/{'0' * 64}.jsonl"
"""The form of the names in a staging bucket: a short uid, and a sha256."""


def read_remote(form: SourceForm, value: Node, config: ProviderConfig | None, faults: Faults) -> RemoteSource | None:
    """The source, or None after an error. Without a provider, only its form is checked."""
    items = value.values if isinstance(value, Items) else (value,)
    uris = [uri for item in items if (uri := _uri(form, item, config, faults)) is not None]
    first: dict[str, Node] = {}
    for item in items:
        uri = str(plain(item))
        if first.setdefault(uri, item) is not item:
            message = f"{shown(uri)} appears twice, and its rows would be billed twice"
            faults.add(item.location, Code.INVALID_VALUE, message, "name it once")
    sound = len(uris) == len(items) == len(first)
    return RemoteSource(tuple(uris)) if sound else None


def _uri(form: SourceForm, node: Node, config: ProviderConfig | None, faults: Faults) -> str | None:
    uri = str(plain(node))
    check, hint = _CHECKS[form]
    try:
        check(uri)
    except ValueError as error:
        faults.add(node.location, Code.INVALID_VALUE, f"{shown(uri)} {error}", hint)
        return None
    if config is not None and _matches_staging(uri, config.staging_bucket):
        message = f"{shown(uri)} also matches what batchctl writes to the stagingBucket of {config.name}"
        hint = "its rows would be billed twice: choose another stagingBucket, or a narrower pattern"
        faults.add(node.location, Code.INVALID_VALUE, message, hint)
        return None
    misfit = None if config is None else _misfit(form, uri, config)
    if misfit is None:
        return uri
    misfit.add_to(faults, node.location)
    return None


def _matches_staging(uri: str, staging: str | None) -> bool:
    """Whether a pattern matches the names of files in a staging bucket."""
    if staging is None or "*" not in uri:
        return False
    _, _, folder = staging.removeprefix("gs://").partition("/")
    return matches(uri, f"{staging}{'' if folder else _STAGING_FOLDER}{_STAGED}")


def _misfit(form: SourceForm, uri: str, config: ProviderConfig) -> Misfit | None:
    if form is SourceForm.BIGQUERY:
        return bigquery_misfit(config)
    dataset = Resource.of(uri, _DATASETS)
    return None if dataset is None else location_misfit(dataset, config, "the dataset")


def _check_dataset(name: str) -> None:
    if Resource.of(name, _DATASETS) is None:
        raise ValueError("is not the full name of a dataset")


_CHECKS: Mapping[SourceForm, tuple[Callable[[str], None], str]] = {
    SourceForm.GCS: (check_gcs_object, "such as gs://bucket/path.jsonl or gs://bucket/path/*.jsonl"),
    SourceForm.BIGQUERY: (check_bigquery_table, "such as bq://project.dataset.table"),
    SourceForm.DATASET: (_check_dataset, "such as projects/my-project/locations/europe-west1/datasets/123"),
}
"""The function that checks each form, and an example of the form for hints."""
