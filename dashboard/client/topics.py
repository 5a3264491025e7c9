"""The tab of topics: what a client publishes to, how often, and what became of it."""

from dash.development.base_component import Component

from dashboard.client.tables import Cell, note, nothing, table
from dashboard.display import count_text, printable
from dashboard.parts import icon, since
from telemetry.interface import Snapshot
from telemetry.ledger import Outcome
from telemetry.reasons import reason_of
from telemetry.topic import METRICS_NAMED, Topic

MOST_TOPICS = 200

_HEADS = ("Topic", "Last heard", "Per minute", "Messages", "QoS", "Became")
_WORDS = {
    Outcome.STORED: ("check2-circle", "readings"),
    Outcome.DUPLICATE: ("files", "duplicates, stored once"),
    Outcome.RETAINED: ("pin-angle", "nothing new: the broker had kept it"),
    Outcome.QUARANTINED: ("exclamation-triangle", "quarantine"),
    Outcome.HELD: ("clock-history", "held for its time"),
    Outcome.LIMITED: ("funnel", "not stored: more than it may send"),
}


def topics_tab(snapshot: Snapshot, client: str, now_us: int) -> list[Component]:
    """All of the tab."""
    topics = snapshot.topics_of(client, MOST_TOPICS + 1)
    if not topics:
        return [nothing("No message of it was heard since topics are kept.")]
    rows = [_row(topic, now_us) for topic in topics[:MOST_TOPICS]]
    left_out = "" if len(topics) <= MOST_TOPICS else f" The {MOST_TOPICS} heard last are shown."
    return [
        note(f"What it publishes to, and what its last message there became.{left_out}"),
        table("Topics", _HEADS, rows),
    ]


def _row(topic: Topic, now_us: int) -> list[Cell]:
    return [
        printable(topic.name),
        since(topic.last_us),
        f"{topic.per_minute(now_us):.0f}",
        count_text(topic.messages),
        str(topic.qos),
        [icon(_WORDS[topic.outcome][0]), " ", _became(topic)],
    ]


def _became(topic: Topic) -> str:
    words = _WORDS[topic.outcome][1]
    parts = [f"{words}: {_metrics(topic)}" if topic.metrics and _is_good(topic) else words]
    if topic.reason:
        parts.append(reason_of(topic.reason).meaning)
    if topic.retained:
        parts.append("retained")
    return " · ".join(parts)


def _is_good(topic: Topic) -> bool:
    return topic.outcome in {Outcome.STORED, Outcome.DUPLICATE}


def _metrics(topic: Topic) -> str:
    more = " …" if len(topic.metrics) >= METRICS_NAMED else ""
    return ", ".join(map(printable, topic.metrics)) + more
