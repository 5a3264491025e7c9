"""`python -m tests.torture 10m`: kills collector and broker for so long, and says what it cost."""

import tempfile
import time
from bisect import bisect_left
from collections.abc import Iterator
from pathlib import Path
from random import Random

import click

from telemetry.window import SECOND_US, parse_duration
from tests.support import make_settings
from tests.torture import store
from tests.torture.attacks import ON_BOTH, assault
from tests.torture.delays import Delays
from tests.torture.network import unsteady
from tests.torture.numbers import Key
from tests.torture.poison import poison
from tests.torture.report import Figures, flushes, lines, versions
from tests.torture.retained import retain
from tests.torture.scene import Scene


@click.command()
@click.argument("duration", default="10m")
@click.option("--seed", default=1, help="Another order and other moments.")
def main(duration: str, seed: int) -> None:
    """Kills collector and broker again and again for DURATION, and prints what that cost.

    Ends with 1 if a promise was broken.
    """
    # What was killed had children, of which one may write a moment longer than we look.
    with tempfile.TemporaryDirectory(prefix="culex-torture-", ignore_cleanup_errors=True) as folder:
        click.echo(f"\ntorture of {duration}, seed {seed}\n{versions()}")
        click.echo(f"one flush of this disk   {flushes(Path(folder))}\n")
        figures = torture(Path(folder), parse_duration(duration) / SECOND_US, Random(seed))
        click.echo("\n".join(lines(figures)))
    if not figures.good:
        raise SystemExit(1)


def torture(folder: Path, seconds: float, rng: Random) -> Figures:
    """What so many seconds of attacks did."""
    poisoned = poison(make_settings(folder / "poison"))
    shaken = unsteady(make_settings(folder / "network"), rng)
    kept = retain(make_settings(folder / "retained"))
    settings = make_settings(folder / "kills")
    with Scene(settings) as scene:
        end_s = time.monotonic() + seconds
        attacks = assault(scene, ON_BOTH, rng, lambda _done: time.monotonic() >= end_s)
        return Figures(
            scene.verdicts(),
            attacks,
            store.messages(settings),
            store.discrepancies(settings),
            scene.costs(),
            Delays(list(reconnects(scene))),
            poisoned,
            shaken,
            kept,
        )


def reconnects(scene: Scene) -> Iterator[float]:
    """How long the first reading took to be stored after each return of the broker, in seconds.

    Without a time of their own readings are stored at the time of receipt.
    """
    (unkeyed,) = (one.numbers for one in scene.publishers if one.numbers.key is Key.NONE)
    times_us = store.times_us(scene.settings, unkeyed.series)
    for return_us in scene.returns_us:
        place = bisect_left(times_us, return_us)
        if place < len(times_us):
            yield (times_us[place] - return_us) / SECOND_US


if __name__ == "__main__":
    main()
