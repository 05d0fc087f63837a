"""The changelog has the form that CONTRIBUTING.md says, and knows the version of the package."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path

from batchctl import __version__

TEXT = (Path(__file__).resolve().parents[2] / "CHANGELOG.md").read_text(encoding="utf-8")
KINDS = {"Added", "Changed", "Deprecated", "Removed", "Fixed", "Security", "Emulator"}


def test_versions_have_dates_and_the_newest_is_that_of_the_package() -> None:
    first, *rest = re.findall(r"^## (.+)$", TEXT, re.MULTILINE)
    assert first == "Unreleased"
    found = [re.fullmatch(r"(\d+\.\d+\.\d+) - (\d{4}-\d\d-\d\d)", line) for line in rest]
    assert all(found)
    versions = [match[1] for match in found if match]
    dates = [date.fromisoformat(match[2]) for match in found if match]
    assert versions[0] == __version__
    assert dates == sorted(dates, reverse=True)
    numbers = [tuple(map(int, version.split("."))) for version in versions]
    assert numbers == sorted(set(numbers), reverse=True)


def test_each_version_says_what_kind_of_change_it_is() -> None:
    for part in re.split(r"^## ", TEXT, flags=re.MULTILINE)[1:]:
        kinds = re.findall(r"^### (.+)$", part, re.MULTILINE)
        assert kinds
        assert set(kinds) <= KINDS
        assert len(kinds) == len(set(kinds))


def test_no_entry_stands_twice() -> None:
    """Merging keeps the lines of both sides: of an entry that one side moved, it keeps two."""
    entries = re.findall(r"^- .+$", TEXT, re.MULTILINE)
    assert sorted(entry for entry in set(entries) if entries.count(entry) > 1) == []
