"""How many messages a client sends, whatever it uploaded or whenever it came."""

from collections import Counter
from collections.abc import Iterable, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboard.fleet.rates import LEAST_US, Mark, Marks, Rates, rates
from telemetry.ledger import LedgerRow, Tally, account
from telemetry.window import HOUR_US, MINUTE_US, SECOND_US

START_US = 1_795_420_800_000_000 + 50 * MINUTE_US  # ten minutes before a full hour
EVERY_3_S = 3 * SECOND_US


def ledger(arrivals: Iterable[int], until_us: int, client: str = "pump") -> list[LedgerRow]:
    """The ledger as it is then, if those messages arrived until then."""
    counts = Counter(account(client, one) for one in arrivals if one <= until_us)
    return [LedgerRow(one, Tally(number, number), Tally()) for one, number in counts.items()]


def looked(arrivals: Sequence[int], looks_us: Iterable[int]) -> Rates:
    """The rates after those looks."""
    found = Rates()
    for at_us in looks_us:
        found = rates(ledger(arrivals, at_us), found, at_us)
    return found


def sent(start_us: int, end_us: int, step_us: int = EVERY_3_S) -> list[int]:
    """A message every three seconds."""
    return list(range(start_us + step_us, end_us + 1, step_us))


def test_upload_of_a_day_is_no_rate_of_now() -> None:
    """Nine thousand messages in a moment, then one every three seconds: 20 in a minute."""
    arrivals = [START_US] * 9000 + sent(START_US, START_US + 3 * HOUR_US)
    for minutes in (1, 5, 30, 55, 120):
        end_us = START_US + minutes * MINUTE_US
        looks = range(START_US + 6 * SECOND_US, end_us + SECOND_US, 30 * SECOND_US)
        found = looked(arrivals, [*looks, end_us + 6 * SECOND_US])
        assert found.of["pump"] == pytest.approx(20, rel=0.02), minutes


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
        assert found.of["pump"] == pytest.approx(20, rel=0.11), after_s
        assert ("new" in found.of) is (after_s >= 70), after_s  # it is in the ledger after 3 s
    assert found.of["new"] == pytest.approx(20, rel=0.1)


def test_first_look_has_the_last_hour_of_who_was_there() -> None:
    """By this hour, and the part of the one before that is less than an hour ago."""
    arrivals = sent(START_US - 3 * HOUR_US, START_US)
    assert looked(arrivals, [START_US]).of["pump"] == pytest.approx(20, rel=0.01)


def test_after_a_pause_in_looking_the_last_hour_counts_again() -> None:
    """What was kept in mind an hour ago and more is too old."""
    busy, calm = (
        sent(START_US, START_US + HOUR_US),
        range(START_US + HOUR_US, START_US + 9 * HOUR_US),
    )
    arrivals = [*busy, *calm[:: 60 * SECOND_US]]
    found = looked(arrivals, [START_US, START_US + 5 * HOUR_US])
    assert found.of["pump"] == pytest.approx(1, rel=0.05)


def test_client_that_was_erased_is_not_below_zero() -> None:
    """Its ledger begins anew."""
    before = looked([START_US - HOUR_US, *[START_US] * 50], [START_US])
    now_us = START_US + 2 * MINUTE_US
    assert rates(ledger([now_us - MINUTE_US], now_us), before, now_us).of["pump"] == 0
    assert rates([], before, now_us) == Rates()


def test_messages_of_nobody_are_nobodys_rate() -> None:
    """Those whose topic names no client."""
    assert looked([START_US - HOUR_US, START_US], [START_US]).of
    assert rates(ledger([START_US - HOUR_US, START_US], START_US, ""), Rates(), START_US) == Rates()


@given(
    arrivals=st.lists(st.integers(0, 4 * 3600), max_size=60),
    looks=st.lists(st.integers(0, 4 * 3600), min_size=1, max_size=30, unique=True),
)
def test_rate_is_what_arrived_since_the_mark(arrivals: list[int], looks: list[int]) -> None:
    """Whenever messages come and somebody looks: counted once each, over an hour at most."""
    times = sorted(START_US + one * SECOND_US for one in arrivals)
    found = Rates()
    for look in sorted(looks):
        now_us, before = START_US + look * SECOND_US, found.marks.get("pump")
        found = rates(ledger(times, now_us), found, now_us)
        if before is None or "pump" not in found.marks:
            continue
        passed_us = now_us - before.older.at_us
        if LEAST_US <= passed_us <= HOUR_US:
            new = sum(before.older.at_us < one <= now_us for one in times)
            assert found.of["pump"] == pytest.approx(new * MINUTE_US / passed_us)
        older, younger = found.marks["pump"]
        assert now_us - older.at_us <= HOUR_US or older is younger
        assert now_us - younger.at_us < HOUR_US // 2 or passed_us > HOUR_US or older is younger


def test_marks_move_on_by_half_an_hour() -> None:
    """So a rate is that of half an hour at least, once somebody has looked so long."""
    marks = Marks(Mark(0, 1), Mark(0, 1))
    assert marks.at(Mark(HOUR_US // 2 - 1, 2)) is marks
    later = marks.at(Mark(HOUR_US // 2, 3))
    assert later == Marks(Mark(0, 1), Mark(HOUR_US // 2, 3))
    assert later.at(Mark(HOUR_US, 4)).older.at_us == HOUR_US // 2
