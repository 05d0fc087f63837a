"""Reads YAML into desired jobs, with checks, defaults and digests. Every error has its file, line and column.

Owns the meaning of stack files and manifests. It calls no API and writes nothing.
"""
