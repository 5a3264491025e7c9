"""What people know of clients: what can be kept, and what is said of what cannot."""

import pytest

from mosquitto.detail import MOST_TAGS, Detail, DetailError, entered, normal_mac


@pytest.mark.parametrize(
    ("text", "normal"),
    [
        ("", ""),
        ("00:1B:44:11:3A:B7", "00:1b:44:11:3a:b7"),
        ("00-1b-44-11-3a-b7", "00:1b:44:11:3a:b7"),
        ("001b.4411.3ab7", "00:1b:44:11:3a:b7"),
        ("001B44113AB7", "00:1b:44:11:3a:b7"),
        ("0x00158D0001A2B3C4", "00:15:8d:00:01:a2:b3:c4"),
    ],
)
def test_mac_address_is_written_in_one_form(text: str, normal: str) -> None:
    """However makers print it, it is kept in lower case with colons."""
    assert normal_mac(text) == normal


@pytest.mark.parametrize(
    "text", ["0", "00:1b:44:11:3a", "00:1b:44:11:3a:b7:01", "00:1g:44:11:3a:b7", "::", "<b>", "0x"]
)
def test_text_that_is_no_mac_address_is_refused(text: str) -> None:
    """The message names the text and shows how one is written."""
    with pytest.raises(DetailError, match=r"is not a MAC address; write for example 00:1b"):
        normal_mac(text)


def test_form_is_trimmed_and_its_tags_are_parted() -> None:
    """What was typed carelessly is kept tidily."""
    said = entered(
        "tank",
        {
            "description": "  Oil tank ",
            "serial_number": " 7 ",
            "tags": " roof,, north  side ,roof",
            "notes": "one\r\ntwo\n",
        },
    )
    assert said == Detail("tank", "Oil tank", "7", "", ("roof", "north side"), "one\ntwo")
    assert not said.is_empty
    assert entered("tank", {"notes": " \n"}).is_empty


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        (
            {"description": "d" * 201},
            "201 characters are too many for the description; write at most 200",
        ),
        ({"serial_number": "7" * 101}, "101 characters are too many for the serial number"),
        ({"notes": "n" * 4001}, "4001 characters are too many for the notes"),
        ({"tags": "t" * 41}, "41 characters are too many for the tag"),
        ({"tags": ",".join(map(str, range(MOST_TAGS + 1)))}, "can have 20 tags; leave 1 out"),
        ({"notes": "a\0b"}, "characters that are no text"),
        ({"description": "\ud800"}, "characters that are no text"),
    ],
)
def test_what_cannot_be_kept_is_said(fields: dict[str, str], words: str) -> None:
    """The message says which text it is and what to do."""
    with pytest.raises(DetailError, match=words):
        entered("tank", fields)


def test_detail_without_a_client_is_refused() -> None:
    """A form that was sent before a client was chosen changes nothing."""
    with pytest.raises(DetailError, match="choose a client"):
        entered("", {"description": "Pump"})


def test_detail_is_checked_wherever_it_comes_from() -> None:
    """A program that makes one cannot keep what the form could not."""
    with pytest.raises(DetailError, match="MAC address"):
        Detail("tank", mac_address="00-1B-44-11-3A-B7")
    with pytest.raises(DetailError, match="each tag once"):
        Detail("tank", tags=("roof", "roof"))
