"""What publishers say beside the payload is read strictly, and kept as it was said."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.message import NO_PROPERTIES
from collector.properties import Malformed, parse_properties
from tests.collector.packets import subscription
from tests.torture.packets import text, user_property


@given(st.lists(st.tuples(st.text(max_size=20), st.binary(max_size=20)), max_size=5))
def test_properties_users_are_kept_in_order_with_their_bytes(
    pairs: list[tuple[str, bytes]],
) -> None:
    """Names may repeat, and bytes that are not UTF-8 come back as they were."""
    said = b"".join(b"\x26" + text(name.encode("utf-8", "replace")) + text(v) for name, v in pairs)
    found = parse_properties(said, {}).user
    assert [value.encode("utf-8", "surrogateescape") for _, value in found] == [v for _, v in pairs]


def test_properties_that_say_nothing_to_us_are_passed_over() -> None:
    """Format, expiry, response topic and correlation are read past, and leave no trace."""
    said = (
        b"\x01\x01" + b"\x02\x00\x00\x00\x05" + b"\x08" + text("answer") + b"\x09" + text(b"\xff")
    )
    assert parse_properties(said, {}) is NO_PROPERTIES
    assert parse_properties(said + user_property("id", "1"), {}).user == (("id", "1"),)


def test_properties_identifier_of_an_earlier_filter_is_left_out() -> None:
    """A subscription that is no longer configured takes no part in what counts."""
    said = subscription(5) + subscription(6)
    assert parse_properties(said, {6: 2}).subscriptions == (2,)


@given(st.binary(max_size=60))
def test_properties_any_bytes_are_some_or_malformed(content: bytes) -> None:
    """Whatever the bytes are, nothing but Malformed is raised."""
    try:
        parse_properties(content, {})
    except Malformed:
        return
    assert content == b"" or content[0] in {1, 2, 3, 8, 9, 11, 38}


@pytest.mark.parametrize("missing", [1, 3])
def test_properties_cut_short_are_malformed(missing: int) -> None:
    """No value goes past the end."""
    said = user_property("name", "value")[:-missing]
    with pytest.raises(Malformed, match="end too early"):
        parse_properties(said, {})
