"""docs/formats.md says what the code does: every format, family, cap and reason."""

import re
from pathlib import Path

import pytest

from collector.decoded import DEPTH, FIELDS, PAYLOAD_BYTES, ROWS, Decoded, Measurement, Place
from collector.formats import DECODERS, format_of
from collector.formats.harvest import NAMED_FAULTS
from collector.formats.home_assistant import TOPIC_CHARACTERS
from collector.topics import NAME_CHARACTERS
from telemetry.families import TEMPLATES, Family, Format
from telemetry.literals import STATE_CHARACTERS

ROOT = Path(__file__).resolve().parents[3]
PAGE = (ROOT / "docs" / "formats.md").read_text("utf-8")

EXAMPLE = re.compile(r"^\| `([\w-]+)` \| `(.+?)`( \(hexadecimal\))? \| (.+) \|$", re.MULTILINE)
REASON_ROW = re.compile(r"^\| ((?:`[a-z0-9-]+`(?:, )?)+) \| [^|]+ \| [^|]+ \|$", re.MULTILINE)
NAMED = re.compile(r'(?:Rejected|Fault|refuse|refusal)\(\s*"([a-z0-9-]+)"')
RETURNED = re.compile(r'return (?:\w+ if .+ else )?"([a-z0-9]+(?:-[a-z0-9]+)+)"')

PLACES = {
    Format.PLAIN: Place("clients/a/m", "a", "m"),
    Format.TASMOTA: Place("tele/a/SENSOR", "a"),
    Format.SHELLY: Place("shellies/a/relay/0/power", "a", "relay.0.power"),
    Format.SHELLY_RPC: Place("a/events/rpc", "a"),
    Format.ESPHOME: Place("a/sensor/air/state", "a", "air"),
}
"""Where the examples arrive; a topic that names no metric for all others."""


def section_of(title: str) -> str:
    """The part of the page under a heading."""
    return re.split(r"^#+ ", PAGE.split(f"# {title}\n", 1)[1], maxsplit=1, flags=re.MULTILINE)[0]


EXAMPLES = [(Format(row[1]), *row.groups()[1:]) for row in EXAMPLE.finditer(section_of("Formats"))]


def decoded_example(format_: Format, text: str, hexadecimal: str | None) -> Decoded:
    """What the example of a format comes to."""
    payload = bytes.fromhex(text) if hexadecimal else text.replace("⏎", "\n").encode()
    return DECODERS[format_](payload, PLACES.get(format_, Place("clients/a", "a")), {})


def written(measurement: Measurement) -> str:
    """A measurement as the page writes it."""
    value = measurement.value
    shown = value if isinstance(value, str) else f"{value:g}"
    return f"`{measurement.metric}` = {shown} {measurement.unit}".rstrip()


@pytest.mark.parametrize(("format_", "text", "hexadecimal", "becomes"), EXAMPLES)
def test_page_example_becomes_what_it_says(
    format_: Format, text: str, hexadecimal: str | None, becomes: str
) -> None:
    """Each example is decoded without a fault, to the readings beside it."""
    decoded = decoded_example(format_, text, hexadecimal)
    assert not decoded.faults
    if decoded.measurements:
        assert ", ".join(map(written, decoded.measurements)) == becomes
    else:
        assert decoded.notes or decoded.descriptions


def test_page_has_an_example_of_every_format_that_is_text() -> None:
    """A protobuf cannot be shown in a line."""
    assert {row[0] for row in EXAMPLES} == set(Format) - {Format.SPARKPLUG}
    assert "| `sparkplug` |" in PAGE


COMPONENT = re.compile(r"^\{client\}/(\w+)(/.*\{metric\}/state)$")
WORD = re.compile(r"^zigbee2mqtt/\{client\}/\w+$")


@pytest.mark.parametrize("family", Family)
def test_page_names_the_topics_of_every_family(family: Family) -> None:
    """Each template stands in its section; ESPHome's with the component apart."""
    text = section_of(str(family))
    for template, format_ in TEMPLATES[family]:
        component = COMPONENT.match(template)
        if component:
            assert f"`{component[1]}`" in text
            assert f"`{{client}}/<component>{component[2]}`" in text
        elif format_ is not Format.ZIGBEE2MQTT or not WORD.match(template):
            assert f"`{template}`" in text
    assert all(f"`…/{word}`" in text for word in ("set", "get")) == (family is Family.ZIGBEE2MQTT)


def test_page_states_the_caps_in_force() -> None:
    """The numbers are those of the code."""
    caps = dict(re.findall(r"^\| ([^|]+) \| (\d+) \|", section_of("Caps"), re.MULTILINE))
    assert {what.split()[0]: int(most) for what, most in caps.items() if "inside" not in what} == {
        "bytes": PAYLOAD_BYTES,
        "values": FIELDS,
        "objects,": ROWS,
        "characters": STATE_CHARACTERS,
        "faults": NAMED_FAULTS,
    }
    assert caps["characters of a client's or metric's name"] == str(NAME_CHARACTERS)
    assert caps["characters of a topic that discovery names, with its `~`"] == str(TOPIC_CHARACTERS)
    assert caps["objects inside one another"] == str(DEPTH)


def test_page_explains_every_reason() -> None:
    """Whatever the collector refuses something for is in the table."""
    sources = [path.read_text("utf-8") for path in (ROOT / "collector").rglob("*.py")]
    named = {reason for text in sources for reason in NAMED.findall(text)}
    returned = {reason for text in sources for reason in RETURNED.findall(text)}
    rows = REASON_ROW.findall(section_of("Reasons"))
    explained = {reason for row in rows for reason in re.findall(r"`([a-z0-9-]+)`", row)}
    assert named | (returned - {"half-open"}) <= explained
    assert "too-many-series" in explained


@pytest.mark.parametrize("content_type", re.findall(r"`((?:application|text)/[\w.+-]+)`", PAGE))
def test_page_content_type_means_a_format(content_type: str) -> None:
    """Each content type of the page is known."""
    assert format_of(content_type) is not None
