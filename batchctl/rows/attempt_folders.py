"""The folders of one job's collected attempts, for `results --attempt` and for jobs that the state does not have."""

from __future__ import annotations

from pathlib import Path

from batchctl.rows.files import LOCAL, Files
from batchctl.rows.folder import RESULTS_FILE, is_folder_name, job_folder, results_errors
from batchctl.rows.read import read_attempt


def attempt_folders(results: Path, job: str, files: Files = LOCAL) -> dict[int, Path]:
    """The folder of each attempt with collected results, by attempt number. Raises ResultsError."""
    folder = job_folder(results, job)
    with results_errors(folder):
        if not folder.is_dir():
            return {}
        found_names = [one.name for one in folder.iterdir() if is_folder_name(one.name) and not one.is_symlink()]
    # The merged results of an attempt come after those of its shards, and count.
    names = sorted(found_names, key=lambda name: ("." not in name, name))
    found = {read_attempt(folder / name): folder / name for name in names if files.has(folder / name / RESULTS_FILE)}
    return {number: path for number, path in found.items() if number is not None}
