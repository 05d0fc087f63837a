"""Cloud Storage and BigQuery, as far as Vertex jobs read and write them (reference chapter 4).

Knows objects, tables and rows; `providers.vertex` knows what a line or a row means for a job.
"""
