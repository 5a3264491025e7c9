"""What a message counts as, and what quarantine keeps of it. Pure."""

from collections import Counter

import orjson

from collector.message import Message
from collector.rejection import Fault
from collector.translate import OVERFLOW, Translation
from telemetry.batch import Arrival
from telemetry.ledger import Account, Outcome
from telemetry.quarantine import Quarantined

_OUTCOMES = {"future": Outcome.HELD, "retained": Outcome.RETAINED, OVERFLOW: Outcome.LIMITED}
_KEPT = (Outcome.QUARANTINED, Outcome.HELD)
_FACTS_BYTES = 4096
_SIMULATED = ("simulated", "1")


def outcome_of(reason: str) -> Outcome:
    """What the ledger calls a fault of that reason.

    >>> str(outcome_of("future")), str(outcome_of("malformed-json"))
    ('held', 'quarantined')
    """
    return _OUTCOMES.get(reason, Outcome.QUARANTINED)


def flagged(translation: Translation, flags: int) -> Translation:
    """The translation with flags added to each of its readings."""
    readings = [one._replace(flags=one.flags | flags) for one in translation.readings]
    return translation._replace(readings=readings)


def judge(
    message: Message, account: Account, translation: Translation
) -> tuple[Arrival, Quarantined | None]:
    """What the ledger counts of a message, and what quarantine keeps of it if anything is wrong.

    A message with readings is stored, or a duplicate if none of them is new; one that says
    something else of its client is stored; any other is what the worst of its faults is.
    """
    readings, faults = translation.readings, translation.faults
    if not faults:
        return Arrival(account, readings, Outcome.DUPLICATE if readings else Outcome.STORED), None
    apart = Counter(outcome_of(fault.reason) for fault in faults if fault.metric)
    outcome = Outcome.DUPLICATE if readings else min(map(_outcome, faults), key=_ORDER.index)
    arrival = Arrival(account, readings, outcome, tuple(apart.items()))
    kept = [fault for fault in faults if outcome_of(fault.reason) in _KEPT]
    if not kept:
        return arrival, None
    return arrival, Quarantined(
        account,
        message.received_us,
        message.topic,
        message.payload,
        kept[0].reason,
        kept[0].metric,
        outcome if outcome in _KEPT else None,
        apart[Outcome.QUARANTINED],
        apart[Outcome.HELD],
        apart[Outcome.RETAINED],
        apart[Outcome.LIMITED],
        len(readings),
        _facts(message),
    )


_ORDER = (Outcome.QUARANTINED, Outcome.HELD, Outcome.LIMITED, Outcome.RETAINED)


def _outcome(fault: Fault) -> Outcome:
    return outcome_of(fault.reason)


def _facts(message: Message) -> str:
    """What a replay must know of a message beside topic and payload.

    Of what is too much or no text, the user properties go first, except that it is simulated.
    """
    content_type, user = message.properties.content_type, message.properties.user
    mark = (_SIMULATED,) if message.simulated else ()
    return (
        _written(message, content_type, user)
        or _written(message, content_type, mark)
        or _written(message, "", mark)
    )


def _written(message: Message, content_type: str, user: tuple[tuple[str, str], ...]) -> str:
    """The facts as JSON, or an empty string if they cannot be kept."""
    facts = {"retain": message.retain, "content_type": content_type, "user": user}
    try:
        text = orjson.dumps({name: fact for name, fact in facts.items() if fact})
    except orjson.JSONEncodeError:
        return ""
    return text.decode() if len(text) <= _FACTS_BYTES else ""
