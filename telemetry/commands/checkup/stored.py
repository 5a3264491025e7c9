"""What the store says of itself, of broker and collector, and of the clock."""

from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

from telemetry.absence import down_of
from telemetry.commands.store import asking
from telemetry.finding import Finding, Severity
from telemetry.interface import Snapshot, StoreError, StoreMissing
from telemetry.ledger import total
from telemetry.presence import EventKind
from telemetry.reading import Series
from telemetry.reasons import reason_of
from telemetry.remedies import remedy_of
from telemetry.settings import Settings
from telemetry.window import HOUR_US, SECOND_US, Window
from telemetry.words import counted

FAIL, WARN, OK = Severity.FAIL, Severity.WARN, Severity.OK

DROPPED = Series("broker", "publish.messages.dropped")
"""What the broker says of messages that it dropped, since it was started."""

_LATELY_US = 24 * HOUR_US
_LARGE_WAL_BYTES = 256_000_000
_AHEAD_US = 300 * SECOND_US
_SYNCHRONISED = Path("/run/systemd/timesync/synchronized")
_BEFORE_SECONDS = 1_700_000_000  # no clock that is set is before the end of 2023
_QUARANTINED_SHARE = 0.01


def check_store(settings: Settings, now_us: int) -> Iterator[Finding]:
    """The store can be read, and what it says of the rest."""
    try:
        with asking(settings) as querier, querier.snapshot() as snapshot:
            yield from _check_snapshot(snapshot, now_us)
    except StoreMissing as error:
        yield Finding("store", WARN, f"There is no store yet: {error}")
    except StoreError as error:
        yield Finding("store", FAIL, f"The store cannot be read: {error}")
    yield from _check_wal(settings)


def _check_snapshot(snapshot: Snapshot, now_us: int) -> Iterator[Finding]:
    down = list(down_of(snapshot.writer(), now_us))
    yield from down or [Finding("link", OK, "The collector stores, and hears the broker")]
    for one in snapshot.damage():
        remedy = "put the file back from a backup: .venv/bin/python -m telemetry restore"
        seen = f"data/blocks/{one.path} cannot be read: {one.reason}"
        yield Finding("blocks", FAIL, seen, "What it holds is missing everywhere", remedy)
    yield from _check_clock(snapshot, now_us)
    yield from _check_queue(snapshot, now_us)
    yield from _check_quarantine(snapshot, now_us)


def _check_clock(snapshot: Snapshot, now_us: int) -> Iterator[Finding]:
    received_us = max((one.received_us for one in snapshot.latest()), default=0)
    if now_us < _BEFORE_SECONDS * SECOND_US or received_us > now_us + _AHEAD_US:
        remedy = "set the clock of this machine, by NTP: timedatectl set-ntp true"
        seen = "The clock of this machine is behind what it was when readings came"
        yield Finding("clock", FAIL, seen, "Readings get wrong times", remedy)
    elif Path("/run/systemd/timesync").is_dir() and not _SYNCHRONISED.exists():
        remedy = "look at timedatectl status, and whether an NTP server is reached"
        seen = "The clock of this machine has not been set by NTP since it was started"
        yield Finding("clock", WARN, seen, remedy=remedy)
    else:
        how = "is set by NTP" if _SYNCHRONISED.exists() else "agrees with the newest readings"
        yield Finding("clock", OK, f"The clock of this machine {how}")


def _check_queue(snapshot: Snapshot, now_us: int) -> Iterator[Finding]:
    """Messages that the broker dropped, for whomever: by its figure, and by its log."""
    lately = Window(now_us - _LATELY_US, now_us + 1)
    frame = snapshot.read(DROPPED, lately).frame
    values = frame["value"].tolist()
    # The figure starts anew with the broker: what it grows by counts, and not where it falls.
    grown = sum(max(0.0, after - before) for before, after in pairwise(values))
    events = snapshot.events_of(EventKind.DROPPING, lately, 1000)
    if not grown and not events:
        yield Finding("queue", OK, "The broker has dropped no message in the last day")
        return
    named = ", ".join(dict.fromkeys(one.client or one.detail.removeprefix("to ") for one in events))
    seen = f"The broker has dropped {counted(int(grown), 'message')} in the last day"
    seen += f", for {named}" if named else ""
    cause = "Somebody takes messages more slowly than they come, or was away for long"
    remedy = "keep the collector running, or raise broker_queue_mb in culex.toml"
    severity = FAIL if any(one.client == "collector" for one in events) else WARN
    yield Finding("queue", severity, seen, cause, remedy)


def _check_quarantine(snapshot: Snapshot, now_us: int) -> Iterator[Finding]:
    since_us = now_us - _LATELY_US
    rows = snapshot.ledger(None, Window(since_us, now_us + 1))
    got = total(row.messages for row in rows)
    bad = got.quarantined + got.held
    if not bad:
        yield Finding("quarantine", OK, "Nothing came into quarantine in the last day")
        return
    newest = [one for one in snapshot.quarantine() if one.last_us >= since_us]
    most = max(newest, key=lambda one: one.messages, default=None)
    seen = f"{counted(bad, 'message')} of {got.received} came into quarantine in the last day"
    cause = remedy = ""
    if most is not None:
        cause = f"{reason_of(most.reason).meaning}, most often on {most.topic or 'many topics'}"
        remedy = remedy_of(most.reason, most.topic, most.client)
    few = bad < _QUARANTINED_SHARE * got.received
    yield Finding("quarantine", OK if few else WARN, seen, cause, remedy)


def _check_wal(settings: Settings) -> Iterator[Finding]:
    path = settings.store_path.with_name(f"{settings.store_path.name}-wal")
    size = path.stat().st_size if path.exists() else 0
    seen = f"The store's write-ahead log has {size / 1e6:.1f} MB"
    if size > _LARGE_WAL_BYTES:
        cause = "Somebody reads the store for long, or the collector cannot write its file"
        remedy = "end long exports and programs that hold culex.db open, then restart the collector"
        yield Finding("wal", WARN, seen, cause, remedy)
    else:
        yield Finding("wal", OK, seen)
