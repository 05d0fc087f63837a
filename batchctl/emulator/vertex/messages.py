"""The messages of Vertex batch jobs, field by field. Data only. Source: reference 3.1, 7, 8.2."""

from __future__ import annotations

from batchctl.emulator.proto import Anything, Many, Message, Text
from batchctl.emulator.requests import EMBED_REQUEST, GENERATE_REQUEST

_ANY = Anything()
_TABLE = Message({"outputUri": Text()})

OUTPUT_ONLY = frozenset({
    "name", "state", "error", "partialFailures", "createTime", "startTime", "endTime", "updateTime",
    "completionStats", "outputInfo", "modelVersionId", "resourcesConsumed", "satisfiesPzs", "satisfiesPzi",
})  # fmt: skip
"""Taken and ignored on the way in."""
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
        "gcsSource": Message({"uris": Many(Text(), lone=True)}),
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

_CONFIG = GENERATE_REQUEST.fields["generationConfig"]
assert isinstance(_CONFIG, Message)
_GENERATE = Message({
    **GENERATE_REQUEST.fields,
    "modelArmorConfig": _ANY,
    "generationConfig": Message({
        **_CONFIG.fields,
        **dict.fromkeys(("routingConfig", "modelConfig", "audioTimestamp", "generationOutputConfig"), _ANY),
    }),
})  # fmt: skip
_EMBED_CONFIG = Message({
    **{name: kind for name, kind in EMBED_REQUEST.fields.items() if name not in {"model", "content"}},
    **dict.fromkeys(("autoTruncate", "mimeType", "documentOcr", "audioTrackExtraction"), _ANY),
})  # fmt: skip
REQUESTS = {
    "generate": _GENERATE,
    "embed": Message({**EMBED_REQUEST.fields, "embedContentConfig": _EMBED_CONFIG}),
}
"""What a row's `request` may be, by kind of job."""
