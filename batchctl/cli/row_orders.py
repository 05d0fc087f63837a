"""The option `--rows` of `batchctl retry`."""

from __future__ import annotations

import csv
from typing import NoReturn

import click

from batchctl.model.row_work import RowOrder
from batchctl.model.suggest import did_you_mean
from batchctl.model.verdicts import RowVerdict

_FORMS = "all, failed, reason=CODE[,CODE] or key=KEY[,KEY]"
_CODES = frozenset(one.value for one in RowVerdict) - {RowVerdict.OK.value}


class RowOrderType(click.ParamType[RowOrder]):
    """Reads `all`, `failed`, `reason=CODE,CODE` and `key=KEY,KEY`."""

    name = "rows"

    def convert(self, value: str | RowOrder, param: click.Parameter | None, context: click.Context | None) -> RowOrder:
        if isinstance(value, RowOrder):
            return value
        kind, _, rest = value.partition("=")
        names = frozenset(name for name in next(csv.reader([rest]), ()) if name)
        if value in ("all", "failed"):
            return RowOrder(is_all=value == "all")
        if kind == "key" and names:
            return RowOrder(keys=names)
        if kind == "reason" and names:
            return RowOrder(codes=frozenset(_code(name, param, context) for name in sorted(names)))
        hint = did_you_mean(value if kind not in ("key", "reason") else "", ("all", "failed", "reason=", "key="))
        return _refuse(f"{value!r} names no rows; write {_FORMS}", hint, param, context)


class VerdictType(click.ParamType[str]):
    """Reads the code of a verdict, in any case."""

    name = "code"

    def convert(self, value: str, param: click.Parameter | None, context: click.Context | None) -> str:
        code = value.strip().upper()
        return code if code == RowVerdict.OK.value else _code(value, param, context)


def _code(name: str, param: click.Parameter | None, context: click.Context | None) -> str:
    code = name.strip().upper()
    if code == RowVerdict.OK.value:
        _refuse("rows with the verdict OK have a good answer; write all, or key=KEY", "", param, context)
    if code not in _CODES:
        hint = did_you_mean(code, sorted(_CODES), "docs/verdicts.md has all of them")
        _refuse(f"{name!r} is no verdict of a row", hint, param, context)
    return code


def _refuse(message: str, hint: str, param: click.Parameter | None, context: click.Context | None) -> NoReturn:
    words = f"{message} ({hint})" if hint else message
    raise click.BadParameter(words, context, param)
