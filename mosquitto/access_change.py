"""A change of access.db: one transaction, with its line in the audit log."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from mosquitto.access_audit import ITSELF, Actor, Audited, record, shell_actor
from mosquitto.access_file import Database, transaction
from telemetry.clock import Clock, now_us
from telemetry.daemon import prepare_folders
from telemetry.settings import Settings


@dataclass(frozen=True, slots=True)
class Change:
    """What is changed now, by whom, and when."""

    database: Database
    by: Actor
    now_us: int

    def note(self, action: str, of: str, **facts: str) -> None:
        """The audit log holds this, once the change is made."""
        record(self.database, Audited(self.now_us, self.by, action, of, facts))


class Changing:
    """A part of access.db, and who changes it; each call is one transaction, durable on return.

    Any number of processes and threads may share one file.

    Args:
        path: The file.
        by: Who makes changes, for the audit log.
        clock: The present, in microseconds since 1970 UTC.

    Raises:
        AccessError: From every method, if the file cannot be used.
    """

    def __init__(self, path: Path, by: Actor = ITSELF, clock: Clock = now_us) -> None:
        self._path = path
        self._by = by
        self._clock = clock

    @contextmanager
    def _changing(self) -> Iterator[Change]:
        with transaction(self._path) as database:
            yield Change(database, self._by, self._clock())


class Notes(Changing):
    """What is done elsewhere and belongs in the audit log, such as a job for the collector."""

    def note(self, action: str, of: str, **facts: str) -> None:
        """The audit log holds this; neither payloads nor secrets are facts."""
        with self._changing() as change:
            change.note(action, of, **facts)


def note_command(settings: Settings, action: str, of: str, **facts: str) -> None:
    """The audit log holds what the command that runs here is about to do elsewhere.

    Raises:
        AccessError: If access.db cannot be used.
        DataFolderError: If there can be none.
    """
    prepare_folders(settings)
    Notes(settings.access_path, shell_actor()).note(action, of, **facts)
