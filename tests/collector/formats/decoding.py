"""What a decoder makes of a payload, in short, and what must hold whatever the payload is."""

import math
import re

import pytest
from hypothesis import settings
from hypothesis import strategies as st

from collector.decoded import Decoded, Decoder, Place
from collector.rejection import Rejected
from telemetry.literals import EARLIEST_US
from telemetry.window import LATEST_US

steady = settings(deadline=None, derandomize=True, database=None)
"""The same examples each time, on a slow machine too."""

HERE = Place("clients/a", "a")
"""A topic that names no metric."""

NAMED = Place("clients/a/m", "a", "m")
"""A topic that names the metric `m`."""

TIME_US = 1_700_000_000_000_000
NAMES = st.text(st.characters(codec="utf-8", categories=("L", "N")), min_size=1, max_size=8)
NUMBERS = st.floats(-1e15, 1e15) | st.integers(-(2**53), 2**53)
MOMENTS_US = st.integers(EARLIEST_US, LATEST_US)

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")


def values(decoded: Decoded) -> dict[str, float | str]:
    """The values by metric."""
    return {m.metric: m.value for m in decoded.measurements}


def times(decoded: Decoded) -> list[int | None]:
    """The clients' own times, in order."""
    return [m.time_us for m in decoded.measurements]


def faults(decoded: Decoded) -> list[tuple[str, str]]:
    """Reason and metric of each fault, in order."""
    return [(fault.reason, fault.metric) for fault in decoded.faults]


def rejection(decoder: Decoder, payload: bytes, place: Place = HERE) -> str:
    """The reason why the decoder takes nothing of the payload."""
    with pytest.raises(Rejected) as caught:
        decoder(payload, place, {})
    return caught.value.reason


def assert_sound(decoder: Decoder, payload: bytes, place: Place) -> None:
    """Whatever the bytes are: readings that can be kept, faults and notes, or Rejected."""
    try:
        decoded = decoder(payload, place, {})
    except Rejected:
        return
    assert decoded.measurements or decoded.faults or decoded.notes
    for metric, value, _, unit, time_us, _ in decoded.measurements:
        assert 0 < len(metric) <= 256
        assert not _CONTROL.search(metric + unit)
        if isinstance(value, str):
            assert 0 < len(value) <= 64
            assert not _CONTROL.search(value)
        else:
            assert type(value) is float
            assert math.isfinite(value)
        assert time_us is None or EARLIEST_US <= time_us <= LATEST_US
