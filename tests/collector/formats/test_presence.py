"""Births and deaths are notes, however a client spells them."""

import pytest

from collector.decoded import Note, NoteKind, Place
from collector.formats.presence import decode_presence
from collector.rejection import Rejected

PLACE = Place("node/status", "node")


@pytest.mark.parametrize(
    "payload",
    [
        b"online",
        b"Online",
        b" ONLINE\n",
        b"\xef\xbb\xbfonline",
        b'"online"',
        b"true",
        b"True",
        b"1",
        b'{"state":"online"}',
        b'{"state": true, "since": 5}',
        b'{"state": "1"}',
    ],
)
def test_presence_of_a_client_that_came_is_a_note(payload: bytes) -> None:
    """Words, booleans, digits and objects with a state say that the client is there."""
    decoded = decode_presence(payload, PLACE, {})
    assert (list(decoded.notes), list(decoded.measurements)) == ([Note(NoteKind.ONLINE)], [])


@pytest.mark.parametrize(
    "payload", [b"offline", b"Offline", b"FALSE", b"0", b'{"state":"offline"}', b'{"state": 0}']
)
def test_presence_of_a_client_that_went_is_a_note(payload: bytes) -> None:
    """The same for one that is gone."""
    assert list(decode_presence(payload, PLACE, {}).notes) == [Note(NoteKind.OFFLINE)]


@pytest.mark.parametrize(
    "payload",
    [
        b"  ",
        b"ON",
        b"2",
        b"null",
        b"online soon",
        b"{",
        b"{}",
        b"[true]",
        b'{"state": null}',
        b'{"state": {"state": "online"}}',
        b'{"state": 1.0}',
        b"\xff\xfe",
        b"\x00",
        "\uff4fnline".encode(),
        b"[" * 5000,
    ],
)
def test_presence_that_says_neither_is_rejected(payload: bytes) -> None:
    """Whatever else is sent there is no presence."""
    with pytest.raises(Rejected, match=r"^no-presence$"):
        decode_presence(payload, PLACE, {})


def test_presence_that_is_taken_back_is_a_note() -> None:
    """An empty message deletes what the broker kept of a device that was removed."""
    assert list(decode_presence(b"", PLACE, {}).notes) == [Note(NoteKind.CLEARED)]
