"""The intake is bounded, hands over by size or age, and says how much it takes."""

import threading
import time

from hypothesis import given
from hypothesis import strategies as st

from collector.intake import Bounds, Intake, Parcel
from collector.message import Message

LONG_S = 30.0


def message(number: int = 1, payload: bytes = b"1") -> Message:
    """A message."""
    return Message("clients/a/b", payload, 1, number)


def burst(*numbers: int) -> list[Message]:
    """Messages that arrived together."""
    return [message(number) for number in numbers]


def intake(messages: int = 100, size: int = 10_000_000, age: float = 0) -> Intake:
    """An intake with these bounds."""
    return Intake(Bounds(messages, size, age))


def numbers(parcel: Parcel) -> list[int]:
    """The packet identifiers of a parcel."""
    return [each.packet_id for each in parcel.messages]


def test_take_returns_messages_in_order_of_arrival() -> None:
    """What was put first is taken first, and no more than asked for."""
    queue = intake()
    assert queue.put(burst(1, 2))
    assert queue.put(burst(3, 4, 5))
    assert numbers(queue.take(3, 0)) == [1, 2, 3]
    assert len(queue) == 2
    assert numbers(queue.take(3, 0)) == [4, 5]


@given(st.lists(st.integers(1, 9), max_size=8), st.lists(st.integers(1, 12), min_size=40))
def test_take_of_any_size_loses_and_doubles_nothing(bursts: list[int], takes: list[int]) -> None:
    """However messages came together and are taken, each is there once, in order."""
    queue, wanted, taken = intake(), list(range(1, sum(bursts) + 1)), list[int]()
    left = iter(wanted)
    for size in bursts:
        queue.put(burst(*(next(left) for _ in range(size))))
    for at_most in takes:
        parcel = queue.take(at_most, 0)
        assert len(parcel.messages) <= at_most
        taken += numbers(parcel)
    taken += numbers(queue.take(100, 0))
    assert taken == wanted
    assert (len(queue), queue.room) == (0, 100)


def test_take_from_an_empty_intake_returns_an_empty_parcel() -> None:
    """When nothing comes in time the parcel is empty."""
    assert not intake().take(3, 0)


def test_take_enough_messages_does_not_wait_for_age() -> None:
    """A full batch is handed over at once."""
    queue = intake(age=LONG_S)
    queue.put(burst(1, 2, 3))
    assert len(queue.take(3, LONG_S).messages) == 3


def test_take_few_messages_waits_until_the_first_is_old_enough() -> None:
    """A batch that is not full is handed over at its age."""
    queue = intake(age=0.05)
    start = time.monotonic()
    queue.put(burst(1))
    assert numbers(queue.take(3, LONG_S)) == [1]
    assert 0.05 <= time.monotonic() - start < LONG_S


def test_take_wakes_when_messages_are_put_by_another_thread() -> None:
    """The writer waits for the network thread without polling."""
    queue = intake(age=LONG_S)
    thread = threading.Thread(target=queue.put, args=(burst(7, 8),))
    thread.start()
    assert numbers(queue.take(2, LONG_S)) == [7, 8]
    thread.join()


def test_room_shrinks_with_messages_and_comes_back() -> None:
    """The bound of messages is kept by whoever puts no more than there is room for."""
    queue = intake(messages=3)
    assert queue.room == 3
    queue.put(burst(1, 2))
    assert (queue.room, queue.blocked) == (1, 0)
    queue.put(burst(3))
    assert (queue.room, queue.blocked) == (0, 1)
    queue.take(2, 0)
    assert queue.room == 2


def test_room_is_none_beyond_the_bytes() -> None:
    """The bound of bytes holds as well as that of messages."""
    queue = intake(size=1000)
    queue.put([message(1, payload=b"x" * 1000)])
    assert queue.room == 0
    queue.take(1, 0)
    assert queue.room == 100


def test_take_from_a_full_intake_does_not_wait_for_more() -> None:
    """Where nothing more has room, waiting for a larger batch would be for ever."""
    queue = intake(messages=2, age=LONG_S)
    queue.put(burst(1, 2))
    assert numbers(queue.take(50, LONG_S)) == [1, 2]


def test_offer_is_taken_only_while_there_is_plenty_of_room() -> None:
    """What may be missed never takes the room of a reading."""
    queue = intake(messages=4)
    assert queue.offer(message(1))
    queue.put(burst(2, 3))
    assert not queue.offer(message(4))
    assert numbers(queue.take(9, 0)) == [1, 2, 3]


def test_close_refuses_more_and_leaves_the_rest_to_be_taken() -> None:
    """After closing nothing comes in, and what is in comes out without waiting."""
    queue = intake(age=LONG_S)
    queue.put(burst(1))
    queue.close()
    assert queue.room == 0
    assert not queue.put(burst(2))
    assert not queue.offer(message(3))
    assert numbers(queue.take(5, LONG_S)) == [1]
    assert not queue.take(5, LONG_S)


def test_new_session_stands_between_what_came_before_and_after() -> None:
    """Messages of the lost session and of the new one are never in one parcel."""
    queue = intake()
    queue.put(burst(1))
    queue.put_new_session()
    queue.put(burst(2))
    assert queue.take(5, 0) == Parcel(burst(1))
    assert queue.take(5, 0) == Parcel(burst(2), new_session=True)


def test_new_session_without_messages_is_a_parcel_of_its_own() -> None:
    """The loss is told at once, even when nothing follows it."""
    queue = intake()
    queue.put_new_session()
    assert queue.take(5, LONG_S) == Parcel([], new_session=True)


def test_half_empty_after_taking_says_so() -> None:
    """Reading goes on only when there is plenty of room."""
    queue = intake(messages=2)
    queue.put(burst(1, 2))
    assert not queue.wait_until_half_empty(0)
    queue.take(1, 0)
    assert queue.wait_until_half_empty(0)


def test_half_empty_wakes_who_waits_for_it() -> None:
    """The network thread goes on as soon as the writer has made room, or closes."""
    for free in (lambda queue: queue.take(2, 0), Intake.close):
        queue, woken = intake(messages=2), list[bool]()
        queue.put(burst(1, 2))
        thread = threading.Thread(
            target=lambda each=queue, said=woken: said.append(each.wait_until_half_empty(LONG_S))
        )
        thread.start()
        free(queue)
        thread.join(LONG_S)
        assert woken == [True]
