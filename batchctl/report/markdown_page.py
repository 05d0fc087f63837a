"""A page of Markdown for a comment on a pull request: sections of tables, within a number of bytes.

If a page is too long, jobs are left out, each with all of its lines, beginning at the end: the last sections are the
least important ones. Every cell passes `escape.markdown`; no text from outside begins a line.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from msgspec import Struct

from batchctl.report.escape import markdown

COMMENT_LIMIT = 65_000
"""Bytes of UTF-8. GitHub refuses a comment of more than 65,536 characters."""
_NOTE = 100
"""Bytes that the line about jobs that are left out may take."""


class Section(Struct, frozen=True):
    """A table under a title. Its rows belong to jobs, and a job is shown with all of its rows or not at all."""

    title: str
    header: tuple[str, ...]
    jobs: tuple[tuple[tuple[str, ...], ...], ...]
    """The rows of each job."""
    is_folded: bool = False
    after: str = ""
    """Text under the table."""

    @classmethod
    def of_rows(cls, title: str, header: tuple[str, ...], rows: Iterable[Sequence[str]]) -> Section:
        """A table with one row a job."""
        return cls(title, header, tuple((tuple(row),) for row in rows))


def make_page(head: Sequence[str], sections: Sequence[Section], foot: Sequence[str]) -> str:
    """The blocks with the sections between them, within the limit. Head and foot are short."""
    shown = [section for section in sections if section.jobs]
    left = COMMENT_LIMIT - sum(_size(block) + 1 for block in (*head, *foot) if block)
    left -= len(shown) * _NOTE
    blocks = []
    for section in shown:
        block = _section(section, left)
        left -= max(0, _size(block) + 1 - _NOTE)
        blocks.append(block)
    return "\n".join(block for block in (*head, *blocks, *foot) if block)


def _section(section: Section, left: int) -> str:
    """The section with as many jobs as there is room for."""
    title = f"<details><summary>{section.title}</summary>\n\n" if section.is_folded else f"#### {section.title}\n\n"
    end = "\n</details>\n" if section.is_folded else ""
    table = title + table_row(section.header) + table_row("---" for _ in section.header)
    left -= _size(table) + _size(end) + _size(section.after)
    shown = 0
    for rows in section.jobs:
        lines = "".join(table_row(markdown(cell) for cell in row) for row in rows)
        left -= _size(lines)
        if left < 0:
            break
        table += lines
        shown += 1
    rest = len(section.jobs) - shown
    if not rest:
        return f"{table}{section.after}{end}"
    note = "left out because the page is too long for a comment; the JSON output has all.\n"
    if not shown:
        return f"{section.title}: {note}"
    return f"{table}\nAnd {rest} more, {note}{end}"


def table_row(cells: Iterable[str]) -> str:
    """One row; the cells are escaped already."""
    return f"| {' | '.join(cells)} |\n"


def _size(text: str) -> int:
    return len(text.encode("utf-8", "replace"))
