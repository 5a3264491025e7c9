"""Messages become readings with the right time and provenance."""

import pytest

from collector import translate as translate_module
from collector.message import Message, Properties
from collector.topics import Rule, Topics
from collector.translate import Tolerance, Translation, Translator
from telemetry.reading import Flag, Kind, Reading, Series
from telemetry.template import TopicTemplate

NOW_US = 1_800_000_000_000_000
SECOND_US = 1_000_000
SIMULATED = Properties(user=(("simulated", "1"),))
TEMPLATES = ("clients/{client}", "clients/{client}/{metric}")


def translate(payload: bytes, topic: str = "clients/a/m", **facts: object) -> Translation:
    """What becomes of that payload, received at NOW_US."""
    topics = Topics(Rule(TopicTemplate(template)) for template in TEMPLATES)
    translator = Translator(topics, Tolerance(60 * SECOND_US, 300 * SECOND_US), lambda _: True, {})
    return translator.translate(Message(topic, payload, NOW_US, 1, **facts), topics.route(topic))  # type: ignore[arg-type]  # by name


def at(seconds: int) -> bytes:
    """A value measured so many seconds after NOW_US."""
    return b'{"value": 1, "ts": %d}' % (NOW_US // SECOND_US + seconds)


def test_translate_bare_value_has_the_time_of_receipt() -> None:
    """Without a time of the client's own, a reading was measured when it arrived."""
    assert translate(b"1").readings == [
        Reading(Series("a", "m"), NOW_US, 1.0, Kind.NUMBER, "", 0, 0)
    ]


@pytest.mark.parametrize(
    ("seconds", "flags"), [(0, 0), (-60, 0), (-61, Flag.LATE), (-86_400, Flag.LATE), (300, 0)]
)
def test_translate_own_time_is_kept_with_its_delay(seconds: int, flags: int) -> None:
    """A reading stands at the client's time, and is late beyond the tolerance."""
    (reading,) = translate(at(seconds)).readings
    assert reading.time_us == NOW_US + seconds * SECOND_US
    assert reading.time_us + reading.delay_us == NOW_US
    assert reading.flags == flags


@pytest.mark.parametrize(
    ("payload", "topic", "facts", "reason"),
    [
        (at(301), "clients/a/m", {}, "future"),
        (b"1", "clients/a/m", {"retain": True}, "retained"),
        (b"1", "clients/collector/m", {}, "reserved"),
        (b"1", "clients/broker/m", {}, "reserved"),
        (b"1", "clients/a", {}, "no-metric"),
        (b" ", "clients/a/m", {}, "empty"),
        (b"1" * 256_001, "clients/a/m", {}, "too-large"),
    ],
)
def test_translate_what_is_no_reading_says_why(
    payload: bytes, topic: str, facts: dict[str, bool], reason: str
) -> None:
    """A message that is no reading gives one fault with its reason."""
    translation = translate(payload, topic, **facts)
    assert not translation.readings
    assert [fault.reason for fault in translation.faults] == [reason]


def test_translate_retained_value_with_own_time_is_flagged() -> None:
    """A retained message with a time of its own is a reading of that time."""
    (reading,) = translate(at(-1), retain=True).readings
    assert reading.flags == Flag.RETAINED


def test_keep_refuses_what_is_too_much_and_forgets_what_it_replaces(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Later messages are not read by what no longer holds; names made up leave no trace."""
    monkeypatch.setattr(translate_module, "MEMORY_BYTES", 10)
    topics = Topics([Rule(TopicTemplate(TEMPLATES[0]))])
    translator = Translator(topics, Tolerance(1, 1), lambda _: True, {"key": b"old"})
    kept = translator.keep(Translation(remember={"key": b"new"}))
    assert (kept.remember, kept.faults) == ({"key": b"new"}, ())
    for remember, gone in (({"other": b"x" * 9}, {}), ({"key": b"x" * 9}, {"key": b""})):
        refused = translator.keep(Translation(remember=remember))
        assert refused.remember == gone
        assert [fault.reason for fault in refused.faults] == ["memory-full"]
    assert translator.keep(Translation(remember={"k": b"x" * 9})).faults == ()


def test_keep_late_leaves_what_came_since_and_replaces_what_came_late() -> None:
    """A message out of quarantine is older than what is known live, and newer than the last one."""
    topics = Topics([Rule(TopicTemplate(TEMPLATES[0]))])
    translator = Translator(topics, Tolerance(1, 1), lambda _: True, {"live": b"1"})
    for content in (b"2", b"3"):
        kept = translator.keep_late(Translation(remember={"live": content, "late": content}))
        assert kept.remember == {"late": content}
    translator.keep(Translation(remember={"late": b"4"}))
    assert translator.keep_late(Translation(remember={"late": b"5"})).remember == {}
    assert translator._memory == {"live": b"1", "late": b"4"}


def test_translate_provenance_is_on_every_reading() -> None:
    """Simulated and redelivered are flags of each reading of the message."""
    readings = translate(b'{"a": 1, "b": 2}', "clients/a", properties=SIMULATED, dup=True).readings
    assert [reading.flags for reading in readings] == [Flag.SIMULATED | Flag.REDELIVERED] * 2
