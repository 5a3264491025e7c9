"""The event log: every kind has words, the newest stand first, older ones are counted."""

from pathlib import Path

from dashboard.broker.log import READ, SHOWN, entries, events, kind_of, kind_options
from dashboard.broker.words import ENDINGS, EVENTS
from telemetry.presence import Ending, Event, EventKind
from tests.dashboard.broker.looks import HOSTILE, looking_at, prop, refused, store
from tests.dashboard.pictures import texts
from tests.telemetry.builders import NOON_US, SECOND_US


def test_every_kind_and_ending_has_words_of_its_own() -> None:
    """A kind that is added needs some; no two read alike."""
    assert set(EVENTS) == set(EventKind)
    assert set(ENDINGS) == set(Ending)
    for told in (EVENTS, ENDINGS):
        assert len({words.text for words in told.values()}) == len(told)


def test_filter_offers_all_and_every_kind_once() -> None:
    """What is chosen comes back as that kind; anything else means all."""
    values = [one["value"] for one in kind_options()]
    assert sorted(values) == sorted(["all", *EventKind])
    assert kind_of("refused") is EventKind.REFUSED
    assert kind_of("all") is kind_of("") is kind_of("<b>") is None


def test_newest_event_stands_first_with_its_client_as_a_link(tmp_path: Path) -> None:
    """Hostile names are text, and their link keeps them."""
    older = refused("not authorised", ago_s=60)
    newer = Event(NOON_US - SECOND_US, EventKind.OFFLINE, HOSTILE, "will")
    with looking_at(store(tmp_path / "culex.db", events=[older, newer])) as look:
        shown = entries(events(look.snapshot, None, look.window), look)
        only = entries(events(look.snapshot, EventKind.REFUSED, look.window), look)
    words = list(texts(shown))
    assert words.index("says it is offline") < words.index("login refused")
    assert HOSTILE.replace("\u202e", "<U+202E>") in words
    assert list(prop(shown, "href")) == [
        "/client?id=%3Cimg+src%3Dx+onerror%3Dalert%281%29%3E%25%7Bx%7D%E2%80%AEa%2Fb+%231+%3Cb%3E"
    ]
    assert "says it is offline" not in list(texts(only))
    assert "not authorised · 192.0.2.9:5000" in list(texts(only))


def test_older_events_are_counted(tmp_path: Path) -> None:
    """The page stays small however much happened."""
    many = [refused(f"reason {number}", ago_s=number) for number in range(1, SHOWN + 8)]
    with looking_at(store(tmp_path / "culex.db", events=many)) as look:
        words = list(texts(entries(events(look.snapshot, None, look.window), look)))
    assert words.count("login refused") == SHOWN
    assert any(text.startswith("7 older ones") for text in words)


def test_flood_of_one_kind_hides_no_other(tmp_path: Path) -> None:
    """Of each kind so many are read; what is told of older ones is a least number then."""
    flood = [refused("x", ago_s=number % 300 + 1) for number in range(READ + 5)]
    rare = Event(NOON_US - 800 * SECOND_US, EventKind.WATCH_LOST)
    with looking_at(store(tmp_path / "culex.db", events=[rare, *flood])) as look:
        known = events(look.snapshot, None, look.window)
        words = list(texts(entries(known, look)))
    assert known[0].kind is EventKind.WATCH_LOST
    assert len(known) == READ + 1
    assert any(text.startswith(f"{READ + 1 - SHOWN} or more older") for text in words)


def test_time_without_events_says_so(tmp_path: Path) -> None:
    """No blank."""
    with looking_at(store(tmp_path / "culex.db")) as look:
        assert "Nothing" in "".join(texts(entries([], look)))
