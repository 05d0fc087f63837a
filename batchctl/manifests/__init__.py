"""Reads YAML into desired jobs, with checks, defaults and digests. Every error has its file, line and column.

Owns the meaning of stack files and manifests. It calls no API and writes nothing.
"""

from __future__ import annotations

from batchctl.manifests.accounts import resolve_account
from batchctl.manifests.fault_codes import Code
from batchctl.manifests.load import Asked, load, load_stack
from batchctl.manifests.manifest_files import STACK_FILE, find_stack_file
from batchctl.manifests.overrides import Overrides
from batchctl.manifests.schema import load_schema, schema_names, schema_text
from batchctl.manifests.starters import new_manifest, new_stack_file
from batchctl.manifests.trust import Trust

__all__ = [
    "STACK_FILE",
    "Asked",
    "Code",
    "Overrides",
    "Trust",
    "find_stack_file",
    "load",
    "load_schema",
    "load_stack",
    "new_manifest",
    "new_stack_file",
    "resolve_account",
    "schema_names",
    "schema_text",
]
