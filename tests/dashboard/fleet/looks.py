"""A real store with clients that report, and looks at it at any moment."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from dashboard.engine import Engine
from dashboard.page import Json, Look
from dashboard.style import Style
from dashboard.view import View
from mosquitto.access import Access
from telemetry.batch import Arrival, Batch
from telemetry.ledger import account
from telemetry.presence import Changes, Connection, Event, EventKind
from telemetry.reading import Reading, Series
from telemetry.settings import Settings
from telemetry.store import open_appender, open_querier
from telemetry.window import SECOND_US, parse_zone
from tests.support import make_settings

S = SECOND_US
NOW = 1_790_000_000 * S
"""Some time in a September, 14:13 UTC."""

UTC = Style(parse_zone("UTC"), browsers=True, dark=False, touch=False, coverage_minimum=0.8)


class Fleet:
    """A store, what is written to it, and how it looks."""

    def __init__(self, folder: Path) -> None:
        self.settings: Settings = make_settings(folder)
        self.settings.data_dir.mkdir(parents=True)
        Access(self.settings.access_path).prepare()
        self._appender = open_appender(self.settings.store_path)
        self.querier = open_querier(self.settings.store_path)
        self.happen(Event(NOW - 86_400 * S, EventKind.COLLECTOR_STARTED))

    def report(self, client: str, ago_s: Sequence[int], metric: str = "temperature") -> None:
        """A client sends a message with one reading so many seconds before now, each."""
        arrivals = [
            Arrival(
                account(client, NOW - ago * S),
                [Reading(Series(client, metric), NOW - ago * S, 20 + ago % 5, unit="°C")],
            )
            for ago in sorted(ago_s, reverse=True)
        ]
        self._appender.append(Batch(arrivals=arrivals))

    def write(self, batch: Batch) -> None:
        """Anything else."""
        self._appender.append(batch)

    def connect(self, client: str, since_s: int, until_s: int | None = None, why: str = "") -> None:
        """A client is connected from so many seconds before now until so many before now."""
        until_us = None if until_s is None else NOW - until_s * S
        one = Connection(
            client, client, "192.0.2.7:41", "5", 60, True, NOW - since_s * S, until_us, why
        )
        self._appender.append(Batch(presence=Changes([one])))

    def happen(self, *events: Event) -> None:
        """Events."""
        self._appender.append(Batch(presence=Changes(events=events)))

    def alive(self, now_us: int = NOW) -> None:
        """The collector gives its sign of life."""
        self._appender.report({"beat_us": now_us, "broker_up": 1})

    @contextmanager
    def look(
        self, later_s: int = 0, drawn: Json | None = None, view: View | None = None
    ) -> Iterator[Look]:
        """A look so many seconds after now."""
        now_us = NOW + later_s * S
        self.alive(now_us)
        engine = Engine(self.querier, self.settings, lambda: now_us)
        seen = view or View()
        with self.querier.snapshot() as snapshot:
            window = seen.window(now_us, UTC.zone)
            yield Look(snapshot, engine, seen, window, UTC, now_us, 1400, drawn or {})

    def close(self) -> None:
        """Lets go of the store."""
        self.querier.close()
        self._appender.close()
