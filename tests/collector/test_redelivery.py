"""The delivery ring stores each message once, however often the broker repeats it."""

from hypothesis import given
from hypothesis import strategies as st

from collector.message import Message
from collector.redelivery import DeliveryRing, identify
from telemetry.interface import Delivery


def message(packet_id: int, payload: bytes = b"1", *, dup: bool = False) -> Message:
    """A message as the broker delivers it."""
    return Message("clients/a/b", payload, 1, packet_id, dup=dup)


def test_ring_repeated_delivery_is_not_admitted() -> None:
    """The same packet identifier and content with DUP set is the same message."""
    ring = DeliveryRing()
    assert ring.admit(message(1)) is not None
    assert ring.admit(message(1, dup=True)) is None


def test_ring_unknown_delivery_with_dup_is_admitted() -> None:
    """DUP alone proves nothing: what was never stored is stored now."""
    assert DeliveryRing().admit(message(1, dup=True)) is not None


def test_ring_same_identifier_other_content_is_admitted() -> None:
    """An identifier that came round with other content is another message."""
    ring = DeliveryRing()
    ring.admit(message(1, b"1"))
    assert ring.admit(message(1, b"2", dup=True)) is not None


def test_ring_same_content_without_dup_is_admitted() -> None:
    """A client may send the same twice."""
    ring = DeliveryRing()
    ring.admit(message(1))
    assert ring.admit(message(1)) is not None


def test_ring_started_from_the_store_remembers() -> None:
    """What was committed before a crash is known after it."""
    assert DeliveryRing([identify(message(1))]).admit(message(1, dup=True)) is None


def test_ring_that_forgot_admits_again() -> None:
    """After a lost session packet identifiers start anew."""
    ring = DeliveryRing([identify(message(1))])
    ring.forget()
    assert ring.admit(message(1, dup=True)) is not None


def test_ring_beyond_its_window_forgets_the_oldest() -> None:
    """The ring is bounded; what fell out is admitted."""
    ring = DeliveryRing((Delivery(number, b"") for number in range(9)), window=4)
    ring.admit(message(1))
    assert len(ring) == 4


@given(st.lists(st.integers(0, 19), max_size=80), st.data())
def test_ring_any_deliveries_within_the_window_store_each_once(
    repeats: list[int], data: st.DataObject
) -> None:
    """Any interleaving of first and repeated deliveries admits each message exactly once."""
    ring = DeliveryRing(window=20)
    admitted: list[int] = []
    sent = 0
    for choice in repeats:
        again = bool(sent) and data.draw(st.booleans())
        number = choice % sent if again else sent
        if not again and sent == 20:
            continue
        sent += not again
        if ring.admit(message(number + 1, str(number).encode(), dup=again)) is not None:
            admitted.append(number)
    assert admitted == list(range(sent))
