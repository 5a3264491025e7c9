"""The tree of topics: all of a small one, of a large one what fits and what a reader opens."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboard.topics.tree import DEEPEST, MARK, ROWS, Node, drawn, grown, id_of
from tests.telemetry.builders import steady

LEVELS = st.text("ab/é", min_size=1, max_size=6)


def mark(path: str) -> str:
    """What the view calls a branch."""
    return id_of(path)[:MARK]


def rows(*names: str, search: str = "", **more: object) -> list[Node]:
    """The rows of a tree of these topics."""
    facts: dict[str, object] = {"opened": (), "shut": ()} | more
    return drawn(grown(names, search), **facts)  # type: ignore[arg-type]  # by name


def test_small_tree_is_drawn_whole_and_counts_topics() -> None:
    """Levels by name; a branch that is a topic itself is one row; all is open."""
    found = rows("clients/b/x", "clients/a/m", "clients/a", "zigbee2mqtt/lamp")
    assert [(one.depth, one.level, one.topics, one.is_topic, one.open) for one in found] == [
        (0, "clients", 3, False, True),
        (1, "a", 2, True, True),
        (2, "m", 1, True, None),
        (1, "b", 1, False, True),
        (2, "x", 1, True, None),
        (0, "zigbee2mqtt", 1, False, True),
        (1, "lamp", 1, True, None),
    ]


def test_empty_levels_are_levels() -> None:
    """MQTT knows topics that begin or end with a slash, and they are others."""
    found = rows("/a", "a", "a/", "//")
    assert [(one.path, one.is_topic) for one in found if one.is_topic] == [
        ("//", True),
        ("/a", True),
        ("a", True),
        ("a/", True),
    ]
    assert len({one.id for one in found}) == len(found)


def test_search_finds_what_contains_it() -> None:
    """Whatever the case, in any level, with the branches above."""
    found = rows("clients/Boiler/m", "clients/attic/m", search="boil")
    assert [one.path for one in found] == ["clients", "clients/Boiler", "clients/Boiler/m"]
    assert found[0].topics == 1


def test_branch_that_a_reader_closed_is_closed_and_says_how_many_are_in_it() -> None:
    """Others stay as they are."""
    found = rows("a/x", "a/y", "b/z", shut={mark("a")})
    assert [(one.path, one.open, one.topics) for one in found] == [
        ("a", False, 2),
        ("b", True, 1),
        ("b/z", None, 1),
    ]


def test_large_tree_is_drawn_as_far_as_there_is_room() -> None:
    """20 000 topics of 1000 clients: branches that do not fit are closed."""
    names = [f"clients/c{n:03}/m{m:02}" for n in range(1000) for m in range(20)]
    found = rows(*names)
    assert [(one.path, one.open, one.topics) for one in found] == [("clients", False, 20_000)]
    found = rows(*names, opened={mark("clients")})
    assert len(found) <= ROWS + 2
    assert {one.depth for one in found[1:]} == {1}
    assert found[-1].left_out == 1000 - len(found[1:-1])
    inner = rows(*names, opened={mark("clients"), mark("clients/c007")})
    assert next(one.path for one in inner if one.depth == 2) == "clients/c007/m00"
    assert sum(one.depth == 2 for one in inner if one.path.startswith("clients/c007")) == 20


def test_flat_tree_says_how_many_are_left_out() -> None:
    """Beyond the rows there are, one row stands for the rest."""
    found = rows(*(f"t{n:04}" for n in range(1000)))
    assert (len(found), found[-1].left_out) == (ROWS + 1, 1000 - ROWS)


def test_topic_of_thousands_of_levels_is_no_deeper_than_the_rest() -> None:
    """Its end stands as one level."""
    found = rows("/".join("abcd" * 500), opened={mark("a")})
    assert max(one.depth for one in found) == DEEPEST - 1
    assert found[-1].path == "/".join("abcd" * 500)


@steady
@given(names=st.lists(LEVELS, unique=True, max_size=40), at_most=st.integers(1, 30))
def test_every_topic_is_drawn_or_counted(names: list[str], at_most: int) -> None:
    """Whatever the names and the room: rows, closed branches and what is left out make all."""
    found = drawn(grown(tuple(names), ""), (), (), at_most)
    assert sum(not one.left_out for one in found) <= at_most
    assert [one.path for one in found if one.is_topic] == sorted(
        {one.path for one in found if one.is_topic}, key=lambda path: path.split("/")
    )
    full = drawn(grown(tuple(names), ""), (), (), 10_000)
    assert sorted(one.path for one in full if one.is_topic) == sorted(names)


@pytest.mark.parametrize("opened", [("clients",), ("clients", "clients/c1")])
def test_what_a_reader_opened_is_open_however_full_it_is(opened: tuple[str, ...]) -> None:
    """Even beside branches that take all the room."""
    names = [f"{top}/c{n}/m{m}" for top in ("aaa", "clients") for n in range(60) for m in range(9)]
    found = rows(*names, opened={mark(path) for path in opened})
    states = {one.path: one.open for one in found}
    assert all(states[path] for path in opened)
