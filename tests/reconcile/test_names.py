"""The names of `batchctl.reconcile`, which are loaded when they are asked for."""

from __future__ import annotations

import ast
import importlib
import subprocess
import sys
from pathlib import Path

import pytest

from batchctl import reconcile


def test_each_name_is_what_type_checkers_see() -> None:
    tree = ast.parse(Path(reconcile.__file__).read_text(encoding="utf-8"))
    imports = [node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and node.module != "typing"]
    seen = {alias.name: str(node.module) for node in imports for alias in node.names if alias.name != "import_module"}
    assert seen.keys() == set(reconcile.__all__)
    for name, module in seen.items():
        assert getattr(reconcile, name) is getattr(importlib.import_module(module), name)


def test_another_name_is_unknown() -> None:
    with pytest.raises(AttributeError, match=r"module 'batchctl\.reconcile' has no attribute 'decided'"):
        _ = reconcile.decided


def test_the_scope_of_a_command_loads_no_rule() -> None:
    code = "import sys; from batchctl.reconcile import Scope; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    ours = {name for name in loaded if name.startswith("batchctl.reconcile.")}
    assert ours == {"batchctl.reconcile.options", "batchctl.reconcile.selector"}
