"""Who is connected: what the broker's log comes to, and what is unknown about it."""

from collections.abc import Iterable, Sequence
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector import presence
from collector.lately import ID_CHARACTERS, stored_id
from collector.message import Message
from collector.outage import Outage
from collector.presence import OPEN_CONNECTIONS, Roster
from telemetry.denials import Denial
from telemetry.presence import Connection, Ending, Event, EventKind
from telemetry.refusals import read_detail

SECOND_US = 1_000_000
START_US = 1_790_000_000 * SECOND_US
HERE, THERE = "127.0.0.1:4157", "192.0.2.7:999"


def line(text: str, second: float, level: str = "N") -> Message:
    """A line of the broker's log, so many seconds after the start."""
    topic = f"$SYS/broker/log/{level}"
    return Message(topic, text.encode(), START_US + int(second * SECOND_US))


def opening(client_id: str, address: str = HERE, username: str = "tank") -> str:
    """The line of a client that is let in."""
    return f"New client connected from {address} as {client_id} (p5, c1, k60, u'{username}')."


def arrival(address: str = HERE) -> str:
    """The line of a network connection, which precedes it."""
    return f"New connection from {address} on port 1883."


def hear(roster: Roster, *lines: str, begin: int = 0) -> None:
    """Lets the roster hear lines, one a second."""
    for second, text in enumerate(lines, begin):
        roster.hear(line(text, second, "E" if "already connected" in text else "N"))


def told(*lines: str) -> tuple[dict[str, Connection], list[Event]]:
    """What a new roster makes of lines, one a second: the last of each client, and events."""
    roster = Roster()
    hear(roster, *lines)
    changes = roster.take_changes()
    return {one.client_id: one for one in changes.connections}, list(changes.events)


def seconds(one: Connection) -> tuple[float, float | None]:
    """From when to when a connection was, in seconds after the start."""
    until = None if one.until_us is None else (one.until_us - START_US) / SECOND_US
    return (one.since_us - START_US) / SECOND_US, until


def test_name_of_a_login_is_known_also_when_it_is_gone_or_a_new_roster_is_told_of_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Of so many that anybody may make them up, only the first."""
    monkeypatch.setattr(presence, "LOGINS_KNOWN", 10)
    roster = Roster()
    hear(roster, opening("id-1"), "Client id-1 disconnected.")
    before = Connection("id-2", "pump", HERE, "5", 60, clean_start=True, since_us=START_US)
    assert (roster.knows("tank"), roster.knows("id-1")) == (True, False)
    assert Roster([before], START_US).knows("pump")
    hear(roster, *(opening("id-1", username=f"u{n}") for n in range(10)))
    assert (roster.knows("tank"), roster.knows("u0"), roster.knows("u9")) == (True, True, False)


def test_client_let_in_is_a_connection() -> None:
    """Everything the line says is kept, and the connection is open."""
    connections, events = told(arrival(), opening("s1"))
    assert list(connections.values()) == [
        Connection("s1", "tank", HERE, "5", 60, True, START_US + SECOND_US)
    ]
    assert events == []


@pytest.mark.parametrize(
    ("end", "reason"),
    [
        ("Client s1 disconnected.", Ending.GOODBYE),
        ("Client s1 closed its connection.", Ending.CLOSED),
        ("Client s1 has exceeded timeout, disconnecting.", Ending.TIMED_OUT),
        ("Client s1 been disconnected by administrative action.", Ending.REMOVED),
        (f"Client s1 [{HERE}] disconnected: exceeded timeout.", Ending.TIMED_OUT),
    ],
)
def test_client_that_goes_ends_its_connection(end: str, reason: Ending) -> None:
    """The connection has its end and the reason, in the wording of either version."""
    connections, events = told(arrival(), opening("s1"), end)
    assert seconds(connections["s1"]) == (1, 2)
    assert connections["s1"].reason == reason
    assert events == []


@pytest.mark.parametrize(
    "take_over",
    [
        ("Client s1 already connected, closing old connection.",),
        (f"Client s1 [{HERE}] disconnected: session taken over.",),
        (),
    ],
)
def test_take_over_ends_the_older_connection(take_over: tuple[str, ...]) -> None:
    """With its line or without, the older one is taken over and the newer one is open."""
    roster = Roster()
    hear(roster, arrival(), opening("s1"), arrival(THERE), *take_over, opening("s1", THERE))
    older, newer = roster.take_changes().connections
    assert (older.address, older.reason) == (HERE, Ending.TAKEN_OVER)
    assert (newer.address, newer.until_us) == (THERE, None)


def test_late_end_of_a_websocket_taken_over_leaves_the_newer_connection() -> None:
    """2.0.11 says of a WebSocket that it closed only after its successor is there (observed)."""
    taken_over = "Client s1 already connected, closing old connection."
    late = "Client s1 closed its connection."
    lines = [opening("s1"), taken_over, opening("s1", THERE), late]
    connections, _ = told(*lines)
    assert seconds(connections["s1"]) == (2, None)
    connections, _ = told(*lines, late)
    assert seconds(connections["s1"]) == (2, 4)
    announced, _ = told(arrival(), *lines)
    assert seconds(announced["s1"]) == (3, 4)


def test_client_identifier_with_a_forged_login_is_shown_as_who_it_is() -> None:
    """The identifier that reads like a login of admin belongs to tank (observed on 2.0.11)."""
    forged = "x (p5, c1, k60, u'admin')."
    connections, _ = told(arrival(), opening(forged), f"Client {forged} disconnected.")
    assert connections[forged].username == "tank"
    assert seconds(connections[forged]) == (1, 2)


def test_end_of_a_forged_name_ends_nobody_else() -> None:
    """A client of 2.0 whose identifier reads like another's end and address ends only itself."""
    forged = f"s1 [{HERE}]"
    connections, _ = told(
        opening("s1"), opening(forged, THERE, "eve"), f"Client {forged} disconnected."
    )
    assert connections["s1"].until_us is None
    assert seconds(connections[forged]) == (1, 2)


def later_broker() -> Roster:
    """A roster that has heard that the broker is 2.1."""
    roster = Roster()
    version = b"mosquitto version 2.1.2"
    roster.hear(Message("$SYS/broker/version", version, START_US, retain=True))
    return roster


def test_address_at_the_end_is_believed_of_a_broker_that_names_it() -> None:
    """Of 2.1 the same line means the client before the address."""
    roster = later_broker()
    hear(roster, opening("s1"), opening(f"s1 [{HERE}]", THERE, "eve"))
    hear(roster, f"Client s1 [{HERE}] disconnected.", begin=2)
    connections = {one.client_id: one for one in roster.take_changes().connections}
    assert seconds(connections["s1"]) == (0, 2)
    assert connections[f"s1 [{HERE}]"].until_us is None


def test_refused_login_with_a_known_identifier_ends_nobody() -> None:
    """2.1 names the identifier that a stranger claims: whose it is stays connected."""
    roster = later_broker()
    hear(roster, opening("s1"), f"Client s1 [{THERE}] disconnected: not authorised.")
    changes = roster.take_changes()
    assert [one.until_us for one in changes.connections] == [None]
    assert changes.events == (
        Event(START_US + SECOND_US, EventKind.REFUSED, "", "not authorised, as s1", THERE),
    )


@pytest.mark.parametrize(
    ("before", "address"),
    [
        ([arrival()], HERE),
        ([arrival(), arrival(THERE), opening("s1", THERE)], HERE),
        ([arrival(), arrival("127.0.0.1:4158")], "127.0.0.1"),
        ([arrival(), arrival(THERE)], ""),
        ([], ""),
    ],
)
def test_refused_login_has_the_address_that_is_certain(before: list[str], address: str) -> None:
    """2.0 does not say who was refused: it is the one that is not let in, if there is one."""
    _, events = told(*before, "Client <unknown> disconnected, not authorised.")
    assert [(one.kind, one.detail, one.address) for one in events] == [
        (EventKind.REFUSED, "not authorised", address)
    ]


def test_port_that_is_only_looked_at_is_no_event() -> None:
    """Who connects and goes without a word is not refused, and does not stay in the way."""
    _, events = told(
        arrival(),
        "Client <unknown> closed its connection.",
        arrival(THERE),
        "Client <unknown> disconnected due to protocol error.",
    )
    assert [(one.detail, one.address) for one in events] == [("protocol error", THERE)]


def test_refusals_of_one_address_are_told_once_and_counted() -> None:
    """A client with a wrong password tries all day; few events say so, not thousands."""
    roster = Roster()
    for number in range(50):
        text = arrival(f"192.0.2.7:{number + 1000}")
        hear(roster, text, "Client <unknown> disconnected, not authorised.", begin=2 * number)
    roster.hear(line("anything", 601))
    first, *later = [one.detail for one in roster.take_changes().events]
    assert first == "not authorised"
    assert len(later) == 4
    assert sum(read_detail(detail)[2] for detail in later) == 49


def test_tls_that_fails_is_a_refusal() -> None:
    """A client that does not trust our authority never reaches MQTT, and that is said."""
    _, (event,) = told(
        "Client connection from 192.0.2.7 failed: error:0A000418:SSL routines::"
        "tlsv1 alert unknown ca."
    )
    assert (event.kind, event.detail, event.address) == (
        EventKind.REFUSED,
        "tlsv1 alert unknown ca",
        "192.0.2.7",
    )


def test_dropping_of_messages_names_the_client() -> None:
    """Who loses messages is named by its login."""
    _, (event,) = told(
        opening("culex-1", username="collector"),
        "Outgoing messages are being dropped for client culex-1.",
    )
    assert event[1:4] == (EventKind.DROPPING, "collector", "to culex-1")


def test_line_that_may_not_be_the_broker_s_word_is_not_believed() -> None:
    """Lines of the type subscribe begin with what a client chose, and none is retained."""
    roster = Roster()
    roster.hear(line(opening("s1"), 0, "M/subscribe"))
    roster.hear(line(opening("s1"), 0)._replace(retain=True))
    assert not roster.take_changes()


def test_outage_makes_what_was_open_unknown() -> None:
    """What was open is unknown from the last line on; what is let in afterwards is open."""
    roster = Roster()
    hear(roster, opening("a"), opening("b", THERE), "Client b disconnected.")
    roster.miss(Outage(START_US + 3 * SECOND_US))
    changes = roster.take_changes()
    connections = {one.client_id: one for one in changes.connections}
    assert seconds(connections["a"]) == (0, 3)
    assert connections["a"].reason == Ending.UNKNOWN
    assert connections["b"].reason == Ending.GOODBYE
    hear(roster, opening("c"), begin=6)  # heard before anybody says that the outage is over
    roster.miss(Outage(START_US + 3 * SECOND_US, START_US + 5 * SECOND_US))
    last = roster.take_changes()
    assert [(one.client_id, one.until_us) for one in last.connections] == [("c", None)]
    assert [one.kind for one in (*changes.events, *last.events)] == [
        EventKind.WATCH_LOST,
        EventKind.WATCH_BACK,
    ]


def lost(address: str = HERE) -> Roster:
    """A roster that has not heard for two seconds of the client `a`."""
    roster = Roster()
    hear(roster, opening("a", address))
    roster.miss(Outage(START_US + SECOND_US, START_US + 3 * SECOND_US))
    roster.take_changes()
    return roster


def test_connection_seen_to_end_after_an_outage_is_known_again() -> None:
    """A line about its end says that it went on through the outage."""
    roster = lost()
    hear(roster, "Client a closed its connection.", begin=9)
    (known,) = roster.take_changes().connections
    assert (*seconds(known), known.reason) == (0, 9, Ending.CLOSED)


def test_connection_that_ends_from_elsewhere_after_an_outage_is_another() -> None:
    """The end of a connection that began in the outage says nothing of the one before it."""
    roster = lost()
    hear(roster, f"Client a [{THERE}] disconnected: exceeded timeout.", begin=9)
    assert roster.take_changes().connections == ()


def test_client_let_in_after_an_outage_leaves_the_older_connection_unknown() -> None:
    """A new connection does not say when the older one ended."""
    roster = lost()
    hear(roster, opening("a", THERE), begin=9)
    (newer,) = roster.take_changes().connections
    assert (*seconds(newer), newer.address) == (9, None, THERE)


def uptime(text: str, second: int, *, retain: bool = False) -> Message:
    """The broker's uptime, so many seconds after the start."""
    time_us = START_US + second * SECOND_US
    return Message("$SYS/broker/uptime", text.encode(), time_us, retain=retain)


@pytest.mark.parametrize(
    ("before", "after", "reasons"),
    [
        (uptime("0 seconds", 0), uptime("4 seconds", 13), ["broker stopped"]),
        (uptime("0 seconds", 0), uptime("4 seconds", 13, retain=True), []),
        (uptime("0 seconds", 0), uptime("600 seconds", 13), []),
        (uptime("599 seconds", 0), uptime("598 seconds", 13), ["broker stopped"]),
        (uptime("599", 0, retain=True), uptime("0", 13, retain=True), ["broker stopped"]),
        (uptime("599", 0, retain=True), uptime("599", 13, retain=True), []),
        (uptime("0 seconds", 0), uptime("no number", 13), []),
    ],
)
def test_broker_started_in_the_outage_has_ended_what_was_open(
    before: Message, after: Message, reasons: list[str]
) -> None:
    """Its uptime tells whether connections can have gone on: by the clock, or by what it was."""
    roster = Roster()
    roster.hear(before)
    hear(roster, opening("a"))
    roster.miss(Outage(START_US + SECOND_US, START_US + 3 * SECOND_US))
    roster.take_changes()
    roster.hear(after)
    connections = roster.take_changes().connections
    assert [one.reason for one in connections] == reasons
    assert [seconds(one) for one in connections] == [(0, 1)] * len(reasons)


def test_connections_of_an_earlier_collector_are_unknown_since_it_was_there() -> None:
    """What the store holds as open is unknown from its last sign of life on."""
    before = Connection("a", "tank", HERE, "5", 60, True, START_US)
    roster = Roster([before], START_US + SECOND_US)
    assert roster.take_changes().connections == (
        replace(before, until_us=START_US + SECOND_US, reason=Ending.UNKNOWN),
    )


def test_long_client_identifiers_are_cut_and_told_apart() -> None:
    """Two that differ at the end only are two connections, and neither takes much room."""
    first, second = "y" * 700 + "1", "y" * 700 + "2"
    connections, _ = told(
        opening(first), opening(second, THERE), f"Client {first} closed its connection."
    )
    assert {len(client_id) for client_id in connections} == {ID_CHARACTERS}
    assert connections[stored_id(first)].until_us is not None
    assert connections[stored_id(second)].until_us is None


def test_client_identifier_too_long_for_the_log_is_said_not_to_be_followed() -> None:
    """Whoever hides behind a long identifier is an event, not a connection."""
    connections, (event,) = told(opening("z" * 5000)[:999])
    assert connections == {}
    assert (event.kind, event.address) == (EventKind.OVERFLOW, HERE)


def test_client_named_like_nobody_is_not_open_for_ever() -> None:
    """Of a client that calls itself <unknown>, only its coming can be told."""
    connections, _ = told(opening("<unknown>"))
    assert connections["<unknown>"].reason == Ending.UNKNOWN


def test_connections_beyond_the_bound_are_not_followed() -> None:
    """Memory is bounded whatever number of clients comes, and the bound is said once."""
    roster = Roster()
    for number in range(OPEN_CONNECTIONS + 5):
        roster.hear(line(opening(f"c{number}"), 0))
    changes = roster.take_changes()
    assert len(changes.connections) == OPEN_CONNECTIONS
    assert [one.kind for one in changes.events] == [EventKind.OVERFLOW]


def test_connections_that_are_unknown_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """After many outages the oldest doubts are given up; those connections stay unknown."""
    monkeypatch.setattr("collector.presence.OPEN_CONNECTIONS", 2)
    roster = Roster()
    for second, client_id in enumerate("abc"):
        roster.hear(line(opening(client_id), second))
        roster.miss(Outage(START_US + second * SECOND_US, START_US + (second + 1) * SECOND_US))
    roster.take_changes()
    hear(roster, *(f"Client {client_id} disconnected." for client_id in "abc"), begin=9)
    assert [one.client_id for one in roster.take_changes().connections] == ["b", "c"]


CLIENTS = ("a", "b", "x (p5, c1, k60, u'a').", f"a [{HERE}]", "<unknown>")
ENDS = (
    "disconnected.",
    "closed its connection.",
    "already connected, closing old connection.",
    f"[{HERE}] disconnected: not authorised.",
)
addresses = st.sampled_from([HERE, THERE, "127.0.0.1:2"])
texts = st.one_of(
    st.builds(opening, st.sampled_from(CLIENTS), addresses),
    st.builds(arrival, addresses),
    st.builds(
        "Client {} {}".format,
        st.sampled_from(CLIENTS),
        st.sampled_from(ENDS),
    ),
)
outages = st.tuples(st.integers(0, 9), st.none() | st.integers(0, 9))


@given(st.lists(texts | outages, max_size=40))
def test_at_most_one_connection_of_a_client_identifier_is_open(
    steps: Sequence[str | tuple[int, int | None]],
) -> None:
    """Whatever lines come in whatever order, between whatever outages."""
    roster = Roster()
    latest: dict[tuple[str, int], Connection] = {}
    for second, step in enumerate(steps):
        now_us = START_US + second * SECOND_US
        if isinstance(step, str):
            roster.hear(line(step, second, "E" if "already" in step else "N"))
        else:
            back, length = step
            end_us = None if length is None else now_us
            roster.miss(Outage(now_us - (back + (length or 0)) * SECOND_US, end_us))
        keep(latest, roster.take_changes().connections)
        still = [one.client_id for one in latest.values() if one.until_us is None]
        assert len(still) == len(set(still))
        assert all((one.until_us is None) == (one.reason == "") for one in latest.values())
        assert all(one.until_us is None or one.until_us >= one.since_us for one in latest.values())


def keep(latest: dict[tuple[str, int], Connection], changed: Iterable[Connection]) -> None:
    """Brings the connections up to date, as the store does."""
    for one in changed:
        latest[one.client_id, one.since_us] = one


@given(st.text(), st.binary(max_size=1100))
def test_nothing_below_sys_makes_the_roster_fail(topic: str, payload: bytes) -> None:
    """Any topic and payload are heard without an error."""
    roster = Roster()
    for name in ("log/N", "log/E", "uptime", "version", topic):
        roster.hear(Message(f"$SYS/broker/{name}", payload, START_US))


def test_failed_tls_is_refused_for_its_own_reason() -> None:
    """The line before says why; the one that names nobody says only that it was the protocol."""
    fault = "OpenSSL Error[0]: error:0A000102:SSL routines::unsupported protocol"
    end = "Client <unknown> disconnected: Protocol error."
    _, events = told(arrival(), fault, end, arrival(THERE), end)
    assert [(event.kind, event.detail, event.address) for event in events] == [
        (EventKind.REFUSED, "unsupported protocol", HERE),
        (EventKind.REFUSED, "Protocol error", THERE),
    ]


def test_refused_publish_is_of_who_is_connected() -> None:
    """By its client identifier, which is all that the broker tells."""
    roster = Roster()
    hear(roster, arrival(), opening("s1"))
    roster.deny(Denial(START_US + 2 * SECOND_US, ("s1", "clients/x/t"), 1))
    (event,) = roster.take_changes().events
    assert (event.kind, event.client, event.address) == (EventKind.DENIED, "tank", HERE)
