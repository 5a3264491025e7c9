"""Replay: what leaves quarantine leaves nothing out, and a dry run leaves nothing behind."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from collector import translate
from collector.formats.sparkplug_b_pb2 import Payload
from collector.limits import Caps
from collector.load import Load, Loader, Tools
from collector.message import Message
from collector.topics import Rule, Topics
from collector.translate import Tolerance, Translator
from telemetry.families import TEMPLATES, Family
from telemetry.interface import Appender
from telemetry.presence import Changes
from telemetry.quarantine import Choice
from telemetry.reading import Reading, Series
from telemetry.store import open_appender
from telemetry.template import TopicTemplate
from tests.collector.support import replayed, tools
from tests.telemetry.builders import looking

NOW_US = 1_800_000_000_000_000
OLD, NEW = "elsewhere/{client}/{metric}", "clients/{client}/{metric}"
BIRTH, DATA = "spBv1.0/g/NBIRTH/n", "spBv1.0/g/NDATA/n"


@pytest.fixture
def appender(tmp_path: Path) -> Iterator[Appender]:
    """A store with its one writer."""
    appender = open_appender(tmp_path / "culex.db")
    yield appender
    appender.close()


def of_family(appender: Appender, family: Family) -> Tools:
    """What messages are loaded with where that family's topics and ours are known."""
    plain = tools(appender, NEW)
    families = (Rule(TopicTemplate(one), written) for one, written in TEMPLATES[family])
    topics = Topics([Rule(TopicTemplate(NEW)), *families])
    translator = Translator(topics, Tolerance(1, 1), plain.cardinality.admit, appender.memory())
    return plain._replace(topics=topics, translator=translator)


def feed(appender: Appender, loader: Loader, *messages: Message) -> list[Reading]:
    """The readings of messages that are loaded and committed."""
    load = Load()
    for message in messages:
        loader.add(message, load)
    appender.append(load.batch(Changes()))
    return [one for arrival in load.arrivals for one in arrival.readings]


def birth(alias: int, offset_us: int = 0) -> Message:
    """A birth whose one metric `level` has that alias."""
    payload = Payload(seq=0)
    payload.metrics.add(name="level", alias=alias, datatype=10, double_value=1.0)
    return Message(BIRTH, payload.SerializeToString(), NOW_US + offset_us)


def data(alias: int) -> Message:
    """Data that names its metric by alias alone."""
    payload = Payload(seq=1)
    payload.metrics.add(alias=alias, datatype=10, double_value=2.0)
    return Message(DATA, payload.SerializeToString(), NOW_US + 9)


def test_replay_of_a_birth_that_found_no_room_keeps_what_it_says(
    appender: Appender, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Data that follows is understood by it, now and after a restart."""
    loader = Loader(of_family(appender, Family.SPARKPLUG))
    with monkeypatch.context() as patch:
        patch.setattr(translate, "MEMORY_BYTES", 10)
        feed(appender, loader, birth(1), birth(7, 1))
    assert [one.message.reason for one in appender.quarantined(Choice(), 0, 9)] == [
        "memory-full",
        "memory-full",
    ]
    assert replayed(appender, loader)["released"] == 2
    for one in (loader, Loader(of_family(appender, Family.SPARKPLUG))):
        assert [read.series.metric for read in feed(appender, one, data(7))] == ["level"]
        assert feed(appender, one, data(1)) == []


def test_replay_of_what_stays_leaves_it_to_whose_it_was(appender: Appender) -> None:
    """Another process does not know who had logged in when it came."""
    first, later = (Loader(tools(appender, "clients/{client}/{metric}")) for _ in range(2))
    said = b"New client connected from 127.0.0.1:4157 as id-7 (p5, c1, k60, u'scale')."
    feed(appender, first, Message("$SYS/broker/log/N", said, NOW_US))
    feed(appender, first, Message("clients/scale/m", b"\x00", NOW_US + 1))
    assert replayed(appender, later)["stay"] == 1
    (kept,) = appender.quarantined(Choice(), 0, 9)
    assert kept.message.account.client == "scale"


def test_replay_of_an_older_birth_leaves_the_newer_one_in_force(
    appender: Appender, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Live data is read by the birth that came last, not by the one that was replayed last."""
    loader = Loader(of_family(appender, Family.SPARKPLUG))
    with monkeypatch.context() as patch:
        patch.setattr(translate, "MEMORY_BYTES", 10)
        feed(appender, loader, birth(1))
    feed(appender, loader, birth(7, 1))
    before = appender.memory()
    assert replayed(appender, loader)["released"] == 1
    assert appender.memory() == before
    assert len(feed(appender, loader, data(7))) == 1


def test_replay_keeps_the_names_that_a_message_gives(appender: Appender, tmp_path: Path) -> None:
    """A discovery message that was refused at first names its series all the same."""
    config = b'{"name": "Air", "stat_t": "clients/shed/t", "unit_of_meas": "\xc2\xb0C"}'
    message = Message("homeassistant/sensor/shed/config", config, NOW_US)
    feed(appender, Loader(tools(appender, NEW)), message)
    loader = Loader(of_family(appender, Family.HOME_ASSISTANT))
    assert replayed(appender, loader)["released"] == 1
    feed(appender, loader, Message("clients/shed/t", b"21", NOW_US))
    with looking(tmp_path / "culex.db") as snapshot:
        assert [(one.name, one.unit) for one in snapshot.latest()] == [("Air", "°C")]


def test_replay_passes_over_a_topic_that_is_no_text(appender: Appender) -> None:
    """What is written for its bytes is nobody's name; the message stays as it is."""
    feed(appender, Loader(tools(appender, OLD)), Message("clients/a\udcff/m", b"1", NOW_US))
    before = appender.quarantined(Choice(), 0, 9)
    result = replayed(appender, Loader(tools(appender, NEW)))
    assert (result["cut"], result["released"], result["readings"]) == (1, 0, 0)
    assert appender.quarantined(Choice(), 0, 9) == before
    assert appender.series() == []


def test_replay_that_is_dry_leaves_nothing_behind(appender: Appender) -> None:
    """Neither the store nor the places and memory of the clients that are there."""
    caps = Caps(messages_per_s=0, burst=1, series_per_client=1, series=2)
    feed(
        appender,
        Loader(tools(appender, OLD, caps=caps)),
        *(Message(f"clients/{one}/m", b"1", NOW_US) for one in "ab"),
    )
    here = tools(appender, NEW, caps=caps)
    loader = Loader(here)
    for _ in range(2):
        result = replayed(appender, loader, dry_run=True)
        assert (result["released"], result["readings"], result["stored"]) == (2, 2, 0)
    assert (len(here.cardinality), here.translator._admitted) == (0, {})
    assert len(feed(appender, loader, Message("clients/c/m", b"1", NOW_US))) == 1
    assert appender.series() == [Series("c", "m")]


def test_replay_that_is_dry_leaves_no_memory(
    appender: Appender, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A birth that would be understood is not in force."""
    loader = Loader(of_family(appender, Family.SPARKPLUG))
    with monkeypatch.context() as patch:
        patch.setattr(translate, "MEMORY_BYTES", 10)
        feed(appender, loader, birth(1))
    assert replayed(appender, loader, dry_run=True)["released"] == 1
    assert (feed(appender, loader, data(1)), appender.memory().keys()) == (
        [],
        {"sparkplug-seq:g/n"},
    )
