"""Reads a job's `dest`.

Knows the forms of `dest`, and where it has to be. Source: reference 6.1, 6.4, 8.2.
"""

from __future__ import annotations

from collections.abc import Mapping

from batchctl.manifests.apis import is_for
from batchctl.manifests.fault_codes import Code
from batchctl.manifests.fault_list import Faults
from batchctl.manifests.nodes import Members, Node, find, key_place, plain
from batchctl.model.capabilities import CAPABILITIES, DestForm
from batchctl.model.keys import API_NAMES
from batchctl.model.quoting import shown
from batchctl.model.stack import ProviderConfig

_EXAMPLES: Mapping[DestForm, str] = {
    DestForm.GCS: "such as gs://bucket/results/",
    DestForm.BIGQUERY: "bq://project, bq://project.dataset or bq://project.dataset.table",
}


def read_dest(spec: Node, config: ProviderConfig | None, faults: Faults) -> str | None:
    """The destination of the results, normalised; None if the API keeps them, and after an error."""
    if config is None:
        return None
    api = config.api
    node, dests = find(spec, "dest"), CAPABILITIES[api].dests
    if node is None:
        is_sent = find(spec, "src") is not None or find(spec, "adopt") is None
        if dests and is_sent:
            message = f'the field "dest" is missing in "spec": {API_NAMES[api]} does not keep results itself'
            hint = "name a place that nothing else writes to: dest: gs://bucket/results/"
            faults.add(spec.location, Code.MISSING_FIELD, message, hint)
        return None
    form, value = _form(node)
    if form not in dests:
        message = f'"dest" {is_for(lambda can: bool(can.dests))}'
        hint = f"leave it out: {API_NAMES[api]} keeps results itself, and batchctl collects them"
        place = key_place(spec, "dest")
        if place.file != spec.location.file:
            # Several jobs can conflict with one default of the stack; each needs its own fix.
            place, hint = (
                spec.location,
                f"`dest: null` removes the stack's default: {API_NAMES[api]} keeps results itself",
            )
        faults.add(place, Code.WRONG_PROVIDER, message, hint)
        return None
    from batchctl.manifests.located import bigquery_misfit
    from batchctl.manifests.resource_names import bigquery_place, gcs_prefix

    misfit = bigquery_misfit(config) if form is DestForm.BIGQUERY else None
    if misfit is not None:
        misfit.add_to(faults, value.location)
        return None
    uri = str(plain(value))
    try:
        return gcs_prefix(uri) if form is DestForm.GCS else bigquery_place(uri)
    except ValueError as error:
        faults.add(value.location, Code.INVALID_VALUE, f"{shown(uri)} {error}", _EXAMPLES[form])
        return None


def _form(node: Node) -> tuple[DestForm, Node]:
    if isinstance(node, Members):
        ((field, member),) = node.entries.items()
        return DestForm(field), member.node
    return DestForm.GCS if str(plain(node)).startswith("gs://") else DestForm.BIGQUERY, node
