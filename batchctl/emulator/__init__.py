"""A local Gemini batch service, with both APIs: the wire as the reference tells it, over one SQLite file.

Made from the reference alone. It shares no code with the client, so that a wrong idea in one is caught by the other,
and it must never import another room of batchctl.
"""
