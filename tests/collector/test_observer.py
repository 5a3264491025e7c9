"""The observer: what clients say beside readings is told once, with what happens around them."""

from collector.decoded import Note, NoteKind
from collector.message import Message
from collector.notebook import Notebook
from collector.observer import Observer, is_about_broker
from collector.outage import Outage
from telemetry.presence import Changes, Event, EventKind
from telemetry.window import HOUR_US

NOW_US = 1_800_000_000_000_000


def kinds(notebook: Notebook, *notes: Note, client: str = "a", at_us: int = NOW_US) -> list[str]:
    """The kinds of events that follow from notes."""
    return [event.kind.value for event in notebook.events(client, notes, at_us)]


def test_notebook_presence_is_news_when_it_changes() -> None:
    """A client that says each minute that it is there has come once."""
    notebook = Notebook()
    online, offline = Note(NoteKind.ONLINE), Note(NoteKind.OFFLINE)
    assert kinds(notebook, online, online, offline, online) == ["online", "offline", "online"]
    assert kinds(notebook, online, client="b") == ["online"]


def test_notebook_missing_value_is_news_once_an_hour() -> None:
    """A field that is null in every message fills no table."""
    notebook = Notebook()
    null = Note(NoteKind.NO_VALUE, "co2")
    assert kinds(notebook, null, null, Note(NoteKind.NO_VALUE, "rh")) == ["no-value"] * 2
    assert kinds(notebook, null, at_us=NOW_US + HOUR_US) == ["no-value"]


def test_notebook_every_gap_is_news() -> None:
    """Each one is another loss."""
    assert kinds(Notebook(), Note(NoteKind.GAP), Note(NoteKind.GAP)) == ["gap", "gap"]


def test_notebook_event_says_of_which_metric_and_when() -> None:
    """The client's own time counts, if it says one."""
    (event,) = Notebook().events("a", [Note(NoteKind.GAP, "m", "4 lost", 7)], NOW_US)
    assert event == Event(7, EventKind.GAP, "a", "m: 4 lost")


def test_notebook_forgets_within_bounds() -> None:
    """However many names are made up, what is remembered is bounded."""
    notebook = Notebook()
    for number in range(50_000):
        notebook.events(str(number), [Note(NoteKind.ONLINE)], NOW_US)
    assert len(notebook._said) <= 20_000


def test_observer_gathers_what_happens_until_it_is_taken() -> None:
    """Log lines, notes and outages come together, each once."""
    observer = Observer()
    line = b"1: New client connected from 127.0.0.1:5 as s1 (p5, c1, k60, u'tank')."
    heard = Message("$SYS/broker/log/N", line, NOW_US)
    assert is_about_broker(heard)
    assert observer.hear(heard) == []
    observer.read("tank", [Note(NoteKind.ONLINE)], NOW_US)
    observer.note(Event(NOW_US, EventKind.BROKER_LOST))
    observer.miss([Outage(NOW_US + 1, None)])
    changes = observer.take_changes()
    assert [one.username for one in changes.connections] == ["tank"]
    assert {event.kind for event in changes.events} >= {"online", "broker-lost", "watch-lost"}
    assert observer.take_changes() == Changes((), [])


def test_notebook_event_is_not_in_the_future_whatever_a_clock_says() -> None:
    """One dated into the future would displace what happened since."""
    (event,) = Notebook().events("a", [Note(NoteKind.GAP, time_us=NOW_US + HOUR_US)], NOW_US)
    assert event.time_us == NOW_US


def test_observer_gives_first_what_was_given_back() -> None:
    """What could not be kept is older than what happened meanwhile."""
    observer = Observer()
    observer.note(Event(1, EventKind.BROKER_LOST))
    changes = observer.take_changes()
    observer.give_back(changes)
    observer.note(Event(2, EventKind.BROKER_BACK))
    assert [one.time_us for _ in "12" for one in observer.take_changes().events] == [1, 2]
    assert not observer.take_changes()


def test_observer_figures_are_readings_of_the_broker() -> None:
    """What the broker counts is charted like anything else."""
    (reading,) = Observer().hear(Message("$SYS/broker/clients/connected", b"7", NOW_US))
    assert (reading.series.client, reading.value) == ("broker", 7.0)
