"""Messages of the families as they arrive: routed by their own templates, then decoded."""

import json
from functools import cache

from hypothesis import strategies as st

from collector.decoded import Decoded
from collector.formats import DECODERS
from collector.topics import Route, Rule, Topics
from telemetry.families import TEMPLATES, Family
from telemetry.template import TopicTemplate

KEYS = (
    *("value", "unit", "ts", "tst", "t", "time", "Time", "TempUnit", "ENERGY", "StatusSNS"),
    *("method", "params", "events", "component", "event", "switch:0", "input:0"),
    *("_type", "desc", "state", "last_seen", "name", "device"),
    *("uplink_message", "decoded_payload", "rx_metadata", "rssi", "received_at", "join_accept"),
    *("components", "cmps", "state_topic", "stat_t", "~", "value_template"),
)
"""What decoders look for."""

ANYTHING = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=70)
    | st.sampled_from(["location", "transition", "enter", "NotifyStatus", "NotifyEvent", "C"]),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text(max_size=8) | st.sampled_from(KEYS), inner, max_size=5)
    ),
    max_leaves=20,
)
"""Any JSON, with the words that decoders look for."""


@cache
def topics(family: Family) -> Topics:
    """The templates of a family alone."""
    return Topics(Rule(TopicTemplate(text), format_) for text, format_ in TEMPLATES[family])


def route(family: Family, topic: str) -> Route:
    """Where the family's templates lead a topic."""
    return topics(family).route(topic)


def arrive(family: Family, topic: str, payload: object) -> Decoded:
    """What a message comes to; a payload that is neither bytes nor text is sent as JSON."""
    way = route(family, topic)
    sent = payload.encode() if isinstance(payload, str) else payload
    content = sent if isinstance(sent, bytes) else json.dumps(sent).encode()
    return DECODERS[way.format](content, way.place, {})


def measured(decoded: Decoded) -> dict[str, tuple[float | str, str]]:
    """Values with units by metric; there are no faults."""
    assert list(decoded.faults) == []
    return {m.metric: (m.value, m.unit) for m in decoded.measurements}


def reasons(decoded: Decoded) -> list[tuple[str, str]]:
    """The faults, with their metrics."""
    return [(fault.reason, fault.metric) for fault in decoded.faults]


def kinds(decoded: Decoded) -> list[str]:
    """What the notes say; there are neither readings nor faults beside them."""
    assert (list(decoded.measurements), list(decoded.faults)) == ([], [])
    return [str(note.kind) for note in decoded.notes]


def is_silent(decoded: Decoded) -> bool:
    """Whether a message holds nothing, and nothing is wrong with it."""
    return not (decoded.measurements or decoded.faults or decoded.notes or decoded.descriptions)
