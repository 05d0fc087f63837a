"""The folder of `--record`: one private file per decision, and a bounded number of them."""

from __future__ import annotations

import re
import secrets
from pathlib import Path

from batchctl.disk.private_files import make_folder, write_file
from batchctl.engine.bundles.bundle import to_bundle
from batchctl.engine.warnings import Warnings
from batchctl.model.plan import Plan
from batchctl.reconcile import Question

MOST_FILES = 100
MOST_BYTES = 256 * 2**20
"""Of all bundles in a folder together."""
_NAME = re.compile(r"[0-9]{8}T[0-9]{6}\.[0-9]{6}Z-[0-9a-f]{6}\.bundle\.json")
_SUBJECT = "the folder of --record"


class BundleFolder:
    """Writes bundles. Several processes may write into one folder."""

    def __init__(self, folder: Path) -> None:
        """`folder` is made if it is missing. Raises UnsafeFile and OSError."""
        make_folder(folder)
        self._folder = folder

    def add(self, question: Question, plan: Plan | None, warnings: Warnings) -> None:
        """Write the bundle of a decision, and remove the oldest ones beyond the bounds.

        A disk that is full stops no decision: it is a warning.
        """
        name = f"{question.now:%Y%m%dT%H%M%S.%f}Z-{secrets.token_hex(3)}.bundle.json"
        content = to_bundle(question, plan)
        try:
            write_file(self._folder / name, content)
            self._remove_oldest(name)
        except OSError as error:
            warnings.warn(_SUBJECT, f"cannot write {self._folder / name}: {error.strerror}", cause=str(error.strerror))
        else:
            warnings.resolved(_SUBJECT, f"{self._folder}: bundles can be written again")

    def _remove_oldest(self, newest: str) -> None:
        """Remove bundles beyond the bounds, but never the one that was just written. Other files stay."""
        names = sorted((one for one in self._folder.iterdir() if _NAME.fullmatch(one.name)), reverse=True)
        others = [one for one in names if one.name != newest]
        used = (self._folder / newest).stat().st_size
        for number, path in enumerate(others, start=2):
            try:
                used += path.lstat().st_size
                if number > MOST_FILES or used > MOST_BYTES:
                    path.unlink()
            except FileNotFoundError:
                continue  # another process has removed it
