"""The link's state tells since when it is down, and the reason that came first."""

from collector.link import LinkWatch


def test_link_lost_keeps_the_first_reason_and_moment() -> None:
    """What follows from a loss does not replace its reason."""
    moments = iter((1, 2, 3, 4))
    link = LinkWatch(lambda: next(moments))
    link.up()
    link.lose("keep alive timeout")
    link.lose("connection lost")
    assert (link.state.up, link.state.since_us, link.state.reason) == (
        False,
        3,
        "keep alive timeout",
    )


def test_link_failed_attempt_renews_the_reason_not_the_moment() -> None:
    """While the link is down the newest reason is told, and since when it is down."""
    moments = iter((1, 2))
    link = LinkWatch(lambda: next(moments))
    link.fail("connection refused")
    assert (link.state.since_us, link.state.reason) == (1, "connection refused")


def test_link_that_is_refused_something_stays_up() -> None:
    """A refused subscription is told while the link is up."""
    link = LinkWatch(lambda: 1)
    link.up()
    link.limp("subscription refused: a/+")
    assert link.state.up
    assert link.state.reason == "subscription refused: a/+"
