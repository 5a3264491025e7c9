"""What became of everything that was published: sets compared, nothing assumed."""

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, fields

from telemetry.reading import Flag
from tests.torture.numbers import Ledger

Rows = Sequence[tuple[float, int]]
"""Value and flags of each reading that is stored."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """How many numbers were lost, doubled or flagged.

    Attributes:
        sent: Numbers that were published at least once.
        acknowledged: Numbers whose PUBACK arrived.
        stored: Readings in the store.
        lost: Acknowledged, not stored, and without an excuse.
        excused: Acknowledged, not stored, and lost by the broker in a way it does not promise
            against: killed before its next save, while no collector was there.
        doubled: Readings beyond the first of their number that nothing marks as in doubt.
        flagged: Readings beyond the first of their number that are flagged `redelivered`.
        strange: Readings of numbers that were never sent.
    """

    sent: int = 0
    acknowledged: int = 0
    stored: int = 0
    lost: int = 0
    excused: int = 0
    doubled: int = 0
    flagged: int = 0
    strange: int = 0

    def plus(self, other: "Verdict") -> "Verdict":
        """Both together."""
        names = (one.name for one in fields(self))
        return Verdict(**{name: getattr(self, name) + getattr(other, name) for name in names})


def total(verdicts: Iterable[Verdict]) -> Verdict:
    """All of them together."""
    result = Verdict()
    for verdict in verdicts:
        result = result.plus(verdict)
    return result


def judge(ledger: Ledger, rows: Rows, excused: Collection[int] = ()) -> Verdict:
    """Compares what one client published with what is stored of it.

    Args:
        ledger: What it published.
        rows: What is stored.
        excused: Numbers that the broker may have lost.
    """
    found = Counter(value for value, _ in rows)
    unmarked = Counter(value for value, flags in rows if not flags & Flag.REDELIVERED)
    missing = {number for number in ledger.acknowledged if float(number) not in found}
    extra = sum(count - 1 for count in found.values())
    doubled = sum(max(0, count - 1) for count in unmarked.values())
    sent = set(map(float, ledger.sent))
    return Verdict(
        sent=len(ledger.sent),
        acknowledged=len(ledger.acknowledged),
        stored=len(rows),
        lost=len(missing.difference(excused)),
        excused=len(missing.intersection(excused)),
        doubled=doubled,
        flagged=extra - doubled,
        strange=sum(count for value, count in found.items() if value not in sent),
    )


@dataclass(frozen=True, slots=True)
class BrokerLoss:
    """What a killed broker had acknowledged and neither saved nor delivered.

    It tells a publisher of a message that it keeps in memory alone until its next save
    (Mosquitto issue 1855). With a collector there it has delivered it by then.

    Attributes:
        saved_s: When it last saved.
        killed_s: When it was killed.
        stored: Numbers that were in the store at that moment, while no collector ran.
    """

    saved_s: float
    killed_s: float
    stored: frozenset[int]

    def excuses(self, ledger: Ledger) -> set[int]:
        """The numbers that it may have lost."""
        since_s, until_s = self.saved_s - _SLACK_S, self.killed_s + _SLACK_S
        return {
            number
            for number, time_s in ledger.acknowledged.items()
            if since_s <= time_s <= until_s and number not in self.stored
        }


_SLACK_S = 0.5  # what is acknowledged while the broker writes may miss the file
