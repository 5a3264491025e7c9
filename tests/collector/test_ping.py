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


def test_ping_that_a_broker_need_not_take_is_missed_only_once_it_worked() -> None:
    """Of one that never came back on this connection nothing follows."""
    ping = SelfPing("a", required=False)
    ping.begin(1)
    assert not ping.is_missed(9 * PERIOD_NS)
    ping.came_back(ping.payload(2), 3)
    assert ping.is_missed(9 * PERIOD_NS)
    ping.begin(10 * PERIOD_NS)
    assert not ping.is_missed(99 * PERIOD_NS)


def test_ping_that_is_refused_is_not_sent_again() -> None:
    """Each might end the connection; nothing is said of how long the way takes any more."""
    ping = SelfPing("a", required=False)
    ping.begin(1)
    ping.came_back(ping.payload(2_000), 9_000)
    assert ping.refuse()
    ping.begin(9 * PERIOD_NS)
    assert not ping.is_due(9 * PERIOD_NS)
    assert not ping.is_missed(99 * PERIOD_NS)
    assert (ping.wanted, ping.round_trip_us) == (False, 0)


def test_ping_for_which_a_broker_ends_connections_is_to_blame() -> None:
    """Two in a row that end before one came back are enough; given up, it is so no more."""
    ping = SelfPing("a", required=False)
    ping.begin(1)
    assert not ping.end()
    assert not ping.end(), "an attempt that came to nothing is no connection"
    ping.begin(2)
    assert ping.end()
    ping.refuse()
    ping.begin(3)
    assert not ping.end()


def test_ping_that_came_back_is_not_blamed_for_the_next_end() -> None:
    """What ends such connections is something else."""
    ping = SelfPing("a", required=False)
    for now_ns in (10, 20, 30):
        ping.begin(now_ns)
        if now_ns != 20:
            ping.came_back(ping.payload(now_ns), now_ns + 1)
        assert not ping.end()
