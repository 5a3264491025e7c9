"""Everything hostile that can be sent, with what must become of it: ninety numbered items.

An item can have several rows. `PASSED` is what the broker hands on, `STOPPED` what it does not;
what another test holds is in `tests/integration/elsewhere.py`.
"""

import gzip
import json
from collections.abc import Iterable
from enum import Enum
from typing import NamedTuple

from telemetry.reading import Flag
from tests.torture.packets import Publish

CLIENT = "tank"
BASE_US = 1_700_000_000_000_000
"""2023-11-14T22:13:20Z: times of the client's own begin here, and are therefore late."""

SECOND_US = 1_000_000
LATE, QUOTED, INEXACT = Flag.LATE, Flag.QUOTED, Flag.INEXACT
UNSET, ZONE, CONFLICT = Flag.CLOCK_UNSET, Flag.ZONE_ASSUMED, Flag.CONFLICT


class Stored(NamedTuple):
    """A reading as it must be in the store.

    Attributes:
        value: A number, or the name of a state.
        flags: Its provenance.
        time_us: When it was measured, or 0 for the time of receipt.
    """

    value: float | str
    flags: int = 0
    time_us: int = 0


class Passed(NamedTuple):
    """A row of what the broker hands on.

    Attributes:
        number: Of the item.
        what: It is, in words.
        sent: One message after the other.
        stored: Every reading that comes from it, with its metric.
        reason: Why each of its messages is in quarantine, or an empty string.
    """

    number: int
    what: str
    sent: tuple[Publish, ...]
    stored: tuple[tuple[str, Stored], ...] = ()
    reason: str = ""


class Answer(Enum):
    """What the broker does with what it does not hand on."""

    CLOSED = "closes the connection"
    DENIED = 0x87


class Stopped(NamedTuple):
    """A row of what the broker does not hand on; the message, and its answer."""

    number: int
    what: str
    sent: Publish
    answer: Answer


def topic(metric: str) -> str:
    """The topic of a metric of the client."""
    return f"clients/{CLIENT}/{metric}"


def values(number: int, what: str, *pairs: tuple[bytes, float | str, int]) -> Passed:
    """Bare values on a topic of their own: payload, value and flags of each."""
    metric = f"i{number}"
    stored = tuple((metric, Stored(value, flags)) for _, value, flags in pairs)
    sent = tuple(Publish(topic(metric), payload) for payload, _, _ in pairs)
    return Passed(number, what, sent, stored)


def refused(number: int, what: str, reason: str, payload: bytes, properties: bytes = b"") -> Passed:
    """A payload of which nothing is stored, on a topic of its own."""
    sent = Publish(topic(f"i{number}"), payload, properties=properties)
    return Passed(number, what, (sent,), reason=reason)


def members(
    number: int, what: str, payload: bytes, found: dict[str, Stored], reason: str = ""
) -> Passed:
    """An object on a topic of its own, whose members are metrics below it."""
    metric = f"i{number}"
    stored = tuple((f"{metric}.{key}", one) for key, one in found.items())
    return Passed(number, what, (Publish(topic(metric), payload),), stored, reason)


def timed(number: int, what: str, *pairs: tuple[object, Stored | None]) -> Passed:
    """Numbers from 0 on with a time of their own: how it is written, and what is stored."""
    metric = f"i{number}"
    sent = tuple(
        Publish(topic(metric), json.dumps({"v": n, "ts": ts}).encode())
        for n, (ts, _) in enumerate(pairs)
    )
    return Passed(number, what, sent, tuple((f"{metric}.v", one) for _, one in pairs if one))


def own(value: float, after_s: int, flags: int = 0) -> tuple[int, Stored]:
    """A number measured so long after the beginning: how its time is written, what is stored."""
    time_us = BASE_US + after_s * SECOND_US
    return time_us, Stored(value, LATE | flags, time_us)


def named(number: int, what: str, *metrics: str) -> Passed:
    """Metrics whose names are hostile; each is kept exactly, with its place as its value."""
    sent = tuple(Publish(topic(one), str(n).encode()) for n, one in enumerate(metrics))
    return Passed(number, what, sent, tuple((m, Stored(n)) for n, m in enumerate(metrics)))


def stopped(
    number: int, what: str, answer: Answer, *topics: str | bytes, **rest: bytes | int
) -> Iterable[Stopped]:
    """A message on each of those topics, which the broker answers alike."""
    for one in topics:
        fields = {"topic": one, "payload": b"666"} | rest
        yield Stopped(number, what, Publish(**fields), answer)  # type: ignore[arg-type]  # by name


_NESTED = b'{"a":' * 2000 + b"1" + b"}" * 2000
_MANY = json.dumps({f"k{n}": n for n in range(10_000)}).encode()
_SCRIPT, _FORMULA = "<script>alert(1)</script>", "=cmd|' /C calc'!A0"
_BATCH = json.dumps([{"ts": BASE_US + n, "v": n} for n in range(3)]).encode()
_UNITS = (1.0, 1e-3, 1e-6)
_UTF8_CLAIMED = b"\x01\x01"

PAYLOADS = (
    refused(1, "nothing", "empty", b""),
    Passed(2, "nothing, retained", (Publish(topic("i2"), b"", flags=0b11),), (), "empty"),
    refused(3, "not a number", "non-finite", b"NaN"),
    refused(4, "infinity", "non-finite", b"Infinity"),
    refused(5, "minus infinity", "non-finite", b"-Infinity"),
    refused(6, "too large for a double", "non-finite", b"1e309"),
    refused(7, "underscore in a number", "malformed-number", b"1_000"),
    values(8, "spaces around it", (b" 21.5 ", 21.5, 0)),
    refused(9, "decimal comma", "decimal-comma", b"21,5"),
    values(10, "plus sign", (b"+5", 5, 0)),
    values(11, "byte order mark", (b"\xef\xbb\xbf21.5", 21.5, 0)),
    values(12, "number in quotes", (b'"21.5"', 21.5, QUOTED)),
    values(13, "yes and no", (b"true", 1, 0), (b"on", 1, 0), (b"OFF", 0, 0)),
    Passed(14, "no value", (Publish(topic("i14"), b"null"),)),
    refused(15, "hexadecimal", "malformed-number", b"0x1F"),
    refused(16, "digits of Arabic", "malformed-number", "\u0663\u066b\u0665".encode()),
    refused(17, "UTF-16", "binary", "21".encode("utf-16")),
    refused(18, "NUL after a number", "malformed-number", b"21.5\x00"),
    refused(19, "no UTF-8", "not-utf8", b"\xff\xfe"),
    refused(20, "no UTF-8 that claims to be", "not-utf8", b"\xff\xfe", _UTF8_CLAIMED),
    refused(21, "almost 1 MiB", "too-large", b"1" * 1_000_000),
    refused(23, "gzip", "binary", gzip.compress(b"21.5", mtime=0)),
    refused(23, "protobuf", "binary", b"\x0a\x05hello"),
    refused(23, "CBOR", "not-utf8", b"\xa1\x64temp\xf9MP"),
    refused(24, "2000 objects in one another", "too-deep", _NESTED),
    refused(25, "100 000 brackets", "too-deep", b"[" * 100_000),
    refused(26, "5000 digits", "non-finite", b"9" * 5000),
    values(27, "2^53 + 1", (b"9007199254740993", 2.0**53, INEXACT)),
    values(28, "more than 64 bits", (b"18446744073709551617", 2.0**64, INEXACT)),
    members(29, "a key twice", b'{"a": 1, "a": 2}', {"a": Stored(2)}),
    members(
        *(30, "10 000 keys", _MANY),
        {f"k{n}": Stored(n) for n in range(256)},
        "too-many-fields",
    ),
    refused(31, "array of numbers", "array", b"[1, 2, 3]"),
    Passed(
        *(32, "batch", (Publish(topic("i32"), _BATCH),)),
        tuple(("i32.v", Stored(n, LATE, BASE_US + n)) for n in range(3)),
    ),
    values(33, "number, word, number", (b"1", 1, 0), (b"warm", "warm", 0), (b"2", 2, 0)),
    members(34, "key of dots and the like", '{"a.b/c😀": 1}'.encode(), {"a.b/c😀": Stored(1)}),
    members(
        *(35, "keys of JavaScript", b'{"__proto__": 1, "constructor": 2}'),
        {"__proto__": Stored(1), "constructor": Stored(2)},
    ),
    values(36, "script", (_SCRIPT.encode(), _SCRIPT, 0)),
    values(37, "formula", (_FORMULA.encode(), _FORMULA, 0)),
    values(38, "minus zero and the smallest", (b"-0.0", 0, 0), (b"5e-324", 5e-324, 0)),
    refused(39, "unit behind it", "malformed-number", "21.5 °C".encode()),
)

TIMES = (
    members(40, "no time", b'{"v": 1}', {"v": Stored(1)}),
    timed(
        *(41, "s, ms, µs and ns"),
        *(
            (BASE_US // 1_000_000 * per_s + n * per_s, own(n, n)[1])
            for n, per_s in enumerate((1, 1_000, 1_000_000, 1_000_000_000))
        ),
    ),
    timed(42, "clock at 1970", (0, Stored(0, UNSET)), (12, Stored(1, UNSET))),
    Passed(
        *(43, "in the year 2200", (Publish(topic("i43"), b'{"v": 1, "ts": 7258118400}'),)),
        reason="future",
    ),
    members(44, "beyond all times", b'{"v": 1, "ts": 1.7e21}', {"v": Stored(1)}, "bad-time"),
    timed(
        *(45, "offset, and none"),
        ("2023-11-14T22:13:20+02:00", own(0, -7200)[1]),
        ("2023-11-14T22:13:20", own(1, 0, ZONE)[1]),
    ),
    timed(
        *(46, "leap second and 24:00"),
        ("2016-12-31T23:59:60Z", Stored(0, LATE, 1_483_228_799_999_999)),
        ("2016-12-31T24:00:00Z", Stored(1, LATE, 1_483_228_800_000_000)),
    ),
    timed(47, "an hour out of order", own(0, 3600), own(1, 0), own(2, 7200)),
    timed(48, "months late", own(0, -90 * 86_400)),
    timed(49, "clock steps back", own(0, 60), own(1, 0), own(2, 1)),
    timed(50, "two values of one moment", own(0, 0), own(1, 0, CONFLICT)),
    Passed(
        *(51, "the same again", (Publish(topic("i51"), b'{"v": 0, "ts": 1700000000}'),) * 2),
        (("i51.v", own(0, 0)[1]),),
    ),
)

TOPICS = (
    named(56, "byte order mark in a name", "\ufeffi56", "i56"),
    named(57, "text turned right to left", "\u202ei57"),
    named(58, "composed and decomposed", "i58\u00e9", "i58e\u0301"),
    Passed(59, "empty metric", (Publish(topic(""), b"1"),), (), "no-metric"),
    named(60, "folders", "..", "."),
    named(61, "escapes and paths of Parquet", "%2e%2e", "client=x", "metric=y"),
    named(62, "SQL", "x'; DROP TABLE reading;--"),
    named(63, "script", "<script>alert(1)<"),
    Passed(64, "65 535 bytes", (Publish(topic("x" * 65_522), b"1"),), (), "long-name"),
    Passed(59, "empty level of its own", (Publish(topic("/b"), b"1"),), (), "unmapped"),
    Passed(65, "200 levels", (Publish(topic("/".join("a" * 198)), b"1"),), (), "unmapped"),
    named(70, "upper and lower case", "I70", "i70"),
)

PROTOCOL = (
    Passed(
        *(76, "DUP at QoS 0", (Publish(topic("i76"), b"1", flags=0b1000),)),
        (("i76", Stored(1)),),
    ),
    Passed(77, "QoS 2", (Publish(topic("i77"), b"1", flags=0b0100),), (("i77", Stored(1)),)),
    Passed(
        *(78, "expires in a second", (Publish(topic("i78"), b"1", properties=b"\x02\0\0\0\x01"),)),
        (("i78", Stored(1)),),
    ),
)

PASSED: tuple[Passed, ...] = PAYLOADS + TIMES + TOPICS + PROTOCOL

_CLOSED, _DENIED = Answer
_BELOW = f"clients/{CLIENT}/".encode()
_N = topic("n")

STOPPED: tuple[Stopped, ...] = (
    *stopped(22, "10 MiB", _CLOSED, _N, payload=b"1" * 10_485_760),
    *stopped(52, "empty topic", _CLOSED, ""),
    *stopped(53, "wildcard", _CLOSED, "clients/tank/+", "clients/tank/#"),
    *stopped(54, "control character", _CLOSED, *(topic(one) for one in "\0\1\x7f\x85\uffff")),
    *stopped(
        *(55, "no UTF-8", _CLOSED),
        *(_BELOW + one for one in (b"\xed\xa0\x80", b"\xc0\xaf", b"\xff")),
    ),
    *stopped(59, "empty levels of others", _DENIED, "/a", "a/", "a//b", "/"),
    *stopped(60, "folders of others", _DENIED, "clients/../../etc/passwd"),
    *stopped(66, "topics of the broker", _DENIED, "$SYS/broker/uptime"),
    *stopped(66, "shared subscription", _DENIED, "$share/g/x"),
    *stopped(68, "topic of another client", _DENIED, "clients/other/n"),
    *stopped(79, "QoS 3", _CLOSED, _N, flags=0b0110),
    *stopped(79, "packet identifier 0", _CLOSED, _N, packet_id=0),
    *stopped(79, "unknown property", _CLOSED, _N, properties=b"\x7f\x01"),
    *stopped(79, "undefined alias", _CLOSED, "", properties=b"\x23" + b"\x00\x05"),
)
