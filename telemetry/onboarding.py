"""How far a new client has come, from the network to the store, and where it stays. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from telemetry.denials import read_detail
from telemetry.facts import Facts
from telemetry.finding import lowered
from telemetry.presence import EventKind
from telemetry.reasons import reason_of
from telemetry.refusals import RefusalGroup, explained_for, is_here, whose
from telemetry.remedies import remedy_of

NAMES = ("TCP reached", "TLS agreed", "Login accepted", "Publish allowed", "Payload understood",
         "Stored")  # fmt: skip
"""The steps in their order."""

_TCP, _TLS, _LOGIN, _PUBLISH, _PAYLOAD, _STORED = range(len(NAMES))
_OF_LOGIN = ("not authorised", "bad user name", "identifier")
"""Words of a refusal that comes after TLS: everything else is about the connection itself."""


class Progress(StrEnum):
    """What became of a step."""

    DONE = "done"
    WAITING = "waiting"
    FAILED = "failed"
    MAYBE = "maybe"
    OPEN = "open"


@dataclass(frozen=True, slots=True)
class Step:
    """One step.

    Attributes:
        name: What it is, of `NAMES`.
        progress: Whether it is done, awaited now, has failed, may have failed, or stands behind
            one of these.
        seen: What was seen, a sentence without its full stop; may hold foreign text.
        cause: What that means, likewise; of a step that failed or may have.
        remedy: What to do, likewise.
        at_us: When it was seen, or None.
    """

    name: str
    progress: Progress
    seen: str = ""
    cause: str = ""
    remedy: str = ""
    at_us: int | None = None


def steps(facts: Facts, since_us: int) -> Sequence[Step]:
    """The steps, by what was seen since then; every one up to the furthest is done.

    The broker does not say under which name a login was refused: one that may have been somebody
    else's is told as such, ticks nothing off, and only as long as this client has not been let in.

    Args:
        facts: What is known of the client.
        since_us: When it was given its login; what was before explains nothing.
    """
    reached, at_us = _reached(facts, since_us)
    fault = _fault(facts, since_us, reached)
    maybe = dict(_maybe(facts, since_us)) if fault is None and reached < _LOGIN else {}
    found = [
        Step(name, Progress.DONE, _seen(facts, number), at_us=at_us.get(number))
        for number, name in enumerate(NAMES[: reached + 1])
    ]
    for number, name in enumerate(NAMES[reached + 1 :], reached + 1):
        first = number == reached + 1
        if fault is not None and number <= fault[0]:
            behind = number < fault[0]
            found.append(Step(name, Progress.DONE) if behind else fault[1])
        elif fault is None and first:
            found.append(Step(name, Progress.WAITING, _awaited(facts, number)))
        else:
            found.append(maybe.get(number) or Step(name, Progress.OPEN))
    return found


def _reached(facts: Facts, since_us: int) -> tuple[int, dict[int, int]]:
    """The furthest step that is done, or -1, and when steps were."""
    at_us: dict[int, int] = {}
    connected = [
        one for one in facts.connections if one.until_us is None or one.since_us >= since_us
    ]
    if connected:
        at_us[_LOGIN] = max(connected[0].since_us, since_us)
    fresh = [one.received_us for one in facts.latest if one.received_us >= since_us]
    kept = [one.last_us for one in facts.groups if one.last_us >= since_us]
    if fresh or kept:
        at_us[_PUBLISH] = min(fresh + kept)
    if fresh:
        at_us[_STORED] = max(fresh)
    return max(at_us, default=-1), at_us


def _fault(facts: Facts, since_us: int, reached: int) -> tuple[int, Step] | None:
    """Where it stays, and the step that says why; None while nothing went wrong."""
    if reached == _STORED:
        return None
    for number, step in (*_payloads(facts, since_us), *_denials(facts, since_us)):
        return number, step
    if reached >= _LOGIN:
        return None
    for group in facts.refusals:
        if group.last_us >= since_us and group.client_id == facts.client:
            seen = f"A connection from {group.host or 'somewhere'} was refused: {group.reason}"
            return _refusal(group, facts, Progress.FAILED, seen)
    return None


def _maybe(facts: Facts, since_us: int) -> Iterator[tuple[int, Step]]:
    """The newest refusal that may have been its own."""
    for group in facts.refusals:
        if group.last_us >= since_us and group.client_id != facts.client:
            seen = f"{whose(group)} was refused, maybe this client: {group.reason}"
            yield _refusal(group, facts, Progress.MAYBE, seen)
            return


def _payloads(facts: Facts, since_us: int) -> Iterator[tuple[int, Step]]:
    for group in facts.groups:
        if group.last_us >= since_us:
            cause = reason_of(group.reason).meaning
            remedy = remedy_of(group.reason, group.topic, facts.client)
            seen = f"A message on {group.topic or 'a topic of its own'} is in quarantine"
            yield _PAYLOAD, _failed(_PAYLOAD, seen, cause, remedy, group.last_us)
            return


def _denials(facts: Facts, since_us: int) -> Iterator[tuple[int, Step]]:
    for event in reversed(facts.events):
        denied = read_detail(event.detail) if event.kind is EventKind.DENIED else None
        if denied is not None and event.time_us >= since_us:
            seen = f"The broker refused a message on {denied.topic}"
            cause = "Its login may publish to topics of its own alone"
            remedy = f"let it publish to clients/{facts.client}/… and spell its name as here"
            yield _PUBLISH, _failed(_PUBLISH, seen, cause, remedy, event.time_us)
            return


def _refusal(group: RefusalGroup, facts: Facts, progress: Progress, seen: str) -> tuple[int, Step]:
    why = explained_for(group.reason, facts.client, facts.registered)
    number = _LOGIN if any(word in group.reason.casefold() for word in _OF_LOGIN) else _TLS
    cause = why.meaning
    if progress is Progress.MAYBE:
        cause = f"The broker does not say whose it was. If it was this client: {lowered(cause)}"
    remedy = why.advice
    if number == _LOGIN:
        remedy = (
            f"check user name and client identifier, which are both {facts.client}, and the "
            "password; a new one can be made here"
        )
    return number, Step(NAMES[number], progress, seen, cause, remedy, group.last_us)


def _failed(number: int, seen: str, cause: str, remedy: str, at_us: int) -> Step:
    return Step(NAMES[number], Progress.FAILED, seen, cause, remedy, at_us)


def _seen(facts: Facts, number: int) -> str:
    if number == _TLS and facts.connection is not None and is_here(facts.connection.address):
        return "Not used if it came by the plain port, which is open to this machine alone"
    if number == _LOGIN and facts.connection is not None:
        return f"It connected from {facts.connection.address or 'somewhere'}"
    if number == _STORED and facts.latest:
        newest = max(facts.latest, key=lambda one: one.received_us)
        return f"{newest.series.metric} arrived"
    return ""


def _awaited(facts: Facts, number: int) -> str:
    if number == _TCP:
        return "Nobody has connected yet"
    if number == _PUBLISH:
        one, topics = facts.connection, f"clients/{facts.client}/…"
        if one is not None and one.until_us is not None:
            return f"It was connected, went, and published nothing to {topics}"
        return f"It is connected and has published nothing to {topics} yet"
    return ""
