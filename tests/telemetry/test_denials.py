"""Refused publishes on their way from the broker's log to the store."""

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from telemetry.denials import Denial, Denied, detail_of, leave, read_detail, take

ONE = Denial(1, ("d", "clients/x/t"), 2)
OTHER = Denial(2, ("é", "clients/x/\N{SNOWMAN}"), 1)


def test_what_is_left_is_taken_once_in_order(tmp_path: Path) -> None:
    """Oldest first, and gone then."""
    assert leave(tmp_path / "denied", [OTHER], 20)
    assert leave(tmp_path / "denied", [ONE], 10)
    assert take(tmp_path / "denied") == [ONE, OTHER]
    assert take(tmp_path / "denied") == []
    assert list((tmp_path / "denied").iterdir()) == []


def test_no_folder_is_no_news(tmp_path: Path) -> None:
    """A broker that refused nothing has left no folder."""
    assert take(tmp_path / "denied") == []


def test_file_that_is_none_is_passed_over(tmp_path: Path) -> None:
    """Half a file or a foreign one stops nothing, and does not come again."""
    for number, text in enumerate(["[[1, [", "7", '[["x", ["a"], 1]]', "\xff"]):
        (tmp_path / f"{number}.json").write_text(text, encoding="latin-1")
    leave(tmp_path, [ONE], 9)
    assert take(tmp_path) == [ONE]
    assert list(tmp_path.iterdir()) == []


@given(st.text(min_size=1), st.text())
def test_detail_says_what_it_was_made_of(topic: str, client_id: str) -> None:
    """Whatever stands in a topic, it is not taken for what stands behind it."""
    detail = detail_of(Denied(topic, client_id))
    assert read_detail(detail) == Denied(topic, client_id)
    assert read_detail(f"{detail} (3 more)") == Denied(topic, client_id, 3)


def test_detail_of_something_else_is_none() -> None:
    """Another kind of event has no such detail."""
    assert read_detail("not authorised, as boiler") is None
