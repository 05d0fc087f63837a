"""How figures become targets that are met or missed, and curves."""

from __future__ import annotations

from xml.etree import ElementTree as ET

import pytest

from tests.benchmarks.in_benchmarks import in_benchmarks


def test_a_curve_is_drawn_with_one_point_for_each_size() -> None:
    points = (
        "[{way: Series(way, {'cpu': [at], 'peak': [25 * at]}) for way in ('first', 'again')} for at in (2.0, 20.0)]"
    )
    out = in_benchmarks(
        f"from curve import *; one = Curve('plan', [100, 1000], {points}); print(one.exponent('first', 'cpu')); print(plot(one))"
    )
    exponent, _, plot = out.partition("\n")
    assert float(exponent) == pytest.approx(1)
    lines = ET.fromstring(plot).findall("{http://www.w3.org/2000/svg}polyline")
    assert [len(line.attrib["points"].split()) for line in lines] == [2] * 4


@pytest.mark.parametrize(("factor", "exponent"), [(10, 1), (100, 2), (1, 0)])
def test_the_exponent_of_growth_is_that_of_the_last_two_sizes(factor: int, exponent: int) -> None:
    points = f"[{{'x': Series('x', {{'cpu': [one]}})}} for one in (7.0, 1.0, {factor}.0)]"
    out = in_benchmarks(f"from curve import *; print(Curve('a', [10, 100, 1000], {points}).exponent('x', 'cpu'))")
    assert float(out) == pytest.approx(exponent)


ROWS = """
from targets import *
rows = [
    at_most("a", "times b", 2, [1.0, 3.0, 2.0]), faster("c", "d", 2, [1.5, 1.0]), shown_only("e", "KiB", [4.0])
]
print(target_table(rows))
"""


def test_a_target_is_met_by_the_median_of_its_rounds() -> None:
    assert in_benchmarks(ROWS).splitlines()[2:] == [
        "| a | at most 2 times b | 2 | 1 - 3 | yes |",
        "| c | at least 2 times as fast as d | 1.25 | 1 - 1.5 | no |",
        "| e | KiB | 4 | 4 - 4 |  |",
    ]


FASTEST = """
from targets import *
from record import *
def table(**cpu): return {name: Series(name, {"cpu": [one], "peak": [50.0]}) for name, one in cpu.items()}
peers = {"jsonschema": 30.0, "google.genai.types": 20.0, "json loop": 4.0}
whole, tenth = table(batchctl=1.0, **peers), {"batchctl": Series("batchctl", {"peak": [40.0]})}
one = Measured({}, Sizes(100, 1, 1, 1, 1, 0.0), {"upload": whole, "upload, a tenth of the rows": tenth})
print(target_table(list(rows_of({"upload": one}))))
"""


def test_rows_are_compared_with_the_faster_peer_and_with_a_tenth_of_them() -> None:
    assert in_benchmarks(FASTEST).splitlines()[2:] == [
        "| `upload`, 100 rows | at least 10 times as fast as google.genai.types | 20 | 20 - 20 | yes |",
        "| `upload`, 100 rows | at least 2 times as fast as a json loop | 4 | 4 - 4 | yes |",
        "| `upload`, 100 rows: memory | at most 1.1 times that of a tenth of the rows | 1.25 | 1.25 - 1.25 | no |",
    ]


def test_rows_are_compared_with_the_checker_that_ran() -> None:
    table = in_benchmarks(FASTEST.replace('"google.genai.types": 20.0, ', "")).splitlines()
    assert table[2] == "| `upload`, 100 rows | at least 10 times as fast as jsonschema | 30 | 30 - 30 | yes |"
