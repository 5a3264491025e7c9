"""What is counted of an export is what a count by hand finds, however it came in parts."""

import hashlib
from collections import Counter
from collections.abc import Sequence
from datetime import UTC
from typing import NamedTuple

import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from telemetry.condition import AsOf
from telemetry.export import Subject
from telemetry.reading import Flag, Kind, Latest, Series, flag_names
from telemetry.shape import Shape
from telemetry.tally import Tally
from tests.telemetry.builders import steady

METRICS = ("a", "b", "c")
LONG, WIDE = Shape("csv", "long", UTC), Shape("csv", "wide", UTC)
ABOUT = Subject(
    [Latest(Series("boiler", one), Kind.NUMBER, "", 0, 0.0, 0, 0) for one in METRICS],
    {},
    AsOf(0, 0),
)


class Row(NamedTuple):
    """A row of an export, as far as it is counted."""

    time_us: int
    metric: str
    delay_us: int
    flags: int


ROWS = st.lists(
    st.builds(
        Row,
        st.integers(-5, 5),
        st.sampled_from(METRICS[:2]),
        st.sampled_from([0, 0, 7, -7]),
        st.sampled_from([0, 1, 17, 16, 4095]),
    )
).map(sorted)


def tally_of(rows: Sequence[Row], cuts: Sequence[int], shape: Shape = LONG) -> Tally:
    """The tally of those rows, in parts that end before these instants."""
    ends = [*sorted(set(cuts)), 6]
    starts = [-6, *ends]
    parts = [
        part(some)
        for start, end in zip(starts, ends, strict=False)
        if (some := [row for row in rows if start <= row.time_us < end])
    ]
    tally = Tally(ABOUT, shape)
    assert [*map(len, tally.counted(parts))] == [*map(len, parts)]
    return tally


def part(rows: Sequence[Row]) -> pd.DataFrame:
    """Rows as `telemetry.export_rows` has them."""
    return pd.DataFrame(
        {
            "time_us": [row.time_us for row in rows],
            "received_us": [row.time_us + row.delay_us for row in rows],
            "flags": [row.flags for row in rows],
            "metric": pd.Categorical([row.metric for row in rows], categories=METRICS),
        }
    )


@steady
@given(ROWS, st.lists(st.integers(-4, 5), max_size=3))
def test_tally_of_any_parts_is_the_count_by_hand(rows: list[Row], cuts: list[int]) -> None:
    """Rows, flags, receipts, first and last time of each metric."""
    tally = tally_of(rows, cuts)
    assert tally.rows == len(rows)
    for place, metric in enumerate(METRICS):
        ours = [row for row in rows if row.metric == metric]
        names = [flag_names(flag) for row in ours for flag in Flag if flag & row.flags]
        count = tally.of(place)
        assert count.rows == len(ours)
        assert count.flags == Counter(names)
        assert count.timed_by_receipt == sum(row.delay_us == 0 for row in ours)
        assert count.first_us == min((row.time_us for row in ours), default=0)
        assert count.last_us == max((row.time_us for row in ours), default=0)


@steady
@given(ROWS, st.lists(st.integers(-4, 5), max_size=3))
def test_tally_of_a_wide_layout_counts_lines(rows: list[Row], cuts: list[int]) -> None:
    """Readings of one metric at one instant take a line each; those of several share one."""
    cells = Counter((row.time_us, row.metric) for row in rows)
    lines = sum(max(cells[time_us, one] for one in METRICS) for time_us in range(-5, 6))
    assert tally_of(rows, cuts, WIDE).rows == lines


def test_flags_are_listed_in_the_order_of_the_disk_format() -> None:
    """Not in the order in which they came."""
    rows = [Row(0, "a", 0, Flag.INEXACT), Row(1, "a", 0, Flag.LATE), Row(2, "a", 0, Flag.SIMULATED)]
    assert list(tally_of(rows, [1, 2]).of(0).flags) == ["late", "simulated", "inexact"]


@steady
@given(st.lists(st.binary(max_size=9)))
def test_content_is_passed_on_and_hashed_whole(pieces: list[bytes]) -> None:
    """In whatever pieces it comes; nothing at all has a hash too."""
    tally = Tally(ABOUT, LONG)
    assert list(tally.hashed(pieces)) == pieces
    whole = b"".join(pieces)
    assert (tally.size, tally.sha256) == (len(whole), hashlib.sha256(whole).hexdigest())
