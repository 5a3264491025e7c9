"""What messages say beside readings, as events: once when it is news, not at each repetition."""

from collections.abc import Hashable, Iterable

from collector.decoded import Note, NoteKind
from telemetry.presence import Event, EventKind
from telemetry.window import HOUR_US

_REMEMBERED = 20_000
_STATES = (NoteKind.ONLINE, NoteKind.OFFLINE)


class Notebook:
    """Remembers what was said last. Belongs to one thread.

    Whether a client is there is news when it changes; that a metric has no value, or that a
    retained one was deleted, once an hour.
    """

    def __init__(self) -> None:
        self._said: dict[Hashable, Hashable] = {}

    def events(self, client: str, notes: Iterable[Note], received_us: int) -> list[Event]:
        """Those of the notes that are news, as events."""
        return [
            Event(
                min(note.time_us or received_us, received_us),  # whatever its clock says
                EventKind(note.kind),
                client,
                ": ".join(part for part in (note.metric, note.detail) if part),
            )
            for note in notes
            if self._is_news(client, note, received_us // HOUR_US)
        ]

    def is_first_of_hour(self, client: str, what: str, received_us: int) -> bool:
        """Whether this was not said of the client in that hour yet; now it is."""
        return self._changes((client, what), received_us // HOUR_US)

    def _is_news(self, client: str, note: Note, hour: int) -> bool:
        if note.kind is NoteKind.GAP:
            return True
        if note.kind in _STATES:
            return self._changes((client, note.metric), note.kind)
        return self._changes((client, note.metric, note.kind), hour)

    def _changes(self, subject: Hashable, said: Hashable) -> bool:
        if self._said.get(subject) == said:
            return False
        if len(self._said) >= _REMEMBERED:
            self._said.clear()  # then some of it is news once more
        self._said[subject] = said
        return True
