"""The store on this machine: a SQLite head, read and written through telemetry.interface."""

from pathlib import Path

from telemetry.interface import Appender, Querier
from telemetry.interval import IntervalRules
from telemetry.retention import NO_POLICY, Policy
from telemetry.settings import Settings
from telemetry.store.appender import KEEP_US, StoreAppender
from telemetry.store.snapshot import StoreQuerier
from telemetry.window import parse_duration


def open_appender(
    path: Path,
    reserve_bytes: int = 0,
    keep_us: int = KEEP_US,
    policy: Policy = NO_POLICY,
) -> Appender:
    """The write side of the store at `path`, made if it is not there.

    Args:
        path: The SQLite file.
        reserve_bytes: How much room to set aside for deleting on a full disk.
        keep_us: How long readings stay in the SQLite file before they are sealed into blocks.
        policy: How long everything is kept, and what goes when room is short.

    Raises:
        StoreError: If the file cannot be used; `StoreUnavailable` if that may pass.
    """
    return StoreAppender(path, reserve_bytes, keep_us, policy)


def appender_of(settings: Settings) -> Appender:
    """The write side of the store of these settings, as `open_appender` opens it."""
    return open_appender(
        settings.store_path,
        settings.reserve_mb * 1_000_000,
        parse_duration(settings.seal_after),
        settings.policy,
    )


def open_querier(path: Path, rules: IntervalRules = ()) -> Querier:
    """The read side of the store at `path`, which need not exist yet.

    Args:
        path: The SQLite file.
        rules: The reporting intervals that are set; all others are learned.
    """
    return StoreQuerier(path, rules)


def querier_of(settings: Settings) -> Querier:
    """The read side of the store of these settings, as `open_querier` opens it."""
    return open_querier(settings.store_path, settings.interval_rules)
