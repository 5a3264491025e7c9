"""What the Quality page asks of one snapshot."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from dashboard.expectation import expecting_of
from dashboard.page import Look
from dashboard.quality.account import Sums, sums_of
from dashboard.quality.completeness import (
    Completeness,
    asked_of,
    completeness,
)
from dashboard.quality.hours import Columns
from telemetry.batch import Skew
from telemetry.condition import Damage
from telemetry.interface import Snapshot
from telemetry.ledger import LedgerRow
from telemetry.quarantine import Group
from telemetry.reading import RESERVED_CLIENTS
from telemetry.window import SECOND_US, Window

_LEAST_REST_S, _MOST_REST_S = 2, 60
_ROWS_PER_S, _KEPT_PER_S = 120, 600


@dataclass(frozen=True, slots=True)
class Seen:
    """What there is to show.

    Attributes:
        known: Every client that there is to choose.
        sums: What arrived and what became of it.
        completeness: Of what was expected.
        late: How many late readings of each client were measured in that time.
        skews: How far clocks of clients are off.
        groups: What is in quarantine.
        damage: Files that cannot be read.
        rest_us: After so long it is worth to look again: much to look at changes less.
    """

    known: Sequence[str]
    sums: Sums
    completeness: Completeness
    late: Mapping[str, int]
    skews: Mapping[str, Skew]
    groups: Sequence[Group]
    damage: Sequence[Damage]
    rest_us: int


def see(look: Look, columns: Columns) -> Seen:
    """Everything that is shown over these columns, of the view's clients or of all."""
    snapshot, chosen = look.snapshot, look.view.clients
    every = {one: at for one, at in snapshot.begun().items() if one.client not in RESERVED_CLIENTS}
    known = sorted({*(one.client for one in every), *chosen})
    begun = {one: at for one, at in every.items() if not chosen or one.client in chosen}
    rows = _rows(snapshot, chosen, columns.window)
    sums = sums_of(rows, columns)
    asked = asked_of(sums, begun)
    series = [one for some in asked.values() for one in some]
    expecting = expecting_of(asked, begun, snapshot.cadences(series, look.now_us))
    groups = [one for one in snapshot.quarantine() if not chosen or one.client in chosen]
    return Seen(
        known=known,
        sums=sums,
        completeness=completeness(sums, columns, expecting, look.now_us),
        late=snapshot.late(columns.window),
        skews=snapshot.skews(),
        groups=groups,
        damage=snapshot.damage(),
        rest_us=_rest_us(len(rows), sum(one.kept for one in groups)),
    )


def _rows(snapshot: Snapshot, chosen: Sequence[str], window: Window) -> list[LedgerRow]:
    if not chosen:
        return [*snapshot.ledger(None, window)]
    return [row for client in dict.fromkeys(chosen) for row in snapshot.ledger(client, window)]


def _rest_us(rows: int, kept: int) -> int:
    seconds = rows // _ROWS_PER_S + kept // _KEPT_PER_S
    return min(max(seconds, _LEAST_REST_S), _MOST_REST_S) * SECOND_US
