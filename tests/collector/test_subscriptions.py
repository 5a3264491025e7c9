"""Filters that are no longer configured are remembered until the broker gave them up."""

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st
from structlog.testing import capture_logs

from collector.subscriptions import Subscriptions, identifiers


def test_subscriptions_that_changed_leave_the_old_ones_stale(tmp_path: Path) -> None:
    """What an earlier configuration subscribed to is stale until it is given up."""
    path = tmp_path / "subscriptions.json"
    Subscriptions(path, ["a/+", "b/+"]).asking()
    after = Subscriptions(path, ["b/+", "c/+"])
    assert after.known
    assert after.stale == ("a/+",)
    after.asking()
    after.given_up(after.stale)
    assert Subscriptions(path, ["b/+", "c/+"]).stale == ()


def test_subscriptions_killed_before_the_answer_are_still_stale(tmp_path: Path) -> None:
    """Until the broker answered, old and new filters are both remembered."""
    path = tmp_path / "subscriptions.json"
    Subscriptions(path, ["a/+"]).asking()
    Subscriptions(path, ["b/+"]).asking()
    assert Subscriptions(path, ["b/+"]).stale == ("a/+",)


def test_subscriptions_that_were_there_first_come_first(tmp_path: Path) -> None:
    """What waited since before a filter was added came for the older one alone."""
    path = tmp_path / "subscriptions.json"
    Subscriptions(path, ["b/+", "a/+"]).asking()
    after = Subscriptions(path, ["c/+", "a/+", "b/+"])
    assert after.wanted == ("b/+", "a/+", "c/+")
    after.asking()
    assert Subscriptions(path, ["c/+", "a/+"]).wanted == ("a/+", "c/+")


def test_subscriptions_of_a_broken_file_are_unknown(tmp_path: Path) -> None:
    """A file that is not ours to read counts as none."""
    path = tmp_path / "subscriptions.json"
    path.write_text("{")
    assert not Subscriptions(path, ["a/+"]).known


def test_subscriptions_that_cannot_be_kept_do_not_raise(tmp_path: Path) -> None:
    """A folder that is gone costs the memory, not the session."""
    Subscriptions(tmp_path / "gone" / "subscriptions.json", ["a/+"]).asking()


def test_subscriptions_identifiers_outlive_a_change_of_configuration(tmp_path: Path) -> None:
    """What waits at the broker names its filter even when others come before it by now."""
    path = tmp_path / "subscriptions.json"
    before, after = Subscriptions(path, ["a/+", "b/+"]), Subscriptions(path, ["c/#", "b/+"])
    number = before.identifiers["b/+"]
    assert (before.places[number], after.places[number]) == (2, 2)
    assert before.identifiers["a/+"] not in after.places


@given(st.lists(st.text(max_size=10), unique=True, max_size=20))
def test_subscriptions_identifiers_are_told_apart_and_allowed(filters: list[str]) -> None:
    """No two filters share one, and each is one that MQTT has."""
    numbers = identifiers(filters)
    assert len(set(numbers.values())) == len(filters)
    assert all(1 <= number <= 268_435_455 for number in numbers.values())


def test_subscriptions_that_cross_are_told_where_copies_have_no_names(tmp_path: Path) -> None:
    """Without identifiers a message that two filters take cannot be told from two messages."""
    path = tmp_path / "subscriptions.json"
    crossing = Subscriptions(path, ["a/+", "+/b", "c"])
    with capture_logs() as lines:
        crossing.asking()
        Subscriptions(path, ["a/+", "b/+"]).asking(identified=False)
    assert lines == []
    with capture_logs() as lines:
        crossing.asking(identified=False)
    assert [line["filters"] for line in lines] == [[("a/+", "+/b")]]
