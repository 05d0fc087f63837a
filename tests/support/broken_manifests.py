"""The corpus of invalid input: its cases, how to load one, and the rules for every error."""

from __future__ import annotations

import re
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

from batchctl.manifests.fault_codes import Code
from batchctl.manifests.load import Asked, load
from batchctl.manifests.overrides import Overrides
from batchctl.manifests.trust import Trust
from batchctl.model.errors import ManifestError
from batchctl.model.locations import Diagnostic
from batchctl.rows.reader import RowFiles

BROKEN = Path(__file__).parents[1] / "manifests" / "broken"
SOUND = BROKEN / "sound"
SOUND_VERTEX = BROKEN / "sound-vertex"
STACK_FILE = "batchctl.yaml"

LONGEST_FAULT = 320
"""The most characters of message and hint together."""
_PYTHON = re.compile(r"<class|Traceback|\bNone\b|\bTrue\b|\bFalse\b|\{'|\['|object at 0x|\b\w+Error\b")
"""Text that only Python writes."""
_LINE_END = re.compile("\r\n|[\r\n\x85\u2028\u2029]")
_ROWS_MANIFEST = """\
apiVersion: batchctl.dev/v1
kind: {kind}
metadata: {{name: classify}}
spec:
  model: gemini-2.5-flash
  src: {{file: {file}}}
"""


def cases() -> list[Path]:
    """All cases of the corpus, sorted."""
    single = [path for group in ("manifest", "stack", "rows", "vertex") for path in (BROKEN / group).iterdir()]
    folders = [path for path in (BROKEN / "folder").iterdir() if path.is_dir()]
    return sorted(path for path in single + folders if path.suffix != ".expected")


def expected_file(case: Path) -> Path:
    return case.with_name(f"{case.name}.expected")


def arrange(case: Path, folder: Path) -> Path:
    """Build the case's stack in the folder; returns its stack file."""
    group = case.parent.name
    if group == "folder":
        shutil.copytree(case, folder, dirs_exist_ok=True)
        return folder / STACK_FILE
    shutil.copyfile(case, folder / case.name)
    if group == "vertex":
        shutil.copyfile(SOUND_VERTEX / STACK_FILE, folder / STACK_FILE)
        shutil.copyfile(SOUND_VERTEX / "rows.jsonl", folder / "rows.jsonl")
        return folder / STACK_FILE
    if group == "stack":
        shutil.copyfile(SOUND / "job.yaml", folder / "job.yaml")
        return folder / case.name
    shutil.copyfile(SOUND / STACK_FILE, folder / STACK_FILE)
    if group == "rows":
        kind = "EmbeddingsBatchJob" if case.name.endswith(".embeddings.jsonl") else "BatchJob"
        (folder / "job.yaml").write_text(_ROWS_MANIFEST.format(kind=kind, file=case.name), encoding="utf-8")
    return folder / STACK_FILE


def found_faults(
    stack_file: Path, env: Mapping[str, str] | None = None, set_values: Sequence[str] = ()
) -> list[Diagnostic]:
    """The errors of a stack; none if it is valid. Any exception but ManifestError is raised."""
    try:
        load(
            stack_file,
            Asked(),
            overrides=Overrides(set_values),
            env=env or {},
            rows=RowFiles(),
            trust=Trust(),
        )
    except ManifestError as error:
        assert error.diagnostics  # noqa: PT017 - other errors come through as they are
        return list(error.diagnostics)
    return []


def as_text(faults: Sequence[Diagnostic], folder: Path) -> str:
    """The errors in the form of an `.expected` file."""
    lines = []
    for fault in faults:
        lines.append(f"{fault.location}: {fault.code} {fault.message}")
        lines += [f"    {fault.hint}"] if fault.hint else []
    return (
        "".join(f"{line}\n" for line in lines)
        .replace(f"{folder}/", "")
        .replace(str(folder), ".")
        .replace(f"{folder.parent}/", "../")
    )


def complaints(fault: Diagnostic, folder: Path, given: str = "") -> list[str]:
    """Violations of the rules by an error: its place, its code, its text. `given` is the input, which it may quote."""
    said = f"{fault.message} {fault.hint}".replace(f"{folder}/", "")
    checks = {
        "is not of a known code": fault.code in list(Code),
        "says nothing": bool(fault.message.strip()),
        "is too long": len(said) <= LONGEST_FAULT,
        "speaks Python": all(word in given for word in _PYTHON.findall(said)),
        "is not on one line, or not printable": said.isprintable(),
        "ends in a full stop": not fault.message.endswith("."),
        "has no place in its file": _is_inside(fault),
    }
    return [f"{fault} {complaint}" for complaint, good in checks.items() if not good]


def _is_inside(fault: Diagnostic) -> bool:
    """Whether the place is in the file or directly after its end, the place of something missing."""
    place, path = fault.location, Path(fault.location.file)
    if not path.is_file():
        return (place.line, place.column) == (1, 1)
    text = path.read_bytes().decode("utf-8", errors="replace").removeprefix("\ufeff")
    lines = _LINE_END.split(text)
    return 1 <= place.line <= len(lines) and 1 <= place.column <= len(lines[place.line - 1]) + 1
