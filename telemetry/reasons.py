"""Why something is in quarantine, in words, and what to do about it; by the collector's reasons."""

from typing import NamedTuple


class Reason(NamedTuple):
    """A reason in words.

    Attributes:
        meaning: What is wrong.
        advice: What to do.
    """

    meaning: str
    advice: str


_FORMAT = "correct what the client sends, or the format of the topic template"
_CAP = "send less at once, or raise the setting"
_TYPE = "correct the type of the metric in the client"


def _malformed(what: str) -> Reason:
    return Reason(f"It is not valid {what}", _FORMAT)


_REASONS = {
    "array": Reason("A list stands where a value should be", "send an object, or a topic for each"),
    "bad-time": Reason(
        "Its time cannot be read", "send seconds, ms, µs or ns since 1970, or ISO 8601"
    ),
    "binary": Reason(
        "It is bytes, not text", "name the format in the topic template: msgpack, cbor, sparkplug"
    ),
    "control-character": Reason(
        "A name or a state has a control character in it", "send printable text"
    ),
    "decimal-comma": Reason("A number has a decimal comma", "send 21.5 for 21,5"),
    "empty": Reason(
        "The payload or a text in it is empty",
        "send a number or a text, for example 21.5; null where there is no value",
    ),
    "encrypted": Reason(
        "OwnTracks has encrypted it", "switch encryption off in the app and use TLS"
    ),
    "future": Reason(
        "It says that it was measured in the future",
        "set the client's clock, or the zone of the topic template; then replay",
    ),
    "internal-error": Reason(
        "Culex made an error of its own", "report it with its line of data/logs/collector.log"
    ),
    "keys-not-text": Reason("Keys of a CBOR map are no text", "send text keys"),
    "long-name": Reason(
        "The name of the client or metric is too long", "shorten the topic or the key"
    ),
    "long-text": Reason(
        "A text is too long for a state", "send it on a topic that no topic template fits"
    ),
    "malformed-cbor": _malformed("CBOR"),
    "malformed-csv": _malformed("CSV"),
    "malformed-json": _malformed("JSON"),
    "malformed-key-value": _malformed("key=value text"),
    "malformed-line": Reason("A line is no line protocol", "correct it; the others are kept"),
    "malformed-msgpack": _malformed("MessagePack"),
    "malformed-number": Reason(
        "It begins like a number and is none", "send the bare number, the unit in unit"
    ),
    "malformed-row": Reason(
        "A row of CSV has more or fewer cells than its header", "correct it; the others are kept"
    ),
    "malformed-senml": _malformed("SenML"),
    "malformed-sparkplug": _malformed("Sparkplug B"),
    "malformed-uuid": Reason("A UUID is none", "correct what the client sends"),
    "memory-full": Reason(
        "Clients left behind too much for later messages", "find out who sends births without end"
    ),
    "newer-version": Reason("Its SenML is of a version that is not known", "send version 10"),
    "no-client": Reason("The topic names no client", "correct the topic"),
    "no-header": Reason(
        "Its CSV names no columns", "send a header, or write columns in the topic template"
    ),
    "no-metric": Reason(
        "A value has no name, neither in the topic nor in the payload",
        "send an object, or use a topic template with {metric}",
    ),
    "no-object": Reason("It is no JSON object", "look at the client's settings and firmware"),
    "no-presence": Reason(
        "It says neither online nor offline", "correct the client's birth or last will"
    ),
    "no-sparkplug-topic": Reason("The topic is none of Sparkplug B", "correct the topic template"),
    "no-value": Reason("A SenML record has no value", "correct what the client sends"),
    "no-values": Reason(
        "Nothing in it could be a reading", "send it on a topic that no topic template fits"
    ),
    "non-finite": Reason(
        "A number is infinite, NaN or too large for a double", "send null for no value"
    ),
    "not-understood": Reason(
        "Its SenML must be understood and is not", "leave out the label that ends in _"
    ),
    "not-utf8": Reason("Its text is in another encoding", "send UTF-8"),
    "out-of-range": Reason(
        "A number is beyond what its declared type can hold", "correct the client's type"
    ),
    "relative-time": Reason("Its time is relative to now", "send the time since 1970"),
    "reserved": Reason(
        "Series of broker and collector are written by Culex", "choose another client name"
    ),
    "retained": Reason(
        "The broker kept it, and it has no time of its own", "nothing; or send a time with it"
    ),
    "too-deep": Reason("Its objects are nested too deeply", _CAP),
    "too-large": Reason("The payload is too large", _CAP),
    "too-many-fields": Reason("An object has too many values; the first are kept", _CAP),
    "too-many-rows": Reason("It has too many rows; the first are kept", _CAP),
    "too-many-series": Reason("The client has as many metrics as it may", _CAP),
    "unknown-alias": Reason(
        "Sparkplug data came before its birth", "wait for a birth, then replay"
    ),
    "unknown-type": Reason("A Sparkplug value has a type that is not known", _TYPE),
    "unmapped": Reason(
        "No topic template fits the topic", "add a template to culex.toml, under [[topics]]"
    ),
    "unsupported": Reason(
        "A value is of a type that cannot be charted", "send a number, a boolean or a text"
    ),
    "unsupported-type": Reason("A Sparkplug value is of a type that cannot be charted", _TYPE),
    "wrong-type": Reason("A Sparkplug value is not of the type that was declared", _TYPE),
}
"""The same words that `docs/formats.md` explains, which a test compares."""


def reason_of(word: str) -> Reason:
    """A reason in words; one of a later version is said as it is.

    >>> reason_of("decimal-comma").advice
    'send 21.5 for 21,5'
    """
    return _REASONS.get(word) or Reason(word.replace("-", " ").capitalize(), "see docs/formats.md")


def known_reasons() -> frozenset[str]:
    """The reasons there are words for."""
    return frozenset(_REASONS)
