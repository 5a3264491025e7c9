"""What became of a topic, in a few words: the series it makes, or why it makes none. Pure."""

from enum import StrEnum
from typing import NamedTuple
from urllib.parse import urlencode

from dashboard.display import printable
from dashboard.parts import page_link
from dashboard.prefix import place
from dashboard.view import View
from telemetry.ledger import Outcome
from telemetry.reasons import reason_of
from telemetry.remedies import remedy_of
from telemetry.topic import METRICS_NAMED, Topic

_NAMED = 3
_TOO_MANY = "too-many-messages"


class Mood(StrEnum):
    """How good it is; the names of classes in assets/topics.css."""

    GOOD = "good"
    BAD = "bad"
    NONE = "none"


class Became(NamedTuple):
    """What is said of a topic.

    Attributes:
        text: In a few words.
        mood: How good it is.
        symbol: Its Bootstrap icon.
        href: Where more of it is, or an empty string.
        advice: What it means and what to do, in a sentence, or an empty string.
    """

    text: str
    mood: Mood
    symbol: str
    href: str = ""
    advice: str = ""


def became(topic: Topic, view: View) -> Became:
    """What the last message on a topic came to, with a link to it."""
    if topic.reason == _TOO_MANY:
        return Became(
            "too many messages",
            Mood.BAD,
            "speedometer",
            _quality(topic),
            "Its client sends more than one client may, so this message was counted and left out. "
            "Send less, or raise the limits in culex.toml.",
        )
    if topic.reason and topic.outcome is not Outcome.RETAINED:
        return _refused(topic)
    if topic.outcome is Outcome.RETAINED:
        return Became(
            _with_series("kept by the broker", topic),
            Mood.NONE,
            "pin-angle",
            _client(topic, view),
            "The broker kept the last message, and it says no time of its own: it is no news, and "
            "nothing is stored until the client publishes again.",
        )
    if topic.metrics:
        known = topic.outcome is Outcome.DUPLICATE
        return Became(
            _with_series("known before", topic) if known else series_text(topic),
            Mood.NONE if known else Mood.GOOD,
            "check2-all" if known else "graph-up",
            _client(topic, view),
            "The store had the last of it before, and stores it once." if known else "",
        )
    return Became(
        "no reading in it",
        Mood.NONE,
        "dash-circle",
        _client(topic, view),
        "It could be read, and says something else than a measured value, or nothing new.",
    )


def _refused(topic: Topic) -> Became:
    """A message with something in it that could not become a reading."""
    why = reason_of(topic.reason)
    meaning = f"{why.meaning[:1].lower()}{why.meaning[1:]}"
    partly = topic.outcome in {Outcome.STORED, Outcome.DUPLICATE}
    text = f"{series_text(topic)}; not all: {meaning}" if partly else why.meaning
    remedy = printable(remedy_of(topic.reason, topic.name, topic.client))
    held = topic.outcome is Outcome.HELD
    symbol = "clock-history" if held else "exclamation-triangle-fill"
    return Became(text, Mood.BAD, symbol, _quality(topic), f"{why.meaning}: {remedy}.")


def series_text(topic: Topic) -> str:
    """The metrics of a topic, the first of them by name."""
    names = [printable(one) for one in topic.metrics]
    more = len(names) - _NAMED
    if more <= 0:
        return ", ".join(names)
    some = "or more" if len(names) >= METRICS_NAMED else "more"
    return f"{', '.join(names[:_NAMED])} and {more} {some}"


def _with_series(text: str, topic: Topic) -> str:
    return f"{series_text(topic)}: {text}" if topic.metrics else text


def _client(topic: Topic, view: View) -> str:
    if not topic.client or not topic.metrics:
        return ""
    return page_link("client", view, (topic.client,))


def _quality(topic: Topic) -> str:
    return place(f"/quality?{urlencode({'reason': topic.reason})}")
