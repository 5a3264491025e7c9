"""Retention: the rules in effect, and what would go by them now."""

from collections.abc import Sequence
from datetime import tzinfo

from dash import html

from dashboard.admin.tables import Cell, bytes_text, table
from dashboard.display import clock_text, count_text, length_text, printable
from telemetry.condition import WriterState
from telemetry.job import JobError, Result, Retain
from telemetry.jobs import submit
from telemetry.retention import Expiring, Policy
from telemetry.settings import Settings
from telemetry.window import DAY_US

_CLIENTS_SHOWN = 5
_YEAR_US = 365 * DAY_US
_TIERS = {"readings": "readings", "rollup_1m": "minutes", "rollup_1h": "hours"}


def keep_text(keep_us: int | None) -> str:
    """For how long something is kept.

    >>> keep_text(None), keep_text(90 * DAY_US), keep_text(2 * _YEAR_US)
    ('forever', '90 d', '2 years')
    """
    if keep_us is None:
        return "forever"
    years, rest = divmod(keep_us, _YEAR_US)
    if years and not rest:
        return f"{years} year{'s' if years > 1 else ''}"
    return length_text(keep_us)


def rules_table(policy: Policy) -> html.Div:
    """The rules in effect, in the order in which they are looked at."""
    heads = ("Clients", "Metrics", "Readings", "Minutes", "Hours")
    rows = [
        (printable(one.client), printable(one.metric), *map(keep_text, one.keep))
        for one in policy.retention.every
    ]
    return table("Rules of retention", heads, rows, "")


def low_disk_text(policy: Policy) -> str:
    """What goes before its time, in words."""
    if not policy.low_disk_bytes:
        return "Nothing goes before its time, however short room is (low_disk_mb = 0)."
    return (
        f"With less than {bytes_text(policy.low_disk_bytes)} free, the oldest days of readings go "
        "before their time (low_disk_mb); their rollups stay."
    )


def expiring_table(found: Sequence[Expiring], zone: tzinfo) -> html.Div:
    """What is over by now, by rule and tier."""
    heads = ("Rule", "Tier", "Rows", "Size", "From", "To", "Clients")
    rows = [
        (
            f"{printable(one.rule.client)} · {printable(one.rule.metric)}",
            _TIERS[one.tier], Cell(count_text(one.rows)), Cell(bytes_text(one.size)),
            clock_text(one.first_us, zone)[:16], clock_text(one.last_us, zone)[:16],
            _whose(one),
        )
        for one in found
    ]  # fmt: skip
    return table("What would go now", heads, rows, "Nothing is over: nothing would go now.")


def _whose(one: Expiring) -> str:
    names = sorted(map(printable, one.clients))
    more = len(names) - _CLIENTS_SHOWN
    return ", ".join(names[:_CLIENTS_SHOWN]) + (f" and {more} more" if more > 0 else "")


def expiring_text(found: Sequence[Expiring]) -> str:
    """The same in one sentence, for whoever is about to let it go."""
    readings = sum(one.rows for one in found if one.tier == "readings")
    rollups = sum(one.rows for one in found if one.tier != "readings")
    clients = frozenset().union(*(one.clients for one in found))
    size = bytes_text(sum(one.size for one in found))
    whose = f"{count_text(len(clients))} client{'' if len(clients) == 1 else 's'}"
    return (
        f"{count_text(readings)} readings and {count_text(rollups)} rollups of "
        f"{whose}, {size}, will be gone for good. "
        "Only a backup brings them back."
    )


def ask_retain(settings: Settings, writer: WriterState, now_us: int) -> str:
    """The collector is asked to let go of what is over; returns the job's id.

    Raises:
        JobError: If it was stopped, or the job cannot be left for it.
    """
    if writer.beat_us is None or writer.stopped:
        raise JobError(
            "the collector does not run, and it alone changes the store; "
            "start it (make collector) and try again"
        )
    return submit(settings.jobs_dir, Retain(now_us, settings.policy.retention))


def result_text(result: Result) -> str:
    """What became of the job, in a sentence.

    >>> result_text({"expired": 0, "bytes": 0, "files": 0})
    'Done: nothing was over.'
    """
    if "error" in result:
        return f"Not done: {result['error']}."
    expired, size = int(str(result["expired"])), int(str(result["bytes"]))
    if not expired and not size:
        return "Done: nothing was over."
    return f"Done: {count_text(expired)} readings are gone, and {bytes_text(size)} with them."
