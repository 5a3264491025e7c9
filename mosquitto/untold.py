"""Notes of passwords that were changed in access.db and not yet in the broker."""

import secrets
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from mosquitto.access import AccessError
from telemetry.settings import Settings

_NOTE = "untold-"
_TELLING_S = 10.0


@contextmanager
def untold(settings: Settings) -> Iterator[None]:
    """A password is changed in the block: in access.db, then in the broker.

    What ends in between leaves a note, by which the broker starts anew within a minute: it cannot
    be asked which password it has, and would go on with the old one. Nothing is left of a change
    that access.db did not take.
    """
    note = settings.run_dir / f"{_NOTE}{secrets.token_hex(8)}"
    note.touch(mode=0o600)
    try:
        yield
    except AccessError:
        note.unlink(missing_ok=True)
        raise
    note.unlink(missing_ok=True)


def read_notes(settings: Settings) -> Sequence[Path]:
    """Notes that nobody is about to take away: passwords which were changed and not told."""
    over_s = time.time() - _TELLING_S
    return [one for one in settings.run_dir.glob(f"{_NOTE}*") if _left_s(one) < over_s]


def _left_s(note: Path) -> float:
    try:
        return note.stat().st_mtime
    except FileNotFoundError:  # it was told just now
        return float("inf")
