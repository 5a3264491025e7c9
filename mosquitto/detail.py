"""What people know of a client beside what it sends: where it hangs, what is printed on it."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from telemetry.fault import Fault

MOST_TAGS = 20
TAG_LENGTH = 40
LENGTHS: Mapping[str, int] = {
    "client": 1024,
    "description": 200,
    "serial_number": 100,
    "notes": 4000,
}
"""The most characters of each text."""

_WORDS = {"serial_number": "serial number"}
_PARTS = re.compile(r"[0-9A-Fa-f]{2}([:-]?[0-9A-Fa-f]{2})*|[0-9A-Fa-f]{4}(\.[0-9A-Fa-f]{4})+")
_MAC_DIGITS = (12, 16)  # EUI-48, and the EUI-64 of Zigbee and LoRaWAN
_SURROGATE = re.compile("[\ud800-\udfff]")


class DetailError(Fault):
    """What was entered of a client cannot be kept; the message says what to write instead."""


@dataclass(frozen=True, slots=True)
class Detail:
    """What people know of a client.

    Attributes:
        client: Its name in topics.
        description: What it is, in a few words.
        serial_number: As its maker printed it.
        mac_address: As `normal_mac` writes it, or an empty string.
        tags: Words to find it by, each once.
        notes: Anything else, in lines.

    Raises:
        DetailError: If a text is too long, or tags or the MAC address are none.
    """

    client: str
    description: str = ""
    serial_number: str = ""
    mac_address: str = ""
    tags: Sequence[str] = ()
    notes: str = ""

    def __post_init__(self) -> None:
        for name, most in LENGTHS.items():
            _check_text(name, getattr(self, name), most)
        if not self.client:
            raise DetailError("choose a client first")
        if self.mac_address != normal_mac(self.mac_address):
            raise DetailError("write the MAC address as 00:1b:44:11:3a:b7")
        if list(self.tags) != tags_of(",".join(self.tags)):
            raise DetailError("write each tag once, without a comma")

    @property
    def is_empty(self) -> bool:
        """Whether nothing is known beside the name."""
        known = self.description, self.serial_number, self.mac_address, self.tags, self.notes
        return not any(known)


@dataclass(frozen=True, slots=True)
class Kept:
    """A detail as it is kept, with when it was changed last, and by which user."""

    detail: Detail
    changed_us: int
    changed_by: str


def entered(client: str, fields: Mapping[str, str]) -> Detail:
    """The detail that a person entered in a form.

    Args:
        client: Whose it is.
        fields: Texts by the names of `Detail`; `tags` are separated by commas.

    Raises:
        DetailError: If it cannot be kept.

    >>> entered("tank", {"mac_address": "00-1B-44-11-3A-B7", "tags": "roof, roof ,new"}).tags
    ('roof', 'new')
    """
    said = {name: text.strip() for name, text in fields.items()}
    return Detail(
        client=client,
        description=said.get("description", ""),
        serial_number=said.get("serial_number", ""),
        mac_address=normal_mac(said.get("mac_address", "")),
        tags=tuple(tags_of(said.get("tags", ""))),
        notes=said.get("notes", "").replace("\r\n", "\n"),
    )


def normal_mac(text: str) -> str:
    """A MAC address in lower case with colons, of 6 or 8 bytes; an empty text stays empty.

    Raises:
        DetailError: If it is none.

    >>> normal_mac("001B.4411.3AB7"), normal_mac("0x00158d0001a2b3c4")
    ('00:1b:44:11:3a:b7', '00:15:8d:00:01:a2:b3:c4')
    """
    if not text:
        return ""
    bare = text.removeprefix("0x")
    digits = re.sub("[:.-]", "", bare).lower()
    if not _PARTS.fullmatch(bare) or len(digits) not in _MAC_DIGITS:
        raise DetailError(
            f"{text[:40]!r} is not a MAC address; write for example 00:1b:44:11:3a:b7"
        )
    return ":".join(digits[start : start + 2] for start in range(0, len(digits), 2))


def tags_of(text: str) -> list[str]:
    """The tags in a text with commas, each once, in their order.

    Raises:
        DetailError: If there are too many, or one is too long.
    """
    tags = list(dict.fromkeys(filter(None, (" ".join(tag.split()) for tag in text.split(",")))))
    if len(tags) > MOST_TAGS:
        raise DetailError(f"a client can have {MOST_TAGS} tags; leave {len(tags) - MOST_TAGS} out")
    for tag in tags:
        _check_text("tag", tag, TAG_LENGTH)
    return tags


def _check_text(name: str, text: str, most: int) -> None:
    word = _WORDS.get(name, name)
    if len(text) > most:
        raise DetailError(
            f"{len(text)} characters are too many for the {word}; write at most {most}"
        )
    if "\0" in text or _SURROGATE.search(text):
        raise DetailError(f"the {word} holds characters that are no text; enter it again")
