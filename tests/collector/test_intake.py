"""The intake is bounded, hands over by size or age, and says no when it is full."""

import threading
import time

from collector.intake import Bounds, Intake, Parcel
from collector.message import Message

LONG_S = 30.0


def message(number: int = 1, payload: bytes = b"1") -> Message:
    """A message."""
    return Message("clients/a/b", payload, 1, number)


def intake(
    messages: int = 100, size: int = 10_000_000, age: float = 0, patience: float = 0
) -> Intake:
    """An intake with these bounds."""
    return Intake(Bounds(messages, size, age, patience))


def numbers(parcel: Parcel) -> list[int]:
    """The packet identifiers of a parcel."""
    return [each.packet_id for each in parcel.messages]


def test_take_returns_messages_in_order_of_arrival() -> None:
    """What was put first is taken first, and no more than asked for."""
    queue = intake()
    for number in range(1, 6):
        assert queue.put(message(number))
    assert numbers(queue.take(3, 0)) == [1, 2, 3]
    assert numbers(queue.take(3, 0)) == [4, 5]


def test_take_from_an_empty_intake_returns_an_empty_parcel() -> None:
    """When nothing comes in time the parcel is empty."""
    assert not intake().take(3, 0)


def test_take_enough_messages_does_not_wait_for_age() -> None:
    """A full batch is handed over at once."""
    queue = intake(age=LONG_S)
    for number in range(3):
        queue.put(message(number))
    assert len(queue.take(3, LONG_S).messages) == 3


def test_take_few_messages_waits_until_the_first_is_old_enough() -> None:
    """A batch that is not full is handed over at its age."""
    queue = intake(age=0.05)
    start = time.monotonic()
    queue.put(message())
    assert numbers(queue.take(3, LONG_S)) == [1]
    assert 0.05 <= time.monotonic() - start < LONG_S


def test_take_wakes_when_a_message_is_put_by_another_thread() -> None:
    """The writer waits for the network thread without polling."""
    queue = intake()
    thread = threading.Thread(target=queue.put, args=(message(7),))
    thread.start()
    assert numbers(queue.take(1, LONG_S)) == [7]
    thread.join()


def test_put_into_a_full_intake_is_refused_and_counted() -> None:
    """At the bound of messages the intake says no after its patience."""
    queue = intake(messages=1)
    assert queue.put(message())
    assert not queue.put(message())
    assert (queue.blocked, queue.refused) == (1, 1)


def test_put_beyond_the_bytes_is_refused() -> None:
    """The bound of bytes holds as well as that of messages."""
    queue = intake(size=1000)
    assert queue.put(message(payload=b"x" * 1000))
    assert not queue.put(message())
    queue.take(1, 0)
    assert queue.put(message())


def test_put_waiting_for_room_gets_it_when_the_writer_takes() -> None:
    """A message that waits is taken in as soon as there is room, even before the age."""
    queue = intake(messages=1, age=LONG_S, patience=LONG_S)
    queue.put(message(1))
    taken: list[bool] = []
    thread = threading.Thread(target=lambda: taken.append(queue.put(message(2))))
    thread.start()
    assert numbers(queue.take(5, LONG_S)) == [1]
    thread.join(LONG_S)
    assert taken == [True]


def test_close_refuses_more_and_leaves_the_rest_to_be_taken() -> None:
    """After closing nothing comes in, and what is in comes out without waiting."""
    queue = intake(age=LONG_S)
    queue.put(message(1))
    queue.close()
    assert not queue.put(message(2))
    assert numbers(queue.take(5, LONG_S)) == [1]
    assert not queue.take(5, LONG_S)


def test_close_releases_a_message_that_waits_for_room() -> None:
    """Closing ends the wait of the network thread."""
    queue = intake(messages=1, patience=LONG_S)
    queue.put(message(1))
    taken: list[bool] = []
    thread = threading.Thread(target=lambda: taken.append(queue.put(message(2))))
    thread.start()
    queue.close()
    thread.join(LONG_S)
    assert taken == [False]


def test_new_session_stands_between_what_came_before_and_after() -> None:
    """Messages of the lost session and of the new one are never in one parcel."""
    queue = intake()
    queue.put(message(1))
    queue.put_new_session()
    queue.put(message(2))
    assert queue.take(5, 0) == Parcel([message(1)])
    assert queue.take(5, 0) == Parcel([message(2)], new_session=True)


def test_new_session_without_messages_is_a_parcel_of_its_own() -> None:
    """The loss is told even when nothing follows it."""
    queue = intake()
    queue.put_new_session()
    assert queue.take(5, 0) == Parcel([], new_session=True)


def test_half_empty_after_taking_says_so() -> None:
    """The session connects again only when there is plenty of room."""
    queue = intake(messages=2)
    queue.put(message(1))
    queue.put(message(2))
    assert not queue.wait_until_half_empty(0)
    queue.take(1, 0)
    assert queue.wait_until_half_empty(0)
