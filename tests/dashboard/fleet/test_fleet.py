"""The fleet page: every client in its state, the worst first, and no more sent than has changed."""

import json
from dataclasses import replace

import pytest
from dash import Patch

from dashboard.fleet import survey as surveys
from dashboard.fleet.books import Books, books_of, day_start_us
from dashboard.fleet.grid import COLUMNS, changes, filter_of
from dashboard.fleet.members import Apart, Member
from dashboard.fleet.page import answer
from dashboard.fleet.rates import Rates
from dashboard.fleet.rows import GROUPS, row_of
from dashboard.fleet.survey import Survey, survey
from dashboard.fleet.tiles import TILES, choices
from dashboard.fleet.timeline import MOST_STRIPS, steady
from dashboard.page import Json
from dashboard.presence import State
from dashboard.view import View
from mosquitto.access import Access, NewClient
from mosquitto.detail import Detail
from mosquitto.passwords import Password
from telemetry.batch import Arrival, Batch
from telemetry.interface import Snapshot
from telemetry.ledger import Outcome, account
from telemetry.presence import Changes, Connection, Ending, Event, EventKind
from telemetry.reading import Flag, Kind, Reading, Series
from telemetry.store import snapshot
from telemetry.topic import Heard
from telemetry.window import HOUR_US, Window, parse_zone
from tests.dashboard.fleet.looks import NOW, Fleet, S

EVERY_10_S = range(0, 700, 10)


def found(fleet: Fleet, later_s: int = 0) -> Survey:
    """The survey of so many seconds after now."""
    with fleet.look(later_s) as look:
        return survey(look)


def states(fleet: Fleet, later_s: int = 0) -> list[tuple[str, State | Apart]]:
    """The clients and their states, in the order of the survey."""
    return [(one.client, one.state) for one in found(fleet, later_s).members]


def one_of(fleet: Fleet, later_s: int = 0) -> Member:
    """The only client."""
    (member,) = found(fleet, later_s).members
    return member


def test_clients_stand_in_the_order_of_how_bad_it_is(fleet: Fleet) -> None:
    """Disconnected, silent, reporting, connected; the last seen first among the bad."""
    fleet.connect("fine", 900)
    fleet.report("fine", EVERY_10_S)
    fleet.report("spoken-for", EVERY_10_S)
    fleet.connect("quiet", 900)
    fleet.report("quiet", range(100, 700, 10))
    for name, gone_s in (("gone long", 300), ("gone now", 20)):
        fleet.connect(name, 900, gone_s, Ending.TIMED_OUT)
        fleet.report(name, range(gone_s, 800, 10))
    assert states(fleet) == [
        ("gone now", State.DISCONNECTED),
        ("gone long", State.DISCONNECTED),
        ("quiet", State.SILENT),
        ("spoken-for", State.REPORTING),
        ("fine", State.CONNECTED),
    ]


def test_disconnected_client_says_why(fleet: Fleet) -> None:
    """In the broker's words."""
    fleet.connect("pump", 900, 20, "bad socket read/write: <b>")
    fleet.report("pump", EVERY_10_S)
    assert one_of(fleet).words == "disconnected: bad socket read/write: <b>"


def test_client_that_tells_its_past_is_silent_and_says_that_something_arrives(
    fleet: Fleet,
) -> None:
    """What it measures now nobody knows; that it is at work can be seen."""
    fleet.connect("logger", 900)
    fleet.report("logger", range(500, 800, 10))
    late = Reading(Series("logger", "temperature"), NOW - 490 * S, 21.0, delay_us=488 * S)
    fleet.write(Batch(arrivals=[Arrival(account("logger", NOW), [late])]))
    member = one_of(fleet)
    assert member.words == "connected, but no reading for more than 30 s; older readings arrive"
    assert (member.state, member.seen_us) == (State.SILENT, NOW - 2 * S)


def test_client_that_never_sent_a_reading_is_there(fleet: Fleet) -> None:
    """Whoever connects is part of the fleet; Culex's own connections are not."""
    fleet.connect("new", 5)
    fleet.connect("collector", 500)
    fleet.connect("broker-admin", 500, 499)
    member = one_of(fleet)
    assert (member.client, member.state, member.metrics) == ("new", State.CONNECTED, 0)
    assert member.words.endswith("; no reading yet")
    assert member.seen_us == NOW - 5 * S


def test_client_whose_messages_are_no_readings_is_heard_and_says_so(fleet: Fleet) -> None:
    """It is seen when it speaks, and the row says where its messages go."""
    fleet.connect("scale", 900)
    spoken_us = NOW - 3 * S
    garbage = [Arrival(account("scale", NOW - n * 3 * S), (), Outcome.QUARANTINED) for n in (2, 1)]
    topic = Heard("clients/scale/m", "scale", (), 2, spoken_us - 3 * S, spoken_us, 1, "binary",
                  b"\xff", 1, 1, 0)  # fmt: skip
    fleet.write(Batch(arrivals=garbage, topics=[topic]))
    member = one_of(fleet)
    assert (
        member.words
        == "connected from 192.0.2.7:41; no reading yet: what it sends goes to quarantine"
    )
    assert (member.state, member.seen_us) == (State.CONNECTED, spoken_us)


def let_in(fleet: Fleet, *names: str) -> Access:
    """Clients get logins."""
    access = Access(fleet.settings.access_path)
    access.add_clients(*(NewClient(name, Password("digest", "salt", 101)) for name in names))
    return access


def test_client_that_was_let_in_and_never_seen_stands_last(fleet: Fleet) -> None:
    """It is no fault: it has neither a strip nor a place among the bad ones."""
    let_in(fleet, "new", "pump")
    fleet.report("pump", EVERY_10_S)
    assert states(fleet, 3600) == [("pump", State.SILENT), ("new", Apart.UNSEEN)]
    shown = ask(fleet, 3700)
    assert [(row["id"], row["group"], row["seen"]) for row in shown["rows"]][1] == (
        "new",
        "idle",
        0,
    )
    assert len(shown["figure"]["layout"]["yaxis"]["ticktext"]) == 1
    ranks = [row["rank"] for row in shown["rows"]]
    assert ranks == sorted(ranks)


def test_client_whose_login_is_disabled_is_shut_out_and_no_fault(fleet: Fleet) -> None:
    """One that speaks all the same is shown as what it is."""
    access = let_in(fleet, "never", "gone", "here")
    for name in ("never", "gone", "here"):
        access.set_enabled(name, enabled=False)
    fleet.report("gone", range(600, 900, 10))
    fleet.connect("here", 900)
    assert states(fleet) == [
        ("here", State.CONNECTED),
        ("gone", Apart.SHUT_OUT),
        ("never", Apart.SHUT_OUT),
    ]


def test_simulated_fleet_that_is_off_is_not_there(fleet: Fleet) -> None:
    """Nobody shut it out, and nobody waits for it."""
    access = Access(fleet.settings.access_path)
    access.put_simulated("demo-boiler", Password("digest", "salt", 101))
    access.disable_simulated()
    assert states(fleet) == []


def test_state_follows_the_clock(fleet: Fleet) -> None:
    """A connected client falls silent without anything being written."""
    fleet.connect("pump", 900)
    fleet.report("pump", EVERY_10_S)
    assert one_of(fleet, 30).state is State.CONNECTED
    assert one_of(fleet, 31).state is State.SILENT


def test_stopped_collector_is_not_held_against_clients(fleet: Fleet) -> None:
    """Nobody saw whether they sent anything."""
    fleet.connect("pump", 900, 60, Ending.UNKNOWN)
    fleet.report("pump", range(60, 700, 10))
    fleet.happen(Event(NOW - 60 * S, EventKind.COLLECTOR_STOPPED))
    member = one_of(fleet)
    assert (member.state, member.words) == (State.COLLECTOR_DOWN, "the collector was stopped")


def test_row_is_small_text_and_the_same_while_nothing_changes(fleet: Fleet) -> None:
    """Hostile names are text; the age is the browser's affair; columns have no dots."""
    name = "a/b #1 <b>"
    fleet.connect(name, 900)
    fleet.report(name, EVERY_10_S, "t.<img src=x onerror=alert(1)>")
    first, later = (found(fleet, at).rows[name] for at in (0, 12))
    assert first == later
    assert first["values"] == [["t.<img src=x onerror=alert(1)>", "20", "°C"]]
    assert (first["every"], first["group"], first["seen"]) == (10_000, "online", NOW // 1000)
    assert len(json.dumps(first)) < 500
    assert all("." not in str(column["field"]) for column in COLUMNS)


def test_row_shows_what_is_unusual(fleet: Fleet) -> None:
    """Numbers come first, three metrics at most; simulated, tagged, invisible characters."""
    client = "x\u202ey"
    readings = [
        Reading(Series(client, metric), NOW, value, kind, flags=Flag.SIMULATED)
        for metric, value, kind in (
            ("a", "heating", Kind.STATE),
            ("b", 1.0, Kind.BOOLEAN),
            ("c", 1_234_567.0, Kind.NUMBER),
            ("d", 2.0, Kind.NUMBER),
        )
    ]
    fleet.write(Batch(arrivals=[Arrival(account(client, NOW), readings)]))
    Access(fleet.settings.access_path).put_detail(Detail(client, tags=("cellar",)))
    row = found(fleet).rows[client]
    assert [(metric, value) for metric, value, _ in row["values"]] == [
        ("c", "1234567"), ("d", "2"), ("a", "heating"),
    ]  # fmt: skip
    assert (row["name"], row["more"], row["simulated"]) == ("x<U+202E>y", 1, True)
    assert row["tags"] == ["cellar"]


def test_books_count_what_arrived_of_what_was_expected(fleet: Fleet) -> None:
    """Half of the readings of an hour: half complete; rates are those of the last hour."""
    hour_us = NOW // HOUR_US * HOUR_US
    since_s = (NOW - hour_us) // S
    times = [*range(0, 400, 10), *range(400, 7200, 20)]
    fleet.report("half", times)
    cadences = found(fleet).cadences
    with fleet.look() as look:
        books = books_of(look.snapshot, cadences, hour_us, NOW, Rates())
    arrived = sum(1 for ago in times if ago <= since_s)
    assert books.complete["half"] == pytest.approx(arrived / (since_s // 10))
    assert books.rates.per_minute["half"] == pytest.approx(
        sum(1 for ago in times if ago < 3600) / 60, rel=0.1
    )
    assert books.complete_all == books.complete["half"]
    assert books.rejected == 0


def test_books_count_rejected_messages(fleet: Fleet) -> None:
    """Those that could not become readings, of all that arrived today, whoever sent them."""
    fleet.report("pump", range(0, 90, 10))
    bad = Arrival(account("", NOW), (), Outcome.QUARANTINED)
    fleet.write(Batch(arrivals=[bad]))
    assert found(fleet).books.rejected == pytest.approx(0.1)


def test_day_begins_with_an_hour_of_the_ledger() -> None:
    """Midnight of the reader's zone, or the hour it is in."""
    for zone, ago_h in (("UTC", 14), ("Europe/Berlin", 16), ("Asia/Kolkata", 20)):
        assert day_start_us(NOW, parse_zone(zone)) == NOW // HOUR_US * HOUR_US - ago_h * HOUR_US


def ask(fleet: Fleet, later_s: int, drawn: Json | None = None, **options: str) -> Json:
    """What the page answers after so many seconds."""
    with fleet.look(later_s, drawn, View(options=options)) as look:
        return answer(look)


def test_first_answer_has_every_row_and_later_ones_only_what_changed(fleet: Fleet) -> None:
    """A tick of a quiet fleet brings no row at all; a client that comes brings all."""
    for name in ("one", "two"):
        fleet.connect(name, 900)
        fleet.report(name, EVERY_10_S)
    first = ask(fleet, 0)
    assert [row["id"] for row in first["rows"]] == ["one", "two"]
    quiet = ask(fleet, 2, first["drawn"])
    assert not {"rows", "changes"} & quiet.keys()
    fleet.report("two", [-3])
    news = ask(fleet, 4, quiet["drawn"])
    assert "rows" not in news
    assert [row["id"] for row in news["changes"]["update"]] == ["two"]
    fleet.report("three", [-5])
    assert len(ask(fleet, 6, news["drawn"])["rows"]) == 3


def test_quiet_tick_is_small(fleet: Fleet) -> None:
    """What is the same as before has the same value, so the frame sends none of it."""
    fleet.connect("pump", 900)
    fleet.report("pump", EVERY_10_S)
    first = ask(fleet, 0)
    second = ask(fleet, 1, first["drawn"])
    changed = {
        name
        for name, value in second.items()
        if name not in {"drawn", "figure"} and str(value) != str(first[name])
    }
    assert changed == set()


def test_reader_who_has_seen_more_is_shown_nothing_older(fleet: Fleet) -> None:
    """Another process may be some seconds behind."""
    fleet.report("pump", EVERY_10_S)
    before = ask(fleet, 0)
    drawn = {"grid": {"at": NOW + 60 * S}, "strips": before["drawn"]["strips"]}
    after = ask(fleet, 2, drawn)
    assert not {"rows", "changes"} & after.keys()
    assert after["drawn"]["grid"] == drawn["grid"]


def test_tiles_count_and_filter(fleet: Fleet) -> None:
    """Every state has its tile; the grid filters by it, anything else is no filter."""
    fleet.connect("fine", 900)
    fleet.report("fine", EVERY_10_S)
    fleet.connect("gone", 900, 20, Ending.CLOSED)
    shown = ask(fleet, 0, state="disconnected")
    assert shown["count"] == "1 of 2 clients"
    assert shown["filter"]["group"]["filter"] == "disconnected"
    values = [option["value"] for option in choices(found(fleet).counts)]
    assert values == list(TILES)
    assert set(GROUPS.values()) == set(values) - {""}
    assert set(GROUPS) == {*State, *Apart}
    assert filter_of(View(options={"state": "<script>"})) == {}


def test_nothing_is_designed(fleet: Fleet) -> None:
    """Before the first client the page says how to add one."""
    shown = ask(fleet, 0)
    assert "mosquitto client add" in str(shown["notice"])
    assert "rows" not in shown


def test_existing_broker_serves_others_who_are_no_clients_here(fleet: Fleet) -> None:
    """Who has no reading is not ours, and nobody is told to let a client in with our command."""
    fleet.settings = fleet.settings.model_copy(update={"broker_url": "mqtts://broker.example"})
    fleet.connect("homeassistant", 900)
    let_in(fleet, "of-our-own-broker")
    shown = str(ask(fleet, 0)["notice"])
    assert "client add" not in shown
    assert "broker.example:8883" in shown
    fleet.connect("boiler", 900)
    fleet.report("boiler", EVERY_10_S)
    assert states(fleet, 3600) == [("boiler", State.SILENT)]


def strip_of(shown: Json, name: str) -> list[tuple[str, int, int]]:
    """The bars of a client: state, start and end in seconds before now."""
    return sorted(
        (trace["name"], NOW // S - start // 1000, NOW // S - end // 1000)
        for trace in shown["figure"]["data"]
        for start, end, client in trace["customdata"]
        if client == name
    )


def test_strips_tell_what_happened_when(fleet: Fleet) -> None:
    """The worst client first; a bar leads to its time, and says its client."""
    fleet.connect("fine", 1900)
    fleet.report("fine", range(0, 1800, 10))
    fleet.connect("gone", 1900, 300, Ending.TIMED_OUT)
    fleet.report("gone", range(300, 1800, 10))
    shown = ask(fleet, 0)
    assert shown["figure"]["layout"]["yaxis"]["ticktext"] == ["gone", "fine"]
    (before, _, end_s), (after, begin_s, _) = strip_of(shown, "gone")
    assert (before, end_s) == ("connected", 300)
    assert (after, begin_s) == ("disconnected", 300)
    assert [name for name, *_ in strip_of(shown, "fine")] == ["connected"]


def test_strip_is_not_silent_before_there_was_anything(fleet: Fleet) -> None:
    """The client began within the window and nobody saw it connected: it is not known before."""
    fleet.report("new", range(0, 300, 10))
    bars = {name: end for name, _, end in strip_of(ask(fleet, 0), "new")}
    assert bars.keys() == {"unknown", "reporting"}
    assert bars["unknown"] == pytest.approx(290, abs=9), "buckets are too narrow to be seen"


def test_grid_of_who_may_see_others_now_is_made_anew(fleet: Fleet) -> None:
    """Rows that a grid does not have cannot be changed there."""
    fleet.report("one", EVERY_10_S)
    before = changes(found(fleet), {})[1]
    fleet.report("two", EVERY_10_S)
    others = found(fleet, 20)
    seen_before = {name: NOW - 3600 * S for name in others.rows}
    rows, _ = changes(replace(others, since_us=seen_before), before)
    assert [row["id"] for row in rows["rows"]] == [*others.rows]
    assert {"one", "two"} == others.rows.keys()


def test_strips_are_patched_when_time_goes_on_and_left_alone_before(fleet: Fleet) -> None:
    """A whole figure would lose what the reader did to it; fifteen minutes move every 9 s."""
    fleet.report("pump", EVERY_10_S)
    first = ask(fleet, 1)
    assert isinstance(first["figure"], dict)
    assert "figure" not in ask(fleet, 2, first["drawn"])
    assert isinstance(ask(fleet, 11, first["drawn"])["figure"], Patch)
    other = ask(fleet, 11, first["drawn"], state="silent")
    assert isinstance(other["figure"], dict)


def test_steady_window_moves_by_what_can_be_seen() -> None:
    """It is as long as the other and ends at most a step before it."""
    window = Window(7 * S, 907 * S)
    assert steady(window) == Window(0, 900 * S)
    assert steady(Window(0, 1)).length_us == 1


@pytest.fixture
def crowd(fleet: Fleet, monkeypatch: pytest.MonkeyPatch) -> Fleet:
    """Five thousand clients with two series each; machines of tests may be slow."""
    monkeypatch.setattr(snapshot, "_ANSWER_SECONDS", 600.0)
    names = [f"client-{number:04d}" for number in range(5000)]
    connections = [
        Connection(name, name, "192.0.2.7:41", "5", 60, True, NOW - 900 * S) for name in names
    ]
    fleet.write(Batch(presence=Changes(connections)))
    for ago in (30, 20, 10, 0):
        at_us = NOW - ago * S
        fleet.write(
            Batch(
                arrivals=[
                    Arrival(
                        account(name, at_us),
                        [Reading(Series(name, metric), at_us, float(ago)) for metric in "ab"],
                    )
                    for name in names
                ]
            )
        )
    return fleet


class Counted:
    """A snapshot that counts what it is asked for."""

    def __init__(self, snapshot: Snapshot) -> None:
        self._snapshot = snapshot
        self.asked: dict[str, int] = {}

    def __getattr__(self, name: str) -> object:
        found = getattr(self._snapshot, name)
        if not callable(found):
            return found

        def ask(*args: object) -> object:
            self.asked[name] = self.asked.get(name, 0) + 1
            return found(*args)

        return ask


def test_five_thousand_clients_take_bounded_work(crowd: Fleet) -> None:
    """No question for each client, whatever the first look has to find; the next brings no row."""
    with crowd.look() as look:
        counted = Counted(look.snapshot)
        object.__setattr__(look, "snapshot", counted)
        shown = answer(look)
    assert len(shown["rows"]) == 5000
    assert sum(counted.asked.values()) < 60 + 12 * MOST_STRIPS
    assert "read" not in counted.asked
    with crowd.look(0, shown["drawn"]) as look:
        counted = Counted(look.snapshot)
        object.__setattr__(look, "snapshot", counted)
        again = answer(look)
    assert counted.asked == {}
    assert not {"rows", "changes", "figure"} & again.keys()


def test_cadences_are_learned_little_by_little(
    crowd: Fleet, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So many at first, some more with each survey, and none again that has nothing new."""
    monkeypatch.setattr(surveys, "_AT_FIRST", 100)
    monkeypatch.setattr(surveys, "_EACH_TIME", 50)
    assert [len(found(crowd, at).learned) for at in (0, 2, 4)] == [100, 150, 200]
    with crowd.look() as look:
        latest = look.snapshot.latest()[:100]
        known = surveys.learn(look, latest, {})
        assert surveys.learn(look, latest, known) == known


def test_slow_machine_learns_what_it_can(crowd: Fleet) -> None:
    """A look has to be answered within seconds: what is not learned yet is learned later."""
    with crowd.look() as look:
        object.__setattr__(look.engine, "clock", lambda: NOW + 60 * S)
        assert len(surveys.learn(look, look.snapshot.latest(), {})) == 50


def test_sparkline_shows_the_last_hours(fleet: Fleet) -> None:
    """Heights of what was there, nothing where nothing was, and what they stand for."""
    at_us = [NOW - ago * S for ago in (7200, 3600, 0)]
    readings = [
        Reading(Series("pump", "bar"), at, 1.0 + n, unit="bar") for n, at in enumerate(at_us)
    ]
    fleet.write(Batch(readings))
    points, low, high = found(fleet).rows["pump"]["spark"]
    assert len(points) == 24
    assert [point for point in points if point is not None] == [0, 50, 100]
    assert points[-1] == 100
    assert (low, high) == ("1.0", "3.0 bar")


def test_large_fleet_is_shown_before_its_books_are_made(crowd: Fleet) -> None:
    """The first look does not wait for the ledger; the next one has it, a minute later rates."""
    first, second = found(crowd), found(crowd, 20)
    assert (first.books.at_us < 0, "rate" in first.rows["client-0000"]) == (True, False)
    assert (second.books.at_us, second.books.rates.per_minute) == (NOW + 20 * S, {})
    crowd.report("client-0000", range(-80, -20, 3))
    assert found(crowd, 90).rows["client-0000"]["rate"] == pytest.approx(20 * 60 / 70, rel=0.05)


def test_rate_goes_on_over_midnight(fleet: Fleet) -> None:
    """The books of another day count from where the last ones were."""
    midnight_s = (-(-NOW // (24 * HOUR_US)) * 24 * HOUR_US - NOW) // S
    fleet.report("pump", range(30 - midnight_s, 60 - midnight_s, 3))
    assert "rate" not in found(fleet, midnight_s - 30).rows["pump"]
    fleet.report("pump", range(-30 - midnight_s, 30 - midnight_s, 3))
    assert found(fleet, midnight_s + 30).rows["pump"]["rate"] == 20


def test_row_of_a_member_needs_no_books(fleet: Fleet) -> None:
    """What the ledger does not know is left out, not zero."""
    fleet.report("pump", [0])
    survey_now = found(fleet)
    empty = Books(NOW, NOW, Rates(), {}, float("nan"), float("nan"), {})
    row = row_of(survey_now.members[0], empty, (), None)
    assert not {"rate", "complete", "tags", "spark"} & row.keys()
