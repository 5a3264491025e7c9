"""How many messages a client sends now, whatever it uploaded or whenever it came."""

from collections import Counter
from collections.abc import Iterable, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboard.fleet.rates import (
    LEAST_MESSAGES,
    LEAST_US,
    RENEWED_US,
    Mark,
    Marks,
    Rates,
    rates,
)
from telemetry.ledger import LedgerRow, Tally, account
from telemetry.window import HOUR_US, MINUTE_US, SECOND_US

START_US = 1_795_420_800_000_000 + 50 * MINUTE_US  # ten minutes before a full hour
EVERY_3_S = 3 * SECOND_US


def ledger(arrivals: Iterable[int], until_us: int, client: str = "pump") -> list[LedgerRow]:
    """The ledger as it is then, if those messages arrived until then."""
    counts = Counter(account(client, one) for one in arrivals if one <= until_us)
    return [LedgerRow(one, Tally(number, number), Tally()) for one, number in counts.items()]


def looked(arrivals: Sequence[int], looks_us: Iterable[int], before: Rates | None = None) -> Rates:
    """The rates after those looks."""
    found = before or Rates()
    for at_us in looks_us:
        found = rates(ledger(arrivals, at_us), found, at_us)
    return found


def sent(start_us: int, end_us: int, step_us: int = EVERY_3_S) -> list[int]:
    """A message every three seconds."""
    return list(range(start_us + step_us, end_us + 1, step_us))


@pytest.mark.parametrize("there_min", [0, 120])
@pytest.mark.parametrize("looked_min", [0, 30])
@pytest.mark.parametrize("upload_s", [0, 120])
def test_upload_of_a_day_is_no_rate_after_ten_minutes(
    there_min: int, looked_min: int, upload_s: int
) -> None:
    """A thousand messages beside one every three seconds: 20 in a minute before and after."""
    uploaded = [START_US + n * upload_s * SECOND_US // 1000 for n in range(1000)]
    own = sent(START_US - there_min * MINUTE_US, START_US + HOUR_US)
    begun_us = START_US - looked_min * MINUTE_US
    looks = range(begun_us, START_US + HOUR_US, 20 * SECOND_US)
    calm = [one for one in looks if one < START_US or one > START_US + 13 * MINUTE_US]
    found = Rates()
    for now_us in looks:
        found = rates(ledger(sorted(uploaded + own), now_us), found, now_us)
        if now_us in calm and now_us - begun_us >= LEAST_US and (there_min or now_us > START_US):
            assert found.per_minute["pump"] == pytest.approx(20, rel=0.06), now_us - START_US


def test_client_that_came_a_minute_ago_is_counted_since_then() -> None:
    """Not over an hour in which it was not there; before that minute is over, nothing is said."""
    there, new = (
        sent(START_US - 2 * HOUR_US, START_US + HOUR_US),
        sent(START_US, START_US + HOUR_US),
    )
    found = Rates()
    for after_s in range(0, 91, 10):
        now_us = START_US + after_s * SECOND_US
        rows = ledger(there, now_us) + ledger(new, now_us, "new")
        found = rates(rows, found, now_us)
        assert found.per_minute["pump"] == pytest.approx(20, rel=0.11), after_s
        assert ("new" in found.per_minute) is (after_s >= 70), after_s  # it is known after 3 s
    assert found.per_minute["new"] == pytest.approx(20, rel=0.1)


def test_client_that_sends_seldom_has_the_rate_of_an_hour() -> None:
    """One message in a quarter of an hour is neither none nor one in each of these minutes."""
    arrivals = sent(START_US - 9 * HOUR_US, START_US + 5 * HOUR_US, 15 * MINUTE_US)
    found = Rates()
    for now_us in range(START_US, START_US + 4 * HOUR_US, MINUTE_US):
        found = rates(ledger(arrivals, now_us), found, now_us)
        assert found.per_minute["pump"] == pytest.approx(1 / 15, rel=0.26)


def test_first_look_has_the_last_hour_of_who_was_there() -> None:
    """By this hour, and the part of the one before that is less than an hour ago."""
    arrivals = sent(START_US - 3 * HOUR_US, START_US)
    assert looked(arrivals, [START_US]).per_minute["pump"] == pytest.approx(20, rel=0.01)


def test_pause_in_looking_is_counted_over_or_the_last_hour_is() -> None:
    """A younger mark will do where the older one is more than an hour old."""
    busy = sent(START_US, START_US + 8 * MINUTE_US, SECOND_US // 10)
    arrivals = busy + sent(START_US + 8 * MINUTE_US, START_US + 9 * HOUR_US)
    looks = range(START_US, START_US + 15 * MINUTE_US, 10 * SECOND_US)
    for pause in (30 * MINUTE_US, 49 * MINUTE_US, 5 * HOUR_US):
        found = looked(arrivals, [*looks, looks[-1] + pause])
        assert found.per_minute["pump"] == pytest.approx(20, rel=0.01)


def test_clock_that_is_set_back_begins_anew() -> None:
    """Nothing is counted from a moment that is to come."""
    found = Rates()
    for minutes, received in ((0, 500), (-20, 500), (-18, 540)):
        now_us = START_US + minutes * MINUTE_US
        tally = Tally(received, received)
        found = rates([LedgerRow(account("pump", now_us), tally, Tally())], found, now_us)
    assert found.per_minute == {"pump": 20}


def test_client_that_was_erased_is_not_below_zero() -> None:
    """Its ledger begins anew."""
    before, now_us = looked([START_US] * 50, [START_US]), START_US + 2 * MINUTE_US
    found = rates(ledger([now_us - MINUTE_US], now_us), before, now_us)
    assert found.per_minute["pump"] == 0
    assert rates([], before, now_us) == Rates()


def test_messages_of_nobody_are_nobodys_rate() -> None:
    """Those whose topic names no client."""
    arrivals = [START_US - HOUR_US, START_US]
    assert looked(arrivals, [START_US]).per_minute
    assert rates(ledger(arrivals, START_US, ""), Rates(), START_US) == Rates()


def test_mark_is_never_older_than_the_ledger_that_is_looked_at() -> None:
    """Looks at 12:58, 13:57 and 14:02: what came at 12 o'clock is not in the last one's ledger."""
    arrivals = sent(START_US - 2 * HOUR_US, START_US + 3 * HOUR_US)
    for minute in range(45, 66):
        first_us = START_US + 8 * MINUTE_US
        looks = [first_us, first_us + minute * MINUTE_US, first_us + (minute + 4) * MINUTE_US]
        found = looked(arrivals, looks)
        assert found.per_minute["pump"] == pytest.approx(20, rel=0.02), minute


@given(
    arrivals=st.lists(st.integers(0, 4 * 3600), max_size=60),
    step_s=st.integers(20, 600),
    looks=st.lists(st.integers(0, 4 * 3600), min_size=1, max_size=30, unique=True),
)
def test_rate_is_what_arrived_since_the_mark(
    arrivals: list[int], step_s: int, looks: list[int]
) -> None:
    """Whenever messages come and somebody looks: each is counted once, or the hour is."""
    times = sorted(START_US + one * SECOND_US for one in arrivals)
    times = sorted(times + sent(START_US, START_US + 4 * HOUR_US, step_s * SECOND_US))
    found = Rates()
    for look in sorted(looks):
        now_us = START_US + look * SECOND_US
        found = rates(ledger(times, now_us), found, now_us)
        if "pump" not in found.marks:
            continue
        older, younger = found.marks["pump"]
        assert 0 <= now_us - younger.at_us < RENEWED_US
        assert 0 <= now_us - older.at_us < HOUR_US
        new = sum(older.at_us < one <= now_us for one in times)
        if now_us - older.at_us >= LEAST_US and new >= LEAST_MESSAGES:
            expected = new * MINUTE_US / (now_us - older.at_us)
            assert found.per_minute["pump"] == pytest.approx(expected)


def test_marks_move_on_by_five_minutes() -> None:
    """So a rate is that of five minutes to ten, once somebody has looked so long."""
    marks = Marks(Mark(0, 1), Mark(0, 1))
    assert marks.after(Mark(RENEWED_US - 1, 2)) is marks
    later = marks.after(Mark(RENEWED_US, 3))
    assert later == Marks(Mark(0, 1), Mark(RENEWED_US, 3))
    assert later.after(Mark(2 * RENEWED_US, 4)).older.at_us == RENEWED_US
    late = Mark(HOUR_US, 5)
    assert later.after(late) == Marks(late, late)
