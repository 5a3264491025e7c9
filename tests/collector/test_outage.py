"""Outages reach the thread that asks for them, each told while it lasts and when it is over."""

from hypothesis import example, given
from hypothesis import strategies as st

from collector.outage import Outage, Outages


def test_outage_is_told_when_it_begins_and_when_it_is_over() -> None:
    """Asked in between, there are two answers for one outage; asked again, none."""
    outages = Outages()
    outages.begin(5)
    assert outages.take() == [Outage(5)]
    outages.end(9)
    assert outages.take() == [Outage(5, 9)]
    assert outages.take() == []


def test_outage_that_is_over_before_anybody_asks_is_told_once() -> None:
    """Who asks late hears of the whole."""
    outages = Outages()
    outages.begin(5)
    outages.end(9)
    assert outages.take() == [Outage(5, 9)]


@given(st.lists(st.sampled_from(["begin", "end"]), max_size=600))
@example(["begin", "end"] * 200)
@example([*["begin", "end"] * 200, "begin"])
def test_outages_nobody_asks_for_are_bounded_and_cover_the_same_time(steps: list[str]) -> None:
    """However often it comes and goes, the list stays short and begins and ends alike."""
    outages = Outages()
    for time_us, step in enumerate(steps):
        outages.begin(time_us) if step == "begin" else outages.end(time_us)
    told = outages.take()
    assert len(told) <= 100
    assert all(one.end_us is not None for one in told[:-1])
    begins = [time_us for time_us, step in enumerate(steps) if step == "begin"]
    assert [one.start_us for one in told[:1]] == begins[:1]
    if told and steps[-1] == "begin":
        assert told[-1].end_us is None
