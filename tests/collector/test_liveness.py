"""The link's state tells why nothing reaches the store though the link is up."""

from collector.link import LinkWatch
from collector.liveness import BEHIND, STORE_LAGS, UNHEARD, Liveness
from collector.ping import PERIOD_S, SelfPing
from collector.tally import Tally

PERIOD_NS = int(PERIOD_S * 1e9)
LATE_NS = 100 * PERIOD_NS


class Bench:
    """A link that is up, and what is told of it."""

    def __init__(self) -> None:
        self.link = LinkWatch(lambda: 1)
        self.link.up()
        self.ping = SelfPing("a")
        self.tally = Tally(lambda: 1)
        self.liveness = Liveness(self.link, self.ping, self.tally)


def test_liveness_own_messages_that_stay_away_are_told_until_one_comes() -> None:
    """After three periods the reason says so, and it goes away by itself."""
    bench = Bench()
    bench.liveness.look(LATE_NS)
    assert bench.link.state.reason == UNHEARD
    bench.ping.came_back(b"a 1", LATE_NS)
    bench.liveness.look(LATE_NS)
    assert bench.link.state.reason == ""


def test_liveness_own_messages_behind_others_are_told_as_such() -> None:
    """While others arrive the broker is at work: ours are behind them in its queue."""
    bench = Bench()
    bench.liveness.look(LATE_NS)
    bench.tally.message_ns = LATE_NS
    bench.liveness.look(LATE_NS)
    assert bench.link.state.reason == BEHIND


def test_liveness_halt_is_told_when_it_lasts_and_until_it_ends() -> None:
    """A short halt is how a flood is held back; a longer one is news."""
    bench = Bench()
    bench.liveness.halted(0.5)
    assert bench.link.state.reason == ""
    bench.liveness.halted(2.5)
    assert bench.link.state.reason == STORE_LAGS
    bench.liveness.resumed(2.6)
    assert bench.link.state.reason == ""


def test_liveness_is_catching_up_until_our_own_message_is_settled() -> None:
    """What was held comes before the first message that we sent on the connection."""
    bench = Bench()
    bench.liveness.resumed(60)
    assert bench.liveness.is_catching_up(bench.ping.since_ns - 1)
    assert not bench.liveness.is_catching_up(bench.ping.since_ns)


def test_liveness_short_halt_is_no_reason_to_catch_up() -> None:
    """Whoever floods us must not switch off, by that, what holds floods back."""
    bench = Bench()
    before_ns = bench.ping.since_ns
    bench.liveness.resumed(1)
    assert bench.ping.since_ns == before_ns
