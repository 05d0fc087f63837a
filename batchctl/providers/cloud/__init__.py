"""Cloud Storage and BigQuery, as far as Vertex jobs read and write there (reference chapter 4).

Knows objects, tables and rows; what a line or a row means for a job is told in `providers.vertex`.
"""
