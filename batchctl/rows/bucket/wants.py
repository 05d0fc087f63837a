"""Which files of a job a step reads."""

from __future__ import annotations

from batchctl.rows.bucket.index import IndexedFile, JobIndex
from batchctl.rows.bucket.mirror import Wants
from batchctl.rows.folder import MANIFEST_FILE, RESULTS_FILE, is_folder_name
from batchctl.rows.ledger_file import ANSWERS_FILE, LEDGER_FILE
from batchctl.rows.made_rows import MADE_ROWS
from batchctl.rows.sent_list import FOLDER as SENT

_FACTS = frozenset({MANIFEST_FILE, LEDGER_FILE})


def facts(path: str) -> bool:
    """Manifests, ledgers, and the lists of rows: about a hundred bytes a row."""
    folder, _, name = path.partition("/")
    return folder == SENT or (is_folder_name(folder) and name in _FACTS)


def made_rows(path: str) -> bool:
    """Rows that were made from answers of another job."""
    return path.startswith(f"{MADE_ROWS}/")


def bulky(path: str) -> bool:
    """Files of which the next pass needs none, unless it merges: answers."""
    return not facts(path) and not made_rows(path)


def in_folder(name: str) -> Wants:
    """All files of one attempt."""
    return lambda path: path.startswith(f"{name}/")


def answers(index: JobIndex) -> Wants:
    """All that a merge reads: facts, and each answer once. Merged results repeat those of the attempts before."""
    folders = index.folders()

    def wants(path: str) -> bool:
        folder, _, name = path.partition("/")
        files = folders.get(folder, {})
        return facts(path) or (LEDGER_FILE in files and not _is_merged(name, files))

    return wants


def _is_merged(name: str, files: dict[str, IndexedFile]) -> bool:
    return name == RESULTS_FILE and ANSWERS_FILE in files
