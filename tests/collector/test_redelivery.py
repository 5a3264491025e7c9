"""The delivery ring stores each message once, however often the broker repeats it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from collector.message import Message
from collector.redelivery import DeliveryRing, Repetition, identify
from telemetry.batch import DELIVERIES_KEPT
from telemetry.settings import Settings


def message(
    packet_id: int, payload: bytes = b"1", *, dup: bool = False, generation: int = 0
) -> Message:
    """A message as the broker delivers it."""
    return Message("clients/a/b", payload, 1, packet_id, generation, dup=dup)


def repetition(ring: DeliveryRing, delivered: Message) -> Repetition:
    """What the ring says of a delivery."""
    return ring.admit(delivered).repetition


def test_ring_repeated_delivery_is_not_admitted() -> None:
    """The same packet identifier and content with DUP set is the same message."""
    ring = DeliveryRing()
    assert repetition(ring, message(1)) is Repetition.NO
    assert repetition(ring, message(1, dup=True)) is Repetition.YES


def test_ring_unknown_delivery_with_dup_is_admitted() -> None:
    """DUP alone proves nothing: what was never stored is stored now."""
    assert repetition(DeliveryRing(), message(1, dup=True)) is Repetition.NO


def test_ring_same_identifier_other_content_is_admitted() -> None:
    """An identifier that came round with other content is another message."""
    ring = DeliveryRing()
    ring.admit(message(1, b"1"))
    assert repetition(ring, message(1, b"2", dup=True)) is Repetition.NO


def test_ring_same_content_without_dup_is_admitted() -> None:
    """A client may send the same twice."""
    ring = DeliveryRing()
    ring.admit(message(1))
    assert repetition(ring, message(1)) is Repetition.NO


def test_ring_started_from_the_store_remembers() -> None:
    """What was committed before a crash is known after it."""
    ring = DeliveryRing([identify(message(1))])
    assert repetition(ring, message(1, dup=True)) is Repetition.YES


def test_ring_that_forgot_admits_again() -> None:
    """After a lost session packet identifiers start anew."""
    ring = DeliveryRing([identify(message(1))])
    ring.forget()
    assert repetition(ring, message(1, dup=True)) is Repetition.NO


def test_ring_beyond_its_size_forgets_the_oldest() -> None:
    """The ring is bounded; what fell out is admitted."""
    ring = DeliveryRing((identify(message(number)) for number in range(9)), size=4)
    ring.admit(message(1))
    assert len(ring) == 4


def test_ring_after_a_reconnect_doubts_repetitions_without_dup_until_one_is_new() -> None:
    """What a broker delivers again out of its last save is told, as long as nothing is new."""
    ring = DeliveryRing()
    for number in (1, 2, 3):
        ring.admit(message(number, generation=1))
    again = [message(number, generation=2) for number in (1, 2, 4, 3)]
    no, maybe = Repetition.NO, Repetition.MAYBE
    assert [repetition(ring, delivered) for delivered in again] == [maybe, maybe, no, no]


def test_ring_after_a_reconnect_goes_on_doubting_behind_sure_repetitions() -> None:
    """What was in flight in the save comes first, with DUP, and what was queued behind it."""
    ring = DeliveryRing([identify(message(1)), identify(message(2))])
    assert repetition(ring, message(1, dup=True, generation=1)) is Repetition.YES
    assert repetition(ring, message(2, generation=1)) is Repetition.MAYBE


def test_ring_delivery_in_doubt_is_remembered() -> None:
    """Should the link be lost before it is acknowledged, it is surely a repetition."""
    ring = DeliveryRing([identify(message(1))])
    ring.admit(message(1, generation=1))
    assert len(ring) == 2
    assert repetition(ring, message(1, dup=True, generation=2)) is Repetition.YES


def test_ring_of_the_largest_intake_ends_before_identifiers_come_round() -> None:
    """Everything in flight fits into the ring, and no identifier stands twice in it."""
    most = Settings(intake_messages=40_000)
    assert DELIVERIES_KEPT + most.intake_messages < 65_535
    with pytest.raises(ValidationError, match="40000"):
        Settings(intake_messages=40_001)


@given(st.lists(st.integers(0, 19), max_size=80), st.data())
def test_ring_any_deliveries_within_the_size_store_each_once(
    repeats: list[int], data: st.DataObject
) -> None:
    """Any interleaving of first and repeated deliveries admits each message exactly once."""
    ring = DeliveryRing(size=20)
    admitted: list[int] = []
    sent = 0
    for choice in repeats:
        again = bool(sent) and data.draw(st.booleans())
        number = choice % sent if again else sent
        if not again and sent == 20:
            continue
        sent += not again
        delivered = message(number + 1, str(number).encode(), dup=again)
        if repetition(ring, delivered) is Repetition.NO:
            admitted.append(number)
    assert admitted == list(range(sent))
