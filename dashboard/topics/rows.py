"""The rows of the grid of topics. Pure."""

from collections.abc import Mapping, Sequence
from typing import Any

from dashboard.display import count_text, printable
from dashboard.topics.became import Became, became
from dashboard.topics.tree import Node
from dashboard.view import View
from telemetry.topic import Topic

_LOOKS = ("level", "open", "topics", "shown", "new")
"""What a level's cell shows: AG Grid draws a cell anew if its own value has changed."""

NEW_US = 15_000_000
"""For so long a topic is marked as new."""

_SHOWN = 120

Row = dict[str, Any]  # a row of a grid: texts and numbers by field

COLUMNS: Sequence[Row] = (
    {
        "field": "looks",
        "headerName": "Topic",
        "minWidth": 230,
        "flex": 3,
        "cellRenderer": "TopicsLevel",
        "tooltipField": "path",
    },
    {
        "field": "payload",
        "headerName": "Last payload",
        "minWidth": 150,
        "flex": 3,
        "cellClass": "topics-payload",
    },
    {
        "field": "became",
        "headerName": "What became of it",
        "minWidth": 180,
        "flex": 3,
        "cellRenderer": "TopicsBecame",
        "tooltipField": "became",
    },
    {"field": "at", "headerName": "Heard", "width": 100, "cellRenderer": "TopicsAge"},
    {
        "field": "rate",
        "headerName": "Last minute",
        "minWidth": 104,
        "width": 104,
        "type": "rightAligned",
    },
    {
        "field": "messages",
        "headerName": "Messages",
        "minWidth": 108,
        "width": 108,
        "type": "rightAligned",
    },
)


def rows_of(
    nodes: Sequence[Node], topics: Mapping[str, Topic], view: View, now_us: int
) -> list[Row]:
    """A row for each node; what has no topic of its own has no payload either.

    Args:
        nodes: From top to bottom.
        topics: What was last heard, by topic.
        view: What links keep.
        now_us: The present.
    """
    shown = view.option("show")
    return [_row(node, topics.get(node.path), view, now_us, shown) for node in nodes]


def _row(node: Node, topic: Topic | None, view: View, now_us: int, shown: str) -> Row:
    row: Row = {"id": node.id, "level": level_text(node), "depth": node.depth}
    if node.open is not None:
        row["open"] = node.open
        row["topics"] = topics_text(node.topics)
    if node.id == shown:
        row["shown"] = True
    if topic is not None:
        row |= _heard(topic, became(topic, view), now_us)
    row["looks"] = "|".join(str(row.get(name, "")) for name in _LOOKS)
    return row


def _heard(topic: Topic, found: Became, now_us: int) -> Row:
    row: Row = {
        "path": printable(topic.name),
        "payload": payload_line(topic),
        "became": found.text,
        "mood": found.mood.value,
        "symbol": found.symbol,
        "at": topic.last_us // 1000,
        "rate": rate_text(topic.per_minute(now_us)),
        "messages": topic.messages,
    }
    if found.href:
        row["href"] = found.href
    if topic.retained:
        row["retained"] = True
    if now_us - topic.first_us < NEW_US:
        row["new"] = True
    return row


def level_text(node: Node) -> str:
    """The name of a level; one that is empty says so, which MQTT allows."""
    if node.left_out:
        return f"{count_text(node.left_out)} more here; search for them"
    return printable(node.level) or "(empty)"


def topics_text(number: int) -> str:
    """How many topics.

    >>> topics_text(1)
    '1 topic'
    """
    return "1 topic" if number == 1 else f"{count_text(number)} topics"


def payload_line(topic: Topic) -> str:
    r"""The beginning of the last payload in one line; bytes that are no text as their numbers.

    Of one that is cut, a character at the end may be cut as well.
    """
    if not topic.size:
        return "(empty)"
    part = topic.payload
    cut = topic.size > len(part)
    try:
        text = part.decode("utf-8")
    except UnicodeDecodeError as error:
        if not cut or error.start < len(part) - 3:
            return _line(part[: _SHOWN // 3].hex(" "), cut=topic.size > _SHOWN // 3)
        text = part[: error.start].decode("utf-8")
    return _line(printable(" ".join(text.split()) or text), cut=cut)


def _line(text: str, *, cut: bool) -> str:
    return f"{text[:_SHOWN]} …" if cut or len(text) > _SHOWN else text


def rate_text(per_minute: float) -> str:
    """How many messages came in the last minute.

    >>> rate_text(0.0), rate_text(0.4), rate_text(59.6)
    ('0', '<1', '60')
    """
    if 0 < per_minute < 1:
        return "<1"
    return count_text(round(per_minute))
