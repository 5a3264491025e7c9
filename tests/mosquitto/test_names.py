"""Names that a client may have."""

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from mosquitto.names import NameRefused, check_name
from telemetry.reading import RESERVED_CLIENTS
from telemetry.settings import DEMO_CLIENTS

OURS = {*RESERVED_CLIENTS, *DEMO_CLIENTS, "broker-admin", "admin"}


@given(st.from_regex(r"[A-Za-z0-9][A-Za-z0-9_-]{0,62}", fullmatch=True).filter(str.isascii))
def test_name_of_plain_characters_stays_as_it_is(name: str) -> None:
    """A name of plain characters is accepted unchanged, unless it is one of ours."""
    assume(name.lower() not in OURS)
    assert check_name(name) == name


@given(st.text())
def test_accepted_name_is_one_plain_topic_level(name: str) -> None:
    """No accepted name can widen a topic filter, leave its level or hide in a look-alike."""
    try:
        accepted = check_name(name)
    except NameRefused:
        return
    assert accepted.isascii()
    assert not set(accepted) & set("+#/$ \x00\n")


@pytest.mark.parametrize(
    "name", ["", "+", "#", "a/b", "a b", "$SYS", "-a", "_a", "a\n", "ä", "a" * 64, "٣", "<b>"]
)
def test_name_with_other_characters_is_refused(name: str) -> None:
    """A name that the broker would read as more than a name is refused with what would do."""
    with pytest.raises(NameRefused, match="A-Z a-z 0-9"):
        check_name(name)


@pytest.mark.parametrize("name", [*sorted(OURS), "Collector"])
def test_name_of_our_own_is_refused(name: str) -> None:
    """Nobody is let in under a name that Culex uses itself, in whatever case."""
    with pytest.raises(NameRefused, match="choose another"):
        check_name(name)
