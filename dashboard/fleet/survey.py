"""The survey: all clients as of one moment, made again when it is worth it, shared by all readers.

Of five thousand clients it takes a tenth of a second or more, so it is kept, in each process, as
long as making it again would take more than a twentieth of the time. What is slow to find and
changes slowly is found little by little: how often series report, and their sparklines.
"""

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from dashboard.fleet.books import NO_BOOKS, Books, books_of, day_start_us
from dashboard.fleet.members import Member, links_of, members_of, unread, without_strangers
from dashboard.fleet.rates import Rates
from dashboard.fleet.registered import registered, with_registered
from dashboard.fleet.rows import Row, row_of
from dashboard.fleet.sparks import Sparks, sparks_of
from dashboard.page import Look
from mosquitto.access import Client
from telemetry.interval import Cadence
from telemetry.reading import RESERVED_CLIENTS, Latest, Series
from telemetry.window import SECOND_US

_SHARE = 20
_BOOKS_US = 10 * SECOND_US
_AT_FIRST, _EACH_TIME, _AT_ONCE = 1000, 200, 50
"""Series whose cadences are learned in one go, at most; a slow machine ends after fifty or more."""

_LEARNING_US = 300_000
_ROSTER_BYTES = 9

_LARGE = 900
"""With as many at first, there are so many clients that they are shown without waiting for more."""


class Learned(NamedTuple):
    """How often a series reports, by the readings up to that one; None if nothing is known."""

    newest_us: int
    cadence: Cadence | None


@dataclass(frozen=True, slots=True)
class Survey:
    """All clients as of one moment.

    Attributes:
        at_us: The moment.
        took_us: How long it took.
        members: The clients, the worst first.
        counts: How many each tile counts; all of them by the empty name.
        latest: The newest reading of each of their series, and of Culex's own.
        learned: How often series report.
        books: What the ledger says of today.
        tags: The tags of clients that have some.
        known: The clients that were let in here, by name.
        sparks: Sparklines.
        rows: Each client as the grid shows it.
        since_us: When each row became what it is, as far as this process saw it.
        roster: Equal for the same clients, in all processes.
    """

    at_us: int
    took_us: int
    members: Sequence[Member]
    counts: Mapping[str, int]
    latest: Sequence[Latest]
    learned: Mapping[Series, Learned]
    books: Books
    tags: Mapping[str, Sequence[str]]
    known: Mapping[str, Client]
    sparks: Sparks
    rows: Mapping[str, Row]
    since_us: Mapping[str, int]
    roster: str

    @property
    def cadences(self) -> dict[Series, Cadence]:
        """Of the series of which it is known."""
        return cadences_of(self.learned)

    def books_hold(self, now_us: int) -> bool:
        """Whether the books are new enough: nobody needs them by the second."""
        return 0 <= now_us - self.books.at_us < max(_BOOKS_US, _SHARE * self.took_us)

    def holds(self, now_us: int) -> bool:
        """Whether it is too new for another one."""
        return 0 <= now_us - self.at_us < max(SECOND_US, _SHARE * self.took_us)


def survey(look: Look) -> Survey:
    """The survey of now, or the one of a moment ago."""
    day_us = day_start_us(look.now_us, look.style.zone)
    before = look.snapshot.kept.get(("fleet", day_us), Survey)
    if before is not None and before.holds(look.now_us):
        return before
    made = _made(look, before, day_us)
    look.snapshot.kept.put(("fleet", day_us), made)
    return made


def cadences_of(learned: Mapping[Series, Learned]) -> dict[Series, Cadence]:
    """Those that are known."""
    return {series: one.cadence for series, one in learned.items() if one.cadence is not None}


def _made(look: Look, before: Survey | None, day_us: int) -> Survey:
    snapshot, now_us = look.snapshot, look.now_us
    latest = snapshot.latest()
    links = links_of(snapshot, now_us)
    if look.engine.settings.existing_broker:
        links = without_strangers(links, latest)
    learned = learn(look, latest, before.learned if before else {})
    cadences = cadences_of(learned)
    books, tags, known = _slow(look, before, cadences, day_us)
    heard = unread(snapshot, links, latest)
    members = with_registered(members_of(latest, links, heard, cadences, now_us), known)
    sparks = before.sparks if before else {}
    if before is not None or len(cadences) < _LARGE:
        sparks = sparks_of(snapshot, members, sparks, now_us)
    rows = {
        one.client: row_of(one, books, tags.get(one.client, ()), sparks.get(one.client))
        for one in members
    }
    changed = dict.fromkeys(rows, now_us)
    if before is not None:
        same = [name for name, row in rows.items() if before.rows.get(name) == row]
        changed |= {name: before.since_us[name] for name in same}
    took_us = look.engine.clock() - now_us
    counts = Counter(row["group"] for row in rows.values()) + Counter({"": len(rows)})
    return Survey(
        now_us, took_us, members, counts, latest, learned, books, tags, known, sparks, rows,
        changed, _roster(rows),
    )  # fmt: skip


def _roster(names: Iterable[str]) -> str:
    text = "\0".join(sorted(names)).encode("utf-8", "surrogatepass")
    return hashlib.blake2b(text, digest_size=_ROSTER_BYTES).hexdigest()


def _slow(
    look: Look, before: Survey | None, cadences: Mapping[Series, Cadence], day_us: int
) -> tuple[Books, Mapping[str, Sequence[str]], Mapping[str, Client]]:
    """The books, the tags, and who was let in; those of before as long as they will do."""
    if before is not None and before.books_hold(look.now_us):
        return before.books, before.tags, before.known
    known, details = registered(look.engine), look.engine.access.details()
    tags = {name: one.detail.tags for name, one in details.items() if one.detail.tags}
    if before is None and len(cadences) >= _LARGE:
        return NO_BOOKS, tags, known
    kept, key = look.snapshot.kept, "message rates"  # whatever day it is for whoever looks
    rates = kept.get(key, Rates) or Rates()
    books = books_of(look.snapshot, cadences, day_us, look.now_us, rates)
    kept.put(key, books.rates)
    return books, tags, known


def learn(
    look: Look, latest: Sequence[Latest], known: Mapping[Series, Learned]
) -> Mapping[Series, Learned]:
    """The cadences known before, some of them learned anew: the new ones first, then the oldest.

    One whose series has no newer reading since is what it was.
    """
    newest = {one.series: one.time_us for one in latest if _counts(one.series)}
    chosen = [series for series in newest if series not in known]
    chosen += [
        series
        for series, one in known.items()
        if series in newest and one.newest_us != newest[series]
    ]
    fresh: dict[Series, Learned] = {}
    most = _EACH_TIME if known else _AT_FIRST
    while len(fresh) < min(most, len(chosen)):
        some = chosen[len(fresh) : min(most, len(fresh) + _AT_ONCE)]
        found = look.snapshot.cadences(some, look.now_us + 1)
        fresh |= {series: Learned(newest[series], found.get(series)) for series in some}
        if look.engine.clock() - look.now_us > _LEARNING_US:
            break
    kept = {series: one for series, one in known.items() if series in newest}
    return {series: one for series, one in kept.items() if series not in fresh} | fresh


def _counts(series: Series) -> bool:
    return series.client not in RESERVED_CLIENTS
