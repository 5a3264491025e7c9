"""Lines of the broker's log, as Mosquitto 2.0 and 2.1 write them and as clients forge them."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from collector.sighting import (
    CUT_BYTES,
    Accepted,
    Closed,
    Dropping,
    Opened,
    TurnedAway,
    Unreadable,
    read_line,
    split_name,
)
from telemetry.presence import Ending

FORGED = (
    "x (p5, c1, k60, u'admin').",
    "boiler disconnected.",
    "boiler [127.0.0.1:4157] disconnected: exceeded timeout.",
    "boiler already connected, closing old connection.",
    "x as boiler (p5, c1, k60, u'admin').",
    "connection from 192.0.2.7 failed: x.",
    "a disconnected, b",
    "a disconnected due to c.",
    "<img src=x onerror=alert(1)>\u202e",
    "[::1]:1",
    "",
)
"""Client identifiers that hold the rest of a line."""

ENDS = {
    "{} disconnected.": "disconnected",
    "{} closed its connection.": "connection closed",
    "{} has exceeded timeout, disconnecting.": "keep-alive exceeded",
    "{} already connected, closing old connection.": "taken over",
    "{} been disconnected by administrative action.": "administrative action",
    "{} disconnected, not authorised.": "not authorised",
    "{} disconnected due to protocol error.": "protocol error",
    "{} disconnected due to malformed packet.": "malformed packet",
    "{} disconnected due to oversize packet.": "oversize packet",
    "{} disconnected due to out of memory.": "out of memory",
    "{} disconnected: Connection reset by peer.": "Connection reset by peer",
}
"""How 2.0 says that a client is gone, and what that comes to."""

LATER_ENDS = {
    "{} [192.0.2.7:4157] disconnected.": "disconnected",
    "{} [192.0.2.7:4157] disconnected: connection closed by client.": "connection closed",
    "{} [192.0.2.7:4157] disconnected: exceeded timeout.": "keep-alive exceeded",
    "{} [192.0.2.7:4157] disconnected: session taken over.": "taken over",
    "{} [192.0.2.7:4157] disconnected: administrative action.": "administrative action",
    "{} [192.0.2.7:4157] disconnected: not authorised.": "not authorised",
    "{} [192.0.2.7:4157] disconnected: protocol error.": "protocol error",
    "{} [192.0.2.7:4157] disconnected: bad socket read/write: Out of memory": (
        "bad socket read/write: Out of memory"
    ),
    "{} [192.0.2.7:4157] disconnected: used disallowed feature (QoS too high, retain not "
    "supported, or bad AUTH method).": (
        "used disallowed feature (QoS too high, retain not supported, or bad AUTH method)"
    ),
}
"""The same of 2.1."""

any_id = st.text(max_size=200) | st.sampled_from(FORGED)


@pytest.mark.parametrize(
    ("line", "sighting"),
    [
        ("New connection from 127.0.0.1:41578 on port 20600.", Accepted("127.0.0.1:41578")),
        ("New connection from ::1:41578 on port 20600.", Accepted("[::1]:41578")),
        (
            "New client connected from ::ffff:127.0.0.1:41578 as s1 (p5, c1, k60, u's1').",
            Opened("s1", "s1", "127.0.0.1:41578", "5", 60, True),
        ),
        (
            "1790000000: New client connected from 2001:db8::7:1883 as s1 (p4, c0, k0).",
            Opened("s1", "", "[2001:db8::7]:1883", "3.1.1", 0, False),
        ),
        (
            "2026-11-23T08:00:00+0000: New bridge connected from 192.0.2.7:9 as b (p132, c0, k60).",
            Opened("b", "", "192.0.2.7:9", "3.1.1", 60, False),
        ),
        (
            "Client connection from 127.0.0.1 failed: error:0A000418:SSL routines::"
            "tlsv1 alert unknown ca.",
            TurnedAway("127.0.0.1", "tlsv1 alert unknown ca"),
        ),
        (
            "Client connection from ::1 denied: max_connections exceeded.",
            TurnedAway("[::1]", "max_connections exceeded"),
        ),
        ("Outgoing messages are being dropped for client s1.", Dropping("s1")),
        ("Bad socket read/write on client a: b: Out of memory.", Closed("a: b", "Out of memory")),
    ],
)
def test_line_of_the_broker_is_read(line: str, sighting: object) -> None:
    """A line says what the broker means by it, with or without a time before it."""
    assert read_line(line.encode()) == sighting


@pytest.mark.parametrize(
    "line",
    [
        "",
        "Client ",
        "New ",
        "mosquitto version 2.0.11 starting",
        "dynsec: c/admin | deleteClient | username=tank",
        "Saving in-memory database to /data/broker//mosquitto.db.",
        "Client boiler negotiated TLSv1.3 cipher TLS_AES_256_GCM_SHA384",
        "Client x [192.0.2.7:1] disconnected: bad socket read/write: y negotiated TLSv1.3 cipher A",
        "Bad client two sending multiple CONNECT messages.",
        "New client connected from 127.0.0.1:41578 as s1 (p5, c1",
        "New client connected from 127.0.0.1:٤١ as s1 (p5, c1, k60).",
    ],
)
def test_line_about_something_else_says_nothing(line: str) -> None:
    """Lines that concern no connection are passed over, forged ends in them included."""
    assert read_line(line.encode()) is None


@given(client_id=any_id, username=st.sampled_from(["tank", "boiler-2"]))
@example(client_id="x (p5, c1, k60, u'admin').", username="s1")
def test_client_identifier_in_an_opening_changes_nothing_around_it(
    client_id: str, username: str
) -> None:
    """Whatever the identifier is, it comes back whole, and the username is the broker's word."""
    line = f"New client connected from 192.0.2.7:4157 as {client_id} (p2, c1, k60, u'{username}')."
    assert read_line(line.encode()) == Opened(
        client_id, username, "192.0.2.7:4157", "3.1.1", 60, True
    )


@given(client_id=any_id, end=st.sampled_from([*ENDS.items(), *LATER_ENDS.items()]))
def test_client_identifier_in_a_closing_changes_nothing_around_it(
    client_id: str, end: tuple[str, str]
) -> None:
    """Whatever the identifier is, what is read at the right end is the broker's word."""
    wording, reason = end
    name = wording.partition(" disconnected")[0] if wording in LATER_ENDS else "{}"
    line = f"Client {wording.format(client_id)}"
    assert read_line(line.encode()) == Closed(name.format(client_id), reason)


@given(client_id=any_id)
def test_name_of_the_later_broker_splits_at_its_right_end(client_id: str) -> None:
    """2.1 puts the address last, so an address in the identifier stays there."""
    assert split_name(f"{client_id} [192.0.2.7:4157]") == (client_id, "192.0.2.7:4157")


def test_line_cut_by_the_broker_is_not_read_at_its_end() -> None:
    """A cut line ends where its client chose, so it only says that somebody was let in."""
    head, forged = "New client connected from 127.0.0.1:41578 as ", " (p5, c1, k60, u'admin')."
    line = head + "z" * (CUT_BYTES - len(head) - len(forged)) + forged
    assert len(line) == CUT_BYTES
    assert read_line(line.encode()) == Unreadable("127.0.0.1:41578")
    assert isinstance(read_line(line.replace("z", "", 1).encode()), Opened)
    closing = "Client " + "z" * (CUT_BYTES - 21) + " disconnected."
    assert len(closing) == CUT_BYTES
    assert read_line(closing.encode()) is None


def test_reason_is_the_word_of_the_design() -> None:
    """The endings that both versions know are members of Ending."""
    said = {*ENDS.values(), *LATER_ENDS.values()}
    assert {one.value for one in Ending} - said == {"broker stopped", "unknown"}


FRAGMENTS = (
    *("New ", "client connected from ", "127.0.0.1:1", " as ", " (p5, c1, k60", ", u'", "')."),
    *("Client", " disconnected", ": ", " due to ", ".", " [::1:2]", "99999999999: ", "\n", "\x00"),
    *(" connection from ", "failed: ", "Bad socket read/write on client ", "\u0663"),
)


@given(
    st.binary(max_size=1200)
    | st.lists(st.sampled_from(FRAGMENTS), max_size=20).map("".join).map(str.encode)
)
def test_any_bytes_are_a_line(payload: bytes) -> None:
    """No payload makes the reader fail."""
    read_line(payload)
