"""Numbers, ages and names as people read them."""

import math
from datetime import UTC
from zoneinfo import ZoneInfo

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboard.digits import Notation
from dashboard.display import (
    NOTHING,
    age_text,
    clock_text,
    length_text,
    mean_text,
    plot_text,
    printable,
    value_text,
    wall_texts,
)
from telemetry.reading import Kind
from tests.dashboard.pictures import HOSTILE
from tests.telemetry.builders import NOON_US, SECOND_US, steady

ONE = Notation(decimals=1, mean_decimals=2)


def test_mean_of_nothing_is_a_dash() -> None:
    """No readings are no 0."""
    assert mean_text(math.nan, ONE) == NOTHING
    assert mean_text(0.0, ONE) == "0.00"


@pytest.mark.parametrize(
    ("value", "kind", "text"),
    [
        (0.0, Kind.NUMBER, "0.0"),
        (-40.04, Kind.NUMBER, "-40.0"),
        (0.0, Kind.BOOLEAN, "off"),
        (1.0, Kind.STATE, "on"),
        ("on<b>\u202e", Kind.STATE, "on<b><U+202E>"),
    ],
)
def test_value_of_each_kind_is_written_as_people_read_it(
    value: float | str, kind: Kind, text: str
) -> None:
    """Numbers in the notation of their metric, booleans in words, states as sent."""
    assert value_text(value, kind, ONE) == text


def test_age_is_in_its_largest_unit_and_never_negative() -> None:
    """A reading of the future is of now."""
    ages = (-5, 0, 59, 60, 119, 7199, 7200, 172_799, 172_800)
    assert [age_text(seconds * SECOND_US) for seconds in ages] == [
        "0 s ago", "0 s ago", "59 s ago", "1 min ago", "1 min ago", "119 min ago",
        "2 h ago", "47 h ago", "2 d ago",
    ]  # fmt: skip


def test_length_is_in_one_unit() -> None:
    """Whole units where they fit, three digits of seconds otherwise."""
    lengths = (50_000, 1_500_000, 60_000_000, 86_400_000_000)
    assert [length_text(one) for one in lengths] == ["50 ms", "1.5 s", "1 min", "1 d"]


def test_clock_is_that_of_the_zone() -> None:
    """To the millisecond, without an offset where there is one such time."""
    assert clock_text(NOON_US + 1500, UTC) == "2026-11-23 12:00:00.001"
    assert clock_text(NOON_US, ZoneInfo("Asia/Tokyo")) == "2026-11-23 21:00:00.000"


def test_clock_that_shows_a_time_twice_says_which() -> None:
    """The two rows of a table are told apart, and those around them need no more."""
    first_us = 1_792_888_200 * SECOND_US  # 2026-10-25T00:30:00Z
    hours = [first_us + hour * 3600 * SECOND_US for hour in (-1, 0, 1, 2)]
    assert [clock_text(at, ZoneInfo("Europe/Berlin"))[11:] for at in hours] == [
        "01:30:00.000", "02:30:00.000 CEST", "02:30:00.000 CET", "03:30:00.000",
    ]  # fmt: skip


def test_wall_clock_goes_back_with_the_zone() -> None:
    """In the night of change the same wall clock comes twice."""
    before_us = 1_792_888_200 * SECOND_US  # 2026-10-25T00:30:00Z
    walls = wall_texts(
        pd.Series([before_us, before_us + 3600 * SECOND_US]), ZoneInfo("Europe/Berlin")
    )
    assert walls == ["2026-10-25T02:30:00.000", "2026-10-25T02:30:00.000"]


def test_name_with_invisible_characters_shows_them() -> None:
    """Nothing reorders or hides text; other writing stays as it is."""
    assert printable("a\u202eb\u200bc\x00\n") == "a<U+202E>b<U+200B>c<U+0000><U+000A>"
    assert printable("Wärme 温度 🜂 é") == "Wärme 温度 🜂 é"


@steady
@given(st.text() | st.just(HOSTILE))
def test_text_for_plotly_has_neither_tags_nor_templates(text: str) -> None:
    """No text can open a tag or a template, and every character is there."""
    shown = plot_text(text)
    assert "<" not in shown
    assert ">" not in shown
    assert "%{" not in shown
    back = shown.replace("%&#123;", "%{").replace("&lt;", "<").replace("&gt;", ">")
    assert back.replace("&amp;", "&") == printable(text)
