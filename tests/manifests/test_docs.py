"""The table in docs/apis.md is the matrix of capabilities."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from batchctl.model.capabilities import CAPABILITIES, Capabilities, DestForm, RowMark, SourceForm
from batchctl.model.keys import API_NAMES, Api
from batchctl.model.kinds import Kind
from batchctl.model.request.catalogue import ROOTS
from tests.support.manifest_files import REPOSITORY

PAGE = REPOSITORY / "docs" / "apis.md"
SOURCES = {
    SourceForm.INLINE: "rows in the manifest",
    SourceForm.FILE: "`src: {file: PATH}`",
    SourceForm.UPLOADED: "`src: files/…`",
    SourceForm.GCS: "`src: gs://…`",
    SourceForm.BIGQUERY: "`src: bq://…`",
    SourceForm.DATASET: "`src: projects/…/datasets/…`",
    SourceForm.CHAIN: "`src: {fromJob: NAME, template: …}`",
}
DESTS = {DestForm.GCS: "`dest: gs://…`", DestForm.BIGQUERY: "`dest: bq://…`"}
MARKS = {RowMark.KEY: "by their key", RowMark.LABEL: "by their key, and by two labels with their position"}


def row(name: str, cell: Callable[[Capabilities], object]) -> str:
    cells = [cell(CAPABILITIES[api]) for api in Api]
    words = [("yes" if value else "no") if isinstance(value, bool) else number(value) for value in cells]
    return f"| {name} | {' | '.join(words)} |"


def number(value: object) -> str:
    if value is None:
        return "-"
    return f"{value:,}" if isinstance(value, int) else str(value)


def hours(span: timedelta | None) -> str:
    return "-" if span is None else f"{span / timedelta(hours=1):g} hours"


def has_member(what: str, name: str) -> str:
    """A line about a member of requests, from the model of requests."""
    [member] = [one for one in ROOTS[Kind.BATCH_JOB].fields if one.name == name]
    return f"| {what} | {' | '.join('yes' if member.is_on(api) else 'no' for api in Api)} |"


def matrix() -> list[str]:
    return [
        f"| | {' | '.join(API_NAMES[api] for api in Api)} |",
        "| --- | --- | --- |",
        *(row(what, lambda can, form=form: form in can.sources) for form, what in SOURCES.items()),
        row("local files go to", lambda can: "`stagingBucket`" if can.staging else "the Files API"),
        *(row(what, lambda can, form=form: form in can.dests) for form, what in DESTS.items()),
        row("`dest` has to be given", lambda can: bool(can.dests)),
        row(
            "embeddings", lambda can: "`EmbeddingsBatchJob`" if can.embeddings_kind else "`BatchJob` with such a model"
        ),
        has_member("`request.cachedContent`", "cachedContent"),
        has_member("`request.modelArmorConfig` and its like", "modelArmorConfig"),
        row("`metadata.labels` on the remote job", lambda can: can.labels),
        row("a list of our jobs alone", lambda can: can.list_filter),
        row("`webhookConfig`", lambda can: can.webhooks),
        row("the create call has `priority`", lambda can: can.priority),
        row("rows of a file are known again", lambda can: MARKS[can.row_mark]),
        row("versions (`apiVersion`), the default first", lambda can: ", ".join(f"`{one}`" for one in can.versions)),
        row("bytes of a reply with results in it, above which `validate` warns", lambda can: can.inline_result_bytes),
        row("bytes of a result file, above which `validate` warns", lambda can: can.result_file_bytes),
        row("results are sure to be there for (`collectBy`)", lambda can: hours(can.results_kept)),
        row(
            "the API says when a job began to run",
            lambda can: can.start_time or "no: the first look that shows it running counts",
        ),
        row("jobs at once (`active`)", lambda can: can.limits.active),
        row("rows of a job (`rows`)", lambda can: can.limits.rows),
        row("rows of a job that makes embeddings (`embeddingRows`)", lambda can: can.limits.embedding_rows),
        row("bytes of a file (`fileBytes`)", lambda can: can.limits.file_bytes),
        row("bytes of a create call's rows (`inlineBytes`)", lambda can: can.limits.inline_bytes),
    ]


def test_the_table_of_capabilities_is_the_matrix() -> None:
    lines = PAGE.read_text(encoding="utf-8").splitlines()
    start = lines.index("## What each API can") + 2
    assert lines[start : lines.index("", start)] == matrix()
    assert sum(line.endswith(matrix()[0]) for line in lines) == 1, (
        "a second table is a text that was replaced by mistake"
    )


def test_the_page_shows_the_complete_matrix() -> None:
    assert set(SOURCES) == set(SourceForm)
    assert set(DESTS) == set(DestForm)
    assert len(Capabilities.__annotations__) == 15, "a new fact needs a line in the table"
