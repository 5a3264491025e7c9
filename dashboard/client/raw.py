"""The tab of raw messages: what is kept of them as they arrived, and what is not."""

from collections.abc import Sequence

from dash import html
from dash.development.base_component import Component

from dashboard.client.tables import Cell, note, nothing, table
from dashboard.display import clock_text, count_text, printable
from dashboard.parts import icon, named, since
from dashboard.quality.payloads import Form, payload_text
from dashboard.style import Style
from telemetry.interface import Snapshot
from telemetry.quarantine import Choice, Entry, Group
from telemetry.reasons import reason_of
from telemetry.topic import SHOWN_BYTES, Topic

MOST_GROUPS, MOST_ENTRIES, MOST_TOPICS = 20, 5, 100
_NEWEST = 1 << 62

_KEPT = (
    "A message that could be read is stored as its readings and not kept as it arrived. "
    f"Kept are the first {count_text(SHOWN_BYTES)} bytes of the last message of each topic, and, "
    "in quarantine, messages that could not be read."
)


def raw_tab(snapshot: Snapshot, client: str, style: Style) -> list[Component]:
    """All of the tab."""
    groups = [one for one in snapshot.quarantine() if one.client == client][:MOST_GROUPS]
    topics = snapshot.topics_of(client, MOST_TOPICS)
    return [
        note(_KEPT),
        html.H3("Last message of each topic"),
        _last_messages(topics) if topics else nothing("No message of it was heard yet."),
        html.H3("In quarantine"),
        *(_quarantine(snapshot, groups, style) or [nothing("All of its messages could be read.")]),
    ]


def _last_messages(topics: Sequence[Topic]) -> Component:
    heads = ("Topic", "Received", "Bytes", "Payload")
    rows: list[list[Cell]] = [
        [
            printable(topic.name),
            since(topic.last_us),
            count_text(topic.size),
            payload(topic.payload, topic.size, printable(topic.name)),
        ]
        for topic in topics
    ]
    return table("Last messages", heads, rows)


def _quarantine(snapshot: Snapshot, groups: Sequence[Group], style: Style) -> list[Component]:
    """The newest messages of each topic and reason, and how many there are in all."""
    return [
        html.Div(
            [
                html.Div(
                    [
                        icon("exclamation-triangle"),
                        html.Strong(reason_of(group.reason).meaning),
                        html.Span(printable(group.topic), className="client-topic"),
                        html.Span(_counted(group), className="client-dim"),
                    ],
                    className="client-group",
                ),
                *_entries(_newest(snapshot, group), style),
            ]
        )
        for group in groups
    ]


def _newest(snapshot: Snapshot, group: Group) -> Sequence[Entry]:
    if not group.kept:
        return ()
    choice = Choice(reason=group.reason, topic=group.topic)
    found = snapshot.quarantined(choice, _NEWEST, MOST_ENTRIES)
    return [one for one in found if one.message.account.client == group.client]


def _counted(group: Group) -> str:
    many = f"{count_text(group.messages)} {'message' if group.messages == 1 else 'messages'}"
    return many if group.kept == group.messages else f"{many}, {count_text(group.kept)} kept"


def _entries(entries: Sequence[Entry], style: Style) -> list[Component]:
    if not entries:
        return []
    rows: list[list[Cell]] = [
        [
            clock_text(one.message.received_us, style.zone)[:19],
            printable(one.message.metric) or "the whole message",
            count_text(one.size),
            payload(one.message.payload, one.size, f"message {one.id}"),
        ]
        for one in entries
    ]
    return [table("Messages in quarantine", ("Received", "Concerns", "Bytes", "Payload"), rows)]


def payload(content: bytes, size: int, whose: str) -> Component:
    """A payload: its beginning in one line, all that is kept of it once it is opened."""
    text = payload_text(content, Form.AUTO)
    line = " ".join(text.split())
    if len(text) <= _SHORT and "\n" not in text:
        return html.Code(text or "(empty)", className="client-payload")
    summary = html.Summary(html.Code(f"{line[:_SHORT]}…"), **named(f"Payload of {whose}"))
    cut = f"… {len(content)} of {size} bytes are kept" if len(content) < size else ""
    return html.Details([summary, html.Pre(text), *([html.Small(cut)] if cut else [])])


_SHORT = 72
