"""What the simulated fleet measures: pure functions of the time.

The same instant always gives the same values, on every machine and after every restart, so an
instant that is published again is the same reading and stored once. Days are UTC days.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate

from collector.noise import chance, drift, ease
from telemetry.window import SECOND_US

_DAY_S = 86_400
_HOUR_S = 3600
_MINUTE_S = 60
_ENERGY_STEP_S = 300
_PEAK_W = 5200.0

BURNER_ON_C, BURNER_OFF_C = 52.0, 68.0
"""The flow temperatures at which the boiler's burner starts and stops."""

_FIRING_CYCLE_S = 24 * _MINUTE_S
_WATERING_CYCLE_S = 8 * _HOUR_S
_WATERING_S = 15 * _MINUTE_S
_VENT_HALF_C, _VENT_OPEN_C = 20.0, 23.0
_CAPACITY_AH = 100.0
_IDLE_A = 0.5
_BATTERY_DAY = ((0.0, 7.0, 71, 30), (8.0, 15.0, 30, 95), (18.0, 24.0, 95, 71))
"""From hour, to hour, from per cent, to per cent."""
_HOUSE_CYCLE_S, _HOUSE_SHARE = 1500, 0.6


@dataclass(frozen=True, slots=True)
class Measure:
    """A value as a client says it, with its unit or an empty string."""

    value: float | bool | str
    unit: str = ""


Sample = Mapping[str, Measure]
"""What a client measures at one instant, by metric."""


def sample(client: str, time_us: int) -> Sample:
    """What that client of the simulated fleet measures at that instant."""
    return _SIGNALS[client](time_us / SECOND_US)


def _solar(time_s: float) -> Sample:
    power = _power(time_s)
    return {
        "power": Measure(round(power, 1), "W"),
        "energy_today": Measure(round(_energy(time_s), 3), "kWh"),
        "voltage": Measure(round(230 + 3 * _fine("grid", time_s, 600, 20), 1), "V"),
        "panel_temperature": Measure(round(_outdoor(time_s) + power * 0.006, 1), "°C"),
    }


def _greenhouse(time_s: float) -> Sample:
    slow = 17 + 0.25 * (_outdoor(time_s) - 9) + 9 * _sun(time_s) * _sky(time_s)
    humidity = 82 - 1.8 * (slow - 17) + 4 * _fine("mist", time_s, 1800, 60)
    return {
        "temperature": Measure(round(slow + 0.3 * drift("draught", time_s, 90), 1), "°C"),
        "humidity": Measure(round(min(99.0, max(20.0, humidity)), 1), "%"),
        "soil.moisture": Measure(round(_soil(time_s), 1), "%"),
        "vent": Measure(_vent(slow)),
    }


def _boiler(time_s: float) -> Sample:
    flow, burning = _firing(time_s)
    back = _firing(time_s - 90)[0] - 9 + 0.5 * drift("return", time_s, 120)
    return {
        "flow_temperature": Measure(round(flow, 2), "°C"),
        "return_temperature": Measure(round(back, 2), "°C"),
        "burner": Measure(burning),
    }


def _battery(time_s: float) -> Sample:
    charge, current = _charging(time_s)
    hum = 0.03 * drift("hum", time_s, 9)
    current *= 1 + 0.2 * _fine("load", time_s, 60, 8)
    return {
        "state_of_charge": Measure(round(charge, 2), "%"),
        "current": Measure(round(current, 2), "A"),
        "voltage": Measure(round(48 + 0.06 * charge + 0.02 * current + hum, 2), "V"),
        "state": Measure(_battery_state(round(current, 2))),
    }


def _weather(time_s: float) -> Sample:
    temperature = _outdoor(time_s)
    wind = 4 + 3 * drift("wind", time_s, _HOUR_S) + 0.8 * drift("breeze", time_s, 120)
    gust = 1.15 + 0.6 * max(0.0, drift("gust", time_s, 40)) ** 2
    humidity = 70 - 2.2 * (temperature - 9) + 6 * drift("damp", time_s, 5400)
    return {
        "temperature": Measure(round(temperature, 2), "°C"),
        "pressure": Measure(
            round(1013 + 12 * _fine("front", time_s, _DAY_S / 2, _HOUR_S), 1), "hPa"
        ),
        "wind": Measure(round(wind, 1), "m/s"),
        "gust": Measure(round(wind * gust, 1), "m/s"),
        "humidity": Measure(round(min(100.0, max(15.0, humidity)), 1), "%"),
    }


def _flaky(time_s: float) -> Sample:
    week = time_s % (7 * _DAY_S) / (7 * _DAY_S)
    return {
        "temperature": Measure(round(21 + 1.5 * _fine("room", time_s, 2700, 240), 1), "°C"),
        "battery": Measure(round(3.25 - 0.45 * week, 3), "V"),
        "rssi": Measure(round(-71 + 9 * _fine("radio", time_s, 300, 15)), "dBm"),
    }


_SIGNALS: Mapping[str, Callable[[float], Sample]] = {
    "demo-solar": _solar,
    "demo-greenhouse": _greenhouse,
    "demo-boiler": _boiler,
    "demo-battery": _battery,
    "demo-weather": _weather,
    "demo-flaky": _flaky,
}


def _fine(seed: str, time_s: float, slow_s: float, fast_s: float) -> float:
    """A wander in [-1, 1] with a small quick one on top."""
    return 0.8 * drift(seed, time_s, slow_s) + 0.2 * drift(f"{seed}+", time_s, fast_s)


def _sun(time_s: float) -> float:
    """How high the sun stands: 0 from 18 to 6 o'clock, 1 at noon."""
    return max(0.0, math.sin(math.pi * (time_s % _DAY_S / _HOUR_S - 6) / 12))


def _sky(time_s: float) -> float:
    """How much of the sun comes through: 1 when clear, 0.25 under a thick cloud."""
    cover = 0.7 * drift("cover", time_s, 5400) + 0.7 * drift("cloud", time_s, 420)
    return 1 - 0.75 * ease(min(1.0, max(0.0, cover)))


def _power(time_s: float) -> float:
    return _PEAK_W * math.pow(_sun(time_s), 1.2) * _sky(time_s)


def _energy(time_s: float) -> float:
    """Kilowatt hours since midnight; never falls within a day."""
    day, second = divmod(time_s, _DAY_S)
    index, part = divmod(second / _ENERGY_STEP_S, 1.0)
    curve = _energy_curve(int(day))
    return curve[int(index)] + part * (curve[int(index) + 1] - curve[int(index)])


@lru_cache(maxsize=4)
def _energy_curve(day: int) -> tuple[float, ...]:
    """The energy of a day up to each of its five minutes, by the power in their middle."""
    middles = range(_ENERGY_STEP_S // 2, _DAY_S, _ENERGY_STEP_S)
    parts = (_power(day * _DAY_S + s) * _ENERGY_STEP_S / _HOUR_S / 1000 for s in middles)
    return (0.0, *accumulate(parts))


def _outdoor(time_s: float) -> float:
    """The temperature outside: coldest at 3, warmest at 15 o'clock."""
    daily = math.sin(2 * math.pi * (time_s % _DAY_S / _HOUR_S - 9) / 24)
    return 9 + 5 * daily + 3 * drift("air", time_s, 6 * _HOUR_S) + 0.5 * drift("air+", time_s, 300)


def _vent(temperature: float) -> str:
    if temperature < _VENT_HALF_C:
        return "closed"
    return "half-open" if temperature < _VENT_OPEN_C else "open"


def _soil(time_s: float) -> float:
    """Moisture: watered for 15 minutes every eight hours, drying in between."""
    second = time_s % _WATERING_CYCLE_S
    if second < _WATERING_S:
        return 31 + 12 * ease(second / _WATERING_S)
    dry = (second - _WATERING_S) / (_WATERING_CYCLE_S - _WATERING_S)
    return 43 - 12 * (1 - math.exp(-2 * dry)) / (1 - math.exp(-2))


def _firing(time_s: float) -> tuple[float, bool]:
    """The flow temperature and whether the burner is on.

    The burner starts at the lower threshold and stops at the upper one. How long it takes in
    between differs from cycle to cycle, like the heat that is asked for.
    """
    cycle, part = divmod(time_s / _FIRING_CYCLE_S, 1.0)
    on_share = 0.3 + 0.35 * chance("firing", int(cycle))
    if part < on_share:
        return BURNER_ON_C + (BURNER_OFF_C - BURNER_ON_C) * _towards(part / on_share), True
    rest = (part - on_share) / (1 - on_share)
    return BURNER_OFF_C - (BURNER_OFF_C - BURNER_ON_C) * _towards(rest), False


def _towards(part: float) -> float:
    """From 0 to 1, quick at first, as heat flows."""
    return (1 - math.exp(-1.5 * part)) / (1 - math.exp(-1.5))


def _charging(time_s: float) -> tuple[float, float]:
    """The state of charge in per cent, and the current in amperes that changes it.

    The house takes and gives a little all the time, on top of what the day does.
    """
    charge, current = _charging_by_day(time_s)
    turn = 2 * math.pi * time_s / _HOUSE_CYCLE_S
    house_a = _CAPACITY_AH * _HOUSE_SHARE / 100 * 2 * math.pi * _HOUR_S / _HOUSE_CYCLE_S
    return charge + _HOUSE_SHARE * math.sin(turn), current + house_a * math.cos(turn)


def _charging_by_day(time_s: float) -> tuple[float, float]:
    hour = time_s % _DAY_S / _HOUR_S
    charge = 71.0
    for start, end, low, high in _BATTERY_DAY:
        if start <= hour < end:
            part = (hour - start) / (end - start)
            slope = 6 * part * (1 - part) / (end - start)
            return low + (high - low) * ease(part), _CAPACITY_AH * (high - low) / 100 * slope
        charge = high if hour >= end else charge
    return charge, 0.0


def _battery_state(current: float) -> str:
    if abs(current) < _IDLE_A:
        return "idle"
    return "charging" if current > 0 else "discharging"
