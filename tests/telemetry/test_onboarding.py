"""How far a new client has come, by what was seen since it was given its login."""

from dataclasses import replace

import pytest

from telemetry.condition import WriterState
from telemetry.denials import Denied, detail_of
from telemetry.facts import Facts
from telemetry.onboarding import NAMES, Progress, steps
from telemetry.presence import Connection, Event, EventKind
from telemetry.quarantine import Group
from telemetry.reading import Kind, Latest, Series
from telemetry.refusals import grouped

SINCE, NOW = 1_000_000_000, 1_060_000_000
NOTHING = Facts("tank", NOW, WriterState())
OPEN = Connection("tank", "tank", "192.0.2.7:1", "5", 60, True, SINCE + 5, None, "")
LATEST = Latest(
    series=Series("tank", "level"),
    kind=Kind.NUMBER,
    unit="",
    time_us=SINCE + 9,
    received_us=SINCE + 9,
    value=1.0,
    flags=0,
)
DENIED = Event(SINCE + 8, EventKind.DENIED, "tank", detail_of(Denied("clients/tnak/level")))
GROUP = Group("clients/tank/level", "decimal-comma", SINCE + 8, SINCE + 8, 1, 1, "tank")


def refused(reason: str, time_us: int = SINCE + 3) -> Facts:
    """Facts with a refused login."""
    event = Event(time_us, EventKind.REFUSED, "", reason, "192.0.2.7:1")
    return replace(NOTHING, refusals=grouped([event]))


def told(facts: Facts) -> list[str]:
    """What became of each step, in order."""
    return [str(one.progress) for one in steps(facts, SINCE)]


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        (NOTHING, ["waiting", *["open"] * 5]),
        (replace(NOTHING, connections=[OPEN]), [*["done"] * 3, "waiting", "open", "open"]),
        (replace(NOTHING, connections=[OPEN], latest=[LATEST]), ["done"] * 6),
        (replace(NOTHING, latest=[LATEST]), ["done"] * 6),
        (refused("not authorised, as tank"), ["done", "done", "failed", *["open"] * 3]),
        (refused("tlsv1 alert unknown ca, as tank"), ["done", "failed", *["open"] * 4]),
        (refused("not authorised"), ["waiting", "open", "maybe", *["open"] * 3]),
        (refused("not authorised, as x"), ["waiting", "open", "maybe", *["open"] * 3]),
        (refused("wrong version number"), ["waiting", "maybe", *["open"] * 4]),
        (
            replace(NOTHING, connections=[OPEN], events=[DENIED]),
            [*["done"] * 3, "failed", "open", "open"],
        ),
        (
            replace(NOTHING, connections=[OPEN], groups=[GROUP]),
            [*["done"] * 4, "failed", "open"],
        ),
        (
            replace(NOTHING, connections=[OPEN], groups=[GROUP], latest=[LATEST]),
            ["done"] * 6,
        ),
    ],
)
def test_first_step_that_is_not_done_says_why(facts: Facts, expected: list[str]) -> None:
    """Everything before the furthest step is done, whatever the broker told of it."""
    found = steps(facts, SINCE)
    assert [one.name for one in found] == list(NAMES)
    assert told(facts) == expected
    for one in found:
        if one.progress in {Progress.FAILED, Progress.MAYBE}:
            assert one.seen
            assert one.cause
            assert one.remedy


def test_what_was_before_the_login_explains_nothing() -> None:
    """A reading, a refusal or a connection of an older password is not this one's."""
    old = replace(LATEST, received_us=SINCE - 1)
    gone = replace(OPEN, since_us=SINCE - 9, until_us=SINCE + 1)  # as a new password ends it
    facts = replace(refused("not authorised", SINCE - 1), latest=[old], connections=[gone])
    assert told(facts) == ["waiting", *["open"] * 5]


def test_wrong_password_after_a_new_one_is_told() -> None:
    """The connection that the new password has ended hides no refusal."""
    gone = replace(OPEN, since_us=SINCE - 9, until_us=SINCE + 1)
    facts = replace(refused("not authorised, as tank"), connections=[gone])
    assert told(facts) == ["done", "done", "failed", *["open"] * 3]


def test_refusal_of_somebody_else_is_forgotten_once_it_is_let_in() -> None:
    """The broker does not say whose login it refused."""
    facts = replace(refused("not authorised", SINCE + 50), connections=[OPEN])
    assert told(facts) == [*["done"] * 3, "waiting", "open", "open"]


def test_wrong_password_is_told_with_the_name_to_use() -> None:
    """What to check stands there as it has to be typed."""
    for reason in ("not authorised", "not authorised, as tank"):
        step = steps(refused(reason), SINCE)[2]
        assert "192.0.2.7" in step.seen
        assert "both tank" in step.remedy


def test_refusal_that_may_be_anybodys_says_maybe() -> None:
    """Nobody has reached anything then, as far as is known."""
    step = steps(refused("not authorised"), SINCE)[2]
    assert step.seen == "Somebody at 192.0.2.7 was refused, maybe this client: not authorised"
    assert "does not say whose" in step.cause


def test_client_that_has_gone_is_not_called_connected() -> None:
    """It may have published elsewhere, or nothing."""
    gone = replace(OPEN, until_us=NOW - 1, reason="disconnected")
    assert "went" in steps(replace(NOTHING, connections=[gone]), SINCE)[3].seen
    assert "is connected" in steps(replace(NOTHING, connections=[OPEN]), SINCE)[3].seen


def test_tls_is_not_claimed_of_a_client_of_this_machine() -> None:
    """The plain port is open to it, and which one it took is not known."""
    here = replace(NOTHING, connections=[replace(OPEN, address="127.0.0.1:41578")])
    assert "plain port" in steps(here, SINCE)[1].seen
    assert not steps(replace(NOTHING, connections=[OPEN]), SINCE)[1].seen
