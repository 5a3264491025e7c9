"""The expected reporting interval: what is learned of fleets whose truth is known."""

import math
import random
from collections.abc import Iterator, Sequence
from fractions import Fraction
from itertools import accumulate

import pytest
from hypothesis import given
from hypothesis import strategies as st

from telemetry.interval import (
    GAPS,
    Cadence,
    IntervalRule,
    SetBy,
    cadence_of,
    expected_us,
    overruled,
)
from telemetry.reading import Series
from tests.telemetry.builders import SECOND_US, steady

TEN_S = 10 * SECOND_US
MILLISECOND_US = 1000
PERIODS = st.integers(1, 86_400 * SECOND_US)
CLIENTS = 200


def after(gaps: Sequence[int]) -> list[int]:
    """Instants with these gaps between them, of which the newest are looked at."""
    return [*accumulate(gaps, initial=1_795_435_200 * SECOND_US)][-GAPS - 1 :]


def said(gaps: Sequence[int]) -> Cadence:
    """What is said of them."""
    cadence = cadence_of(after(gaps))
    assert cadence is not None
    return cadence


def lossy(chance: random.Random, loss: float) -> Iterator[int]:
    """The gaps of a client that reports every 10 s and loses that share of its readings."""
    while True:
        gap_us = TEN_S
        while chance.random() < loss:
            gap_us += TEN_S
        yield gap_us


def taken(gaps: Iterator[int], count: int = GAPS) -> list[int]:
    """The first so many."""
    return [next(gaps) for _ in range(count)]


MINUTE = [60 * SECOND_US]
BURST = [MILLISECOND_US]


@pytest.mark.parametrize(
    ("gaps", "interval_us"),
    [
        ([TEN_S] * 2, TEN_S),
        (taken(lossy(random.Random(1), 0.4)), TEN_S),
        (random.Random(3).choices([TEN_S, TEN_S, 2 * TEN_S], k=54) + [2 * TEN_S] * 5, TEN_S),
        ([SECOND_US] * 60 + MINUTE * 4, 60 * SECOND_US),
        (MINUTE * 60 + [SECOND_US] * 60, SECOND_US),
        (MINUTE * 60 + [SECOND_US] * 20, 60 * SECOND_US),
        ([TEN_S] * 9 + [86_400 * SECOND_US] + [TEN_S] * 9, TEN_S),
        ([TEN_S] * 9 + BURST * 40 + [TEN_S] * 3, TEN_S),
        ([TEN_S, *BURST] * 32, TEN_S + MILLISECOND_US),
        ((BURST * 19 + MINUTE) * 4, 60 * SECOND_US + 19 * MILLISECOND_US),
        ([5 * SECOND_US, 55 * SECOND_US] * 32, 30 * SECOND_US),
        ([2 * SECOND_US, 3 * SECOND_US] * 9, 2_500_000),  # 2.5 s in whole seconds
        ([TEN_S] * 9 + MINUTE * 30 + [TEN_S] * 6, TEN_S),  # there and back again
    ],
    ids=[
        "new",
        "lossy",
        "losses in a row",
        "slower",
        "faster",
        "not yet faster",
        "outage",
        "burst",
        "everything twice",
        "bursts",
        "by turns",
        "rounded",
        "back again",
    ],
)
def test_interval_of_what_clients_do_is_the_one_they_have(
    gaps: list[int], interval_us: int
) -> None:
    """The table in the module's words, and a few more."""
    assert said(gaps).interval_us == interval_us
    assert said(gaps).is_regular


@steady
@given(PERIODS, st.integers(3, GAPS + 1), st.randoms(use_true_random=False))
def test_interval_of_a_regular_series_is_its_period(
    period_us: int,
    count: int,
    chance: random.Random,
) -> None:
    """Whatever the order of the instants and however often each comes; few gaps are less sure."""
    times = [period_us * number for number in range(count)]
    times += chance.choices(times, k=count)
    chance.shuffle(times)
    share = Fraction(count - 1, count - 1 + 3)
    assert cadence_of(times) == Cadence(period_us, 0, float(share), count - 1)


@steady
@given(st.integers(1000, 86_400 * SECOND_US), st.integers(9, GAPS), st.randoms())
def test_interval_with_jitter_is_near_and_sure(
    period_us: int, count: int, chance: random.Random
) -> None:
    """Instants a twentieth of a period early or late move the interval by a tenth at most."""
    noise_us = period_us // 20
    times = [n * period_us + chance.randint(-noise_us, noise_us) for n in range(count + 1)]
    found = cadence_of(times)
    assert found is not None
    assert abs(found.interval_us - period_us) <= 2 * noise_us
    assert found.jitter_us <= 4 * noise_us
    assert found.confidence == count / (count + 3)


@pytest.mark.parametrize(("loss", "wrong"), [(0.0, 0), (0.1, 0), (0.2, 0), (0.3, 2), (0.4, 8)])
def test_interval_of_a_fleet_that_loses_readings_is_the_true_one(loss: float, wrong: int) -> None:
    """Of 200 clients hardly one is misjudged, though they lose up to four of ten readings."""
    clients = [said(taken(lossy(random.Random(seed), loss))) for seed in range(CLIENTS)]
    right = [one.interval_us == TEN_S and one.is_regular for one in clients]
    assert right.count(False) <= wrong
    share = sum(one.confidence for one in clients) / CLIENTS
    assert share == pytest.approx((1 - loss) * GAPS / (GAPS + 3), abs=0.02)


@steady
@given(PERIODS, st.integers(2, 1000), st.integers(6, GAPS))
def test_interval_that_becomes_longer_is_known_with_the_fourth_gap(
    period_us: int, factor: int, before: int
) -> None:
    """A client that slows down is not taken for lost."""
    gaps = [period_us] * before + [period_us * factor] * 4
    assert said(gaps[:-3]).interval_us == period_us
    assert said(gaps).interval_us == period_us * factor


@steady
@given(PERIODS, st.integers(2, 200), st.integers(6, GAPS))
def test_interval_that_becomes_shorter_is_known_after_an_old_one(
    period_us: int, factor: int, before: int
) -> None:
    """And after four readings at least: before, it could be a burst."""
    old_us = period_us * factor
    assert said([old_us] * before + [period_us] * max(4, factor)).interval_us == period_us
    if 4 < factor <= min(before, GAPS // 2):
        assert said([old_us] * before + [period_us] * (factor - 1)).interval_us == old_us


@pytest.mark.parametrize("loss", [0.0, 0.2, 0.4])
def test_interval_of_a_fleet_that_loses_readings_adapts_too(loss: float) -> None:
    """Of 200 clients that go from 10 s to 60 s, none is judged by the old interval for long."""
    late = 0
    for seed in range(CLIENTS):
        chance = random.Random(seed)
        before = taken(lossy(chance, loss))
        slower = [6 * gap_us for gap_us in taken(lossy(chance, loss), 32)]
        late += said(before + slower[:16]).interval_us < 6 * TEN_S
        assert said(before + slower).interval_us >= 6 * TEN_S
    assert late <= CLIENTS // 100


@steady
@given(PERIODS, st.sets(st.integers(1, 60), max_size=8), st.randoms(use_true_random=False))
def test_interval_with_outages_is_unchanged(
    period_us: int, places: set[int], chance: random.Random
) -> None:
    """Outages of all lengths are no interval."""
    gaps = [period_us] * GAPS
    for number, place in enumerate(places):
        gaps[place] = period_us * (2 + 3**number * chance.randint(1, 2))
    assert said(gaps).interval_us == period_us


@steady
@given(st.integers(SECOND_US, 3600 * SECOND_US), st.integers(0, 20), st.integers(1, 40))
def test_interval_with_a_burst_is_unchanged(interval_us: int, since: int, many: int) -> None:
    """What was held back and comes at once says nothing about the next reading."""
    for burst in ([0] * many, [interval_us // 2000] * many):
        found = said([interval_us] * 9 + burst + [interval_us] * since)
        assert found.interval_us == interval_us


@steady
@given(
    st.integers(1, 3600 * SECOND_US),
    st.lists(st.integers(2, 6), min_size=1, max_size=2, unique=True),
    st.integers(0, 2),
)
def test_interval_of_gaps_by_turns_is_the_middle_of_a_turn(
    unit_us: int, others: list[int], begin: int
) -> None:
    """As many readings as come are expected, wherever one begins to look; no gap is silence."""
    beat = [unit_us, *(unit_us * 2 * one for one in others)]
    found = said((beat * GAPS)[begin : begin + GAPS])
    assert found.interval_us == sum(beat) // len(beat)
    assert max(beat) <= found.stale_us + len(beat)


@pytest.mark.parametrize("draw", ["exponential", "lognormal"])
def test_interval_of_events_is_irregular(draw: str) -> None:
    """Of 200 series that report when something happens, hardly any is expected to."""
    regular = 0
    for seed in range(CLIENTS):
        chance = random.Random(seed)
        gaps = [
            1 + int(TEN_S * (chance.expovariate(1) if draw == "exponential" else spread))
            for spread in (chance.lognormvariate(0, 1.5) for _ in range(GAPS))
        ]
        regular += said(gaps).is_regular
    assert regular <= 3 * CLIENTS // 100


def test_interval_while_a_clock_that_went_back_catches_up_is_soon_right() -> None:
    """Two runs of the same period, put together, report twice as often: just as long."""
    before = range(0, 40 * TEN_S, TEN_S)
    again = range(40 * TEN_S - 300 * SECOND_US + 3 * SECOND_US, 60 * TEN_S, TEN_S)
    both = [*before, *again]
    meanwhile, later = (
        cadence_of(sorted(one for one in both if one < until * TEN_S)[-GAPS - 1 :])
        for until in (40, 46)
    )
    assert meanwhile is not None
    assert later is not None
    assert (meanwhile.interval_us, later.interval_us) == (TEN_S // 2, TEN_S)


def test_interval_of_fewer_than_three_instants_is_unknown() -> None:
    """Two readings have a gap, and nothing says that the next one will be like it."""
    assert [cadence_of(times) for times in ([], [7], [7, 7, 9, 9])] == [None] * 3


def test_silence_of_a_regular_series_is_stale_after_three_intervals_and_lost_after_ten() -> None:
    """An irregular one is never either, and its line breaks later."""
    regular, irregular = Cadence(10, 0, 0.4, 9), Cadence(10, 0, 0.39, 9)
    assert (regular.stale_us, regular.lost_us, regular.gap_us) == (30, 100, 30)
    assert (irregular.stale_us, irregular.lost_us, irregular.gap_us) == (math.inf, math.inf, 100)
    assert (expected_us(regular), expected_us(irregular), expected_us(None)) == (10, None, None)


@steady
@given(st.integers(1, 10**9), st.integers(0, 10**6), st.integers(1, 10**12))
def test_missing_is_what_was_expected_and_is_not_there(
    interval_us: int, count: int, length_us: int
) -> None:
    """As coverage has it: at least one is expected, and more than all is no less than none."""
    expected = max(Fraction(1), Fraction(length_us, interval_us))
    missing = max(Fraction(0), 1 - count / expected)
    found = Cadence(interval_us, 0, 1.0, 9).missing(count, length_us)
    assert found == pytest.approx(float(missing), rel=1e-12, abs=1e-12)
    assert math.isnan(Cadence(interval_us, 0, 0.1, 9).missing(count, length_us))


def test_interval_that_is_set_rules_and_the_first_rule_decides() -> None:
    """How even the series is stays learned; of one without readings only the setting is known."""
    rules = [IntervalRule("boiler", "t*", 30), IntervalRule("*", "*", 70)]
    learned = Cadence(10, 2, 0.1, 50)
    told = overruled(learned, Series("boiler", "temperature"), rules)
    assert told == Cadence(30, 2, 1.0, 50, SetBy.SETTING)
    assert overruled(None, Series("boiler", "Power"), rules) == Cadence(
        70, 0, 1.0, 0, SetBy.SETTING
    )
    assert overruled(learned, Series("boiler", "Power"), rules[:1]) == learned
