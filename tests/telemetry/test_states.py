"""Rolling figures of states against exact arithmetic."""

import math
from collections import Counter
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from telemetry.batch import Batch
from telemetry.held import HOLD_INTERVALS
from telemetry.job import Seal
from telemetry.reading import Kind, state_text
from telemetry.rolling import rolling
from telemetry.samples import samples_of_readings
from telemetry.states import rolling_states, samples_of_states, share_of, state_shares
from telemetry.store import open_appender
from telemetry.window import ALL_TIME, HOUR_US
from tests.telemetry.builders import NOON_US, SERIES, looking, reading, steady

Said = list[tuple[int, float | str]]

READINGS = st.lists(
    st.tuples(st.integers(-200, 200), st.sampled_from([0.0, 1.0, 7.5, "off", "heating", "idle"])),
    max_size=40,
)
SPANS = st.integers(1, 150)
INTERVALS = st.integers(1, 60)
INSTANTS = st.lists(st.integers(-250, 400), min_size=1, max_size=20)
OTHERS = 10
"""More columns than there are states."""


def stored(said: Said) -> Said:
    """The readings as the store orders them: by time, then numbers before texts."""
    return sorted(said, key=lambda one: (one[0], isinstance(one[1], str), one[1]))


def frame(said: Said) -> pd.DataFrame:
    """Readings as the store gives them."""
    order = stored(said)
    columns = {
        "time_us": pd.Series([time_us for time_us, _ in order], dtype="int64"),
        "value": pd.Series([None if isinstance(v, str) else v for _, v in order], dtype="float64"),
        "text": pd.Series([v if isinstance(v, str) else None for _, v in order], dtype="object"),
    }
    return pd.DataFrame(columns)


def samples(said: Said) -> pd.DataFrame:
    """Readings as `rolling_states` takes them."""
    return samples_of_states(frame(said))


@dataclass(frozen=True)
class Truth:
    """What is true at an instant, by definition: one reading after the other."""

    state: str | None
    lasted: int | None
    spent: Counter[str]
    changes: int

    @property
    def known(self) -> int:
        """For how long any state held."""
        return sum(self.spent.values())

    def share(self, state: str) -> Fraction:
        """The share of a state in the known time; all, if it begins this instant."""
        return Fraction(self.spent[state], self.known) if self.known else Fraction(1)


def truth(said: Said, span_us: int, hold_us: float, at_us: int) -> Truth:
    """The truth of the span `(at - span, at]`, from the readings up to `at` alone."""
    states = {time_us: state_text(value) for time_us, value in stored(said) if time_us <= at_us}
    spent: Counter[str] = Counter()
    changes, before, until, began = 0, None, -math.inf, 0
    for (time_us, state), after in zip(states.items(), [*states, at_us][1:], strict=False):
        held = time_us <= until
        if held and state != before and time_us > at_us - span_us:
            changes += 1
        if not held or state != before:
            began = time_us
        until, before = time_us + hold_us, state
        end_us = min(after, until, at_us)
        spent[state] += int(max(0, end_us - max(time_us, at_us - span_us)))
    if before is None or at_us > until:
        return Truth(None, None, +spent, changes)
    return Truth(before, at_us - began, +spent, changes)


@steady
@given(READINGS, SPANS, INTERVALS, INSTANTS)
def test_states_of_any_readings_are_those_of_their_span(
    said: Said, span_us: int, interval_us: int, instants: list[int]
) -> None:
    """State, since when, its share, changes and coverage are true to the last bit."""
    instants = sorted(instants + [time_us for time_us, _ in said])
    found = rolling_states(samples(said), span_us, interval_us, instants)
    assert list(found["time_us"]) == instants
    for at_us, row in zip(instants, found.to_dict("records"), strict=True):
        true = truth(said, span_us, HOLD_INTERVALS * interval_us, at_us)
        assert row["changes"] == true.changes
        assert row["coverage"] == float(Fraction(true.known, span_us))
        if true.state is None:
            assert pd.isna([row["state"], row["lasted_us"], row["share"]]).all()
        else:
            assert (row["state"], row["lasted_us"]) == (true.state, true.lasted)
            assert row["share"] == float(true.share(true.state))


@steady
@given(READINGS, SPANS, INTERVALS, INSTANTS)
def test_shares_of_any_readings_are_those_of_their_span(
    said: Said, span_us: int, interval_us: int, instants: list[int]
) -> None:
    """Each share is true to the last bit, and together they are all of the known time."""
    found = state_shares(samples(said), span_us, interval_us, instants, OTHERS)
    assert list(found.index) == instants
    for at_us, row in zip(instants, found.to_numpy(), strict=True):
        true = truth(said, span_us, HOLD_INTERVALS * interval_us, at_us)
        shares = dict(zip(found.columns, row.tolist(), strict=True))
        if true.known or true.state:
            held = [*true.spent] or [true.state]
            assert {name: one for name, one in shares.items() if one} == {
                name: float(true.share(str(name))) for name in held
            }
            assert sum(row) == pytest.approx(1.0, rel=1e-12)
        else:
            assert all(map(math.isnan, row))


@steady
@given(READINGS, INTERVALS, st.integers(-250, 400), SPANS, SPANS)
def test_changes_and_known_time_of_two_spans_are_those_of_both(
    said: Said, interval_us: int, start_us: int, one_us: int, other_us: int
) -> None:
    """What happened in `(a, b]` and in `(b, c]` is what happened in `(a, c]`."""
    middle_us, end_us = start_us + one_us, start_us + one_us + other_us
    given_to = samples(said), interval_us
    parts = [
        rolling_states(given_to[0], span_us, given_to[1], [at_us]).iloc[0]
        for at_us, span_us in (
            (middle_us, one_us),
            (end_us, other_us),
            (end_us, one_us + other_us),
        )
    ]
    first, second, both = parts
    assert first["changes"] + second["changes"] == both["changes"]
    known = first["coverage"] * one_us + second["coverage"] * other_us
    assert known == pytest.approx(both["coverage"] * (one_us + other_us), abs=1e-9)


@steady
@given(READINGS, READINGS, SPANS, INTERVALS)
def test_states_of_a_span_are_the_same_whatever_surrounds_them(
    said: Said, others: Said, span_us: int, interval_us: int
) -> None:
    """What is far before a span, or after its instant, leaves no trace in it."""
    instants = sorted({time_us for time_us, _ in said} | {0, 200})
    far = [(time_us - 10_000, state) for time_us, state in others]
    later = [(time_us + 500, state) for time_us, state in others]
    alone = rolling_states(samples(said), span_us, interval_us, instants)
    among = rolling_states(samples(said + far + later), span_us, interval_us, instants)
    alone["state"], among["state"] = alone["state"].astype(object), among["state"].astype(object)
    pd.testing.assert_frame_equal(alone, among, check_exact=True)


@steady
@given(READINGS, SPANS, INSTANTS)
def test_states_of_an_unknown_interval_are_those_within_their_span(
    said: Said, span_us: int, instants: list[int]
) -> None:
    """A state holds until the next one, and what was before the span says nothing of it."""
    found = rolling_states(samples(said), span_us, None, instants)
    assert found["coverage"].isna().all()
    for at_us, row in zip(instants, found.to_dict("records"), strict=True):
        inside = [one for one in said if at_us - span_us < one[0] <= at_us]
        true = truth(inside, span_us, math.inf, at_us)
        assert row["changes"] == true.changes
        if true.state is None:
            assert pd.isna([row["state"], row["share"]]).all()
        else:
            assert (row["state"], row["share"]) == (true.state, float(true.share(true.state)))


@steady
@given(READINGS, SPANS, st.none() | INTERVALS, INSTANTS)
def test_share_of_a_boolean_is_its_time_weighted_mean(
    said: Said, span_us: int, interval_us: int | None, instants: list[int]
) -> None:
    """A tile says the share, an export the mean, and they are one number."""
    switch = [(time_us, float(value == 1)) for time_us, value in said]
    instants = sorted({*instants})
    shares = state_shares(samples(switch), span_us, interval_us, instants, OTHERS)
    mean = rolling(
        samples_of_readings(frame(switch)), span_us, interval_us, instants, ["time_weighted"]
    )
    on = shares["on"] if "on" in shares else shares[None]
    for found, exact in zip(mean["time_weighted"], on, strict=True):
        assert found == pytest.approx(exact, rel=1e-12, nan_ok=True)


@steady
@given(
    READINGS, st.sampled_from(["on", "off", "7.5", "never"]), SPANS, st.none() | INTERVALS, INSTANTS
)
def test_share_of_one_state_is_true_whatever_holds_at_the_end(
    said: Said, name: str, span_us: int, interval_us: int | None, instants: list[int]
) -> None:
    """True to the last bit: 0 of a state that did not come, NaN where none is known."""
    found = share_of(samples(said), name, span_us, interval_us, instants)
    for at_us, share in zip(instants, found.tolist(), strict=True):
        inside = said if interval_us else [one for one in said if at_us - span_us < one[0] <= at_us]
        hold_us = HOLD_INTERVALS * interval_us if interval_us else math.inf
        true = truth(inside, span_us, hold_us, at_us)
        if true.known:
            assert share == float(true.share(name))
        elif true.state:
            assert share == (true.state == name)
        else:
            assert math.isnan(share)


@pytest.mark.parametrize(
    ("at_us", "state", "coverage"),
    [(99, None, 0.0), (100, "on", 0.0), (130, "on", 1.0), (131, None, 29 / 30), (160, None, 0.0)],
)
def test_state_holds_for_three_intervals_and_never_back_in_time(
    at_us: int, state: str | None, coverage: float
) -> None:
    """One reading says nothing of what was before it, and nothing of what is long after."""
    row = rolling_states(samples([(100, 1.0)]), 30, 10, [at_us]).iloc[0]
    assert (row["state"] if state else None) == state
    assert pd.isna(row["state"]) == (state is None)
    assert row["coverage"] == coverage


@pytest.mark.parametrize(("gap_us", "changes"), [(30, 1), (31, 0)])
def test_change_across_a_pause_is_not_counted(gap_us: int, changes: int) -> None:
    """Nobody knows when it was, or how many there were."""
    found = rolling_states(samples([(0, "on"), (gap_us, "off")]), 100, 10, [gap_us])
    assert found["changes"][0] == changes


@pytest.mark.parametrize(("at_us", "changes"), [(19, 0), (20, 1), (29, 1), (30, 0)])
def test_change_counts_from_its_reading_until_a_span_later(at_us: int, changes: int) -> None:
    """The span is closed on the right alone; the state before may lie outside of it."""
    found = rolling_states(samples([(10, "on"), (20, "off")]), 10, 10, [at_us])
    assert found["changes"][0] == changes


def test_state_that_comes_again_after_a_pause_has_lasted_since_then() -> None:
    """What it was in between is unknown, so it began anew; it is no change either."""
    found = rolling_states(samples([(0, "on"), (5, "on"), (90, "on"), (95, "on")]), 100, 10, [99])
    assert (found["lasted_us"][0], found["changes"][0]) == (9.0, 0)


def test_states_without_readings_are_unknown() -> None:
    """No data is no state with coverage 0, not a share of 0."""
    found = rolling_states(samples([]), 10, 10, [5])
    assert found["state"].isna()[0]
    assert (found["changes"][0], found["coverage"][0]) == (0, 0.0)
    shares = state_shares(samples([]), 10, 10, [5], OTHERS)
    assert list(shares.columns) == [None]
    assert shares[None].isna()[5]


def test_states_without_instants_are_an_empty_frame() -> None:
    """No question, no answer."""
    found = rolling_states(samples([(0, 1.0)]), 10, 10, [])
    assert list(found.columns) == [
        "time_us", "state", "lasted_us", "share", "changes", "coverage",
    ]  # fmt: skip
    assert found.empty


def test_share_of_a_boolean_is_of_time_and_not_of_samples() -> None:
    """Nine quick readings while it is on do not outweigh the long time it is off."""
    said: Said = [(0, 0.0), *((90 + n, 1.0) for n in range(9)), (99, 0.0)]
    shares = state_shares(samples(said), 100, 40, [100], OTHERS).iloc[0]
    assert (shares["on"], shares["off"]) == (0.09, 0.91)


def test_shares_of_more_states_than_wanted_are_told_together() -> None:
    """A client that invents states costs a column for some of them, not for all."""
    said: Said = [(n, f"state {n}") for n in range(10_000)]
    found = state_shares(samples([*said, (10_000, "long")]), 20_000, 10, [10_030], 3)
    assert list(found.columns) == ["long", "state 0", "state 1", None]
    assert found.iloc[0].tolist() == [30 / 10_030, 1 / 10_030, 1 / 10_030, 9_998 / 10_030]


def test_state_named_as_the_boolean_is_the_same_state() -> None:
    """A mode that was first decoded as yes or no is not two states of one name."""
    found = rolling_states(samples([(0, 0.0), (5, "off"), (9, "off")]), 100, 10, [9])
    assert (found["share"][0], found["changes"][0], found["lasted_us"][0]) == (1.0, 0, 9.0)


def test_states_of_one_instant_are_the_last_one_stored_wherever_they_lie(tmp_path: Path) -> None:
    """Head and blocks give the same order, whichever came first."""
    said: list[float | str] = ["idle", 1.0, "heating", 0.0]
    old = [reading(NOON_US, one, kind=Kind.STATE) for one in said]
    appender = open_appender(tmp_path / "culex.db")
    appender.append(Batch([one._replace(time_us=NOON_US + HOUR_US) for one in old] + old))
    appender.do(Seal(NOON_US + HOUR_US))
    appender.close()
    with looking(tmp_path / "culex.db") as snapshot:
        found = snapshot.read(SERIES, ALL_TIME).frame
    assert len(found) == 2 * len(said)
    assert samples_of_states(found)["state"].tolist() == ["idle", "idle"]
