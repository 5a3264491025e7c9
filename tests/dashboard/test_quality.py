"""The page Quality: what arrived adds up, what is missing is seen, and why something is unread."""

import re
from collections.abc import Mapping, Sequence
from datetime import UTC
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from dash import Patch
from dash.development.base_component import Component
from hypothesis import given
from hypothesis import strategies as st

from dashboard.engine import Engine
from dashboard.expectation import Expecting
from dashboard.page import Json, Look
from dashboard.quality.account import equation, sums_of
from dashboard.quality.answer import answer
from dashboard.quality.completeness import MOST_CLIENTS, completeness
from dashboard.quality.hours import LONGEST_US, Columns, columns_of
from dashboard.quality.page import layout
from dashboard.quality.tables import CLIENT_COLUMNS, GROUP_COLUMNS, group_of
from dashboard.quality.words import equation_parts
from dashboard.style import Style
from dashboard.view import View
from telemetry.batch import Arrival, Batch, Skew
from telemetry.ledger import Account, LedgerRow, Outcome, Tally, account
from telemetry.quarantine import Quarantined
from telemetry.reading import Flag, Series
from telemetry.settings import Settings
from telemetry.store import open_appender, querier_of
from telemetry.window import DAY_US, HOUR_US, SECOND_US, Window
from tests.telemetry.builders import NOON_US, reading, steady

BERLIN = ZoneInfo("Europe/Berlin")
DAY = View(start="now-24h")
HOSTILE = "a/b #1 <b>"
BEGIN_US = NOON_US - 4 * HOUR_US


def texts(part: object) -> str:
    """All that a component says."""
    if isinstance(part, Component):
        return texts(getattr(part, "children", ""))
    if isinstance(part, list | tuple):
        return "".join(map(texts, part))
    return str(part) if part is not None else ""


def look_at(settings: Settings, view: View = DAY, drawn: Json | None = None, **more: int) -> Json:
    """What the page answers at noon, or later."""
    now_us = more.get("now_us", NOON_US)
    style = Style(UTC, browsers=True, dark=False, touch=False, coverage_minimum=0.6)
    engine = Engine(querier_of(settings), settings, lambda: now_us)
    with engine.querier.snapshot() as snapshot:
        window = view.window(now_us, UTC)
        return answer(Look(snapshot, engine, view, window, style, now_us, 1400, drawn or {}))


def every(client: str, seconds: int, hours: Sequence[int], metric: str = "m") -> list[Arrival]:
    """Messages with a reading each, so often in those hours after the beginning."""
    series = Series(client, metric)
    times = [
        BEGIN_US + hour * HOUR_US + n * SECOND_US for hour in hours for n in range(0, 3600, seconds)
    ]
    return [
        Arrival(account(client, at), [reading(at, float(at // SECOND_US % 7), series=series)])
        for at in times
    ]


def append(settings: Settings, *batches: Batch) -> None:
    """Stores what arrived."""
    appender = open_appender(settings.store_path)
    try:
        for batch in batches:
            appender.append(batch)
    finally:
        appender.close()


@pytest.mark.parametrize(
    ("window", "zone", "number", "days"),
    [
        (Window(NOON_US - 1, NOON_US), UTC, 24, False),
        (Window(NOON_US - 3 * HOUR_US, NOON_US), UTC, 3, False),
        (Window(NOON_US - 7 * DAY_US, NOON_US), UTC, 168, False),
        (Window(NOON_US - 10 * DAY_US, NOON_US), UTC, 11, True),
        (Window(NOON_US - 10 * DAY_US, NOON_US + 12 * HOUR_US), UTC, 11, True),
        (Window(0, NOON_US), BERLIN, 93, True),
    ],
)
def test_columns_are_whole_hours_or_days_of_the_zone(
    window: Window, zone: ZoneInfo, number: int, *, days: bool
) -> None:
    """They cover the window, or its end if it is very long; none is empty."""
    columns = columns_of(window, zone)
    assert (len(columns), columns.days) == (number, days)
    assert all(edge % HOUR_US == 0 for edge in columns.edges)
    assert np.all(np.diff(columns.edges) > 0)
    assert columns.edges[-1] - HOUR_US < window.end_us <= columns.edges[-1]
    assert columns.edges[0] <= window.start_us or window.length_us > LONGEST_US
    assert [columns.place(one.start_us) for one in columns.windows] == [*range(number)]


def test_day_in_which_clocks_go_back_is_one_column_of_25_hours() -> None:
    """Days are those of the reader's calendar."""
    end_us = 1_793_000_000 * SECOND_US // HOUR_US * HOUR_US  # 26 October 2026
    columns = columns_of(Window(end_us - 9 * DAY_US, end_us), BERLIN)
    hours = {int(width) // HOUR_US for width in np.diff(columns.edges)[1:-1]}
    assert hours == {24, 25}


tallies = st.builds(
    lambda *parts: Tally(sum(parts), *parts), *[st.integers(0, 1000) for _ in Outcome]
)


@steady
@given(st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 5), tallies, tallies), max_size=9))
def test_what_is_shown_adds_up_in_every_column_client_and_in_all(
    found: list[tuple[str, int, Tally, Tally]],
) -> None:
    """Bars, table and equation are the same sums of the same rows."""
    rows = [LedgerRow(Account(c, n * HOUR_US), m, r) for c, n, m, r in found]
    columns = Columns(range(0, 7 * HOUR_US, HOUR_US), days=False)
    sums = sums_of(rows, columns)
    for what in ("messages", "readings"):
        shown = sums.columns_of(what)
        assert np.array_equal(shown[:, 0], shown[:, 1:].sum(axis=1))
        total = sums.total(what)
        clients = [sums.tally(n, what) for n in range(len(sums.clients))]
        assert total.received == sum(one.received for one in clients)
        assert total.received == sum(part.number for part in equation(total))
        assert not sums.wrong_of(what)


def test_equation_that_does_not_add_up_says_so_and_where() -> None:
    """Hours that cancel each other out in the sum are told as well."""
    rows = [
        LedgerRow(Account("a", 0), Tally(3, 2), Tally(1, 1)),
        LedgerRow(Account("", HOUR_US), Tally(3, 4), Tally(1, 1)),
    ]
    sums = sums_of(rows, Columns((0, HOUR_US, 2 * HOUR_US), days=False))
    said = texts(equation_parts(sums, "messages"))
    assert "a 1970-01-01 00:00 (+1), (no client) 1970-01-01 01:00 (-1)" in said
    rows[1] = rows[1]._replace(messages=Tally(3, 2))
    sums = sums_of(rows, Columns((0, HOUR_US, 2 * HOUR_US), days=False))
    assert "It does not add up: 2 have no outcome" in texts(equation_parts(sums, "messages"))
    assert "adds up" in texts(equation_parts(sums, "readings"))


def test_readings_that_are_gone_are_said_apart() -> None:
    """They were stored; what became of them later is no outcome."""
    row = LedgerRow(Account("a", 0), Tally(3, 3), Tally(9, 9), erased=2, expired=4)
    sums = sums_of([row], Columns((0, HOUR_US), days=False))
    said = texts(equation_parts(sums, "readings"))
    assert "Of the readings stored, 2 were erased since and 4 were kept as long" in said
    assert "erased" not in texts(equation_parts(sums, "messages"))


def arrived(counts: Mapping[str, Sequence[int]]) -> list[LedgerRow]:
    """The ledger of so many readings in each hour."""
    return [
        LedgerRow(Account(client, n * HOUR_US), Tally(), Tally(number, number))
        for client, numbers in counts.items()
        for n, number in enumerate(numbers)
        if number
    ]


def test_completeness_is_what_arrived_of_what_was_expected() -> None:
    """Worst first; at most all; nothing is expected before the first reading or of the future."""
    columns = Columns(range(0, 5 * HOUR_US, HOUR_US), days=False)
    counts = {"half": [180, 180, 180, 90], "full": [0, 360, 400, 180], "rare": [0, 0, 1, 0]}
    ten = 10 * SECOND_US
    expecting = {
        "half": [Expecting(0, ten)],
        "full": [Expecting(HOUR_US, 2 * ten), Expecting(HOUR_US, 2 * ten)],
        "rare": [Expecting(0, 2 * HOUR_US)],
        "gone": [Expecting(0, ten)],
        "event": [],
    }
    now_us = 3 * HOUR_US + HOUR_US // 2
    found = completeness(sums_of(arrived(counts), columns), columns, expecting, now_us)
    assert found.clients == ["half", "full"]
    assert found.shares[0].tolist() == [0.5] * 4
    assert np.isnan(found.shares[1][0])
    assert found.shares[1][1:].tolist() == [1.0, 1.0, 1.0]
    assert found.expected.tolist() == [[360, 360, 360, 180], [0, 360, 360, 180]]
    assert (found.silent, found.unknown) == (["gone"], ["rare"])
    assert found.overall == [0.5, 1.0]


def test_completeness_shows_the_worst_of_very_many() -> None:
    """Sixty rows are enough to look at; how many more there are is said."""
    columns = Columns((0, HOUR_US), days=False)
    counts = {f"c{n:03}": [n + 1] for n in range(100)}
    expecting = {client: [Expecting(0, 36 * SECOND_US)] for client in counts}
    found = completeness(sums_of(arrived(counts), columns), columns, expecting, HOUR_US)
    assert (len(found.clients), found.more) == (MOST_CLIENTS, 40)
    assert found.clients[0] == "c000"


def test_page_shows_what_arrived_what_is_missing_and_what_is_unread(settings: Settings) -> None:
    """One look at a real store: bars, equation, map, quarantine and clients agree."""
    refused = Quarantined(
        Account(HOSTILE, NOON_US - HOUR_US), NOON_US - 9, "t/<b>", b"{", "malformed-json"
    )
    append(
        settings,
        Batch(arrivals=[*every(HOSTILE, 10, [0, 1, 3]), *every("b", 60, [0, 1, 2, 3])]),
        Batch(arrivals=every("b", 60, [3])),
        Batch(
            arrivals=[Arrival(refused.account, (), Outcome.QUARANTINED)],
            quarantined=[refused],
            skews={"b": Skew(1_500_000, 9)},
        ),
    )
    found = look_at(settings)
    received = 3 * 360 + 5 * 60 + 1
    assert f"{received:,}".replace(",", "\u202f") in texts(found["equation"])
    assert "adds up" in texts(found["equation"])
    assert "duplicate 60" in texts(found["equation"])
    names = [trace["name"] for trace in found["bars"]["data"]]
    assert names == [one.value for one in Outcome]
    assert found["cells"]["clients"] == [HOSTILE, "b"]
    (group,) = found["groups"]
    assert (group["topic"], group["client"], group["messages"]) == ("t/<b>", HOSTILE, 1)
    assert group["reason"].startswith("It is not valid JSON: ")
    assert group_of(group["id"]) == ("t/<b>", "malformed-json", HOSTILE)
    rows = {row["client"]: row for row in found["by_client"]}
    assert (rows["b"]["duplicate"], rows["b"]["skew"], rows["b"]["complete"]) == (60, 1.5, 100.0)
    assert (rows[HOSTILE]["quarantined"], rows[HOSTILE]["complete"]) == (1, 75.0)
    assert rows[HOSTILE]["href"].startswith("/client?id=a%2Fb+%231+%3Cb%3E&from=now-24h")
    assert "&lt;b&gt;" in found["map"]["layout"]["yaxis"]["ticktext"][0]


def test_page_counts_readings_when_asked_and_only_some_clients(settings: Settings) -> None:
    """The switch changes what is counted; the clients of the view are the only ones then."""
    late = reading(BEGIN_US, 1.0, series=Series("a", "m"), flags=Flag.LATE)
    arrivals = [Arrival(account("a", BEGIN_US), [late]), *every("b", 600, [0])]
    append(settings, Batch(arrivals=arrivals))
    view = View(("a",), start="now-24h", options={"of": "readings", "bars": "rest"})
    found = look_at(settings, view)
    assert texts(found["equation"]).startswith(" It adds upreadings received 1 = stored 1")
    assert [row["client"] for row in found["by_client"]] == ["a"]
    assert found["by_client"][0]["late"] == 1
    assert "stored" not in [trace["name"] for trace in found["bars"]["data"]]
    assert [one["value"] for one in found["known"]] == ["a", "b"]


def test_page_answers_nothing_until_it_is_worth_to_look_again(settings: Settings) -> None:
    """Then new numbers come as a patch, which keeps what the reader has hidden; or not at all."""
    append(settings, Batch(arrivals=every("b", 60, [0])))
    first = look_at(settings)
    drawn = first["drawn"]
    assert isinstance(first["bars"], dict)
    assert look_at(settings, drawn=drawn) == {}
    assert "bars" not in look_at(settings, drawn=drawn | {"next_us": 0})
    append(settings, Batch(arrivals=every("b", 60, [1])))
    assert isinstance(look_at(settings, drawn=drawn | {"next_us": 0})["bars"], Patch)


def test_page_without_anything_says_what_to_do_and_with_nothing_now_where_to_look(
    settings: Settings,
) -> None:
    """Nobody meets an empty page."""
    append(settings, Batch())
    assert "Waiting for the first reading" in texts(look_at(settings)["notice"])
    append(settings, Batch(arrivals=every("b", 60, [0])))
    found = look_at(settings, View(start="now-1h"), now_us=NOON_US + 9 * DAY_US)
    assert "Nothing arrived in this time. The newest reading arrived 9 d ago." in texts(
        found["equation"]
    )


def test_layout_has_the_view_in_its_controls(settings: Settings) -> None:
    """A copied link opens as it was."""
    engine = Engine(querier_of(settings), settings, lambda: NOON_US)
    view = View((HOSTILE,), options={"of": "readings", "bars": "what?"})
    shown = str(layout(view, engine))
    assert re.search(r"value=\['a/b #1 <b>'\]", shown)
    assert "value='readings'" in shown
    assert "value='all'" in shown


def test_columns_of_the_clients_fit_a_wide_screen() -> None:
    """None is cut at the edge of a window of 1440 pixels; a long reason makes its row higher."""
    assert sum(column["minWidth"] for column in CLIENT_COLUMNS) <= 1340
    (reason,) = (column for column in GROUP_COLUMNS if column["field"] == "reason")
    assert (reason["wrapText"], reason["autoHeight"]) == (True, True)
