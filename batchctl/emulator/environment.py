"""The environment that points SDKs at a served emulator, as lines for a shell.

The emulator accepts any key and any token, but the SDKs make no call without one.
"""

from __future__ import annotations

from batchctl.emulator.metadata import LOCATION, PROJECT

KEY = "emulator"
_NOTES = (
    "# If these are set, most SDKs prefer them: unset GOOGLE_API_KEY GOOGLE_APPLICATION_CREDENTIALS",
    f'# Vertex AI with google-genai: genai.Client(vertexai=True, project="{PROJECT}", location="{LOCATION}")',
)


def environment_lines(url: str) -> list[str]:
    """The exports, `BATCHCTL_EMULATOR` last, followed by comments."""
    host = url.partition("://")[2]
    variables = {
        "GOOGLE_GEMINI_BASE_URL": url,
        # Not GOOGLE_API_KEY: SDKs warn if both are set, and this line replaces a GEMINI_API_KEY of the user.
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
