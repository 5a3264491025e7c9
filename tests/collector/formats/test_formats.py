"""Every format has a decoder, and every content type that means one finds it."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.decoded import Place
from collector.formats import DECODERS, FORMAT_OF_CONTENT_TYPE, format_of
from collector.rejection import Rejected
from telemetry.families import Format
from tests.collector.formats.decoding import HERE, NAMED, steady

TEXTS = ("0", "a", "=", ",", " ", '"', "{", "}", "[", "]", ":", "\n", "ts", "value", "t", "1.5")


def test_every_format_has_a_decoder() -> None:
    """A format that settings allow is never one that nobody reads."""
    assert set(DECODERS) == set(Format)


@pytest.mark.parametrize(
    ("content_type", "format_"),
    [
        ("application/json", Format.JSON),
        ("Application/JSON; charset=utf-8", Format.JSON),
        (" application/json ;", Format.JSON),
        ("application/ld+json", Format.JSON),
        ("application/senml+json", Format.SENML_JSON),
        ("application/SenML+JSON;x=y", Format.SENML_JSON),
        ("application/senml+cbor", Format.SENML_CBOR),
        ("application/cbor", Format.CBOR),
        ("application/cwt+cbor", Format.CBOR),
        ("application/msgpack", Format.MSGPACK),
        ("application/vnd.msgpack", Format.MSGPACK),
        ("application/x-msgpack", Format.MSGPACK),
        ("text/csv; header=present", Format.CSV),
        ("text/plain;charset=UTF-8", Format.AUTO),
    ],
)
def test_format_of_known_content_type_is_found(content_type: str, format_: Format) -> None:
    """Neither case nor parameters nor spaces matter; a suffix tells of an unknown type."""
    assert format_of(content_type) is format_


@pytest.mark.parametrize(
    "content_type", ["", ";", "image/png", "application/octet-stream", "application/xml", "+", "\0"]
)
def test_format_of_unknown_content_type_is_none(content_type: str) -> None:
    """What we do not read is left to detection."""
    assert format_of(content_type) is None


def test_content_types_are_written_as_they_are_looked_up() -> None:
    """In lower case, without parameters."""
    for name, format_ in FORMAT_OF_CONTENT_TYPE.items():
        assert format_of(name.upper()) is format_


@steady
@given(content_type=st.text(max_size=30))
def test_format_of_anything_raises_nothing(content_type: str) -> None:
    """A content type is whatever a publisher likes."""
    assert format_of(content_type) in {None, *Format}


@pytest.mark.parametrize("format_", list(Format))
@steady
@given(
    payload=st.binary(max_size=60)
    | st.lists(st.sampled_from(TEXTS), max_size=20).map("".join).map(str.encode),
    place=st.sampled_from([HERE, NAMED]),
)
def test_every_decoder_raises_nothing_but_rejected(
    format_: Format, payload: bytes, place: Place
) -> None:
    """Whatever the bytes are, in whatever format they should be."""
    with suppress(Rejected):
        DECODERS[format_](payload, place, {})
