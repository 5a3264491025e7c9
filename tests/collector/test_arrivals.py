"""Which network connection it was that Mosquitto 2.0 turned away without naming it."""

from hypothesis import example, given
from hypothesis import strategies as st

from collector.arrivals import Arrivals

ADDRESSES = ("a:1", "a:2", "b:1", "b:2")


def test_connection_that_stays_silent_for_long_is_forgotten() -> None:
    """One whose end was not heard is not taken for another's."""
    arrivals = Arrivals()
    arrivals.add("a:1", 0)
    arrivals.add("b:1", 500_000_000)
    assert arrivals.take(500_000_001) == "b:1"


def test_doubt_lasts_while_anybody_waits() -> None:
    """Where it is open which of two was turned away, the other's address is not told either."""
    arrivals = Arrivals()
    arrivals.add("a:1", 0)
    arrivals.add("b:1", 1)
    assert arrivals.take(2) == ""
    assert arrivals.take(3) == ""
    arrivals.add("b:2", 4)
    assert arrivals.take(5) == "b:2"


steps = st.tuples(st.sampled_from(["add", "login", "refuse"]), st.sampled_from(ADDRESSES))


AGAIN = [
    *[("add", "a:1"), ("add", "b:1"), ("refuse", "b:1"), ("add", "b:1"), ("refuse", "a:1")],
    *[("add", "a:1"), ("refuse", "b:1")],
]


@given(st.lists(steps))
@example(AGAIN)
@example([("add", "a:1"), ("add", "b:1"), ("refuse", "b:1"), ("refuse", "a:1")])
@example([("add", "a:1"), ("add", "a:2"), ("refuse", "a:2"), ("add", "b:1"), ("refuse", "a:1")])
def test_whole_address_that_is_told_is_that_of_who_was_turned_away(
    steps: list[tuple[str, str]],
) -> None:
    """Whoever arrives, logs in or is turned away in whatever order."""
    arrivals, waiting = Arrivals(), set[str]()
    for now_us, (step, address) in enumerate(steps):
        if step == "add" and address not in waiting:
            waiting.add(address)
            arrivals.add(address, now_us)
        elif step == "login" and address in waiting:
            waiting.discard(address)
            arrivals.discard(address)
        elif step == "refuse" and address in waiting:
            told = arrivals.take(now_us)
            waiting.discard(address)
            assert told in (address, "") or told == address.partition(":")[0]
