"""What keeps readings from being stored, in words, for pages and for `/readyz`."""

from collections.abc import Sequence

from dashboard.display import age_text, printable
from telemetry.condition import Damage, WriterState
from telemetry.interface import Snapshot
from telemetry.presence import Event, EventKind
from telemetry.window import HOUR_US, Window

_COLLECTOR_SILENT_US = 10_000_000
_BROKER_SILENT_US = 45_000_000  # the collector's own message comes back every ten seconds
_RELIEF_SHOWN_US = 24 * HOUR_US
_FULL_BYTES = 2_000_000
_HELD = "The broker holds what arrives meanwhile."


def collector_fault(writer: WriterState, now_us: int) -> str:
    """Why nothing new arrives on the collector's side, or an empty string."""
    if writer.beat_us is None:
        return "The collector has not started yet."
    since = age_text(now_us - writer.beat_us)
    silent = now_us - writer.beat_us > _COLLECTOR_SILENT_US
    if writer.stopped:
        return f"The collector was stopped {since}. Start it again: make collector"
    if silent and writer.free_bytes is not None and writer.free_bytes < _FULL_BYTES:
        return f"The disk is full ({since}); free some space, storing goes on by itself. {_HELD}"
    if writer.store_reason and not silent:
        return f"Nothing can be stored: {writer.store_reason}. {_HELD}"
    if silent:
        return f"The collector fell silent {since}. See data/logs/collector.log"
    return ""


def broker_fault(writer: WriterState, now_us: int) -> str:
    """Why the broker sends nothing, or not everything; an empty string if all is well."""
    reason, at = writer.broker_reason, f" at {writer.broker}" if writer.broker else ""
    log = "" if at else " See data/logs/broker.log"
    if writer.broker_up and writer.heard_us and now_us - writer.heard_us > _BROKER_SILENT_US:
        since = age_text(now_us - writer.heard_us)
        return f"The broker{at} fell silent {since}, though its link is open.{log}"
    if writer.broker_up:
        return f"The broker{at} does not send everything: {reason}." if reason else ""
    since = age_text(now_us - (writer.broker_since_us or now_us))
    link = f"The link to the broker{at}" if at else "The broker link"
    return f"{link} is down: {reason or 'unknown'} ({since}). The collector keeps trying."


def history_fault(damage: Sequence[Damage]) -> str:
    """Which files of the history cannot be read, and what to do; or an empty string."""
    if not damage:
        return ""
    first, more = damage[0], len(damage) - 1
    others = f" (and {more} more)" if more else ""
    return (
        f"Part of the history cannot be read: data/blocks/{first.path}{others}: {first.reason}. "
        "What it holds is missing from charts and exports; put the file back from a backup."
    )


def room_fault(writer: WriterState, now_us: int) -> str:
    """That readings went before their time within the last day, or an empty string."""
    if writer.relieved_us is None or now_us - writer.relieved_us > _RELIEF_SHOWN_US:
        return ""
    return (
        f"The disk was short of room ({age_text(now_us - writer.relieved_us)}): the oldest "
        "readings were removed before their time, their rollups stay. Free some space, "
        "or set low_disk_mb."
    )


def newest_limited(snapshot: Snapshot, now_us: int) -> Event | None:
    """Which client sent more than one may, in the last hour and most recently, or None."""
    lately = Window(now_us - HOUR_US, now_us)
    return next(iter(snapshot.events_of(EventKind.LIMITED, lately, 1)), None)


def excess(limited: Event | None, now_us: int) -> str:
    """Who sent more than one may, and what to do if that is meant; or an empty string."""
    if limited is None:
        return ""
    who = f"Client {printable(limited.client)!r}" if limited.client else "A client"
    what, name = "metrics", "client_series or series"
    if limited.detail.startswith("too-many-messages"):
        what, name = "messages", "client_messages_per_s"
    return (
        f"{who} sent more {what} than one may ({age_text(now_us - limited.time_us)}). "
        "The excess is counted as limited and not stored; "
        f"if it is meant, raise {name} in culex.toml."
    )
