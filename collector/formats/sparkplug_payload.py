"""The bytes of a Sparkplug B payload: protobuf, which may be packed into another payload."""

import zlib

from google.protobuf.message import DecodeError

from collector.decoded import PAYLOAD_BYTES
from collector.formats.sparkplug_b_pb2 import Payload
from collector.rejection import Rejected

MALFORMED = "malformed-sparkplug"
_COMPRESSED = "SPBV1.0_COMPRESSED"
_ZLIB_OR_GZIP = zlib.MAX_WBITS | 32


def read_payload(content: bytes) -> Payload:
    """The payload, unpacked if it is packed; it may be no larger for that.

    Its metric `algorithm` is not asked: DEFLATE and GZIP are told apart by their first bytes.

    Raises:
        Rejected: `malformed-sparkplug`, or `too-large` for one that unpacks to too much.
    """
    payload = _parse(content)
    if payload.uuid != _COMPRESSED:
        return payload
    payload = _parse(_unpack(payload.body))
    if payload.uuid == _COMPRESSED:
        raise Rejected(MALFORMED)  # nobody packs twice, except to have us unpack for ever
    return payload


def _parse(content: bytes) -> Payload:
    try:
        payload = Payload.FromString(content)
    except (DecodeError, UnicodeDecodeError):  # the second where protobuf has no compiled parser
        raise Rejected(MALFORMED) from None
    if not payload.ListFields():
        raise Rejected(MALFORMED)
    return payload


def _unpack(body: bytes) -> bytes:
    stream = zlib.decompressobj(_ZLIB_OR_GZIP)
    try:
        content = stream.decompress(body, PAYLOAD_BYTES + 1)
    except zlib.error:
        raise Rejected(MALFORMED) from None
    if len(content) > PAYLOAD_BYTES:
        raise Rejected("too-large")
    if not stream.eof:
        raise Rejected(MALFORMED)
    return content
