"""Lengths of time as people read them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from telemetry.words import length_text
from tests.telemetry.builders import SECOND_US


@pytest.mark.parametrize(
    ("length_us", "text"),
    [
        (86_399 * SECOND_US, "1 d"),
        (86_000 * SECOND_US, "1 d"),
        (50_000 * SECOND_US, "14 h"),
        (1001 * SECOND_US, "17 min"),
        (999_900_000, "17 min"),
        (999_900, "1 s"),
        (7200 * SECOND_US, "2 h"),
    ],
)
def test_long_lengths_are_in_their_largest_unit(length_us: int, text: str) -> None:
    """Rounded, where no unit is exact."""
    assert length_text(length_us) == text


@given(st.integers(min_value=0, max_value=2**63))
def test_no_length_has_an_exponent(length_us: int) -> None:
    """Nobody reads 8.6e+04 s."""
    number, _, unit = length_text(length_us).partition(" ")
    assert "e" not in number
    assert unit in {"ms", "s", "min", "h", "d"}
