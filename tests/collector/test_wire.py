"""Bytes become messages however they are cut into pieces, and nothing else gets through."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.dialect import Version
from collector.message import NO_PROPERTIES, Message, Properties
from collector.properties import Malformed
from collector.wire import PACKET_BYTES, Wire, acknowledgements
from tests.collector.packets import CONNACK, PINGRESP, puback, publish, subscription
from tests.torture.packets import packet, text, user_property, variable

OWN = "culex/ping/collector"
GENERATION = 3
PLACES = {7: 1, 200_000_000: 2}

topics = st.text(st.characters(exclude_categories=("Cs",)), max_size=40).filter(lambda t: t != OWN)
contents = st.builds(
    lambda topic, payload, packet_id, flags: (topic, payload, packet_id, *flags),
    topics,
    st.binary(max_size=300),
    st.integers(0, 65_535),
    st.tuples(st.booleans(), st.booleans(), st.sampled_from([b"", subscription(7)])),
)


def frame(first: int, content: bytes) -> bytes:
    """A packet of that first byte."""
    return packet(first >> 4, content, first & 15)


def wire() -> Wire:
    """A wire that has seen nothing."""
    return Wire(GENERATION, OWN, PLACES)


def arrived(*pieces: bytes) -> list[Message | bytes]:
    """Everything that these pieces bring, in order, received from the time 1 on."""
    one, found = wire(), list[Message | bytes]()
    for piece in pieces:
        one.feed(piece)
        found += drained(one, len(found) + 1)
    return found


def drained(one: Wire, first_us: int) -> list[Message | bytes]:
    """Everything whole that the wire has."""
    found: list[Message | bytes] = []
    while True:
        messages = one.cut(3, first_us + len(found))
        found += messages
        if len(messages) < 3:
            other = one.take_other(first_us + len(found))
            if other is None:
                return found
            found.append(other)


def only(*pieces: bytes) -> Message:
    """The one message that these pieces bring."""
    (message,) = arrived(*pieces)
    assert isinstance(message, Message)
    return message


def test_wire_message_has_everything_its_packet_says() -> None:
    """Topic, payload, identifier, generation, flags and properties are all there."""
    said = b"\x03" + text("text/csv") + user_property("id", "a7") + subscription(200_000_000)
    assert only(publish("clients/a/b", b"21.5", 513, said, retain=True, dup=True)) == Message(
        "clients/a/b",
        b"21.5",
        1,
        513,
        GENERATION,
        retain=True,
        dup=True,
        properties=Properties("text/csv", (("id", "a7"),), (2,)),
    )


@given(st.lists(contents, max_size=8), st.data())
def test_wire_pieces_of_any_length_bring_the_same(
    wanted: list[tuple[str, bytes, int, bool, bool, bytes]], data: st.DataObject
) -> None:
    """Where the stream is cut into pieces changes nothing, and no message is lost or doubled."""
    stream = b"".join(
        publish(topic, payload, packet_id, said, retain=retain, dup=dup)
        for topic, payload, packet_id, retain, dup, said in wanted
    )
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=12)))
    pieces = [stream[a:b] for a, b in zip([0, *cuts], [*cuts, len(stream)], strict=True)]
    assert arrived(*pieces) == [
        Message(
            topic,
            payload,
            number,
            packet_id,
            GENERATION,
            retain,
            dup and bool(packet_id),
            Properties(subscriptions=(1,)) if said else NO_PROPERTIES,
        )
        for number, (topic, payload, packet_id, retain, dup, said) in enumerate(wanted, 1)
    ]


@given(st.binary(max_size=200))
def test_wire_any_bytes_are_packets_or_malformed(content: bytes) -> None:
    """Whatever the broker sends, nothing but Malformed is raised, and nothing is made up."""
    try:
        found = arrived(content)
    except Malformed:
        return
    taken = sum(len(one) if isinstance(one, bytes) else len(one.payload) for one in found)
    assert taken <= len(content)


@given(st.binary(max_size=80), st.sampled_from([0x30, 0x32, 0x3A]))
def test_wire_any_content_of_a_message_is_one_or_malformed(content: bytes, first: int) -> None:
    """A frame that is whole never looks like one that is still arriving."""
    try:
        found = arrived(frame(first, content))
    except Malformed:
        return
    assert len(found) == 1


def test_wire_other_packets_come_whole_and_in_their_place() -> None:
    """What is no message is handed back as it came, between the messages around it."""
    stream = (CONNACK, publish("a", b"1", 1), puback(9), publish("a", b"2", 2), PINGRESP)
    found = [one if isinstance(one, bytes) else one.payload for one in arrived(b"".join(stream))]
    assert found == [CONNACK, b"1", puback(9), b"2", PINGRESP]


def test_wire_own_messages_are_left_to_take_other() -> None:
    """A message on our own topic stops the cut, so that its place among the others is known."""
    one = wire()
    one.feed(publish("a", b"1", 1) + publish(OWN, b"ping", 2) + publish("a", b"3", 3))
    assert [message.payload for message in one.cut(9, 1)] == [b"1"]
    own = one.take_other(5)
    assert isinstance(own, Message)
    assert (own.topic, own.payload, own.packet_id) == (OWN, b"ping", 2)
    assert [message.payload for message in one.cut(9, 6)] == [b"3"]


def test_wire_no_more_is_cut_than_asked_for() -> None:
    """What there is no room for stays, and is no other packet either."""
    one = wire()
    one.feed(b"".join(publish("a", b"%d" % n, n) for n in range(1, 4)))
    assert [message.received_us for message in one.cut(2, 10)] == [10, 11]
    assert one.take_other() is None
    assert one.cut(0, 12) == []
    assert [message.packet_id for message in one.cut(2, 12)] == [3]


def test_wire_large_message_is_put_together_once() -> None:
    """A message of many pieces arrives whole, and so does what follows it."""
    payload = bytes(range(256)) * 20_000
    stream = publish("a", payload, 1) + publish("a", b"next", 2)
    pieces = [stream[at : at + 65_536] for at in range(0, len(stream), 65_536)]
    assert [one.payload for one in arrived(*pieces) if isinstance(one, Message)] == [
        payload,
        b"next",
    ]


def test_wire_topic_that_is_not_utf8_has_lone_surrogates() -> None:
    """Nothing of a topic is lost, whatever its bytes."""
    assert only(publish(b"clients/\xff", b"1")).topic == "clients/\udcff"


def test_wire_long_properties_are_read() -> None:
    """Properties of 128 bytes and more, whose length takes two bytes, are read like any."""
    message = only(publish("a", b"1", 1, user_property("note", "x" * 300)))
    assert message.properties.user == (("note", "x" * 300),)
    assert message.payload == b"1"


def test_wire_many_topics_and_properties_stay_right() -> None:
    """What is remembered of topics and properties is bounded, and never mixed up."""
    one = wire()
    for n in range(45_000):
        one.feed(publish(f"t/{n % 22_000}", b"%d" % n, 1, user_property("seq", str(n))))
        (message,) = one.cut(2, 1)
        assert message.topic == f"t/{n % 22_000}"
        assert message.properties.user == (("seq", str(n)),)
    one.feed(publish(OWN, b"ping", 2))
    assert one.cut(2, 1) == []
    assert isinstance(one.take_other(), Message)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"\x34\x06\x00\x01a\x00\x01\x00", "QoS 2"),
        (b"\x36\x06\x00\x01a\x00\x01\x00", "QoS 2"),
        (publish("a", b"1", 1).replace(b"\x00\x01\x00", b"\x00\x00\x00"), "packet identifier 0"),
        (frame(0x32, b"\x00\x09a"), "too early"),
        (frame(0x30, b"\x00\x09a") + bytes(20), "longer than its packet"),
        (frame(0x30, b"\x00\x01a\x05\x01\x00"), "longer than its packet"),
        (frame(0x30, b""), "too early"),
        (publish("a", b"", 1, b"\x7f"), "property 0x7f"),
        (publish("a", b"", 1, b"\x23\x00\x01"), "property 0x23"),
        (publish("a", b"", 1, b"\x26\x00\x05a"), "properties that end too early"),
        (publish("a", b"", 1, b"\x0b\xff\xff\xff\xff\x01"), "more than four bytes"),
        (b"\x30\xff\xff\xff\xff\x01", "more than four bytes"),
        (b"\x30" + variable(PACKET_BYTES + 1), f"{PACKET_BYTES + 1} bytes"),
        (b"\xd0" + variable(PACKET_BYTES + 1), f"{PACKET_BYTES + 1} bytes"),
    ],
)
def test_wire_malformed_packet_says_what_it_claims(content: bytes, says: str) -> None:
    """What would make the next byte meaningless, or eat our memory, ends the connection."""
    with pytest.raises(Malformed, match=says):
        arrived(content)


def test_wire_messages_before_a_malformed_one_are_good() -> None:
    """What is no MQTT costs nothing that came before it, wherever the pieces end."""
    one = wire()
    one.feed(publish("a", b"1", 1) + publish("a", b"2", 2) + frame(0x30, b""))
    assert [message.payload for message in one.cut(9, 1)] == [b"1", b"2"]
    with pytest.raises(Malformed):
        one.cut(9, 3)


@pytest.mark.parametrize("content", [b"", b"\x32", b"\x32\x80", publish("a", b"1", 1)[:-1]])
def test_wire_packet_that_is_not_whole_is_waited_for(content: bytes) -> None:
    """The beginning of a packet is no packet and no fault."""
    assert arrived(content) == []


@given(st.lists(st.integers(1, 65_535), max_size=50))
def test_acknowledgements_are_one_puback_each(packet_ids: list[int]) -> None:
    """Together they are the packets that each would have been."""
    assert acknowledgements(packet_ids) == b"".join(map(puback, packet_ids))


@given(st.lists(contents, max_size=8), st.data())
def test_wire_of_mqtt_3_1_1_has_messages_without_properties(
    wanted: list[tuple[str, bytes, int, bool, bool, bytes]], data: st.DataObject
) -> None:
    """The same messages arrive, however the stream is cut, and a payload loses no byte."""
    bare = [(topic, payload, packet_id, *flags) for topic, payload, packet_id, *flags, _ in wanted]
    stream = b"".join(
        bare_publish(topic, payload, packet_id, (dup and packet_id > 0) << 3 | retain)
        for topic, payload, packet_id, retain, dup in bare
    )
    cut = data.draw(st.integers(0, len(stream)))
    one, found = Wire(GENERATION, OWN, PLACES, Version.V311), list[Message | bytes]()
    for piece in (stream[:cut], stream[cut:]):
        one.feed(piece)
        found += drained(one, len(found) + 1)
    assert found == [
        Message(topic, payload, place, packet_id, GENERATION, retain, dup and packet_id > 0)
        for place, (topic, payload, packet_id, retain, dup) in enumerate(bare, 1)
    ]


def bare_publish(topic: str, payload: bytes, packet_id: int, flags: int) -> bytes:
    """A message of MQTT 3.1.1, at QoS 1 if it has a packet identifier."""
    identified = packet_id.to_bytes(2, "big") if packet_id else b""
    return packet(3, text(topic) + identified + payload, flags | (2 if packet_id else 0))


def test_wire_of_mqtt_3_1_1_takes_what_no_broker_can_be_told_to_keep() -> None:
    """Refused, it would come again on every connection; over MQTT 5 the broker is told."""
    large = bare_publish("a", b"x" * (PACKET_BYTES + 1), 7, 0)
    one = Wire(GENERATION, OWN, PLACES, Version.V311)
    one.feed(large)
    (message,) = one.cut(3, 1)
    assert (len(message.payload), message.packet_id) == (PACKET_BYTES + 1, 7)
    with pytest.raises(Malformed):
        arrived(large)
