"""Prefixes of the SI: where people expect them, and nowhere else."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboard.units import PREFIXES, prefix_power
from tests.telemetry.builders import steady


@pytest.mark.parametrize(
    ("size", "unit", "power"),
    [
        (999.9, "W", 0),
        (1000.0, "W", 3),
        (1_234_567.0, "W", 6),
        (5e20, "W", 15),
        (0.1, "A", 0),
        (0.0999, "A", -3),
        (0.0021, "A", -3),
        (2.5e-9, "A", -9),
        (2.5e-14, "A", 0),
        (0.002, "s", -3),
        (90_000.0, "s", 0),
        (8000.0, "m", 0),
        (1500.0, "g", 3),
        (2_500_000.0, "g", 3),
        (1_500_000.0, "B", 6),
        (0.01, "B", 0),
        (0.01, "F", 0),
        (47e-6, "F", -6),
        (101_325.0, "Pa", 3),
        (0.0, "W", 0),
    ],
)
def test_prefix_of_a_unit_that_takes_one_is_that_of_its_size(
    size: float, unit: str, power: int
) -> None:
    """From a thousand on and below a tenth, as far as people use prefixes with that unit."""
    assert prefix_power(size, unit) == power


@pytest.mark.parametrize("unit", ["", "°C", "%", "ppm", "lx", "rpm", "dB", "kWh", "hPa", "mA", "x"])
@given(size=st.floats(0, 1e300))
@steady
def test_prefix_of_any_other_word_is_none(unit: str, size: float) -> None:
    """What has a prefix, takes none or is not known stays as it was sent."""
    assert prefix_power(size, unit) == 0


@given(st.floats(1e-300, 1e300), st.sampled_from(["W", "s", "B", "F", "g"]))
@steady
def test_prefix_makes_no_number_smaller_than_one(size: float, unit: str) -> None:
    """A prefix is chosen so that at least 1 stands before the point."""
    power = prefix_power(size, unit)
    assert power in PREFIXES
    assert power == 0 or size / 10.0**power >= 0.9999999
