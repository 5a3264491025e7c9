"""What is said of states and booleans in place of a mean: time in each state, and changes."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from telemetry.held import hold
from telemetry.interface import Snapshot
from telemetry.reading import Series
from telemetry.states import rolling_states, samples_of_states, state_shares
from telemetry.window import Window, parse_duration

MOST_READINGS = 20_000
"""So many readings are looked at, the newest; of a span that has more nothing is said."""

_MOST_STATES = 8


@dataclass(frozen=True, slots=True)
class StateSpan:
    """The states of a metric in one span.

    Attributes:
        span: Its width, as a duration such as `5m`.
        shares: The shares of the known time, the longest first; `None` stands for all other
            states. Empty if no time is known.
        changes: How often the state changed in the known time.
        coverage: Known time / span; NaN if the reporting interval is unknown.
        whole: Whether all of its readings were looked at; if not, the others say nothing.
    """

    span: str
    shares: Mapping[str | None, float]
    changes: int
    coverage: float
    whole: bool


@dataclass(frozen=True, slots=True)
class StateFigures:
    """The states of a metric up to one instant.

    Attributes:
        began_us: Since when the state holds without a pause; `None` if none holds.
        earlier: Whether it may have begun before, for what was looked at reaches no further.
        spans: In the order they were asked for.
    """

    began_us: int | None
    earlier: bool
    spans: Sequence[StateSpan]


def state_figures(
    snapshot: Snapshot,
    series: Series,
    interval_us: int | None,
    spans: Sequence[str],
    instant_us: int,
) -> StateFigures:
    """What `telemetry.states` says at an instant of the readings that are stored."""
    hold_us = hold(interval_us).before_us
    lookback_us = max((parse_duration(span) for span in spans), default=0)
    reach = Window(instant_us - lookback_us - hold_us, instant_us + 1)
    frame = snapshot.tail(series, reach, MOST_READINGS).frame
    samples, full = samples_of_states(frame), len(frame) == MOST_READINGS
    reached_us = int(samples.index[0]) if full else reach.start_us
    found = [_span(samples, span, interval_us, instant_us, reached_us) for span in spans]
    last = rolling_states(samples, max(lookback_us, 1), interval_us, [instant_us])
    lasted_us = last["lasted_us"].iloc[0]
    if np.isnan(lasted_us):
        return StateFigures(None, earlier=False, spans=found)
    began_us = instant_us - int(lasted_us)
    with_the_first = began_us == int(samples.index[0])
    earlier = with_the_first and (full or began_us - reached_us < hold_us)
    return StateFigures(began_us, earlier, found)


def _span(
    samples: pd.DataFrame, span: str, interval_us: int | None, instant_us: int, reached_us: int
) -> StateSpan:
    """One span; it is whole if the reading before its start, which may hold in it, is there."""
    span_us = parse_duration(span)
    if reached_us > instant_us - span_us:
        return StateSpan(span, {}, changes=0, coverage=math.nan, whole=False)
    given = samples, span_us, interval_us, [instant_us]
    shares = state_shares(*given, _MOST_STATES).iloc[0]
    last = rolling_states(*given).iloc[0]
    told = {name: share for name, share in zip(shares.index, shares, strict=True) if share > 0}
    return StateSpan(span, told, int(last["changes"]), float(last["coverage"]), whole=True)
