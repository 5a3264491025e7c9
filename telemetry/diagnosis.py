"""Why nothing of a client is there: findings from facts, without false certainty. Pure.

Mosquitto does not say under which name a login was refused, and it may not have been this client's;
such a finding says what was seen, and that it may be. Where readings arrive, a finding is a warning
at most, but for a login that is shut out.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from telemetry.absence import ABSENCES, absence, down_of
from telemetry.denials import Denied, read_detail
from telemetry.facts import Facts
from telemetry.finding import Finding, Severity, lowered
from telemetry.presence import Ending, Event, EventKind
from telemetry.reading import RESERVED_CLIENTS
from telemetry.reasons import reason_of
from telemetry.refusals import RefusalGroup, explained_for, whose
from telemetry.remedies import remedy_of
from telemetry.window import SECOND_US
from telemetry.words import age_text, counted, length_text

FAIL, WARN, OK = Severity.FAIL, Severity.WARN, Severity.OK

_MOST_OF_A_KIND = 5
_CLOCK_US = 60 * SECOND_US
_TAKE_OVERS = 3
_FIGHT_US = 3600 * SECOND_US
_IRREGULAR_US = 3600 * SECOND_US  # of one that reports irregularly nobody knows; this is as good
_LATELY_US = 300 * SECOND_US

_LIMITS = {
    "too-many-messages": ("more messages than one may", "client_messages_per_s"),
    "too-many-series": ("more metrics than one may", "client_series or series"),
}


def diagnose(facts: Facts) -> list[Finding]:
    """The findings, the worst first; among equals, what explains most, and the newest of that."""
    found = [_weighed(one, facts) for rule in _RULES for one in rule(facts)]
    if is_fresh(facts):
        found.append(Finding("arriving", OK, _newest(facts), last_us=facts.arrived_us))
    elif any(one.severity is FAIL and _rank(one) == _CAUSE for one in found):
        found = [
            replace(one, severity=OK, remedy="") if one.code == "goes" else one for one in found
        ]
    order = list(Severity)
    return sorted(
        found, key=lambda one: (order.index(one.severity), _rank(one), -(one.last_us or 0))
    )


_FIRST, _EVERYBODY, _CAUSE, _STATE, _LAST = range(5)
_RANKS = {
    "disabled": _FIRST,
    **dict.fromkeys(("collector", "store", "broker"), _EVERYBODY),
    **dict.fromkeys(ABSENCES, _STATE),
    "maybe-login": _LAST,
}


def _rank(one: Finding) -> int:
    """That it is absent explains nothing where something else does."""
    return _RANKS.get(one.code, _CAUSE)


def is_fresh(facts: Facts) -> bool:
    """Whether readings of it arrive, as far as anything can be expected of it."""
    return facts.silence_us <= (facts.stale_us if math.isfinite(facts.stale_us) else _IRREGULAR_US)


def _arrives(facts: Facts) -> bool:
    """Whether one may say that they do: of one that is irregular only for some minutes."""
    return is_fresh(facts) and (math.isfinite(facts.stale_us) or facts.silence_us <= _LATELY_US)


def _weighed(one: Finding, facts: Facts) -> Finding:
    """As a warning where readings arrive, or one did after it."""
    if one.severity is not FAIL or one.code == "disabled" or not is_fresh(facts):
        return one
    after = one.times and (one.last_us or 0) > (facts.arrived_us or 0)
    return one if after and not _arrives(facts) else replace(one, severity=WARN)


def _newest(facts: Facts) -> str:
    age = age_text(int(facts.silence_us))
    if facts.disabled:
        return f"Its newest reading came {age}"
    if _arrives(facts):
        return f"Readings arrive; the newest came {age}"
    return f"The newest reading came {age}; it does not report regularly"


def _refused(facts: Facts) -> Iterator[Finding]:
    """Logins under its own client identifier, and those that may have been its own.

    One that is let in now was not refused since; many may share its address.
    """
    connected = facts.connection is not None and facts.connection.until_us is None
    if facts.client in RESERVED_CLIENTS or connected or _arrives(facts):
        return
    since_us = max([facts.arrived_us or 0, *(one.since_us for one in facts.connections)])
    names = {one.client_id for one in facts.connections} | {facts.client}
    later = [one for one in facts.refusals if one.last_us > since_us]
    own = [one for one in later if one.client_id in names]
    yield from (_login(one, facts) for one in own[:_MOST_OF_A_KIND])
    others = [one for one in later if one.client_id not in names]
    if others:
        yield _maybe(others, facts)


def _login(group: RefusalGroup, facts: Facts) -> Finding:
    why = explained_for(group.reason, facts.client, facts.registered, facts.elsewhere)
    seen = "A login" + (f" from {group.host}" if group.host else "")
    seen += f" as {group.client_id} was refused: {group.reason}"
    return Finding("login", FAIL, seen, why.meaning, why.advice, group.count, group.last_us)


def _maybe(groups: Sequence[RefusalGroup], facts: Facts) -> Finding:
    """All of them in one, explained by the newest."""
    newest = groups[0]
    why = explained_for(newest.reason, facts.client, facts.registered, facts.elsewhere)
    told = [f"{lowered(whose(one))}: {one.reason}" for one in groups[:_MOST_OF_A_KIND]]
    more = len(groups) - len(told)
    seen = f"{whose(newest)} was refused, maybe this client: {newest.reason}"
    if len(told) > 1:
        seen = "Logins were refused, maybe of this client: " + "; ".join(told)
        seen += f"; and {more} more" if more else ""
    cause = f"The broker does not say whose it was. If it was this client: {lowered(why.meaning)}"
    times = sum(one.count for one in groups)
    return Finding("maybe-login", WARN, seen, cause, why.advice, times, newest.last_us)


def _disabled(facts: Facts) -> Iterator[Finding]:
    """A login that somebody has shut out."""
    if facts.disabled:
        yield Finding(
            "disabled",
            FAIL,
            "Its login is shut out",
            "The broker lets nobody in by it until that is taken back",
            f"let it in again: .venv/bin/python -m mosquitto client enable {facts.client}",
        )


def _denied(facts: Facts) -> Iterator[Finding]:
    """Publishes to topics that it may not publish to."""
    own = [one for one in facts.events if one.kind is EventKind.DENIED]
    for denied, last_us in _topics(own):
        yield Finding(
            "topic",
            FAIL,
            f"It published to {denied.topic}, and the broker refused that",
            "Its login may publish to topics of its own alone; MQTT 3.1.1 has no way to tell it so",
            f"let it publish to clients/{facts.client}/… and spell its name as here",
            denied.times,
            last_us,
        )
    for denied, last_us in _topics(facts.strangers):
        who = f", with the client identifier {denied.client_id}," if denied.client_id else ""
        yield Finding(
            "foreign-topic",
            WARN,
            f"Somebody else{who} published to {denied.topic}, and the broker refused that",
            "It is logged in under another name than that of the topic",
            f"give it the login of {facts.client}, or another topic",
            denied.times,
            last_us,
        )


def _topics(events: Sequence[Event]) -> list[tuple[Denied, int]]:
    """Each topic with how often and when last, the newest first."""
    found: dict[tuple[str, str], tuple[Denied, int]] = {}
    for event in events:
        denied = read_detail(event.detail)
        if denied is not None:
            before = found.pop(denied[:2], None)
            times = denied.times + (before[0].times if before else 0)
            found[denied[:2]] = denied._replace(times=times), event.time_us
    return list(found.values())[: -_MOST_OF_A_KIND - 1 : -1]


def _quarantined(facts: Facts) -> Iterator[Finding]:
    """Messages that arrived and could not become readings, by topic and reason."""
    for group in facts.groups[:_MOST_OF_A_KIND]:
        cause = reason_of(group.reason).meaning
        remedy = remedy_of(group.reason, group.topic, group.client or facts.client)
        what = counted(group.messages, "message")
        where = f" on {group.topic}" if group.topic else ""
        code, kept = "payload", "in quarantine"
        if group.reason == "unmapped":
            code = "unmapped"
        elif group.reason == "future":
            code, kept = "clock", "held"
            cause += _ahead(facts)
        seen = f"{what}{where} {'is' if group.messages == 1 else 'are'} {kept}"
        yield Finding(code, FAIL, seen, cause, remedy, group.messages, group.last_us)


def _ahead(facts: Facts) -> str:
    """How far its clock is ahead, as the end of a sentence."""
    skew_us = facts.skew.skew_us if facts.skew else 0
    return f"; its clock is {_off(skew_us)} ahead" if skew_us <= -_CLOCK_US else ""


def _clock(facts: Facts) -> Iterator[Finding]:
    """A clock that is off: what it measures now stands at another time in the charts.

    Where messages are held for that, they say so.
    """
    skew = facts.skew
    held = _ahead(facts) and any(one.reason == "future" for one in facts.groups)
    if skew is None or abs(skew.skew_us) < _CLOCK_US or held:
        return
    off = f"{_off(skew.skew_us)} {'behind' if skew.skew_us > 0 else 'ahead'}"
    cause = f"Its readings stand in the charts where its clock says, {off}"
    remedy = "set its clock by NTP, or let it send no times"
    yield Finding("clock", WARN, f"Its clock is {off}", cause, remedy)


def _off(skew_us: int) -> str:
    return length_text(abs(skew_us) // SECOND_US * SECOND_US)


def _limited(facts: Facts) -> Iterator[Finding]:
    """More than one client may send."""
    limited = [one for one in facts.events if one.kind is EventKind.LIMITED]
    found = {one.detail.partition(":")[0]: one for one in limited}
    for excess, event in found.items():
        what, setting = _LIMITS.get(excess, ("more than one may", "its limit"))
        cause = "What is beyond the limit is counted and not stored"
        remedy = f"let it send less, or raise {setting} in culex.toml"
        yield Finding("limit", FAIL, f"It sent {what}", cause, remedy, 1, event.time_us)


def _retained(facts: Facts) -> Iterator[Finding]:
    """Nothing but what the broker had kept."""
    got = facts.messages
    if got.retained and got.retained == got.received:
        cause = "The broker had kept them from before; they are no sign of life"
        remedy = "let it publish anew, or with a time in its payload"
        seen = f"Of it came {counted(got.retained, 'retained message')} and no other"
        yield Finding("retained", FAIL, seen, cause, remedy)


def _fighting(facts: Facts) -> Iterator[Finding]:
    """Two that take the same client identifier from each other."""
    since_us = facts.now_us - _FIGHT_US
    ended = [one for one in facts.connections if one.reason == Ending.TAKEN_OVER]
    lately = [one.until_us for one in ended if one.until_us and one.until_us > since_us]
    if len(lately) >= _TAKE_OVERS:
        seen = "Its connection was taken over by another with its client identifier"
        cause = "Two programs use it by turns, or it connects again without closing"
        remedy = "give each program its own client identifier"
        yield Finding("taken-over", FAIL, seen, cause, remedy, len(lately), max(lately))


def _absent(facts: Facts) -> Iterator[Finding]:
    return down_of(facts.writer, facts.now_us) if is_fresh(facts) else absence(facts)


_RULES: Sequence[Callable[[Facts], Iterator[Finding]]] = (
    _disabled, _absent, _refused, _denied, _quarantined, _limited, _fighting, _retained, _clock,
)  # fmt: skip
