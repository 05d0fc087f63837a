"""The request of one row, for both APIs, as data: every member with its type, its API and its values.

Schemas for editors, the checks of `spec.request` and of rows, the merge, the spelling of members and the table in the
docs are made from it. Sources: reference chapters 7, 8 and 16; Vertex discovery document 20261106; google-genai 3.6.1.
"""
