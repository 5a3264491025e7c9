"""What is known of clients beside their readings: put together from all who notice something."""

from collections.abc import Iterable

import structlog

from collector.decoded import Note
from collector.figures import ROOT, Figures
from collector.message import Message
from collector.notebook import Notebook
from collector.outage import Outage
from collector.presence import Roster
from telemetry.denials import Denial
from telemetry.presence import Changes, Connection, Event, EventKind
from telemetry.reading import Reading

_SHOWN = 100  # of a topic or payload

log = structlog.get_logger("collector.observer")


class Observer:
    """Gathers what is news until somebody takes it. Belongs to the writer's thread.

    Args:
        before: The connections that were open when the last collector saw them.
        seen_us: When that was.
    """

    def __init__(self, before: Iterable[Connection] = (), seen_us: int = 0) -> None:
        self._roster = Roster(before, seen_us)
        self._figures = Figures()
        self._notebook = Notebook()
        self._events: list[Event] = []
        self._given_back = Changes()

    def hear(self, message: Message) -> list[Reading]:
        """Takes what the broker says of itself and its clients; the figures in it."""
        self._roster.hear(message)
        return self._figures.take(message)

    def knows(self, client: str) -> bool:
        """Whether somebody logged in as that client; not of all, where there are very many."""
        return self._roster.knows(client)

    def miss(self, outages: Iterable[Outage]) -> None:
        """Notes from when to when nothing was heard of the broker."""
        for outage in outages:
            self._roster.miss(outage)
            self._figures.miss(outage)

    def deny(self, denials: Iterable[Denial]) -> None:
        """Notes publishes that the broker refused."""
        for denial in denials:
            self._roster.deny(denial)

    def read(self, client: str, notes: Iterable[Note], received_us: int) -> None:
        """Notes what a client says of itself beside readings."""
        self._events += self._notebook.events(client, notes, received_us)

    def limit(self, client: str, excess: str, message: Message) -> None:
        """Notes, once an hour, that a client sends more than one may, with a message as a sample.

        Args:
            client: The client, or an empty string if it has no place in the ledger.
            excess: Of what there is too much, as a reason.
            message: One that is left out, in whole or in part.
        """
        if self._notebook.is_first_of_hour(client, excess, message.received_us):
            topic, payload = message.topic[:_SHOWN], message.payload[:_SHOWN]
            detail = f"{excess}: {payload!r} on {topic!r}"
            self._events.append(Event(message.received_us, EventKind.LIMITED, client, detail))
            log.warning("limited", client=repr(client), excess=excess, topic=repr(topic))

    def note(self, event: Event) -> None:
        """Notes something that happened."""
        self._events.append(event)

    def take_changes(self) -> Changes:
        """What is news since the last time; first what was given back, which is older."""
        if self._given_back:
            given_back, self._given_back = self._given_back, Changes()
            return given_back
        changes = self._roster.take_changes()
        events, self._events = [*changes.events, *self._events], []
        return Changes(changes.connections, events)

    def give_back(self, changes: Changes) -> None:
        """Takes back what was taken last and could not be kept."""
        self._given_back = changes


def is_about_broker(message: Message) -> bool:
    """Whether a message is the broker's own and not a client's, which may not publish there."""
    return message.topic.startswith(ROOT)
