"""Since when nothing of a client arrives, and where it stays. Pure."""

import math
import shlex
from collections.abc import Iterator, Mapping
from difflib import get_close_matches

from telemetry.condition import WriterState
from telemetry.facts import Facts
from telemetry.finding import Finding, Severity, sentence
from telemetry.presence import Connection, Ending, EventKind
from telemetry.reading import RESERVED_CLIENTS
from telemetry.reasons import Reason
from telemetry.refusals import explained_for
from telemetry.window import SECOND_US
from telemetry.words import age_text

FAIL, WARN = Severity.FAIL, Severity.WARN

SILENT_US = 15 * SECOND_US
"""A collector that has written nothing for longer is not there."""

ABSENCES = ("never", "unknown-client", "offline", "stopped", "silent", "disconnected", "goes")
"""The words of findings that say where it stays, and not why."""

_BRIEF_US = 60 * SECOND_US  # who publishes and goes is not connected for longer
_NEAREST = 3
_COMPARED = 10_000

_ENDINGS: Mapping[str, Reason] = {
    Ending.CLOSED: Reason(
        "Its connection ended without a goodbye: power, network, or a crash",
        "look at its power and its network",
    ),
    Ending.TIMED_OUT: Reason(
        "It was not heard for longer than its keep-alive: power, or network",
        "look at its power and its network",
    ),
    Ending.TAKEN_OVER: Reason(
        "Another connection took its client identifier",
        "give each program its own client identifier",
    ),
    Ending.REMOVED: Reason(
        "Its login was disabled, removed, or given a new password",
        "give it the login that is valid now: .venv/bin/python -m mosquitto client list",
    ),
    Ending.BROKER_STOPPED: Reason(
        "The broker was stopped, and it has not come back since",
        "look whether it connects again by itself, and restart it if not",
    ),
    Ending.UNKNOWN: Reason(
        "Nobody saw whether its connection went on", "wait until it connects again, or restart it"
    ),
}


def absence(facts: Facts) -> Iterator[Finding]:
    """What is known of where it stays; for a client of which nothing arrives."""
    down = list(down_of(facts.writer, facts.now_us))
    yield from down
    if facts.client in RESERVED_CLIENTS:
        return
    offline = _offline(facts)
    if facts.connection is None and math.isinf(facts.silence_us):
        yield _never(facts)
    elif offline is not None:
        yield offline
    elif facts.connection is None:
        yield _stopped(facts)
    elif facts.connection.until_us is None:
        yield _silent(facts, facts.connection, sure=not down)
    else:
        yield _gone(facts, facts.connection, facts.connection.until_us)


def down_of(writer: WriterState, now_us: int) -> Iterator[Finding]:
    """Whether the collector runs, stores, and hears the broker."""
    if writer.beat_us is None:
        remedy = (
            "start everything with make run, or it alone with .venv/bin/python -m collector run"
        )
        yield Finding("collector", FAIL, "No collector has ever run here", "", remedy)
        return
    if writer.stopped or now_us - writer.beat_us > SILENT_US:
        age = age_text(now_us - writer.beat_us)
        seen = f"The collector {'was stopped' if writer.stopped else 'fell silent'} {age}"
        remedy = "start it with .venv/bin/python -m collector run"
        if not writer.stopped:
            remedy = f"look at the end of data/logs/collector.log, then {remedy}"
        cause = "Nothing arrives until it runs; the broker holds what clients send meanwhile"
        yield Finding("collector", FAIL, seen, cause, remedy, last_us=writer.beat_us)
        return
    if writer.store_reason:
        remedy = "make room on the disk of the data folder, or see data/logs/collector.log"
        yield Finding("store", FAIL, f"Nothing can be stored: {writer.store_reason}", "", remedy)
    if not writer.broker_up:
        reason = writer.broker_reason or "the reason is not known"
        age = age_text(now_us - (writer.broker_since_us or now_us))
        seen = f"The collector lost its link to the broker {age}: {reason}"
        remedy = (
            "start the broker with .venv/bin/python -m mosquitto run, and look at "
            "data/logs/broker.log"
        )
        if writer.broker:
            remedy = f"start the broker at {writer.broker}, or correct broker_url in culex.toml"
        yield Finding("broker", FAIL, seen, "", remedy, last_us=writer.broker_since_us)


def _never(facts: Facts) -> Finding:
    name, near = facts.client, _nearest(facts)
    if facts.registered is False:
        make = f"or make it: .venv/bin/python -m mosquitto client add {shlex.quote(name)}"
        choose = f"choose one of like name ({near})" if near else "choose another"
        remedy = f"{choose}, see .venv/bin/python -m mosquitto client list, {make}"
        return Finding("unknown-client", FAIL, "There is no client of this name", "", remedy)
    if facts.elsewhere:
        cause = "It has published nothing that Culex reads, or there is no client of this name"
        cause += f"; of like name there are {near}" if near else ""
        remedy = (
            f"check its name, and in the client that it is logged in at {facts.elsewhere} and "
            "publishes on a topic of the topic templates in culex.toml"
        )
        return Finding("never", FAIL, "Nothing of it has ever come", cause, remedy)
    cause = "It has not reached the broker, or was not let in"
    if facts.registered is None:
        cause += ", or there is no client of this name: .venv/bin/python -m mosquitto client list"
    remedy = (
        "check in the client: host and port of the broker, TLS with the ca.crt of the data folder, "
        "its user name and its password"
    )
    return Finding(
        "never", FAIL, "It was never connected, and no reading of it came", cause, remedy
    )


def _nearest(facts: Facts) -> str:
    """Clients of like name, as a list for people; empty if there is none."""
    names = sorted(facts.names)[:_COMPARED]
    whole = {name.casefold(): name for name in names}
    found = get_close_matches(facts.client.casefold(), whole, _NEAREST)
    return ", ".join(whole[one] for one in found)


def _offline(facts: Facts) -> Finding | None:
    """What it, or who speaks for it, said last of whether it is there."""
    said = [one for one in facts.events if one.kind in (EventKind.ONLINE, EventKind.OFFLINE)]
    if not said or said[-1].kind is EventKind.ONLINE:
        return None
    seen = " ".join(["It says that it is offline", said[-1].detail]).strip()
    cause = "Its last will, or a gateway that speaks for it, says so"
    remedy = "look at its power and its network"
    return Finding("offline", FAIL, seen, cause, remedy, 1, said[-1].time_us)


def _stopped(facts: Facts) -> Finding:
    cause = "Its connection is not seen: a gateway may speak for it, or it came by another broker"
    remedy = "look at the client, and at the gateway that sends for it"
    severity = WARN if math.isinf(facts.stale_us) else FAIL
    return Finding(
        "stopped", severity, sentence(_silence(facts))[:-1], cause, remedy, last_us=facts.arrived_us
    )


def _silent(facts: Facts, one: Connection, *, sure: bool) -> Finding:
    seen = f"It is connected from {one.address or 'somewhere'}; {_silence(facts)}"
    cause = "It publishes nothing that becomes a reading"
    if not sure:
        cause = "What it publishes does not reach the store"
    remedy = "look whether it measures, and on the page Topics at what it sends"
    severity = WARN if math.isinf(facts.stale_us) and facts.latest else FAIL
    return Finding("silent", severity, seen, cause, remedy, last_us=facts.arrived_us)


def _silence(facts: Facts) -> str:
    """How long nothing came, and whether that is much."""
    if math.isinf(facts.silence_us):
        return "no reading of it has ever come"
    age = age_text(int(facts.silence_us))
    if math.isinf(facts.stale_us):
        return f"its last reading came {age}, and how often it reports is not known"
    return f"its last reading came {age}"


def _gone(facts: Facts, one: Connection, until_us: int) -> Finding:
    if one.reason in {"", Ending.GOODBYE}:
        return _left(facts, one, until_us)
    why = _ENDINGS.get(one.reason) or explained_for(
        one.reason, facts.client, facts.registered, facts.elsewhere
    )
    remedy = why.advice
    if facts.elsewhere and one.reason == Ending.REMOVED:
        remedy = f"see the broker at {facts.elsewhere}, where its login is kept"
    seen = f"It is not connected: {one.reason}"
    return Finding("disconnected", FAIL, seen, why.meaning, remedy, 1, until_us)


def _left(facts: Facts, one: Connection, until_us: int) -> Finding:
    """That it disconnected in order is no fault of one that publishes and goes."""
    publish = f"publish a number, such as 21.5, to clients/{facts.client}/temperature"
    if facts.elsewhere:
        publish = "publish on a topic of the topic templates in culex.toml"
    if until_us - one.since_us > _BRIEF_US:
        cause = "It disconnected in order: its program ended, or somebody ended it"
        remedy = "start its program again, if it was not meant to end"
    elif _has_published(facts):
        seen = f"It connects, publishes and goes, as mosquitto_pub does; {_silence(facts)}"
        severity = WARN if math.isinf(facts.stale_us) and facts.latest else FAIL
        remedy = "look at what runs it, if more was to come" if facts.latest else publish
        return Finding("goes", severity, seen, "", remedy, last_us=until_us)
    else:
        cause = "It connected, disconnected in order, and published nothing that came here"
        remedy = publish
    return Finding(
        "disconnected", FAIL, "It is not connected: disconnected", cause, remedy, 1, until_us
    )


def _has_published(facts: Facts) -> bool:
    denied = any(one.kind is EventKind.DENIED for one in facts.events)
    return bool(facts.latest or facts.groups or facts.messages.received or denied)
