"""Writes the folder of one collected attempt: answers in input order, the ledger of its rows, the merged results."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack
from functools import cached_property
from pathlib import Path
from typing import BinaryIO

from msgspec import structs
from msgspec.structs import replace

from batchctl.disk.private_files import create_file, sync_folder
from batchctl.model.answer_lines import AnswerLines
from batchctl.model.codes import ErrorCode
from batchctl.model.errors import ResultsError
from batchctl.model.json_value import Json
from batchctl.model.pieces import Pieces, pieces_of
from batchctl.model.ports.inputs import ForeignRows, InputRow, KnownInput, SentRows
from batchctl.model.ports.providers import ResultItem
from batchctl.model.ports.results import Collected, CollectOptions
from batchctl.model.row_work import RowsSent
from batchctl.model.verdicts import RowVerdict
from batchctl.rows.arrivals import Fate, Settled, without_position
from batchctl.rows.earlier import Earlier
from batchctl.rows.expectation import Expectations
from batchctl.rows.folder import RESULTS_FILE
from batchctl.rows.join import Join, join_for
from batchctl.rows.kept import write_manifest
from batchctl.rows.ledger_file import ANSWERS_FILE, LedgerWriter, read_segment
from batchctl.rows.list_join import ListJoin
from batchctl.rows.merging import Merged, merge
from batchctl.rows.raw_files import kept_aside
from batchctl.rows.result_writer import ResultWriter, Written
from batchctl.rows.sent_file import SentFile
from batchctl.rows.sent_list import SentList
from batchctl.rows.spool import Spool
from batchctl.rows.temporary import temporary
from batchctl.rows.whole_input import WholeInput, remembered

_CODES = {verdict.value: verdict for verdict in RowVerdict}
"""In their order. An enum takes longer to go through."""


class Collection:
    """The collection of one attempt into a new folder `part`.

    `sent` is the list of the rows that it sent; None if there is none.
    """

    def __init__(
        self, part: Path, known: KnownInput | None, sent: SentList | None, earlier: Earlier, options: CollectOptions
    ) -> None:
        self._part = part
        self._known = known
        self._sent = sent
        self._earlier = earlier
        self._options = options
        self._is_shard = options.shards > 1
        self._is_list_lost = sent is None and isinstance(known, SentRows)
        self._is_first = False
        """Whether no attempt before has answers: its results are those of the job."""
        self._is_listed = False
        """Whether the list of the rows is all that is needed of them."""

    def write(self, path: str, items: Iterable[ResultItem], facts: Mapping[str, Json]) -> Collected:
        """Write all files of the folder; the manifest comes last. Raises what `items` and the known input raise."""
        with temporary(self._part) as whole:
            return self._write(path, Pieces(map(self._placed, pieces_of(items))), WholeInput(whole), facts)

    def _write(self, path: str, items: Iterable[ResultItem], whole: WholeInput, facts: Mapping[str, Json]) -> Collected:
        known, sent = self._input(whole)
        with ExitStack() as opened:

            def aside() -> BinaryIO:
                return opened.enter_context(temporary(self._part))

            spool, expectations = Spool(aside()), Expectations(aside())
            join = self._join(known, sent, aside(), expectations)
            ledger = None if sent is None or not sent.has_fingerprints else LedgerWriter(sent, aside())
            # The shards of an attempt are merged when all are collected.
            is_part = whole.has_fingerprints and not self._is_shard and not self._is_first
            if isinstance(known, ForeignRows) and sent is not None and sent.has_fingerprints:
                self._earlier.keep(whole, known.files)
            answers = ANSWERS_FILE if is_part else RESULTS_FILE
            target = opened.enter_context(create_file(self._part / answers))
            writer = ResultWriter(target, spool, join, expectations, ledger, aside)
            for piece in pieces_of(items):
                rows = join.add_answers(piece.keys, writer.read_answer) if isinstance(piece, AnswerLines) else None
                if rows is None or not isinstance(piece, AnswerLines):
                    self._add(piece, join, len(spool), expectations, writer)
                else:
                    writer.add(piece, rows)
            if len(spool) < self._options.at_least:
                raise _incomplete(len(spool), self._options.at_least)
            settled = join.settle()
            if self._is_list_lost and ledger is not None:
                self._count_sent(ledger, settled)
            anonymous = spool.count_anonymous(without_position(settled))
            written = writer.write(settled)
            came = written.verdicts.total()
            tokens = written.usage.input
            found: dict[str, Json] = {"tokens": tokens, **written.usage.facts()}
            own = None
            if ledger is not None and sent is not None:
                own = self._keep_ledger(ledger, sent, written, answers, found)
        unmatched, anonymous = settled.fates.count(Fate.UNMATCHED), anonymous if came > 1 else 0
        if is_part:
            # Those of earlier attempts are in the merged results, too.
            collected = self._merged(path, whole, {**found, "rows": {"unmatched": unmatched + anonymous}}, found)
            unmatched = collected.unmatched - anonymous
        else:
            collected = _counted(path, written, settled)
        collected = replace(
            collected,
            unmatched=unmatched,
            anonymous=anonymous,
            tokens=tokens,
            counted=written.usage.counted,
            came=came,
            sent=own,
        )
        whole_sums = {
            "sha256": found.pop("merged", written.sha256),
            "bytes": (self._part / RESULTS_FILE).stat().st_size,
        }
        write_manifest(self._part, {**facts, "rows": rows_facts(collected), **found, **whole_sums})
        sync_folder(self._part)
        return collected

    def _join(
        self, known: KnownInput | None, sent: SentList | None, aside: BinaryIO, expectations: Expectations
    ) -> Join:
        if self._is_listed and isinstance(sent, SentFile):
            return ListJoin(sent, aside, expectations)
        return join_for(known, aside, expectations)

    def _keep_ledger(
        self, ledger: LedgerWriter, sent: SentList, written: Written, answers: str, found: dict[str, Json]
    ) -> RowsSent:
        """Write the ledger, and put its facts into `found`; returns the rows of this attempt alone."""
        if ledger.rows == len(sent):
            ledger.add_missing(is_tried=self._options.counts_missing and written.verdicts.total() > 0)
        own = _own(sent, ledger, written)
        found["canary"] = sent.is_canary
        found["shards"] = sent.shards
        found["ledger"] = {
            **ledger.write(self._part, answers),
            "answersSha256": written.sha256,
            "verdicts": dict(own.verdicts),
        }
        return own

    def _add(
        self, items: Iterable[ResultItem], join: Join, before: int, expectations: Expectations, writer: ResultWriter
    ) -> None:
        """Add results one by one. So many came before."""
        for number, arrival in enumerate(items, before):
            item = arrival if arrival.aside is None else kept_aside(self._part, arrival, arrival.aside, number)
            echoed = expectations.place(item.request)
            if item.request is not None and not self._is_joined_by_request:
                item = structs.replace(item, request=None)
            writer.add_one(item, echoed, join.add(item))

    def _count_sent(self, ledger: LedgerWriter, settled: Settled) -> None:
        """Find the number of rows that were sent, by the record or the API: their list, which is lost, has all rows.

        Rows without a result that are more than these count as never sent.
        """
        told = self._options.reported if self._options.sent is None else self._options.sent.rows
        missing = settled.missing or 0
        came = ledger.rows - missing
        ledger.rows = min(ledger.rows, max(came, told or 0))
        settled.missing = ledger.rows - came

    @property
    def _is_joined_by_request(self) -> bool:
        """Whether requests that the API repeats can be compared with the input: a list of sent rows has none."""
        return self._sent is None or isinstance(self._known, SentRows)

    def _input(self, whole: WholeInput) -> tuple[KnownInput | None, SentList | None]:
        """The rows to join results with, and their list."""
        known, sent = self._known, self._sent
        if isinstance(sent, SentFile) and (isinstance(known, SentRows) or (known is None and not self._has_source())):
            self._is_listed = True
            return known, sent
        if isinstance(known, ForeignRows) and known.files and sent is None:
            # Sent as it is: every row of the source. Its results have no marks.
            self._is_first = not len(self._earlier.index())
            sent = SentList()
            return replace(known, rows=whole.added(remembered(known.rows, sent))), sent
        if sent is not None and not isinstance(known, SentRows):
            known = None
            listed = self._earlier.listed()
            if listed is not None and listed.count == sent.total:
                self._is_first = sent.is_whole and not len(self._earlier.index())
                return SentRows(_named(whole.sent(listed.rows(), sent), sent)), sent
        if isinstance(known, SentRows):
            if sent is None:
                sent = self._list_of_all()
                rows = remembered(known.rows, sent)
                # It may have sent a part: without its list, the marks of the results say which rows.
                return SentRows(rows if self._is_shard else whole.added(rows)), sent
            # Rows of an order may have earlier answers that are better, and changed rows say so in their results.
            is_alone = sent.is_whole and not sent.renews and sent.sent_with is None
            return known if is_alone else SentRows(whole.sent(known.rows, sent)), sent
        if known is None and sent is not None:
            return SentRows(sent.rows()), sent
        return known, None

    def _has_source(self) -> bool:
        """Whether the rows of a source at Cloud Storage are listed."""
        return self._earlier.listed() is not None

    def _list_of_all(self) -> SentList:
        """An empty list for all rows of the input, in place of one that is lost."""
        known, shards = self._options.sent, self._options.shards
        if known is None:
            return SentList(shards=shards)
        return SentList(is_canary=known.is_canary, sent_with=known.sent_with, again=known.again, shards=shards)

    def _placed(self, piece: Iterable[ResultItem]) -> Iterable[ResultItem]:
        """The results with the positions of their rows among those that were sent."""
        if self._sent is None or self._sent.is_whole or isinstance(piece, AnswerLines):
            return piece
        numbers = self._numbers
        return (item if item.index is None else structs.replace(item, index=numbers.get(item.index)) for item in piece)

    @cached_property
    def _numbers(self) -> Mapping[int, int]:
        """The rows that were sent, by their position in the input."""
        return {} if self._sent is None else {place: number for number, place in enumerate(self._sent.places)}

    def _merged(self, path: str, whole: WholeInput, manifest: Mapping[str, Json], found: dict[str, Json]) -> Collected:
        """Write the results of all attempts, and put their checksum into `found`."""
        index = self._earlier.index()
        own = read_segment(self._part, manifest)
        assert own is not None
        index.add(own)
        merged = merge(self._part / RESULTS_FILE, whole.rows(), index, self._earlier.key.attempt)
        found["merged"] = merged.sha256
        return merged_rows(path, merged)


def _incomplete(came: int, at_least: int) -> ResultsError:
    return ResultsError(
        f"the results have {came:,} of the {at_least:,} rows that the API counts as answered",
        code=ErrorCode.RESULTS_NOT_READY,
        hint="results can lag behind the job's end: they are read again for an hour, and then taken as they are",
    )


def _named(rows: Iterable[InputRow], sent: SentList) -> Iterator[InputRow]:
    """The rows of a list that were sent, with the names that they were sent with."""
    for number, (row, names) in enumerate(zip(rows, sent.each_names(), strict=False)):
        is_same = row.fingerprint == sent.fingerprint(number)
        yield structs.replace(row, sent=names) if is_same else InputRow(None, None, sent=names)


def merged_rows(path: str, merged: Merged) -> Collected:
    """The outcome of a merge, as that of a collection."""
    verdicts = dict(sorted_codes(merged.verdicts))
    return Collected(path, merged.ok, merged.came - merged.ok, merged.missing, merged.unmatched, verdicts=verdicts)


def sorted_codes(verdicts: Mapping[str, int]) -> Iterator[tuple[str, int]]:
    """Numbers of rows by code, in the order of the codes; codes of later releases come last."""
    for code in (*_CODES, *sorted(verdicts.keys() - _CODES.keys())):
        if verdicts.get(code):
            yield code, verdicts[code]


def rows_facts(collected: Collected) -> dict[str, Json]:
    """The counts of rows in a results manifest."""
    return {
        "ok": collected.ok,
        "failed": collected.failed,
        "missing": collected.missing,
        "unmatched": collected.unmatched,
        "anonymous": collected.anonymous,
        "verdicts": dict(collected.verdicts),
    }


def _own(sent: SentList, ledger: LedgerWriter, written: Written) -> RowsSent:
    """The rows of this attempt alone."""
    verdicts = dict(sorted_codes(ledger.verdicts()))
    facts = (ledger.rows, sent.total, "", sent.is_canary, verdicts, written.usage.total)
    return RowsSent(*facts, sent_with=sent.sent_with, again=sent.again, shards=sent.shards)


def _counted(path: str, written: Written, settled: Settled) -> Collected:
    verdicts, missing = written.verdicts, settled.missing
    ok, came = verdicts[RowVerdict.OK], verdicts.total()
    if missing:
        verdicts[RowVerdict.NO_RESULT] = missing
    by_code = {code: verdicts[verdict] for code, verdict in _CODES.items() if verdicts[verdict]}
    return Collected(path, ok, came - ok, missing, 0, verdicts=by_code)
