"""What the simulated fleet measures obeys the laws of what it simulates."""

import math
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.signals import BURNER_OFF_C, BURNER_ON_C, sample
from telemetry.settings import DEMO_CLIENTS
from telemetry.window import SECOND_US

DAY_US = 86_400 * SECOND_US
MONDAY_US = 20_780 * DAY_US
STEP_US = 10 * SECOND_US

clients = st.sampled_from(DEMO_CLIENTS)
instants = st.integers(MONDAY_US, MONDAY_US + 400 * DAY_US)

LARGEST_STEP = {
    "demo-solar": {"power": 700, "energy_today": 0.02, "voltage": 1, "panel_temperature": 5},
    "demo-greenhouse": {"temperature": 1, "humidity": 2.5, "soil.moisture": 0.4},
    "demo-boiler": {"flow_temperature": 1, "return_temperature": 1.2},
    "demo-battery": {"state_of_charge": 0.1, "current": 3, "voltage": 0.2},
    "demo-weather": {
        "temperature": 0.2,
        "pressure": 0.2,
        "wind": 1,
        "gust": 4,
        "humidity": 1,
    },
    "demo-flaky": {"temperature": 0.3, "battery": 0.002, "rssi": 6},
}
"""How much a metric may change within 10 s."""


def number(client: str, metric: str, time_us: int) -> float:
    """The value of a metric that is a number."""
    value = sample(client, time_us)[metric].value
    assert not isinstance(value, str)
    return float(value)


@given(clients, instants)
def test_sample_asked_twice_is_the_same(client: str, time_us: int) -> None:
    """The same instant gives the same values, so publishing it again is a duplicate."""
    assert sample(client, time_us) == sample(client, time_us)


@given(clients, instants)
def test_sample_at_any_instant_has_finite_numbers_with_units(client: str, time_us: int) -> None:
    """No NaN, no infinity; every number has a unit, no state and no boolean has one."""
    for measure in sample(client, time_us).values():
        if isinstance(measure.value, float | int) and not isinstance(measure.value, bool):
            assert math.isfinite(measure.value)
            assert measure.unit
        else:
            assert not measure.unit


@given(clients, instants)
def test_sample_at_any_instant_has_the_same_metrics(client: str, time_us: int) -> None:
    """A client measures the same metrics, of the same type and unit, all the time."""
    one, other = sample(client, MONDAY_US), sample(client, time_us)
    assert list(one) == list(other)
    for metric, measure in one.items():
        assert other[metric].unit == measure.unit
        assert isinstance(other[metric].value, str) == isinstance(measure.value, str)


@given(clients, instants)
def test_sample_ten_seconds_later_is_near(client: str, time_us: int) -> None:
    """Nothing jumps, but for the energy and the new battery that come at midnight."""
    if time_us // DAY_US != (time_us + STEP_US) // DAY_US:
        return
    for metric, largest in LARGEST_STEP[client].items():
        step = number(client, metric, time_us + STEP_US) - number(client, metric, time_us)
        assert abs(step) <= largest, metric


@given(instants)
def test_solar_power_is_zero_at_night_alone(time_us: int) -> None:
    """Power is 0 from 18 to 6 o'clock, never negative, and there is some at noon."""
    hour = time_us % DAY_US / DAY_US * 24
    power = number("demo-solar", "power", time_us)
    assert 0 <= power <= 5200
    if hour < 6 or hour >= 18:
        assert power == 0
    if 9 < hour < 15:
        assert power > 500


@given(instants, st.integers(0, DAY_US))
def test_solar_energy_within_a_day_never_falls(time_us: int, later_us: int) -> None:
    """Energy grows from 0 at midnight."""
    end_us = min(time_us + later_us, (time_us // DAY_US + 1) * DAY_US - 1)
    energy = number("demo-solar", "energy_today", time_us)
    assert 0 <= energy <= number("demo-solar", "energy_today", end_us)
    assert number("demo-solar", "energy_today", time_us // DAY_US * DAY_US) == 0


@given(instants)
def test_battery_at_any_instant_is_consistent(time_us: int) -> None:
    """Charge stays within 0 and 100 %, and the state says which way the current flows."""
    measured = sample("demo-battery", time_us)
    assert 0 <= number("demo-battery", "state_of_charge", time_us) <= 100
    current = number("demo-battery", "current", time_us)
    state = measured["state"].value
    assert state == ("idle" if abs(current) < 0.5 else "charging" if current > 0 else "discharging")


def test_battery_over_an_hour_charges_by_its_current() -> None:
    """What the current delivers in an hour is what the charge gains, within its ripple."""
    start_us = MONDAY_US + 11 * 3600 * SECOND_US
    moments = range(start_us, start_us + 3600 * SECOND_US, STEP_US)
    delivered_ah = sum(number("demo-battery", "current", one) for one in moments) * 10 / 3600
    gained = number("demo-battery", "state_of_charge", moments[-1])
    gained -= number("demo-battery", "state_of_charge", start_us)
    assert delivered_ah == pytest.approx(gained, rel=0.1)  # of 100 Ah


def test_burner_over_a_day_follows_its_hysteresis() -> None:
    """It starts near the lower threshold, stops near the upper one, and heats in between."""
    moments = range(MONDAY_US, MONDAY_US + DAY_US, STEP_US)
    states = [sample("demo-boiler", one) for one in moments]
    switched = 0
    for before, after in pairwise(states):
        flow, then = before["flow_temperature"].value, after["flow_temperature"].value
        assert isinstance(flow, float)
        assert isinstance(then, float)
        assert BURNER_ON_C <= flow <= BURNER_OFF_C
        if before["burner"] == after["burner"]:
            assert (then >= flow) if after["burner"].value else (then <= flow)
        else:
            switched += 1
            near = BURNER_ON_C if after["burner"].value else BURNER_OFF_C
            assert abs(then - near) < 1
    assert 100 <= switched <= 140


def test_greenhouse_over_a_week_opens_its_vent_when_warm() -> None:
    """All three states occur, and the vent is never open when it is cold."""
    hours = range(MONDAY_US, MONDAY_US + 30 * DAY_US, 3600 * SECOND_US)
    states = [sample("demo-greenhouse", one) for one in hours]
    assert {state["vent"].value for state in states} == {"closed", "half-open", "open"}
    for state in states:
        if state["vent"].value == "open":
            assert float(state["temperature"].value) > 22
        if state["vent"].value == "closed":
            assert float(state["temperature"].value) < 21


@given(instants)
def test_weather_at_any_instant_is_possible(time_us: int) -> None:
    """Gusts are stronger than wind, and both are no less than 0."""
    wind, gust = (number("demo-weather", metric, time_us) for metric in ("wind", "gust"))
    assert 0 <= wind <= gust
    assert 0 <= number("demo-weather", "humidity", time_us) <= 100
