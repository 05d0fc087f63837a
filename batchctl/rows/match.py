"""Results of an input whose rows are known: by what they call themselves, by our mark, by the request that they echo.

Equal requests are a multiset: any of them may take any of their results, but never one that has another name, nor one
of which the members beside it are those of another row. The API
may print a request in another way than it stands in the input, so looser forms are tried, each only where it leaves no
choice. Rows that differ in the exact form only, such as by a default value, are distinguished by all results, or not at
all.
"""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import count, islice
from operator import eq

from batchctl.model.json_value import Json
from batchctl.model.ports.providers import ResultItem
from batchctl.model.result_json import decoded, encoded, encoded_each
from batchctl.model.row_marks import position_of_key, without_labels
from batchctl.rows.arrivals import NOWHERE, Arrivals, Fate, ReadAgain, Settled
from batchctl.rows.echo import Forms, forms
from batchctl.rows.expectation import UNSEEN
from batchctl.rows.identities import names_of, numbers_of
from batchctl.rows.table import RowTable, whole_form

_NONE = 0
_HOLDERS_COMPARED = 64
"""Equal requests whose answers a further one is compared with, to see whether it is one of them."""


def is_key_alone(item: ResultItem) -> bool:
    """Whether a result has a key, and nothing else that says which row it is of."""
    return not (item.members or item.key_is_number or item.key is None) and item.request is None


class RowJoin:
    """Places the results of known rows. `ours`: batchctl sent them, so that its marks in them mean something."""

    def __init__(self, table: RowTable, *, ours: bool) -> None:
        self._table = table
        self._ours = ours
        self._arrivals = Arrivals()
        self._claims = array("q")
        """By result: the row that it names."""
        self._exact, self._loose = array("Q"), array("Q")
        """By result that names none: the exact form, in the input, of what it echoes, and its loose form."""
        self._whole = array("Q")
        """By result without a named row: the same form with the members beside the request."""
        self._names: dict[int, Mapping[str, str]] = {}
        """The names of results that identify no row."""
        self._holders = array("q", [NOWHERE]) * len(table)
        self._taken = bytearray(len(table))
        self._known_lookalikes: dict[int, Counter[int]] | None = None

    def resume(self, count: int, singles: Sequence[int], facts: Arrivals, read: Callable[[int], ReadAgain]) -> None:
        """Go on after so many results, which were those of the first rows, in their order, and said only their keys.

        `singles` are the numbers of those that were not added as answers, and `facts` the facts about them. No result
        echoes a request.
        """
        before = 0
        for place, number in enumerate(singles):
            self._arrivals.add_answers(number - before, read)
            self._arrivals.add_again(facts, place)
            before = number + 1
        self._arrivals.add_answers(count - before, read)
        self._claims.extend(range(count))
        self._table.names.skip(count)

    def add(self, item: ResultItem) -> int | None:
        """Add the next result, in order of arrival. Returns its row, if it says only the key of the next one."""
        number = self._arrivals.add(item)
        row = self._table.names.next_owner(item.key) if is_key_alone(item) and item.key is not None else None
        if row is None:
            self._add_other(item, number)
        else:
            self._claims.append(row)
            self._add_forms(None, item.members)
        return row

    def add_answers(self, keys: Sequence[str], read: Callable[[int], ReadAgain]) -> range | None:
        """Add the next results, if they are those of the next rows: nearly all are."""
        first = self._table.names.next_owners(keys)
        if first is None:
            return None
        self._arrivals.add_answers(len(keys), read)
        self._claims.extend(range(first, first + len(keys)))
        if self._table.is_echoed:
            for forms_before in (self._exact, self._loose, self._whole):
                forms_before.extend([_NONE] * len(keys))
        return range(first, first + len(keys))

    def _add_other(self, item: ResultItem, number: int) -> None:
        """Add a result whose row has to be searched for."""
        names = names_of(item.key, item.members)
        found = self._forms(item)
        row = self._named_row(item, names, found)
        if row is not None:
            self._arrivals.doubtful[number] = found is not None and self._differs(row, found)
        elif names:
            self._names[number] = names
        self._claims.append(NOWHERE if row is None else row)
        self._add_forms(None if row is not None else found, item.members)

    def _add_forms(self, found: Forms | None, members: Mapping[str, Json]) -> None:
        """Add the forms of what a result echoes, if it names no row."""
        if not self._table.is_echoed:
            return
        exact = None if found is None else self._exact_form(found)
        self._exact.append(_NONE if exact is None else exact)
        self._loose.append(_NONE if exact is None or found is None else found.loose)
        self._whole.append(_NONE if exact is None else whole_form(exact, members))

    def settle(self) -> Settled:
        """The rows of all results."""
        settled = self._arrivals.settled()
        order = self._arrivals.order(settled)
        if isinstance(order, range) and self._is_run(self._claims):
            self._take_run(settled)
        else:
            for number in order:
                if self._claims[number] != NOWHERE:
                    self._take(settled, number, self._claims[number])
        settled.missing = self._taken.count(0)
        if not self._table.is_echoed:
            return settled
        unsure = self._unsure(order)
        alike = [n for n in order if self._claims[n] == NOWHERE and self._exact[n] and self._loose[n] not in unsure]
        # What stands beside its request tells a row from its equals: others take what is left.
        for number in sorted(alike, key=lambda number: not self._is_whole(number)):
            self._take_alike(settled, number)
        settled.missing = self._taken.count(0)
        return settled

    def key(self, row: int, given: str | None) -> str | None:
        """The key to show for the result of a row: that of the input, if it has one."""
        own = self._table.keys[row]
        return given if own is None and position_of_key(given) is None else own

    def keys(self, rows: range, given: Sequence[bytes]) -> Sequence[bytes]:
        """The same for rows that come one after the other, as JSON."""
        own = self._table.keys[rows.start : rows.stop]
        if None not in own:
            return encoded_each(own)
        return [encoded(self.key(row, decoded(key))) for row, key in zip(rows, given, strict=True)]

    def common_expectation(self, rows: range) -> int:
        """The expectation that these rows have in common; UNSEEN without one, and if a row may have members."""
        places = set(self._table.expectations[rows.start : rows.stop])
        return places.pop() if len(places) == 1 and not self._table.has_members else UNSEEN

    def members(self, row: int) -> Mapping[str, Json]:
        """The members beside the request of a row."""
        return self._table.members(row)

    def expectation(self, row: int) -> int:
        """The place of the expectation of a row."""
        return self._table.expectations[row]

    def _forms(self, item: ResultItem) -> Forms | None:
        if item.request is None or not self._table.is_echoed:
            return None
        return forms(without_labels(item.request))

    def _named_row(self, item: ResultItem, names: Mapping[str, str], found: Forms | None) -> int | None:
        mark = self._mark(item)
        if mark is not None and found is not None and not self._differs(mark, found):
            return mark
        row = self._table.names.owner(names, numbers_of(item))
        if row is not None:
            return row
        if mark is not None and item.request is None and self._table.names.fits(mark, names):
            return mark
        if found is not None and self._exact_form(found) is None and self._table.by_loose.first(found.loose) is None:
            row = self._table.by_core.only(found.core)
            return row if row is not None and self._table.names.fits(row, names) else None
        return None

    def _mark(self, item: ResultItem) -> int | None:
        """The row in batchctl's mark. Alone it proves nothing: rows of other jobs have the same marks."""
        known = self._ours and item.index is not None and 0 <= item.index < len(self._table)
        return item.index if known else None

    def _differs(self, row: int, found: Forms) -> bool:
        return found.core != self._table.core[row]

    def _exact_form(self, found: Forms) -> int | None:
        """The exact form, in the input, of what was echoed; None when it is not there, or could be several."""
        table = self._table
        if table.by_exact.first(found.exact) is not None:
            return found.exact
        row = table.by_loose.first(found.loose)
        return None if row is None or found.loose in self._lookalikes() else table.exact[row]

    def _lookalikes(self) -> Mapping[int, Counter[int]]:
        """Loose forms of several exact ones: how many rows have each of these."""
        if self._known_lookalikes is None:
            self._known_lookalikes = dict(self._find_lookalikes())
        return self._known_lookalikes

    def _find_lookalikes(self) -> Iterator[tuple[int, Counter[int]]]:
        for rows in self._table.by_loose.groups():
            exact = Counter(self._table.exact[row] for row in rows)
            if len(exact) > 1:
                yield self._table.loose[rows[0]], exact

    def _unsure(self, order: Sequence[int]) -> set[int]:
        """Lookalikes that the API did not keep apart: one form came back too often, another one not often enough."""
        alike = self._lookalikes()
        if not alike:
            return set()
        wanted = {loose: Counter(rows) for loose, rows in alike.items()}
        came: dict[int, Counter[int]] = {loose: Counter() for loose in alike}
        for row in range(len(self._table)):
            if self._taken[row] and self._table.loose[row] in wanted:
                wanted[self._table.loose[row]][self._table.exact[row]] -= 1
        for number in order:
            if self._claims[number] == NOWHERE and self._loose[number] in came:
                came[self._loose[number]][self._exact[number]] += 1
        return {loose for loose in alike if came[loose] != wanted[loose]}

    @staticmethod
    def _is_run(claims: Sequence[int]) -> bool:
        """Whether results name rows that come one after the other."""
        return len(claims) > 0 and claims[0] != NOWHERE and all(map(eq, claims, count(claims[0])))

    def _take_run(self, settled: Settled) -> None:
        """Give each result the row that it names: none is named twice."""
        first, end = self._claims[0], self._claims[-1] + 1
        settled.rows = array("q", self._claims)
        settled.fates = bytearray([Fate.MATCHED]) * len(self._claims)
        self._holders[first:end] = array("q", range(len(self._claims)))
        self._taken[first:end] = b"\1" * (end - first)

    def _take(self, settled: Settled, number: int, row: int) -> None:
        if not self._taken[row]:
            self._taken[row] = True
            self._holders[row] = number
            settled.put(number, row, Fate.MATCHED)
        else:
            is_copy = self._arrivals.is_copy(number, self._holders[row])
            settled.put(number, NOWHERE, Fate.DROPPED if is_copy else Fate.UNMATCHED)

    def _is_whole(self, number: int) -> bool:
        """Whether a row has the request of a result, and the same members beside it."""
        whole = self._whole[number]
        return whole != _NONE and self._table.by_whole.first(whole) is not None

    def _take_alike(self, settled: Settled, number: int) -> None:
        """Take the first row of an equal form that has no result yet, and no other name than the result."""
        names = self._names.get(number, {})
        table, fits = self._table, self._table.names.fits
        is_whole = self._is_whole(number)
        rows, form = (table.by_whole, self._whole[number]) if is_whole else (table.by_exact, self._exact[number])
        for row in rows.free(form, self._taken):
            if fits(row, names):
                self._take(settled, number, row)
                return
        for row in islice(rows.all(form), _HOLDERS_COMPARED):
            if self._taken[row] and fits(row, names) and self._arrivals.is_copy(number, self._holders[row]):
                settled.put(number, NOWHERE, Fate.DROPPED)
                return
