"""What a load of messages says of the topics they came on. Pure.

It costs a little for each message and more for each topic: see tests/benchmarks/bench_topics.py.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from functools import partial
from typing import NamedTuple

from collector.message import Message
from collector.translate import provenance
from telemetry.batch import Arrival
from telemetry.reading import Reading
from telemetry.topic import METRICS_NAMED, SHOWN_BYTES, Heard

_heard = partial(tuple.__new__, Heard)  # half the time of its constructor, for each topic


class Aside(NamedTuple):
    """What is known of a message whose readings do not say it all.

    Attributes:
        client: Whose it is by its topic, or an empty string.
        reason: Why it, or a part of it, is no reading, or an empty string.
    """

    client: str
    reason: str


_NONE = Aside("", "")


def hear(
    messages: Sequence[Message], arrivals: Sequence[Arrival], asides: Mapping[int, Aside]
) -> list[Heard]:
    """One for each topic, in the order in which they were first heard.

    Args:
        messages: In order of arrival.
        arrivals: What each of them came to.
        asides: Of those that came to something else than readings alone, by their place.
    """
    topics = [message.topic for message in messages]
    first = last = {topic: place for place, topic in enumerate(topics)}
    numbers: Mapping[str, int] = {}
    if len(last) < len(topics):
        first = {topics[place]: place for place in range(len(topics) - 1, -1, -1)}
        numbers = Counter(topics)
    fruitful = last
    if asides:
        fruitful = {topics[n]: n for n, arrival in enumerate(arrivals) if arrival.readings}
    heard = []
    for topic, place in last.items():
        message, aside = messages[place], asides.get(place, _NONE)
        payload, source = message.payload, fruitful.get(topic)
        readings = () if source is None else arrivals[source].readings
        facts = (
            topic,
            readings[0].series.client if readings else aside.client,
            _metrics(readings),
            numbers.get(topic, 1),
            messages[first[topic]].received_us,
            message.received_us,
            place,
            aside.reason,
            payload[:SHOWN_BYTES],
            len(payload),
            1 if message.packet_id else 0,
            provenance(message),
        )
        heard.append(_heard(facts))
    return heard


def _metrics(readings: Sequence[Reading]) -> Sequence[str]:
    """What they measure; most messages have one metric."""
    if len(readings) == 1:
        return (readings[0].series.metric,)
    return [*dict.fromkeys(reading.series.metric for reading in readings[:METRICS_NAMED])]
