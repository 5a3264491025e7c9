"""Why there is no data: each cause from facts alone, and nothing that is not known."""

import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from telemetry.batch import Skew
from telemetry.condition import WriterState
from telemetry.denials import Denied, detail_of
from telemetry.diagnosis import diagnose
from telemetry.facts import Facts
from telemetry.finding import Finding, Severity, worst
from telemetry.ledger import Tally
from telemetry.presence import Connection, Ending, Event, EventKind
from telemetry.quarantine import Group
from telemetry.reading import Kind, Latest, Series
from telemetry.refusals import grouped, possible

SECOND_US = 1_000_000
HOUR_US = 3600 * SECOND_US
NOW_US = 1_790_000_000 * SECOND_US
HERE = "192.0.2.7:4157"

RUNS = WriterState(beat_us=NOW_US - SECOND_US, broker_up=True, broker_since_us=NOW_US - HOUR_US)
OPEN = Connection("tank-1", "tank", HERE, "5", 60, True, NOW_US - HOUR_US)
UNKNOWN = Facts("tank", NOW_US, RUNS, registered=True)


def latest(age_s: float) -> Latest:
    """A metric whose newest reading came so long ago."""
    time_us = NOW_US - int(age_s * SECOND_US)
    return Latest(Series("tank", "t"), Kind.NUMBER, "", time_us, 21.0, time_us, 0)


FRESH = replace(UNKNOWN, latest=[latest(5)], stale_us=30.0 * SECOND_US, connections=[OPEN])
STALE = replace(FRESH, latest=[latest(500)])
IRREGULAR = replace(FRESH, latest=[latest(1260)], stale_us=math.inf, connections=[])


def ended(reason: str, ago_s: int = 60) -> Connection:
    """The same connection, over for some time."""
    return replace(OPEN, until_us=NOW_US - ago_s * SECOND_US, reason=reason)


def visit(ago_s: int = 60) -> Connection:
    """A short connection that ended in order, as mosquitto_pub has one."""
    until_us = NOW_US - ago_s * SECOND_US
    return replace(
        OPEN, since_us=until_us - SECOND_US // 2, until_us=until_us, reason=Ending.GOODBYE
    )


def refused(detail: str, address: str = HERE, ago_s: int = 30) -> Event:
    """A login that was refused."""
    return Event(NOW_US - ago_s * SECOND_US, EventKind.REFUSED, "", detail, address)


def group(reason: str, topic: str = "clients/tank/t", messages: int = 3) -> Group:
    """What is in quarantine for a reason."""
    return Group(topic, reason, NOW_US - HOUR_US, NOW_US - SECOND_US, messages, messages, "tank")


def codes(facts: Facts) -> list[tuple[str, str]]:
    """Word and severity of each finding, in their order."""
    return [(one.code, str(one.severity)) for one in diagnose(facts)]


def one_of(facts: Facts, code: str) -> Finding:
    """The one finding with that word."""
    (found,) = [one for one in diagnose(facts) if one.code == code]
    return found


@pytest.mark.parametrize("facts", ["unknown", "fresh", "irregular", "stopped"])
def test_login_that_is_shut_out_is_said_first(facts: str) -> None:
    """Whoever did it may have forgotten; it fails whatever came before, and whatever else holds."""
    known = {
        "unknown": UNKNOWN,
        "fresh": FRESH,
        "irregular": IRREGULAR,
        "stopped": replace(STALE, writer=replace(RUNS, stopped=True)),
    }[facts]
    found = diagnose(replace(known, disabled=True))
    assert (found[0].code, found[0].severity) == ("disabled", Severity.FAIL)
    assert "client enable tank" in found[0].remedy
    assert not any("Readings arrive" in one.seen for one in found)


def test_readings_arrive_only_of_a_client_whose_newest_is_new() -> None:
    """Of one that reports irregularly nothing can be expected, and nothing is claimed."""
    assert one_of(FRESH, "arriving").seen.startswith("Readings arrive")
    assert one_of(replace(IRREGULAR, latest=[latest(200)]), "arriving").seen.startswith("Readings")
    found = one_of(IRREGULAR, "arriving")
    assert found.seen == "The newest reading came 21 min ago; it does not report regularly"
    seldom = replace(FRESH, latest=[latest(1260)], stale_us=1800.0 * SECOND_US)
    assert one_of(seldom, "arriving").seen.startswith("Readings arrive")


def test_client_whose_readings_arrive_is_fine() -> None:
    """There is one finding, and it says so."""
    assert codes(FRESH) == [("arriving", "ok")]


def test_client_that_was_never_there_is_never() -> None:
    """Registered, it has not come; not registered, it is not known; else nobody can tell."""
    assert codes(UNKNOWN) == [("never", "fail")]
    assert codes(replace(UNKNOWN, registered=False)) == [("unknown-client", "fail")]
    assert "client list" in one_of(replace(UNKNOWN, registered=None), "never").cause


@pytest.mark.parametrize(
    ("writer", "code", "words"),
    [
        (WriterState(), "collector", "ever"),
        (replace(RUNS, stopped=True), "collector", "stopped"),
        (replace(RUNS, beat_us=NOW_US - 60 * SECOND_US), "collector", "fell silent"),
        (replace(RUNS, broker_up=False, broker_reason="refused"), "broker", "refused"),
        (replace(RUNS, store_reason="disk full"), "store", "disk full"),
    ],
)
def test_what_stops_everything_comes_first(writer: WriterState, code: str, words: str) -> None:
    """Nothing can arrive of anybody, whatever else is known of this one."""
    first = diagnose(replace(STALE, writer=writer, groups=[group("malformed-json")]))[0]
    assert (first.code, first.severity) == (code, Severity.FAIL)
    assert words in first.seen
    assert first.remedy


@pytest.mark.parametrize(
    ("reason", "words"),
    [
        (Ending.GOODBYE, "in order"),
        (Ending.CLOSED, "without a goodbye"),
        (Ending.TIMED_OUT, "keep-alive"),
        (Ending.TAKEN_OVER, "Another connection"),
        (Ending.REMOVED, "disabled"),
        (Ending.BROKER_STOPPED, "broker was stopped"),
        (Ending.UNKNOWN, "Nobody saw"),
        ("oversize packet", "1 MB"),
    ],
)
def test_end_of_a_connection_is_explained(reason: str, words: str) -> None:
    """By the broker's reason."""
    found = one_of(replace(STALE, connections=[ended(reason)]), "disconnected")
    assert words in found.cause
    assert found.last_us == NOW_US - 60 * SECOND_US


def test_connected_client_without_readings_is_silent() -> None:
    """Since when is said; a client of which nothing can be expected is a warning."""
    assert "8 min ago" in one_of(STALE, "silent").seen
    late = replace(FRESH, latest=[latest(7200)], stale_us=math.inf)
    assert one_of(late, "silent").severity is Severity.WARN


def test_client_nobody_sees_connected_may_come_by_a_gateway() -> None:
    """No connection of it is known, so none is blamed."""
    assert "gateway" in one_of(replace(STALE, connections=[]), "stopped").cause


def test_silence_is_no_explanation_where_there_is_one() -> None:
    """What it sends and nobody takes stands first."""
    found = codes(replace(STALE, groups=[group("malformed-json")]))
    assert found == [("payload", "fail"), ("silent", "fail")]


@pytest.mark.parametrize(
    ("reason", "code", "words"),
    [
        ("malformed-json", "payload", "JSON"),
        ("unmapped", "unmapped", "template"),
        ("future", "clock", "future"),
    ],
)
def test_quarantine_is_told_in_the_words_of_the_quality_page(
    reason: str, code: str, words: str
) -> None:
    """How many messages, on which topic, and why."""
    found = one_of(replace(STALE, groups=[group(reason)]), code)
    assert words in found.cause
    assert "clients/tank/t" in found.seen
    assert found.times == 3


def test_refused_publish_names_its_topic_and_how_often() -> None:
    """The first and those told together later are one finding."""
    detail = detail_of(Denied("clients/tnak/t"))
    events = [
        Event(NOW_US - 900 * SECOND_US, EventKind.DENIED, "tank", detail, HERE),
        Event(NOW_US - 300 * SECOND_US, EventKind.DENIED, "tank", f"{detail} (41 more)", HERE),
    ]
    found = one_of(replace(STALE, events=events), "topic")
    assert "clients/tnak/t" in found.seen
    assert found.when(NOW_US) == "42 times, last 5 min ago"
    assert "clients/tank/" in found.remedy


def test_refused_publish_of_another_is_a_hint() -> None:
    """Somebody speaks for it with another's login."""
    event = Event(NOW_US, EventKind.DENIED, "", detail_of(Denied("clients/tank/t", "esp-7")))
    found = one_of(replace(UNKNOWN, strangers=[event]), "foreign-topic")
    assert found.severity is Severity.WARN
    assert "esp-7" in found.seen


def test_refused_login_is_its_own_only_by_its_identifier() -> None:
    """An address is not enough: many clients may share it. What may be anybody's is one hint."""
    away = replace(STALE, connections=[ended(Ending.CLOSED)])
    named = replace(away, refusals=grouped([refused("identifier, as tank-1", "198.51.100.9:1")]))
    assert codes(named)[0] == ("login", "fail")
    events = [refused("not authorised"), refused("not authorised, as x", ago_s=20)]
    anybody = replace(away, refusals=grouped(events))
    assert codes(anybody) == [("disconnected", "fail"), ("maybe-login", "warn")]
    found = one_of(anybody, "maybe-login")
    assert found.seen == (
        "Logins were refused, maybe of this client: somebody at 192.0.2.7 as x: not authorised; "
        "somebody at 192.0.2.7: not authorised"
    )
    assert (found.times, found.last_us) == (2, NOW_US - 20 * SECOND_US)
    assert "does not say whose" in found.cause


def test_refused_login_says_nothing_of_the_other_clients() -> None:
    """Its identifier is the name of another; whose name nobody has may be a misspelt one."""
    groups = grouped([refused("a, as wpass"), refused("b, as tank"), refused("c, as tnak"),
                      refused("d")])  # fmt: skip
    found = possible(groups, "tank", {"tank", "wpass"})
    assert [one.client_id for one in found] == ["", "tnak", "tank"]


def test_wrong_client_identifier_is_among_the_causes() -> None:
    """The remedy says the name to type, and makes no client that there is."""
    away = replace(UNKNOWN, refusals=grouped([refused("not authorised, as something")]))
    found = one_of(away, "maybe-login")
    assert "client identifier is not its name" in found.cause
    assert "use tank as user name and as client identifier" in found.remedy
    assert "client rotate tank" in found.remedy
    assert "client add" not in found.remedy
    assert "client add tank" in one_of(replace(away, registered=False), "maybe-login").remedy


def test_refused_login_says_nothing_of_a_client_that_is_there() -> None:
    """Another client of the same host was refused; or it was this one, before it got in."""
    refusals = grouped([refused("not authorised")])
    assert codes(replace(FRESH, refusals=refusals)) == [("arriving", "ok")]
    before = grouped([refused("not authorised", ago_s=7200)])
    away = replace(STALE, connections=[ended(Ending.CLOSED)], refusals=before)
    assert "login" not in dict(codes(away))


def test_limit_says_which_setting() -> None:
    """What was left out, and where to raise it."""
    event = Event(NOW_US, EventKind.LIMITED, "tank", "too-many-messages: b'1' on 'clients/tank/t'")
    assert "client_messages_per_s" in one_of(replace(FRESH, events=[event]), "limit").remedy


def test_clock_that_is_off_says_how_far() -> None:
    """A little is no news."""
    found = one_of(replace(FRESH, skew=Skew(-7200 * SECOND_US, 9)), "clock")
    assert found.seen == "Its clock is 2 h ahead"
    assert codes(replace(FRESH, skew=Skew(2 * SECOND_US, 9))) == [("arriving", "ok")]


def test_retained_messages_alone_are_no_sign_of_life() -> None:
    """Only if there was nothing else."""
    assert one_of(replace(STALE, messages=Tally(2, retained=2)), "retained").severity == "fail"
    assert "retained" not in dict(codes(replace(STALE, messages=Tally(3, 1, retained=2))))


def test_two_that_share_an_identifier_are_told() -> None:
    """Three times in an hour is no reconnection."""
    again = [ended(Ending.TAKEN_OVER, ago_s) for ago_s in (30, 20, 10)]
    assert one_of(replace(STALE, connections=[*again, OPEN]), "taken-over").times == 3
    assert "taken-over" not in dict(codes(replace(STALE, connections=[*again[:2], OPEN])))


def test_client_that_says_it_is_offline_is_believed() -> None:
    """Its last word counts."""
    said = Event(NOW_US - SECOND_US, EventKind.OFFLINE, "tank", "availability")
    assert one_of(replace(STALE, events=[said]), "offline").severity is Severity.FAIL
    back = said._replace(time_us=NOW_US, kind=EventKind.ONLINE)
    assert "offline" not in dict(codes(replace(STALE, events=[said, back])))


def test_client_that_publishes_and_goes_is_no_fault() -> None:
    """As mosquitto_pub does; what keeps its messages from being readings comes first."""
    gone = replace(UNKNOWN, connections=[visit()], groups=[group("malformed-json")])
    assert codes(gone) == [("payload", "fail"), ("goes", "ok")]
    denied = Event(NOW_US, EventKind.DENIED, "tank", detail_of(Denied("clients/tnak/t")))
    assert codes(replace(gone, groups=[], events=[denied])) == [("topic", "fail"), ("goes", "ok")]
    late = replace(IRREGULAR, connections=[visit(7200)], latest=[latest(7200)])
    assert codes(late) == [("goes", "warn")]
    assert "as mosquitto_pub does" in one_of(late, "goes").seen
    due = replace(STALE, connections=[visit(500)])
    assert codes(due) == [("goes", "fail")]


def test_client_that_came_and_said_nothing_is_told_what_to_publish() -> None:
    """It disconnected in order, and nobody has to find out why."""
    found = one_of(replace(UNKNOWN, connections=[visit()]), "disconnected")
    assert "published nothing" in found.cause
    assert "21.5, to clients/tank/temperature" in found.remedy
    long = one_of(replace(STALE, connections=[ended(Ending.GOODBYE)]), "disconnected")
    assert "start its program again" in long.remedy


def test_newest_cause_comes_first() -> None:
    """The older one may be mended by now."""
    older = group("decimal-comma")._replace(last_us=NOW_US - 60 * SECOND_US)
    denied = Event(
        NOW_US - 30 * SECOND_US, EventKind.DENIED, "tank", detail_of(Denied("clients/tnak/t"))
    )
    facts = replace(UNKNOWN, connections=[visit()], groups=[older], events=[denied])
    assert [one.code for one in diagnose(facts)] == ["topic", "payload", "goes"]


def test_fault_after_the_newest_reading_of_an_irregular_client_fails() -> None:
    """It is what became of the last message; readings that still arrive make it a warning."""
    facts = replace(IRREGULAR, groups=[group("malformed-json")])
    assert codes(facts) == [("payload", "fail"), ("arriving", "ok")]
    again = replace(facts, latest=[latest(100)])
    assert codes(again) == [("payload", "warn"), ("arriving", "ok")]


def test_messages_held_for_their_time_are_in_no_chart() -> None:
    """How far the clock is ahead is said with them, once."""
    ahead = Skew(-86_300 * SECOND_US, 9)
    found = one_of(replace(STALE, groups=[group("future")], skew=ahead), "clock")
    assert found.cause.endswith("in the future; its clock is 1 d ahead")
    behind = replace(STALE, groups=[group("future")], skew=Skew(7200 * SECOND_US, 9))
    assert [one.severity for one in diagnose(behind) if one.code == "clock"] == ["fail", "warn"]


def test_client_that_nobody_knows_is_told_with_those_of_like_name() -> None:
    """Upper and lower case are easily mistaken."""
    nobody = replace(UNKNOWN, registered=False, names=["Tank", "task", "pump"])
    assert "like name (Tank, task)" in one_of(nobody, "unknown-client").remedy
    alone = one_of(replace(nobody, names=["pump"]), "unknown-client")
    assert alone.remedy.startswith("choose another, see .venv/bin/python -m mosquitto client list")


def test_at_an_existing_broker_nothing_of_ours_is_named() -> None:
    """Neither our certificate nor our list of clients."""
    there = replace(RUNS, broker="broker.example:8883")
    never = replace(UNKNOWN, writer=there, registered=None, names=["tink"])
    removed = replace(never, connections=[ended(Ending.REMOVED)])
    down = replace(never, writer=replace(there, broker_up=False))
    login = replace(never, refusals=grouped([refused("not authorised")]))
    for facts in (never, removed, down, login):
        words = " ".join(f"{one.seen} {one.cause} {one.remedy}" for one in diagnose(facts))
        assert "broker.example:8883" in words
        assert "ca.crt" not in words
        assert "python -m mosquitto" not in words
    assert "tink" in one_of(never, "never").cause


def test_nothing_fails_while_readings_arrive() -> None:
    """What went wrong beside them is a warning."""
    facts = replace(FRESH, groups=[group("malformed-json")])
    assert codes(facts) == [("payload", "warn"), ("arriving", "ok")]


@given(st.text(), st.sampled_from(EventKind))
def test_any_detail_makes_findings(detail: str, kind: EventKind) -> None:
    """Whatever stands in the store, there is an answer, and each that fails says what to do."""
    event = Event(NOW_US, kind, "tank", detail, HERE)
    found = diagnose(replace(STALE, events=[event], strangers=[event], refusals=grouped([event])))
    assert worst(found) is Severity.FAIL
    assert all(one.remedy for one in found if one.severity is not Severity.OK)
