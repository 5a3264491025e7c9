"""The grid of connections: newest first, found by any word, text whatever it is."""

from dataclasses import replace
from pathlib import Path

import pytest

from dashboard.broker.connections import MOST_ROWS, Listed, listed
from telemetry.presence import Connection, Ending
from tests.dashboard.broker.looks import HOSTILE, OPEN, ended, looking_at, store
from tests.telemetry.builders import NOON_US, SECOND_US


def listing(path: Path, connections: list[Connection], search: str = "") -> Listed:
    """What the page lists of a store with these connections."""
    with looking_at(store(path / "culex.db", connections=connections)) as look:
        return listed(look.snapshot.connections(None, look.window), search, look)


def test_connections_are_listed_newest_first_with_their_ends(tmp_path: Path) -> None:
    """Open ones say so; ended ones say when and why, bad ends apart from good ones."""
    found = listing(
        tmp_path,
        [OPEN, ended(Ending.TIMED_OUT, 30, keep_alive_s=0), ended(Ending.GOODBYE, 90)],
    )
    assert (found.known, found.found, found.now_open) == (3, 3, 1)
    states = [(row["state"], row["mood"], row["lasted"]) for row in found.rows]
    assert states == [
        ("silent past its keep-alive", "bad", "1 min"),
        ("said goodbye", "ended", "1 min"),
        ("connected", "open", "5 min"),
    ]
    assert [row["until"] for row in found.rows][2] == "–"
    assert found.rows[0]["keep_alive"] == "none"
    assert found.rows[2]["since"] == "2026-11-23 11:55:00"


def test_end_in_the_brokers_own_words_is_bad(tmp_path: Path) -> None:
    """A reason that nobody foresaw stands as it is."""
    (row,) = listing(tmp_path, [ended("oversize packet")]).rows
    assert (row["state"], row["mood"]) == ("oversize packet", "bad")


@pytest.mark.parametrize(
    ("search", "found"),
    [("", 3), ("KETTLE", 1), ("192.0.2.7 goodbye", 1), ("keep-alive", 1), ("nobody", 0)],
)
def test_search_finds_all_words_in_any_column(tmp_path: Path, search: str, found: int) -> None:
    """Whatever their case; what the state is called counts too."""
    connections = [
        OPEN,
        ended(Ending.TIMED_OUT, username="kettle", address="[2001:db8::7]:1"),
        ended(Ending.GOODBYE, 90),
    ]
    assert listing(tmp_path, connections, search).found == found


def test_search_looks_at_more_than_is_shown(tmp_path: Path) -> None:
    """The browser gets the newest rows; an older one is found all the same."""
    many = [
        ended(Ending.GOODBYE, 100, client_id=f"id-{number}", since_us=NOON_US - number * SECOND_US)
        for number in range(1, MOST_ROWS + 51)
    ]
    old = replace(many[-1], client_id="oldest", since_us=OPEN.since_us - SECOND_US * 600)
    with looking_at(store(tmp_path / "culex.db", connections=[*many, old])) as look:
        known = look.snapshot.connections(None, look.window)
        everything, one = listed(known, "", look), listed(known, "oldest", look)
    assert (len(everything.rows), everything.found) == (MOST_ROWS, MOST_ROWS + 51)
    assert "oldest" not in {row["client_id"] for row in everything.rows}
    assert [row["client_id"] for row in one.rows] == ["oldest"]


def test_hostile_names_are_text_and_their_link_is_an_address(tmp_path: Path) -> None:
    """Nothing invisible or reordering is left; the link leads to the client of that name."""
    (row,) = listing(tmp_path, [replace(OPEN, client_id=HOSTILE, username="a/b #1 <b>")]).rows
    assert row["client_id"] == HOSTILE.replace("\u202e", "<U+202E>")
    assert row["href"] == "/client?id=a%2Fb+%231+%3Cb%3E"


def test_rows_of_one_client_identifier_stay_apart(tmp_path: Path) -> None:
    """The grid keeps rows by their id."""
    rows = listing(tmp_path, [OPEN, ended("x", 10), ended("x", 200)]).rows
    assert len({row["id"] for row in rows}) == 3
