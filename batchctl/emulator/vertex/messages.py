"""The messages of Vertex batch jobs, field by field. Data only. Source: reference 3.1, 7, 8.2."""

from __future__ import annotations

from batchctl.emulator.proto import Anything, Message, Repeated, Text

_ANY = Anything()
_TABLE = Message({"outputUri": Text()})

OUTPUT_ONLY = frozenset({
    "name", "state", "error", "partialFailures", "createTime", "startTime", "endTime", "updateTime",
    "completionStats", "outputInfo", "modelVersionId", "resourcesConsumed", "satisfiesPzs", "satisfiesPzi",
})  # fmt: skip
"""Accepted in requests and ignored."""
_VERBATIM = (
    "modelParameters", "dedicatedResources", "manualBatchTuningParameters", "instanceConfig", "explanationSpec",
    "generateExplanation", "disableContainerLogging", "unmanagedContainerModel", "labels",
)  # fmt: skip

BATCH_PREDICTION_JOB = Message({
    **dict.fromkeys(OUTPUT_ONLY, _ANY),
    **dict.fromkeys(_VERBATIM, _ANY),
    "displayName": Text(),
    "model": Text(),
    "serviceAccount": Text(),
    "encryptionSpec": Message({"kmsKeyName": Text()}),
    "inputConfig": Message({
        "instancesFormat": Text(),
        "gcsSource": Message({"uris": Repeated(Text(), lone=True)}),
        "bigquerySource": Message({"inputUri": Text()}),
        "vertexMultimodalDatasetSource": Message({"datasetName": Text()}),
    }),
    "outputConfig": Message({
        "predictionsFormat": Text(),
        "gcsDestination": Message({"outputUriPrefix": Text()}),
        "bigqueryDestination": _TABLE,
        "vertexMultimodalDatasetDestination": Message({"bigqueryDestination": _TABLE, "displayName": Text()}),
    }),
})  # fmt: skip
