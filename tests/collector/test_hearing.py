"""What loads say of topics: one for each, of all its messages, whatever they came to."""

from collections import Counter
from contextlib import closing
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from collector.limits import Caps
from collector.load import Load, Loader
from collector.message import Message, Properties
from telemetry.ledger import Outcome, total
from telemetry.presence import Changes
from telemetry.reading import Flag
from telemetry.store import open_appender
from telemetry.topic import METRICS_NAMED, SHOWN_BYTES, Heard, Topic
from telemetry.window import ALL_TIME
from tests.collector.support import CAPS, MemoryAppender, tools
from tests.telemetry.builders import looking, steady

NOW_US = 1_800_000_000_000_000
TEMPLATES = ("clients/{client}", "clients/{client}/{metric}")


def message(number: int, payload: bytes, topic: str = "clients/a/m", **rest: object) -> Message:
    """A message that arrived so many microseconds after NOW_US."""
    facts = {"packet_id": number} | rest
    return Message(topic, payload, NOW_US + number, **facts)  # type: ignore[arg-type]  # by name


def heard(*messages: Message, caps: Caps = CAPS) -> list[Heard]:
    """What one load of these says."""
    loader, load = Loader(tools(MemoryAppender(), *TEMPLATES, caps=caps)), Load()
    for one in messages:
        loader.add(one, load)
    return list(load.batch(Changes()).topics)


def test_topic_has_all_its_messages_and_the_last_payload() -> None:
    """Two topics, interleaved: counts, times and payloads are of each."""
    found = heard(message(1, b"1"), message(2, b"5", "clients/b/m"), message(3, b"2"))
    assert [(one.topic, one.messages, one.first_us, one.last_us, one.payload) for one in found] == [
        ("clients/a/m", 2, NOW_US + 1, NOW_US + 3, b"2"),
        ("clients/b/m", 1, NOW_US + 2, NOW_US + 2, b"5"),
    ]
    assert [(one.client, one.metrics, one.reason) for one in found] == [
        ("a", ("m",), ""),
        ("b", ("m",), ""),
    ]


def test_topic_whose_last_message_cannot_be_read_says_why_and_what_it_was() -> None:
    """The reason is of the last message, the metrics are of the last that had readings."""
    (one,) = heard(message(1, b'{"x": 1, "y": 2}', "clients/a"), message(2, b"{", "clients/a"))
    assert (one.reason, one.client, one.payload) == ("malformed-json", "a", b"{")
    assert [*one.metrics] == ["x", "y"]
    (good,) = heard(message(1, b"{", "clients/a"), message(2, b'{"x": 1}', "clients/a"))
    assert (good.reason, [*good.metrics]) == ("", ["x"])


def test_topic_of_a_client_without_readings_knows_whose_it_is() -> None:
    """So that erasing that client later takes it along; nobody's topic has no client."""
    found = heard(message(1, b"{", "clients/new"), message(2, b"1", "stray/topic"))
    assert [(one.client, one.reason) for one in found] == [
        ("new", "malformed-json"),
        ("", "unmapped"),
    ]


def test_large_payload_is_cut_and_its_size_is_said() -> None:
    """A kilobyte of it is kept; of many metrics some are named."""
    payload = b"{" + b",".join(b'"m%d": %d' % (n, n) for n in range(400)) + b"}"
    (one,) = heard(message(1, payload, "clients/a"))
    assert (one.payload, one.size) == (payload[:SHOWN_BYTES], len(payload))
    assert len(one.metrics) == METRICS_NAMED


def test_flags_and_quality_of_service_are_of_the_last_message() -> None:
    """At QoS 0 there is no packet identifier; a retained message says nothing new."""
    simulated = Properties(user=(("simulated", "1"),))
    (one,) = heard(message(1, b"1"), message(0, b"2", retain=True, properties=simulated))
    assert (one.qos, one.flags) == (0, Flag.RETAINED | Flag.SIMULATED)
    assert one.reason == "retained"


def test_repetition_and_too_many_are_counted_like_any_other() -> None:
    """Each message that was acknowledged counts on its topic, with what it came to."""
    named = Properties(user=(("id", "7"),))
    (again,) = heard(message(1, b"1", properties=named), message(2, b"1", properties=named))
    assert (again.messages, again.client, [*again.metrics]) == (2, "a", ["m"])
    caps = Caps(messages_per_s=1, burst=1, series_per_client=9, series=9)
    (limited,) = heard(message(1, b"1"), message(2, b"2"), caps=caps)
    assert (limited.messages, limited.reason) == (2, "too-many-messages")


PAYLOADS = st.sampled_from([b"1", b"2", b"{", b"", b'{"x": 1, "y": "?"}'])
TOPICS = st.sampled_from(["clients/a/m", "clients/b/m", "clients/a", "stray", "broker/x"])


@steady
@given(batches=st.lists(st.lists(st.tuples(TOPICS, PAYLOADS, st.booleans())), max_size=4))
def test_topics_count_what_the_ledger_counts(
    batches: list[list[tuple[str, bytes, bool]]], tmp_path_factory: object
) -> None:
    """Whatever arrives in whatever batches, on every topic, is what arrived in all."""
    folder: Path = tmp_path_factory.mktemp("topics")  # type: ignore[attr-defined]  # pytest's own
    sent: Counter[str] = Counter()
    number = 0
    with closing(open_appender(folder / "culex.db")) as appender:
        loader = Loader(tools(appender, *TEMPLATES))
        for batch in batches:
            load = Load()
            for topic, payload, retain in batch:
                number += 1
                sent[topic] += 1
                loader.add(message(number, payload, topic, retain=retain), load)
            appender.append(load.batch(Changes()))
    topics = _kept(folder / "culex.db")
    assert {one.name: one.messages for one in topics} == dict(sent)


def _kept(path: Path) -> list[Topic]:
    """Every topic; they and the ledger agree."""
    with looking(path) as snapshot:
        topics = list(snapshot.topics(snapshot.topic_names()))
        messages = total(row.messages for row in snapshot.ledger(None, ALL_TIME))
        assert sum(one.messages for one in topics) == messages.received
        assert {one.outcome for one in topics} <= set(Outcome)
    return topics
