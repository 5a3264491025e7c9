"""The torture's own judgement: it sees what is lost and what is doubled."""

from hypothesis import given
from hypothesis import strategies as st

from telemetry.reading import Flag
from tests.telemetry.builders import steady
from tests.torture.numbers import Ledger
from tests.torture.verdict import BrokerLoss, Rows, Verdict, judge, total

AGAIN = Flag.REDELIVERED.value


def ledger(sent: int, *acknowledged: int) -> Ledger:
    """The numbers below `sent`, of which some were acknowledged, each at its own second."""
    return Ledger({one: one for one in range(sent)}, {one: float(one) for one in acknowledged})


def test_number_acknowledged_and_not_stored_is_lost() -> None:
    """A PUBACK without a reading is a loss; a number without a PUBACK is none."""
    assert judge(ledger(3, 0, 1), [(0.0, 0)]) == Verdict(3, 2, stored=1, lost=1)


def test_number_that_the_broker_lost_is_told_apart() -> None:
    """An excuse covers its number alone, and only while that is missing."""
    verdict = judge(ledger(3, 0, 1, 2), [(0.0, 0)], excused={0, 1})
    assert (verdict.lost, verdict.excused) == (1, 1)


def test_number_stored_twice_is_doubled_or_flagged() -> None:
    """Only a reading that is marked as in doubt is no doubling."""
    rows = [(0.0, 0), (0.0, 0), (1.0, 0), (1.0, AGAIN), (2.0, AGAIN), (2.0, AGAIN), (3.0, AGAIN)]
    verdict = judge(ledger(4), rows)
    assert (verdict.doubled, verdict.flagged, verdict.stored) == (1, 2, 7)


def test_number_that_nobody_sent_is_strange() -> None:
    """A reading made up is no success."""
    assert judge(ledger(1, 0), [(0.0, 0), (1.0, 0)]).strange == 1


def test_broker_killed_excuses_what_it_had_not_saved() -> None:
    """What was acknowledged before the save, after the kill, or is stored has no excuse."""
    killed = BrokerLoss(saved_s=2.0, killed_s=5.0, stored=frozenset({3}))
    assert killed.excuses(ledger(9, *range(9))) == {2, 4, 5}


@steady
@given(
    st.lists(st.tuples(st.integers(0, 5).map(float), st.sampled_from([0, AGAIN])), max_size=20),
    st.sets(st.integers(0, 5)),
)
def test_verdict_adds_up(rows: list[tuple[float, int]], acknowledged: set[int]) -> None:
    """Each reading is the first of its number, doubled or flagged; each number there or lost."""
    verdict = judge(ledger(6, *acknowledged), rows)
    distinct = {value for value, _ in rows}
    assert verdict.stored == len(distinct) + verdict.doubled + verdict.flagged
    assert verdict.lost == len({float(one) for one in acknowledged} - distinct)
    assert total([verdict, verdict]).stored == 2 * verdict.stored


def test_nothing_published_is_nothing_wrong() -> None:
    """The verdict on nothing is empty."""
    empty: Rows = []
    assert judge(Ledger(), empty) == total([]) == Verdict()
