"""Importing: what files hold becomes part of the history, each reading once.

Building reads the files to their end, into runs on disk; then it makes a part of each day, of what
is neither in the store nor twice in the files. Publishing adds a day in one transaction: the part,
what it says of series, and its place in the ledger. So an import that was interrupted is simply
done again: days that were published are duplicates then.
"""

from collections.abc import Generator, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from telemetry.interface import StoreError
from telemetry.job import Import as ImportJob
from telemetry.sources import (
    BadRow,
    Form,
    Options,
    Piece,
    Precision,
    SourceError,
    files_in,
    open_source,
)
from telemetry.store.head import Connection, snapshot
from telemetry.store.importing_days import Days, Imported
from telemetry.store.importing_roster import Roster
from telemetry.store.importing_runs import Runs
from telemetry.store.layout import Site
from telemetry.window import parse_zone

TOLD_ROWS = 20
"""Bad rows, and files that cannot be read, that are told; the others are counted."""

_TOLD_PIECES = 5  # a million rows; each time a process that builds waits for the writer


@dataclass(slots=True)
class Read:
    """What was read of files.

    Attributes:
        rows: Rows that are readings.
        skipped: Rows that say that there is no value.
        bad_count: Rows that are no readings.
        bad: The first of them, each with its file.
        faults: The first files that could not be read, or not to their end, and why.
        fault_count: How many files that are.
        days: How many days have readings; 0 before everything was read.
    """

    rows: int = 0
    skipped: int = 0
    bad_count: int = 0
    bad: list[tuple[Path, BadRow]] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    fault_count: int = 0
    days: int = 0

    def note_fault(self, sentence: str) -> None:
        """Counts a file that could not be read."""
        self.fault_count += 1
        if self.fault_count <= TOLD_ROWS:
            self.faults.append(sentence)

    def note(self, piece: Piece) -> None:
        """Counts a piece of a file."""
        self.rows += len(piece.table)
        self.skipped += piece.skipped
        self.bad_count += piece.bad_count
        self.bad += [(piece.path, row) for row in piece.bad[: TOLD_ROWS - len(self.bad)]]


@dataclass(frozen=True, slots=True)
class Import:
    """Brings what files hold into the history.

    Attributes:
        paths: Files, and folders of files.
        options: What they do not say.
        received_us: When readings arrived of which no file says it: now.
    """

    paths: tuple[Path, ...]
    options: Options
    received_us: int

    def build(self, connection: Connection, site: Site) -> Generator[Read | Imported]:
        """What was read so far, now and then; and then a part of each day, oldest first.

        Raises:
            StoreError: If a block cannot be read that may hold the same, or a file holds nonsense.
            OSError: If there is no room.
        """
        roster = Roster(self.received_us)
        with Runs(site) as runs:
            read = Read()
            for number, piece in enumerate(self._pieces(read), 1):
                read.note(piece)
                runs.add(roster.rows(piece))
                if number % _TOLD_PIECES == 0:
                    yield read
            runs.spill()
            read.days = len(runs.days())
            yield read
            days = Days(connection, site, runs, roster)
            for day_us in runs.days():
                with snapshot(connection):
                    imported = days.imported(day_us)
                yield imported

    def _pieces(self, read: Read) -> Iterator[Piece]:
        """What can be read, file by file; what cannot is noted."""
        for path in self.paths:
            try:
                files = files_in(path)
            except SourceError as error:
                read.note_fault(str(error))
                continue
            for file in files:
                try:
                    yield from open_source(file, self.options)
                except SourceError as error:
                    read.note_fault(str(error))
                except OSError as error:
                    read.note_fault(_unreadable(file, error))


def _unreadable(file: Path, error: OSError) -> str:
    if isinstance(error, FileNotFoundError):
        return f"{file}: there is no such file; say where it is"
    return (
        f"{file}: {error.strerror or error}; a running collector reads it as its own user: put it "
        "where that one may read, or stop the collector and import again"
    )


def task_of(job: ImportJob) -> Import:
    """What a job asks for.

    Raises:
        StoreError: If it names a kind of file, a unit or a zone that there is not.
    """
    try:
        options = Options(
            Form(job.form) if job.form else None,
            job.client,
            job.metric,
            parse_zone(job.zone),
            job.columns,
            job.client_tag,
            Precision(job.precision or Precision.NS),
            job.latest_us,
        )
    except ValueError as error:
        raise StoreError(str(error)) from None
    return Import(tuple(map(Path, job.paths)), options, job.received_us)
