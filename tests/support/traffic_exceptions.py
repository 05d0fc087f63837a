"""What may differ from the discovery documents, each with its reason. What is not here is held to them strictly."""

from __future__ import annotations

from tests.support.request_samples import Place

IN_ROWS = {
    "model: unknown field of GoogleCloudAiplatformV1beta1GenerateContentRequest": "Vertex ignores it; rows that were made for the Developer API have it",
    "generationConfig.thinkingConfig.thinkingLevel: not one of the values: 'XHIGH'": "newer than the document (reference 16)",
}  # fmt: skip
"""Faults of a row's request that are none."""
NEVER_SENT = {
    ("Tool", "codeExecution"),
    ("Tool", "urlContext"),
    ("GoogleSearch", "searchTypes"),
    ("GoogleMaps", "groundingTypes"),
    ("AudioTranscriptionConfig", "languageAuto"),
    ("ExternalApi", "simpleSearchParams"),
    ("Retrieval", "vertexRagStore"),
}
"""Messages that have no members, or only such. Vertex's importer takes no empty object, so that no row there can have them (reference 16). And what its batch jobs do not have (reference 10)."""
GIVEN: dict[Place, object] = {
    ("ExternalApi", "authConfig"): {"authType": "NO_AUTH"},
    ("ExternalApi", "apiAuth"): {"apiKeyConfig": {"apiKeySecretVersion": "projects/p/secrets/s/versions/1"}},
}
"""Values of members that the model of requests does not look into."""
