"""Our own messages come back, or their absence is noticed."""

from collector.ping import MISSED, PERIOD_S, SelfPing, ping_topic

PERIOD_NS = int(PERIOD_S * 1e9)


def test_ping_is_due_at_the_beginning_and_then_each_period() -> None:
    """A new connection is tried at once."""
    ping = SelfPing("a")
    ping.begin(5)
    assert ping.is_due(5)
    ping.payload(5)
    assert not ping.is_due(5 + PERIOD_NS - 1)
    assert ping.is_due(5 + PERIOD_NS)


def test_ping_that_comes_back_tells_its_round_trip() -> None:
    """The payload carries when it was sent."""
    ping = SelfPing("a")
    assert ping.came_back(ping.payload(1_000), 51_000) == 1_000
    assert ping.round_trip_us == 50
    assert ping.returned_ns == 51_000


def test_ping_of_an_earlier_process_or_a_stranger_says_nothing() -> None:
    """Only what this process sent is measured."""
    ping = SelfPing("a")
    for payload in (SelfPing("b").payload(1), b"", b"a", b"a x", b"a -1", b"\xff 1", b"a \xb2"):
        assert ping.came_back(payload, 10) == 0
    assert (ping.round_trip_us, ping.returned_ns) == (0, 0)


def test_ping_is_missed_when_none_came_back_for_three_periods() -> None:
    """It is missed since the beginning or the last that came back, whichever is later."""
    ping = SelfPing("a")
    ping.begin(0)
    assert not ping.is_missed(MISSED * PERIOD_NS)
    assert ping.is_missed(MISSED * PERIOD_NS + 1)
    ping.came_back(ping.payload(1), PERIOD_NS)
    assert not ping.is_missed(MISSED * PERIOD_NS + 1)
    assert ping.is_missed((MISSED + 1) * PERIOD_NS + 1)
    ping.begin(9 * PERIOD_NS)
    assert not ping.is_missed(9 * PERIOD_NS)


def test_ping_topic_is_that_of_the_session() -> None:
    """The same for every process, so that the session keeps one subscription for it."""
    assert ping_topic("collector") == "culex/ping/collector"
