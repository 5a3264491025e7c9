"""The figures of a torture, as a table for docs/reliability.md."""

import os
import platform
import sqlite3
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from statistics import median

from telemetry.ledger import Tally
from telemetry.settings import ROOT
from tests.torture.delays import Delays
from tests.torture.network import Unsteady
from tests.torture.numbers import Key
from tests.torture.poison import Poisoned
from tests.torture.retained import Retained
from tests.torture.verdict import Verdict, total

_COLUMNS = ("sent", "acknowledged", "stored", "lost", "excused", "doubled", "flagged", "strange")
_FLUSHES = 200
_BLOCK = bytes(4096)


@dataclass(frozen=True, slots=True)
class Figures:
    """What a torture found.

    Attributes:
        verdicts: By the way numbers are told apart.
        attacks: What was killed or stopped, how often.
        accounts: All messages, by the collector's own ledger.
        discrepancies: Places where that ledger does not add up.
        costs: Numbers lost by each kill of the broker while the collector was away.
        reconnects: From the broker's return to the first reading.
        poisoned: What the catalogue of hostile input did.
        unsteady: What a network that fails did.
        retained: What became of retained messages.
    """

    verdicts: Mapping[Key, Verdict]
    attacks: Mapping[str, int]
    accounts: Tally
    discrepancies: int
    costs: Sequence[int]
    reconnects: Delays
    poisoned: Poisoned
    unsteady: Unsteady
    retained: Retained

    @property
    def good(self) -> bool:
        """Whether every promise was kept."""
        verdict = total(self.verdicts.values())
        keyed = sum(self.verdicts[key].flagged for key in self.verdicts if key is not Key.NONE)
        broken = verdict.lost or verdict.doubled or verdict.strange or keyed or self.discrepancies
        return not broken and self.unsteady.good and self.retained.good


def lines(figures: Figures) -> Iterator[str]:
    """The table."""
    yield _row("", _COLUMNS)
    for key, verdict in figures.verdicts.items():
        yield _row(key, [getattr(verdict, name) for name in _COLUMNS])
    verdict = total(figures.verdicts.values())
    yield _row("together", [getattr(verdict, name) for name in _COLUMNS])
    yield ""
    for name, count in sorted(figures.attacks.items()):
        yield f"{count:>6}  {name}"
    yield f"{sum(figures.attacks.values()):>6}  together"
    yield ""
    yield f"suppressed     {figures.accounts.duplicate} of {figures.accounts.received} messages"
    yield f"ledger         {figures.discrepancies} discrepancies"
    yield f"excused        {_each(figures.costs)} by each kill with the collector away"
    yield f"broker back → first reading stored   {figures.reconnects}"
    yield ""
    poisoned = figures.poisoned
    yield f"hostile input  {poisoned.rows} rows, {poisoned.verdict.lost} good readings lost"
    yield f"published → seen in the store, alone     {poisoned.alone}"
    yield f"published → seen in the store, between   {poisoned.between}"
    yield ""
    unsteady, retained = figures.unsteady, figures.retained
    lost, doubled = unsteady.verdict.lost, unsteady.verdict.doubled + unsteady.verdict.flagged
    yield f"network        {unsteady.faults} faults, {lost} lost, {doubled} doubled"
    yield f"link closed → renewed                    {unsteady.renewed}"
    yield f"link silent → renewed                    {unsteady.noticed}"
    yield f"retained       {retained.again} came again, {retained.added} readings added"


def _each(costs: Sequence[int]) -> str:
    """The middle and the most of several numbers.

    >>> _each([3, 0, 90]), _each([])
    ('median 3, most 90', 'nothing')
    """
    return f"median {median(costs):.0f}, most {max(costs)}" if costs else "nothing"


def _row(name: str, cells: Sequence[object]) -> str:
    return f"{name:<10}" + "".join(f"{cell!s:>14}" for cell in cells)


def versions() -> str:
    """What took part."""
    broker = subprocess.run(["mosquitto", "-h"], capture_output=True, text=True, check=False)
    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    parts = {
        "Culex": commit.stdout.strip() or "without git",
        "Python": platform.python_version(),
        "SQLite": sqlite3.sqlite_version,
        "Mosquitto": broker.stdout.partition("\n")[0].rpartition(" ")[2],
        "paho": version("paho-mqtt"),
    }
    return ", ".join(f"{name} {number}" for name, number in parts.items())


def flushes(folder: Path) -> Delays:
    """How long the disk under that folder takes to make 4 kB durable."""
    times = []
    with (folder / "flush").open("wb") as file:
        for _ in range(_FLUSHES):
            file.write(_BLOCK)
            file.flush()
            start_s = time.perf_counter()
            os.fdatasync(file)
            times.append(time.perf_counter() - start_s)
    return Delays(times)
