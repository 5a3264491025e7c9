"""Loads: every message is accounted for once, whatever it is and however often it comes."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.limits import Caps
from collector.load import Load, Loader
from collector.message import Message, Properties
from telemetry.batch import Batch
from telemetry.ledger import LedgerRow, total
from telemetry.presence import Changes, Event, EventKind
from telemetry.reading import Flag, Reading
from telemetry.store import open_appender
from telemetry.window import ALL_TIME, HOUR_US
from tests.collector.support import CAPS, MemoryAppender, readings_of, replayed, tools
from tests.telemetry.builders import looking, steady

NOW_US = 1_800_000_000_000_000
TEMPLATES = ("clients/{client}", "clients/{client}/{metric}", "{client}/both")


class Bench:
    """A loader on a store in memory; each message is a load of its own."""

    def __init__(self, caps: Caps = CAPS) -> None:
        self.appender = MemoryAppender()
        self.tools = tools(self.appender, *TEMPLATES, caps=caps)
        self.loader = Loader(self.tools)

    def load(self, *messages: Message, catching_up: bool = False) -> Batch:
        """What these messages come to, committed."""
        load = Load()
        for message in messages:
            self.loader.add(message, load, catching_up=catching_up)
        batch = load.batch(Changes())
        self.appender.append(batch)
        return batch

    def readings(self, *messages: Message) -> list[Reading]:
        """The readings these messages come to."""
        return readings_of(self.load(*messages))


def message(
    number: int, payload: bytes = b"1", topic: str = "clients/a/m", **rest: object
) -> Message:
    """A message that arrived so many microseconds after NOW_US."""
    facts = {"packet_id": number} | rest
    return Message(topic, payload, NOW_US + number, **facts)  # type: ignore[arg-type]  # by name


def user(**named: str) -> Properties:
    """The properties of a message with these user properties."""
    return Properties(user=tuple(named.items()))


def test_load_same_identity_and_payload_is_stored_once() -> None:
    """What a publisher sends again under the same `id` is a duplicate, in one load or in two."""
    bench = Bench()
    named = user(id="a7")
    first = bench.readings(message(1, properties=named), message(2, properties=named))
    assert [one.time_us for one in first] == [NOW_US + 1]
    assert bench.readings(message(3, properties=named)) == []
    assert len(bench.readings(message(4, properties=user(id="a8")))) == 1


def test_load_same_sequence_number_after_a_restart_of_the_client_is_new() -> None:
    """`boot` tells one count from the next; the same number without it repeats."""
    bench = Bench()
    for boot in "12":
        assert len(bench.readings(message(1, properties=user(seq="0", boot=boot)))) == 1
    assert bench.readings(message(2, properties=user(seq="0", boot="2"))) == []


def test_load_same_identity_with_another_payload_is_a_conflict() -> None:
    """Nothing is lost to a name used twice: both are kept, the second flagged."""
    bench = Bench()
    named = user(id="a7")
    both = bench.readings(message(1, b"1", properties=named), message(2, b"2", properties=named))
    assert [(one.value, one.flags) for one in both] == [(1.0, 0), (2.0, Flag.CONFLICT)]


def test_load_identity_holds_for_one_topic() -> None:
    """Two clients may count alike."""
    bench = Bench()
    named = user(seq="1")
    topics = ("clients/a/m", "clients/b/m")
    assert len(bench.readings(*(message(1, topic=one, properties=named) for one in topics))) == 2


def test_load_second_copy_of_overlapping_subscriptions_is_no_message() -> None:
    """Of the copies that one topic gives two filters, one counts, in either order."""
    topic = "clients/both"
    for order in ([1, 3], [3, 1]):
        bench = Bench()
        copies = [
            message(n, b'{"v": 1}', topic, properties=Properties(subscriptions=(one,)))
            for n, one in enumerate(order, 1)
        ]
        batch = bench.load(*copies)
        assert len(batch.arrivals) == len(readings_of(batch)) == 1


def test_load_limits_a_client_and_no_other() -> None:
    """What is over the burst is counted as limited; the next client is not touched."""
    bench = Bench(Caps(messages_per_s=1, burst=3, series_per_client=9, series=9))
    batch = bench.load(*(message(n) for n in range(1, 6)), message(9, topic="clients/b/m"))
    assert [str(one.outcome) for one in batch.arrivals if not one.readings] == ["limited"] * 2
    assert {one.series.client for one in readings_of(batch)} == {"a", "b"}
    later = message(1)._replace(received_us=NOW_US + 2_000_000)
    assert len(bench.readings(later)) == 1


def test_load_limits_nothing_that_the_broker_held() -> None:
    """After an outage everything comes at once, and was not sent at once."""
    bench = Bench(Caps(messages_per_s=1, burst=1, series_per_client=9, series=9))
    batch = bench.load(*(message(n) for n in range(1, 6)), catching_up=True)
    assert len(readings_of(batch)) == 5


def test_load_series_beyond_the_caps_are_limited_and_known_ones_go_on() -> None:
    """A client that makes up metrics gets no more series; its others stay alive."""
    bench = Bench(Caps(messages_per_s=0, burst=1, series_per_client=2, series=3))
    many = json.dumps({f"m{n}": n for n in range(5)}).encode()
    batch = bench.load(message(1, many, "clients/a"))
    assert [one.series.metric for one in readings_of(batch)] == ["m0", "m1"]
    assert dict(batch.arrivals[0].apart) == {"limited": 3}
    assert len(bench.readings(message(2, many, "clients/b"))) == 1
    assert len(bench.readings(message(3, many, "clients/a"))) == 2


def test_load_of_too_many_messages_says_so_once_an_hour_with_a_sample() -> None:
    """However many are left out, and for each limit by itself."""
    bench = Bench(Caps(messages_per_s=1, burst=1, series_per_client=1, series=9))
    bench.load(*(message(n, b"%d" % n) for n in range(1, 9)))
    bench.load(message(9, b'{"x": 1}', "clients/a")._replace(received_us=NOW_US + 10_000_000))
    excess, series = bench.tools.observer.take_changes().events
    assert excess == Event(
        NOW_US + 2, EventKind.LIMITED, "a", "too-many-messages: b'2' on 'clients/a/m'"
    )
    assert series[1:3] == (EventKind.LIMITED, "a")
    assert series.detail.startswith("too-many-series: ")
    later_us = NOW_US + HOUR_US
    bench.load(*(message(n)._replace(received_us=later_us + n) for n in range(9)))
    (again,) = bench.tools.observer.take_changes().events
    assert again.time_us == later_us + 1


def test_load_of_too_many_messages_of_made_up_clients_is_one_event() -> None:
    """Names cost nothing to make up, so nobody without a reading is called by one."""
    bench = Bench(Caps(messages_per_s=0, burst=1, series_per_client=0, series=0))
    bench.load(*(message(n, topic=f"clients/made-up-{n}/m") for n in range(1, 50)))
    (event,) = bench.tools.observer.take_changes().events
    assert (event.client, event.kind) == ("", EventKind.LIMITED)


@pytest.mark.parametrize(
    ("payload", "outcome", "reason"),
    [
        (b"{", "quarantined", "malformed-json"),
        (b'{"ts": 2900000000, "v": 1}', "held", "future"),
        (b'{"v": NaN}', "quarantined", "malformed-json"),
        (b'{"v": "0x1F", "w": 1, "ts": 2900000000}', "quarantined", "malformed-number"),
    ],
)
def test_load_message_without_a_reading_is_kept_raw_with_its_outcome(
    payload: bytes, outcome: str, reason: str
) -> None:
    """Ledger and quarantine say the same of it."""
    batch = Bench().load(message(1, payload, "clients/a"))
    (arrival,), (kept,) = batch.arrivals, batch.quarantined
    assert (str(arrival.outcome), str(kept.outcome), kept.reason) == (outcome, outcome, reason)
    assert (kept.payload, kept.received_us) == (payload, NOW_US + 1)


def test_load_one_bad_value_among_good_ones_is_kept_raw_as_well() -> None:
    """The good values are stored, and the message can be replayed for the bad one."""
    batch = Bench().load(message(1, b'{"a": 1, "b": "1_0", "c": 3}', "clients/a"))
    (kept,) = batch.quarantined
    assert len(readings_of(batch)) == 2
    assert (kept.outcome, kept.quarantined, kept.metric) == (None, 1, "b")


def test_load_names_that_are_made_up_cost_no_place_in_the_ledger() -> None:
    """A client counts by name once it has a reading; before that all are one."""
    bench = Bench()
    batch = bench.load(*(message(n, b"{", f"clients/x{n}") for n in range(1, 9)))
    assert {one.account.client for one in batch.arrivals} == {""}
    assert bench.load(message(9)).arrivals[0].account.client == "a"


def test_load_who_logged_in_counts_by_name_before_its_first_reading() -> None:
    """So nothing but garbage of a client is seen to be its own; made-up names are nobody's."""
    bench = Bench()
    said = b"New client connected from 127.0.0.1:4157 as id-7 (p5, c1, k60, u'a')."
    bench.load(Message("$SYS/broker/log/N", said, NOW_US))
    batch = bench.load(message(1, b"\xff\xfe"), message(2, b"\xff\xfe", "clients/made-up/m"))
    assert [one.account.client for one in batch.arrivals] == ["a", ""]
    assert [one.account.client for one in batch.quarantined] == ["a", ""]


def test_load_retained_value_is_counted_and_kept_nowhere() -> None:
    """It is no news and no fault."""
    batch = Bench().load(message(1, b'{"a": 1, "b": 2}', "clients/a", retain=True))
    (arrival,) = batch.arrivals
    assert (str(arrival.outcome), dict(arrival.apart)) == ("retained", {"retained": 2})
    assert batch.quarantined == []


@pytest.mark.parametrize(
    ("payload", "retain"), [(b'{"ts": 2900000000, "m": 1}', False), (b'{"m": 1}', True)]
)
def test_load_reading_refused_for_its_time_makes_no_series(payload: bytes, *, retain: bool) -> None:
    """What is not stored takes no place that a reading of somebody else could have."""
    bench = Bench(Caps(messages_per_s=0, burst=1, series_per_client=1, series=1))
    refused = [message(n, payload, f"clients/x{n}", retain=retain) for n in range(1, 9)]
    assert readings_of(bench.load(*refused)) == []
    assert bench.tools.translator._admitted == {}
    assert not bench.tools.cardinality.knows("x1")
    assert len(bench.readings(message(9))) == 1


def test_load_second_lost_session_is_told_though_nothing_came_between() -> None:
    """The ring is empty after the first; a session is lost all the same."""
    bench = Bench()
    bench.loader.forget_deliveries(NOW_US)
    assert bench.tools.observer.take_changes().events == []
    bench.loader.forget_deliveries(NOW_US)
    (event,) = bench.tools.observer.take_changes().events
    assert event.kind is EventKind.SESSION_LOST


TOO_MANY = json.dumps({f"k{n}": n for n in range(257)}).encode()
PAYLOADS = (
    b"1", b"2", b"x" * 70, b'{"a": 1, "b": "1_0"}', b'{"ts": 2900000000, "v": 1}', b"", TOO_MANY,
)  # fmt: skip
TOPICS = ("clients/a/m", "clients/a", "elsewhere", "clients/b/m")
deliveries = st.tuples(
    st.integers(1, 4), st.sampled_from(PAYLOADS), st.sampled_from(TOPICS), st.booleans(),
    st.booleans(), st.sampled_from([Properties(), user(id="1"), user(seq="2")]),
)  # fmt: skip


def books(path: Path) -> list[LedgerRow]:
    """The ledger, which the rows agree with."""
    with looking(path) as snapshot:
        assert snapshot.recount() == []
        return list(snapshot.ledger(None, ALL_TIME))


def received(rows: list[LedgerRow]) -> tuple[int, int]:
    """All messages and all values that arrived."""
    messages, readings = total(row.messages for row in rows), total(row.readings for row in rows)
    return messages.received, readings.received


@pytest.mark.parametrize(
    ("payload", "retain"),
    [
        (TOO_MANY, False),
        (b'{"m": 1, "b": "21,5"}', True),
        (b'{"x": 1, "b": "21,5"}', False),
        (b'{"m": 1, "x": 2, "y": 3, "b": "21,5"}', False),
    ],
)
def test_load_replayed_with_unchanged_templates_changes_no_total(
    tmp_path: Path, payload: bytes, *, retain: bool
) -> None:
    """Good, retained, limited and bad values of one message are counted once for ever."""
    caps = Caps(messages_per_s=0, burst=1, series_per_client=2, series=2)
    appender, load = open_appender(tmp_path / "culex.db"), Load()
    loader = Loader(tools(appender, *TEMPLATES, caps=caps))
    loader.add(message(1), load)
    loader.add(message(2, payload, "clients/a", retain=retain), load)
    appender.append(load.batch(Changes()))
    before = books(tmp_path / "culex.db")
    for _ in range(2):
        assert replayed(appender, loader)["stay"] == 1
        assert books(tmp_path / "culex.db") == before
    appender.close()


@steady
@given(runs=st.lists(st.lists(deliveries, max_size=6), max_size=5))
def test_load_whatever_is_delivered_the_ledger_adds_up(
    runs: list[list[tuple[int, bytes, str, bool, bool, Properties]]],
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    """Each message has one outcome, over restarts and replays, and the rows agree."""
    path: Path = tmp_path_factory.mktemp("store") / "culex.db"
    moment = NOW_US
    for generation, run in enumerate(runs, 1):
        appender = open_appender(path)
        loader, load = Loader(tools(appender, *TEMPLATES)), Load()
        for packet_id, payload, topic, retain, dup, properties in run:
            moment += 1
            flags = (retain, dup, properties)
            loader.add(Message(topic, payload, moment, packet_id, generation, *flags), load)
        appender.append(load.batch(Changes()))
        appender.close()
    if not runs:
        return
    before = books(path)
    messages = total(row.messages for row in before)
    assert (messages.received, messages.missing) == (sum(map(len, runs)), 0)
    appender = open_appender(path)
    for _ in range(2):
        settled = books(path)
        replayed(appender, Loader(tools(appender, *TEMPLATES)))
    appender.close()
    assert books(path) == settled  # by the first time every client was known
    assert received(settled) == received(before)
