"""`--sort-by`: a key of the documents, or of the table's columns, also as kubectl writes it: `.createTime`."""

from __future__ import annotations

import click

from batchctl.report.status_order import SortKey


class SortKeyType(click.ParamType[SortKey]):
    """A `SortKey` in any case."""

    name = "key"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> SortKey:
        text = value.strip("{}").removeprefix(".").lower()
        found = next((key for key in SortKey if key.lower() == text), None)
        if found is None:
            self.fail(f"{value!r} is not one of {', '.join(SortKey)}", param, ctx)
        return found
