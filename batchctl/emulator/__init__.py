"""A local Gemini batch service with both APIs, kept in one SQLite file.

It is written from the reference alone and shares no code with the client, so that a wrong idea in one is caught by the
other. It must never import another package of batchctl.
"""
