"""Digits: the numbers of a metric are written alike, and none is written as another."""

from decimal import Context, Decimal
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboard.digits import Notation, notation
from telemetry.window import Window
from tests.dashboard.pictures import MINUTE_US, every, picture, states, switch
from tests.telemetry.builders import NOON_US, SECOND_US, fill, steady

LONGEST = 24
READINGS = st.lists(st.floats(-1e300, 1e300), min_size=1, max_size=30) | st.lists(
    st.floats(-1e6, 1e6), min_size=1, max_size=30
)
UNITS = st.sampled_from(["°C", "", "W", "A", "s", "B", "kWh"])


def of(*readings: float, unit: str = "") -> Notation:
    """The notation of a metric with these readings."""
    return notation(np.array(readings, dtype=np.float64), unit)


def written(*readings: float, unit: str = "") -> list[str]:
    """The readings as they are shown together."""
    made = of(*readings, unit=unit)
    return [made.value(reading) for reading in readings]


@pytest.mark.parametrize(
    ("readings", "unit", "texts"),
    [
        ((21.5, 21.46, 21.0), "°C", ["21.50", "21.46", "21.00"]),
        ((23.400000001,), "°C", ["23.4"]),
        ((23.399999618530273, 21.799999237060547), "°C", ["23.4", "21.8"]),
        ((0.1 + 0.2, 0.1), "", ["0.3", "0.1"]),
        ((-0.0, 0.0), "", ["0", "0"]),
        ((-40.0, 5.0), "°C", ["-40", "5"]),
        ((123_456.789,), "", ["123457"]),
        ((101_325.37, 101_325.41), "", ["101325.4", "101325.4"]),
        ((12_345_678.0,), "", ["12345678"]),
        ((9_007_199_254_740_993.0,), "", ["9.0072e+15"]),
        ((2.5e-9, 1e-9), "", ["2.5e-9", "1e-9"]),
        ((1e20, -1e20, 0.0), "", ["1e+20", "-1e+20", "0"]),
        ((1_234_567.0, 150_000.0), "W", ["1.235", "0.150"]),
        ((0.0021, 0.0003), "A", ["2.1", "0.3"]),
        ((1_234_567.0,), "kWh", ["1234567"]),
        ((1_500_000.0,), "B", ["1.5"]),
        ((12_345_678.0, 12_345_690.0), "Wh", ["12.34568", "12.34569"]),
    ],
)
def test_readings_of_a_metric_are_written_alike(
    readings: tuple[float, ...], unit: str, texts: list[str]
) -> None:
    """As many decimals as they need, not as many as each of them happens to have."""
    assert written(*readings, unit=unit) == texts


def test_one_odd_reading_in_twenty_changes_no_digits() -> None:
    """Two of them do: then the metric is measured that finely."""
    assert of(*[21.5] * 19, 21.46).value(21.46) == "21.5"
    assert of(*[21.5] * 18, 21.46, 21.46).value(21.5) == "21.50"


def test_reading_of_1e15_among_small_ones_is_one_number_written_in_two_ways() -> None:
    """A line has one format, so its hover has all digits of which tile and table have six."""
    made = of(*[21.5] * 40, 2.5e16)
    assert (made.value(21.5), made.value_format, made.scientific) == ("21.5", ".1f", False)
    for huge in (2.5e16, -2.5e16, 123_456_749_999_999_999.0):
        hover = f"{huge:.1f}"  # as d3 does it, up to 1e21
        assert "e" in made.value(huge)
        assert Decimal(made.value(huge)) == Context(prec=6).create_decimal(hover)
    assert made.value(999_999_999_999_999.5) == "999999999999999.5"


def test_unit_has_the_prefix_of_nearly_the_largest_reading() -> None:
    """One prefix for all of a metric, and no glitch decides it."""
    assert of(0.5, 1200.0, 3e6, unit="W").unit == "MW"
    glitch = of(*[50.0] * 99, 6e9, unit="W")
    assert (glitch.unit, glitch.value(50.0), glitch.value(6e9)) == ("W", "50", "6000000000")
    assert of(1_234_567.0, unit="°C").unit == "°C"
    assert of(unit="W") == Notation("W")


@steady
@given(READINGS, UNITS)
def test_number_read_back_is_within_half_a_unit_of_its_last_digit(
    readings: list[float], unit: str
) -> None:
    """No reading is shown as another one: exactly, in decimal arithmetic."""
    made = of(*readings, unit=unit)
    for reading in readings:
        exact = Fraction(made.scaled(reading))
        text = made.value(reading)
        last = Fraction(10) ** int(Decimal(text).as_tuple().exponent)
        if "e" in text or made.scientific:
            last = max(last, abs(exact) / 10**5)
        assert abs(Fraction(Decimal(text)) - exact) <= last / 2, (reading, text)


@steady
@given(READINGS, UNITS)
def test_numbers_in_order_are_written_in_order(readings: list[float], unit: str) -> None:
    """A larger reading is never shown as a smaller one, nor a mean."""
    made = of(*readings, unit=unit)
    for write in (made.value, made.mean):
        shown = [Decimal(write(reading)) for reading in sorted(readings)]
        assert shown == sorted(shown)


@steady
@given(READINGS, UNITS)
def test_number_is_short_and_has_no_sign_before_nothing(readings: list[float], unit: str) -> None:
    """No row of zeros, no `-0`, no infinity, and the same decimals in a column."""
    made = of(*readings, unit=unit)
    texts = [write(one) for one in readings for write in (made.value, made.mean)]
    assert all(len(text) <= LONGEST for text in texts)
    assert not any(text.startswith("-") and Decimal(text) == 0 for text in texts)
    plain = [text for text in texts[::2] if "e" not in text]
    decimals = {len(text.partition(".")[2]) for text in plain}
    assert made.scientific or decimals <= {made.decimals}


@steady
@given(st.lists(st.integers(-9999, 9999), min_size=1, max_size=60), st.integers(0, 2))
def test_decimals_are_those_that_nearly_all_readings_have(parts: list[int], places: int) -> None:
    """The fewest with which 19 of 20 readings are written in full; `float` of 32 bits or 64."""
    readings = [float(Decimal(part).scaleb(-places)) for part in parts]
    sizes = sorted(map(abs, parts))
    nearly_most = sizes[-(-95 * (len(parts) - 1) // 100)]
    ordinary = [Fraction(part, 10**places) for part in parts if abs(part) <= nearly_most]
    fewest = next(
        few
        for few in range(places + 1)
        if 20 * sum((one * 10**few).denominator == 1 for one in ordinary) >= 19 * len(ordinary)
    )
    assert of(*readings).decimals == fewest
    single = np.array(readings, dtype=np.float32).astype(np.float64)
    assert of(*single.tolist()).decimals == fewest


@steady
@given(READINGS)
def test_mean_has_at_most_one_decimal_more(readings: list[float]) -> None:
    """Never fewer than its readings."""
    made = of(*readings)
    assert made.scientific or 0 <= made.mean_decimals - made.decimals <= 1


@pytest.mark.parametrize("digits", [1, -1])
def test_half_is_rounded_away_from_zero_as_in_the_browser(digits: int) -> None:
    """Python's own way would make 0.5 to 0 and 2.5 to 2, and the hover would say otherwise."""
    ties = (0.5 * digits, 1.5 * digits, 2.5 * digits)
    assert [float(Notation(decimals=0).value(tie)) * digits for tie in ties] == [1, 2, 3]
    assert Notation(mean_decimals=1).mean(384.25 * digits) == f"{384.3 * digits}"


def test_notation_of_a_picture_is_of_its_readings_raw_and_in_buckets(tmp_path: Path) -> None:
    """The extremes of buckets are readings too, so zooming changes no digits."""
    readings = [
        one._replace(value=1000.0 + one.value * 37 % 101 / 2)  # type: ignore[operator]  # floats
        for one in every(SECOND_US, 7200, unit="W")
    ]
    path = fill(tmp_path / "culex.db", readings)
    near, far = (
        picture(path, window=Window(NOON_US - width, NOON_US + 1)).pictures[0].notation
        for width in (5 * MINUTE_US, 120 * MINUTE_US)
    )
    assert near == far == Notation("kW", 3, 4, 4)


def test_notation_of_booleans_and_states_is_their_unit(tmp_path: Path) -> None:
    """They are written as words, and the mean of a boolean is a share."""
    path = fill(tmp_path / "culex.db", [*switch(SECOND_US, 20), *states([(-1, "idle")])])
    assert [one.notation for one in picture(path).pictures] == [Notation(mean_decimals=2)] * 2
