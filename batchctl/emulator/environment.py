"""The environment that points SDKs at a served emulator, as lines for a shell.

Any key and any token open the emulator. They are in it all the same: no SDK makes a call without one.
"""

from __future__ import annotations

from batchctl.emulator.metadata import LOCATION, PROJECT

KEY = "emulator"
_NOTES = (
    "# These would come before the ones above: unset GOOGLE_API_KEY GOOGLE_APPLICATION_CREDENTIALS",
    f'# Vertex AI with google-genai: genai.Client(vertexai=True, project="{PROJECT}", location="{LOCATION}")',
)


def environment_lines(url: str) -> list[str]:
    """The exports, `BATCHCTL_EMULATOR` last, and then comments."""
    host = url.partition("://")[2]
    variables = {
        "GOOGLE_GEMINI_BASE_URL": url,
        # Not GOOGLE_API_KEY: SDKs warn where both are set, and a user's own GEMINI_API_KEY is then replaced.
        "GEMINI_API_KEY": KEY,
        "GOOGLE_VERTEX_BASE_URL": url,
        "GOOGLE_CLOUD_PROJECT": PROJECT,
        "GOOGLE_CLOUD_LOCATION": LOCATION,
        "GCE_METADATA_HOST": host,
        "GCE_METADATA_IP": host,
        "STORAGE_EMULATOR_HOST": url,
        "BIGQUERY_EMULATOR_HOST": url,
        "BATCHCTL_EMULATOR": url,
    }
    return [*(f"export {name}={value}" for name, value in variables.items()), *_NOTES]
