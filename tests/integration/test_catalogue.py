"""Ninety hostile inputs among good readings: none of these is lost, none of those is stored."""

from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field

import pytest

from mosquitto.broker import end_orphan
from mosquitto.provision import Credentials, add_client, initialise
from telemetry.interface import StoreError
from telemetry.presence import EventKind
from telemetry.reading import RESERVED_CLIENTS
from telemetry.settings import ROOT, Settings
from telemetry.store import open_querier
from telemetry.window import ALL_TIME
from tests.integration.catalogue import (
    BASE_US,
    CLIENT,
    LATE,
    PASSED,
    STOPPED,
    Answer,
    Passed,
    Stopped,
    Stored,
    topic,
)
from tests.integration.elsewhere import ELSEWHERE, Elsewhere
from tests.support import Process, culex, make_settings, start_broker, wait_until
from tests.torture.packets import Kind, Packet, Publish, packet, reason
from tests.torture.publisher import Link

pytestmark = pytest.mark.broker

CLOSED = Answer.CLOSED
ITEMS = 90
_PUBREC, _PUBREL, _PUBCOMP = 5, 6, 7
_ANSWERS = (Kind.PUBACK, _PUBCOMP)
_ANSWER_S = 5.0
_SHOWN = 1000  # characters of a topic: quarantine cuts what is longer

Found = Counter[tuple[str, Stored]]


@dataclass(slots=True)
class Scene:
    """All that was sent, and what became of it.

    Attributes:
        good: Good readings that were sent.
        answers: What the broker did with each row that it does not hand on.
        stored: Every reading in the store, with its metric.
        quarantined: How many messages of each topic and reason are in quarantine.
        events: What happened beside readings, with its detail.
    """

    settings: Settings
    collector: Process
    good: int = 0
    answers: dict[Stopped, object] = field(default_factory=dict)
    stored: Found = field(default_factory=Counter)
    quarantined: Counter[tuple[str, str]] = field(default_factory=Counter)
    events: set[tuple[EventKind, str]] = field(default_factory=set)


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    """Everything has been sent, a good reading after each, and has become what it does."""
    settings = make_settings(tmp_path_factory.mktemp("catalogue"))
    initialise(settings)
    broker, collector = start_broker(settings), Process(settings, "collector", "run")
    try:
        login = add_client(settings, CLIENT)
        collector.start()
        wait_until(lambda: broker_up(settings))
        scene = Scene(settings, collector)
        send_all(scene, login)
        wait_until(lambda: arrived(scene), 20)
        yield scene
    finally:
        collector.stop()
        broker.stop()
        end_orphan(settings)


def broker_up(settings: Settings) -> bool:
    """Whether the collector has its link."""
    with suppress(StoreError), open_querier(settings.store_path).snapshot() as snapshot:
        return snapshot.writer().broker_up
    return False


def send_all(scene: Scene, login: Credentials) -> None:
    """Sends every row, and a good reading behind each; what may be cut off has its own link."""
    link = Link(scene.settings.mqtt_port, login)
    for passed in PASSED:
        for message in passed.sent:
            assert answer_to(link, message) is not CLOSED, passed.what
        send_good(scene, link)
    link.close()
    for row in STOPPED:
        hostile = Link(scene.settings.mqtt_port, login)
        scene.answers[row] = answer_to(hostile, row.sent)
        hostile.close()
        link = Link(scene.settings.mqtt_port, login)
        send_good(scene, link)
        link.close()


def send_good(scene: Scene, link: Link) -> None:
    """Sends the next good reading, with a time of its own."""
    payload = f'{{"good": {scene.good}, "ts": {BASE_US + scene.good}}}'.encode()
    assert answer_to(link, Publish(topic("telemetry"), payload)) == 0
    scene.good += 1


def answer_to(link: Link, message: Publish) -> object:
    """The reason code by which the broker answers, or that it closes; 0 at QoS 0."""
    try:
        link.send(message.encoded())
        return final_answer(link) if message.flags & 0b0110 else 0
    except ConnectionError:
        return CLOSED


def final_answer(link: Link) -> int:
    """The reason code of the last answer; that of QoS 2 comes after an exchange."""
    while True:
        answers = link.receive(_ANSWER_S)
        assert answers, "the broker does not answer"
        for one in answers:
            if one.kind in _ANSWERS:
                return reason(one)
            go_on(link, one)


def go_on(link: Link, one: Packet) -> None:
    """Takes the next step of an exchange at QoS 2 (MQTT 5, 4.3.3)."""
    if one.kind == _PUBREC:
        link.send(packet(_PUBREL, one.body[:2], 0b0010))


def arrived(scene: Scene) -> bool:
    """Whether the last good reading is in the store, and so all before it is settled."""
    look(scene)
    return any(metric == "good" and one.value == scene.good - 1 for metric, one in scene.stored)


def look(scene: Scene) -> None:
    """Takes down what is in the store now."""
    with open_querier(scene.settings.store_path).snapshot() as snapshot:
        series = [
            one.series for one in snapshot.latest() if one.series.client not in RESERVED_CLIENTS
        ]
        frames = {one.metric: snapshot.read(one, ALL_TIME).frame for one in series}
        groups = snapshot.quarantine()
        scene.events = {(one.kind, one.detail) for one in snapshot.events(CLIENT, ALL_TIME)}
    scene.quarantined = Counter()
    for group in groups:
        scene.quarantined[group.topic[:_SHOWN], group.reason] += group.messages
    scene.stored = Counter(
        (metric, Stored(text or value, flags, time_us if delay_us else 0))
        for metric, frame in frames.items()
        for time_us, value, text, delay_us, flags in frame.itertuples(index=False)
    )


def found(scene: Scene, metrics: set[str]) -> Found:
    """The readings of those metrics."""
    return Counter({one: count for one, count in scene.stored.items() if one[0] in metrics})


def described(row: Passed | Stopped | Elsewhere) -> str:
    """What a row is called in the report of a test."""
    return f"{row.number}: {row.what}"


def metrics_of(row: Passed) -> set[str]:
    """The metrics that its readings have."""
    return {metric for metric, _ in row.stored}


def topics_of(row: Passed) -> set[str]:
    """The topics of its messages, as far as quarantine keeps each."""
    return {str(one.topic)[:_SHOWN] for one in row.sent}


def faults_of(row: Passed) -> Counter[tuple[str, str]]:
    """How many of its messages are in quarantine, by topic and reason."""
    return Counter((str(one.topic)[:_SHOWN], row.reason) for one in row.sent if row.reason)


def test_every_item_of_the_catalogue_has_a_row() -> None:
    """From 1 to 90 none is left out."""
    here = {row.number for row in PASSED} | {row.number for row in STOPPED}
    assert here | {row.number for row in ELSEWHERE} == set(range(1, ITEMS + 1))


@pytest.mark.parametrize("row", ELSEWHERE, ids=described)
def test_item_held_by_another_test_names_one_that_exists(row: Elsewhere) -> None:
    """The test is in the file that the row says."""
    assert f"\ndef {row.test}(" in (ROOT / "tests" / row.file).read_text(encoding="utf-8")


@pytest.mark.parametrize("row", PASSED, ids=described)
def test_item_that_the_broker_hands_on_becomes_what_it_should(scene: Scene, row: Passed) -> None:
    """Exactly its readings are stored, with their flags and times, and its faults are kept."""
    assert found(scene, metrics_of(row)) == Counter(row.stored)
    topics = topics_of(row)
    kept = Counter({one: count for one, count in scene.quarantined.items() if one[0] in topics})
    same_topic = (faults_of(one) for one in PASSED if topics & topics_of(one))
    assert kept == sum(same_topic, Counter())


@pytest.mark.parametrize("row", STOPPED, ids=described)
def test_item_that_the_broker_stops_is_answered(scene: Scene, row: Stopped) -> None:
    """The broker closes the connection, or refuses the message."""
    assert scene.answers[row] == (row.answer if row.answer is CLOSED else row.answer.value)


def test_good_readings_among_bad_are_stored_once(scene: Scene) -> None:
    """As many as there are rows, each with its own time."""
    assert scene.good == len(PASSED) + len(STOPPED)
    assert found(scene, {"good"}) == Counter(good(scene))


def test_store_holds_nothing_else(scene: Scene) -> None:
    """No reading and no fault is there that no row says."""
    said = [one for row in PASSED for one in row.stored]
    assert scene.stored == Counter(said) + Counter(good(scene))
    assert scene.quarantined == sum(map(faults_of, PASSED), Counter())


def good(scene: Scene) -> list[tuple[str, Stored]]:
    """The good readings that were sent."""
    return [("good", Stored(n, LATE, BASE_US + n)) for n in range(scene.good)]


def test_nothing_and_no_value_are_events(scene: Scene) -> None:
    """What takes a retained message back, and what says that there is no value, is told."""
    said = {(EventKind.CLEARED, "i1"), (EventKind.CLEARED, "i2"), (EventKind.NO_VALUE, "i14")}
    assert said <= scene.events


def test_store_verifies_and_the_collector_still_runs(scene: Scene) -> None:
    """The books add up, no error was logged, and the collector never ended."""
    verified = culex(scene.settings, "telemetry", "verify")
    assert verified.returncode == 0, verified.stdout
    assert scene.collector.running
    assert "Traceback" not in scene.collector.output
