"""PyYAML as batchctl imports it: its own parser reads values as it always does."""

from __future__ import annotations

import subprocess
import sys

VALUES = "[1, 0x1F, 1_000, 190:20:30, .5, 6.8e+5, -.inf, 2026-11-30, 2026-11-30 20:15:00 +1, yes, ~, text]"
PROGRAM = f"""
import re
{{}}
for loader in (yaml.SafeLoader, yaml.CSafeLoader):
    print(yaml.load({VALUES!r}, Loader=loader))
try:
    yaml.load("a: \\ufffe", Loader=yaml.SafeLoader)
except yaml.reader.ReaderError as error:
    print(error)
print(yaml.safe_dump(["yes", "1", "2026-11-30", 1]), isinstance(re.compile("a+|b"), re.Pattern))
"""


def said(imports: str) -> str:
    return subprocess.run(
        [sys.executable, "-c", PROGRAM.format(imports)], capture_output=True, text=True, check=True
    ).stdout


def test_what_pyyaml_reads_and_writes_is_the_same() -> None:
    ours = said("from batchctl.manifests.libyaml import yaml")
    assert ours == said("import yaml")
    assert "datetime.date(2026, 11, 30)" in ours
    assert "special characters are not allowed" in ours


def test_its_regular_expressions_are_compiled_for_its_own_parser_alone() -> None:
    program = "from batchctl.manifests.libyaml import yaml; pattern = yaml.SafeLoader.NON_PRINTABLE; print('search' in vars(pattern)); list(yaml.parse('a: 1', Loader=yaml.CSafeLoader)); print('search' in vars(pattern)); yaml.safe_load('a'); print('search' in vars(pattern))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "False", "True"]
