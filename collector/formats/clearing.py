"""An empty message takes back a retained one: for clients of a family, no fault."""

from functools import wraps

from collector.decoded import Decoded, Decoder, Memory, Note, NoteKind, Place


def clearable(decode: Decoder) -> Decoder:
    """The decoder, for clients that delete what the broker kept when a device is removed.

    >>> place = Place("zigbee2mqtt/lamp", "lamp")
    >>> clearable(lambda payload, place, memory: Decoded())(b"", place, {}).notes[0].kind
    <NoteKind.CLEARED: 'cleared'>
    """

    @wraps(decode)
    def decode_or_clear(payload: bytes, place: Place, memory: Memory) -> Decoded:
        if not payload:
            return Decoded(notes=(Note(NoteKind.CLEARED, place.metric),))
        return decode(payload, place, memory)

    return decode_or_clear
