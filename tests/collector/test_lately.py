"""Whose a refused publish was."""

from dataclasses import replace

from collector.lately import Lately
from collector.refusals import ADDRESSES
from telemetry.denials import Denial, Denied, read_detail
from telemetry.presence import Connection, Event, EventKind

SECOND_US = 1_000_000
NOW_US = 1_790_000_000 * SECOND_US
TANK = Connection("id-1", "tank", "192.0.2.7:99", "5", 60, True, NOW_US)


def lately(*known: Connection) -> Lately:
    """Somebody who saw those connect."""
    found = Lately()
    for one in known:
        found.add(one)
    return found


def denial(*parts: str, second: float = 1, times: int = 1) -> Denial:
    """Publishes that were refused so many seconds from now."""
    return Denial(NOW_US + int(second * SECOND_US), parts, times)


def test_client_that_is_connected_is_named() -> None:
    """The event has its username and address, and only the topic in its detail."""
    [event] = lately(TANK).deny(denial("id-1", "clients/x/t"))
    assert event == Event(
        NOW_US + SECOND_US, EventKind.DENIED, "tank", '"clients/x/t"', "192.0.2.7:99"
    )


def test_client_that_has_just_gone_is_named() -> None:
    """One that connects, publishes and goes is gone before its refusal arrives."""
    gone = replace(TANK, until_us=NOW_US + SECOND_US, reason="disconnected")
    assert lately(TANK, gone).deny(denial("id-1", "clients/x/t", second=2))[0].client == "tank"


def test_client_that_went_long_ago_is_not() -> None:
    """By then another may have taken its identifier."""
    gone = replace(TANK, until_us=NOW_US + SECOND_US, reason="disconnected")
    [event] = lately(gone).deny(denial("id-1", "clients/x/t", second=60))
    assert event.client == ""
    assert read_detail(event.detail) == Denied("clients/x/t", "id-1")


def test_topic_that_names_another_identifier_incriminates_nobody() -> None:
    """Where two clients could be meant, none is."""
    boiler = replace(TANK, client_id="id-1 (d0, q0, r0, m0, 'x", username="boiler")
    forged = denial("id-1", "x", "clients/x/t")
    assert lately(TANK, boiler).deny(forged)[0].client == ""
    assert lately(TANK).deny(forged)[0].client == "tank"


def test_repetitions_are_told_together() -> None:
    """The first at once, the others of ten minutes as one, each client for itself."""
    watch = lately(TANK, replace(TANK, client_id="id-2", username="boiler"))
    assert len(watch.deny(denial("id-1", "clients/x/t"))) == 1
    assert watch.deny(denial("id-1", "clients/x/t", second=2, times=7)) == []
    assert len(watch.deny(denial("id-2", "clients/x/t", second=3))) == 1
    [more] = watch.turn(NOW_US + 700 * SECOND_US)
    assert (more.client, read_detail(more.detail)) == ("tank", Denied("clients/x/t", times=7))


def test_those_only_counted_are_an_overflow() -> None:
    """Of too many kinds at once the number is kept."""
    [event] = lately().deny(denial(times=9))
    assert event.kind is EventKind.OVERFLOW
    assert "9" in event.detail


def test_publishes_beyond_what_is_told_apart_are_counted_as_publishes() -> None:
    """Not as connections, which are counted elsewhere."""
    watch = lately(TANK)
    for number in range(ADDRESSES + 5):
        watch.deny(denial("id-1", f"clients/x/{number}"))
    told = [one.detail for one in watch.turn(NOW_US + 700 * SECOND_US)]
    assert told == ["5 more refused publishes"]
