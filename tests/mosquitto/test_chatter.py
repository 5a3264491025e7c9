"""What Mosquitto writes of each message: sifted, and asked for only while it is little."""

import pytest

from mosquitto.chatter import (
    FIRST_PAUSE_S,
    LONGEST_PAUSE_S,
    LOOK_S,
    MOST_BYTES_PER_S,
    Heap,
    Sieve,
    Verbosity,
)
from telemetry.denials import MOST_KINDS, Denial, possible

OUTPUT = (
    b"New client connected from 127.0.0.1:5 as d (p2, c1, k60, u'tank').\n"
    b"No will message specified.\n"
    b"Sending CONNACK to d (0, 0)\n"
    b"Received PUBLISH from d (d0, q1, r0, m1, 'clients/tank/t', ... (3 bytes))\n"
    b"Denied PUBLISH from d (d0, q1, r0, m2, 'clients/x/t', ... (3 bytes))\n"
    b"Sending PUBACK to d (m2, rc135)\n"
    b"Received SUBSCRIBE from d\n"
    b"\tNew client connected from 127.0.0.1:5 as d (QoS 0)\n"
    b"Saving in-memory database to /data/mosquitto.db.\n"
    b"Client d disconnected.\n"
)
KEPT = [
    "New client connected from 127.0.0.1:5 as d (p2, c1, k60, u'tank').",
    "Client d disconnected.",
]


@pytest.mark.parametrize("width", [1, 7, 64, 10_000])
def test_output_cut_anywhere_leaves_the_same(width: int) -> None:
    """Lines about single messages are gone, refused publishes apart, the others as they were."""
    sieve, lines, denied = Sieve(), [], []
    for at in range(0, len(OUTPUT), width):
        found = sieve.sift(OUTPUT[at : at + width])
        lines += found.lines
        denied += found.denied
    assert lines == KEPT
    assert denied == [("d", "clients/x/t")]


def sifted(line: str) -> list[tuple[str, ...]]:
    """What a line says of refused publishes."""
    return Sieve().sift(line.encode() + b"\n").denied


def test_topic_that_looks_like_a_line_is_a_topic() -> None:
    """Where it begins is left open, and nothing in it is taken for another line."""
    forged = "a', ... (1 bytes)) Denied PUBLISH from boiler (d0, q0, r0, m0, 'x"
    ((*parts,),) = sifted(f"Denied PUBLISH from d (d0, q1, r0, m3, '{forged}', ... (1 bytes))")
    assert ("d", forged) in list(possible(parts))
    assert len(parts) == 3


def test_line_that_was_cut_has_a_cut_topic() -> None:
    """Mosquitto cuts its lines; the topic then ends in a sign of that."""
    line = f"Denied PUBLISH from d (d0, q1, r0, m3, 'clients/x/{'z' * 3000}"[:999]
    [(client_id, topic)] = sifted(line)
    assert client_id == "d"
    assert topic.endswith("zz…")


def test_line_without_its_end_is_none() -> None:
    """One that is short and does not end as the broker ends it is not the broker's."""
    assert sifted("Denied PUBLISH from d (d0, q1, r0, m3, 'clients/x'") == []


def test_heap_is_bounded() -> None:
    """Alike ones are one; of too many kinds only the number is told."""
    heap = Heap()
    heap.add([("d", "t")] * 3, 1)
    heap.add([("d", f"t{number}") for number in range(MOST_KINDS + 9)], 2)
    denials = heap.denials()
    assert denials[0] == Denial(1, ("d", "t"), 3)
    assert denials[-1] == Denial(2, (), 10)
    assert len(denials) == MOST_KINDS + 1


def test_little_is_listened_to_for_ever() -> None:
    """A broker that says no more than it may is never told to be quiet."""
    verbosity = Verbosity(0.0)
    assert not any(verbosity.hear(int(MOST_BYTES_PER_S * 0.2), at / 5) for at in range(1, 500))
    assert verbosity.wanted


def test_much_is_listened_to_for_a_moment_now_and_then() -> None:
    """It is quiet for twenty seconds, then forty, then eighty each time, and heard in between."""
    verbosity, now_s, pauses = Verbosity(0.0), 0.0, []
    for _ in range(7):
        now_s += LOOK_S
        assert verbosity.hear(int(2 * MOST_BYTES_PER_S), now_s)
        assert not verbosity.wanted
        quiet_s = now_s
        while not verbosity.hear(0, now_s):
            now_s += 1.0
        assert verbosity.wanted
        pauses.append(now_s - quiet_s)
    assert pauses == [FIRST_PAUSE_S, 40, *[LONGEST_PAUSE_S] * 5]


def test_a_calm_second_makes_the_next_pause_short_again() -> None:
    """How long it is quiet depends on what was last."""
    verbosity = Verbosity(0.0)
    verbosity.hear(10 * MOST_BYTES_PER_S, 1.0)
    verbosity.hear(0, 21.0)
    verbosity.hear(0, 22.0)
    verbosity.hear(10 * MOST_BYTES_PER_S, 23.0)
    assert not verbosity.wanted
    assert verbosity.hear(0, 23.0 + FIRST_PAUSE_S)
