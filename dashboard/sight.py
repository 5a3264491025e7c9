"""Whose readings whoever asks may see: a store in which the other clients do not exist."""

from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from flask import g, has_request_context
from flask_login import (  # type: ignore[import-not-found,unused-ignore]  # has no types
    current_user,
)

from dashboard.people import may
from mosquitto.access import Access
from mosquitto.access_seen import Grant
from telemetry.batch import Skew
from telemetry.condition import AsOf, Damage, WriterState
from telemetry.interface import (
    Answer,
    Chunk,
    Querier,
    Snapshot,
    StoreError,
    StreamQuery,
)
from telemetry.interval import Cadence
from telemetry.kept import Kept, Recent
from telemetry.ledger import Discrepancy, LedgerRow
from telemetry.presence import Connection, Event, EventKind
from telemetry.quarantine import Choice, Entry, Group
from telemetry.reading import RESERVED_CLIENTS, Latest, Series
from telemetry.retention import Expiring, Retention
from telemetry.topic import Topic
from telemetry.usage import Usage
from telemetry.window import Window

_OF_OTHERS = frozenset({EventKind.REFUSED, EventKind.DENIED, EventKind.OVERFLOW})

Value = TypeVar("Value")


class NotSeen(StoreError):
    """Something that is of clients which whoever asks may not see."""


def grants() -> Sequence[Grant]:
    """What whoever asks now may see, a person or a program; without any, everything."""
    if not has_request_context():
        return ()  # Culex itself, for pictures that belong to nobody
    token = g.get("token")
    found: Sequence[Grant] = token.seen if token else getattr(current_user, "seen", ())
    return found


def sees_all() -> bool:
    """Whether whoever asks may see all clients."""
    return not grants()


def may_see(role: str, *, whole: bool) -> bool:
    """Whether whoever asks may see a page for that role, about all clients or about some.

    Culex itself, without a request, may.
    """
    return not has_request_context() or (may(role) and (sees_all() or not whole))


def seen_names(access_path: Path) -> frozenset[str] | None:
    """The clients that whoever asks may see, or `None` for all of them.

    Raises:
        AccessError: If access.db cannot be read.
    """
    granted = grants()
    if not granted:
        return None
    names = {one.value for one in granted if one.kind == "client"}
    if any(one.kind == "tag" for one in granted):
        details = Access(access_path).details()
        names |= {
            client
            for client, kept in details.items()
            if any(one.covers(client, kept.detail.tags) for one in granted)
        }
    return frozenset(names)


def seen(querier: Querier, access_path: Path) -> Querier:
    """The store as whoever asks now may see it.

    Raises:
        AccessError: If access.db cannot be read.
    """
    names = seen_names(access_path)
    return querier if names is None else _SeenQuerier(querier, names)


class _SeenQuerier:
    """A store with the clients of those names alone."""

    def __init__(self, inner: Querier, names: frozenset[str]) -> None:
        self._inner = inner
        self._names = names

    @contextmanager
    def snapshot(self) -> Iterator[Snapshot]:
        with self._inner.snapshot() as snapshot:
            yield _SeenSnapshot(snapshot, self._names)

    def stream(self, query: StreamQuery) -> Iterator[Chunk]:
        _check(query.client, self._names)
        return self._inner.stream(query)

    def usage(self, retention: Retention, now_us: int) -> Usage:  # noqa: ARG002  # of all
        raise _of_all()

    def expiring(self, retention: Retention, now_us: int) -> Sequence[Expiring]:  # noqa: ARG002  # of all
        raise _of_all()

    def inspect(self) -> Iterator[Damage | None]:
        raise _of_all()

    def close(self) -> None:
        """Leaves the store open: it belongs to all who ask."""


class _SeenKept:
    """What is kept for those who may see the same clients."""

    def __init__(self, inner: Kept, names: frozenset[str]) -> None:
        self._inner = inner
        self._names = names

    @property
    def store(self) -> str:
        return self._inner.store

    def get(self, key: Hashable, kind: type[Value]) -> Value | None:
        return self._inner.get((self._names, key), kind)

    def put(self, key: Hashable, value: object) -> None:
        self._inner.put((self._names, key), value)

    def of(self, series: Series) -> Recent:
        _check(series.client, self._names)
        return self._inner.of(series)


class _SeenSnapshot:
    """A snapshot with the clients of those names alone."""

    def __init__(self, inner: Snapshot, names: frozenset[str]) -> None:
        self._inner = inner
        self._names = names

    @property
    def sequence(self) -> int:
        return self._inner.sequence

    @property
    def as_of(self) -> AsOf:
        return self._inner.as_of

    @property
    def kept(self) -> Kept:
        return _SeenKept(self._inner.kept, self._names)

    def writer(self) -> WriterState:
        return self._inner.writer()

    def latest(self, client: str | None = None) -> Sequence[Latest]:
        return [one for one in self._inner.latest(client) if one.series.client in self._names]

    def read(self, series: Series, window: Window) -> Answer:
        return self._of(series).read(series, window)

    def extent(self, series: Series) -> Window | None:
        return self._of(series).extent(series)

    def count(self, series: Series, window: Window, at_most: int) -> int:
        return self._of(series).count(series, window, at_most)

    def grain_us(self, series: Series, window: Window) -> int:
        return self._of(series).grain_us(series, window)

    def buckets(self, series: Series, window: Window, bucket_us: int) -> Answer:
        return self._of(series).buckets(series, window, bucket_us)

    def rollups(self, series: Series, window: Window, bucket_us: int) -> Answer:
        return self._of(series).rollups(series, window, bucket_us)

    def changes(self, series: Series, window: Window, gap_us: float) -> Answer:
        return self._of(series).changes(series, window, gap_us)

    def boundary(self, series: Series, start_us: int, rows: int) -> int | None:
        return self._of(series).boundary(series, start_us, rows)

    def tail(self, series: Series, window: Window, rows: int) -> Answer:
        return self._of(series).tail(series, window, rows)

    def cadences(self, series: Iterable[Series], before_us: int) -> Mapping[Series, Cadence]:
        return self._inner.cadences([one for one in series if one.client in self._names], before_us)

    def skews(self) -> Mapping[str, Skew]:
        skews = self._inner.skews()
        return {client: skew for client, skew in skews.items() if client in self._names}

    def connections(self, client: str | None, window: Window) -> Sequence[Connection]:
        found = self._inner.connections(client, window)
        return [one for one in found if one.username in self._names | RESERVED_CLIENTS]

    def events(self, client: str | None, window: Window) -> Sequence[Event]:
        return self._events(self._inner.events(client, window))

    def events_of(self, kind: EventKind, window: Window, at_most: int) -> Sequence[Event]:
        return self._events(self._inner.events_of(kind, window, at_most))

    def damage(self) -> Sequence[Damage]:
        return self._inner.damage()

    def topic_names(self) -> Sequence[str]:
        return ()

    def topics(self, names: Iterable[str]) -> Sequence[Topic]:  # noqa: ARG002  # none is seen
        return ()

    def topics_of(self, client: str, at_most: int) -> Sequence[Topic]:
        return self._inner.topics_of(client, at_most) if client in self._names else ()

    def ledger(self, client: str | None, window: Window) -> Sequence[LedgerRow]:
        rows = self._inner.ledger(client, window)
        return [one for one in rows if one.account.client in self._names]

    def recount(self) -> Sequence[Discrepancy]:
        raise _of_all()

    def begun(self) -> Mapping[Series, int]:
        begun = self._inner.begun()
        return {series: at_us for series, at_us in begun.items() if series.client in self._names}

    def late(self, window: Window) -> Mapping[str, int]:
        late = self._inner.late(window)
        return {client: count for client, count in late.items() if client in self._names}

    def quarantine(self) -> Sequence[Group]:
        return [one for one in self._inner.quarantine() if one.client in self._names]

    def quarantined(self, choice: Choice, before: int, at_most: int) -> Sequence[Entry]:
        if choice.topic not in {one.topic for one in self.quarantine()}:
            raise _of_all()
        return self._inner.quarantined(choice, before, at_most)

    def _of(self, series: Series) -> Snapshot:
        _check(series.client, self._names)
        return self._inner

    def _events(self, events: Sequence[Event]) -> Sequence[Event]:
        """Those of clients that are seen, and those of the broker and the collector themselves.

        Whom others refused is nobody's business; nor is where what is nobody's came from.
        """
        return [
            one if one.client in self._names else Event(one.time_us, one.kind)
            for one in events
            if one.client in self._names or (not one.client and one.kind not in _OF_OTHERS)
        ]


def _check(client: str, names: frozenset[str]) -> None:
    if client not in names:
        raise NotSeen(f"there is no client {client!r}")


def _of_all() -> NotSeen:
    return NotSeen("this is of all clients, and your login may see some of them")
