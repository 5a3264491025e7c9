"""A disk that fills while the history is tended: nothing is lost or doubled, and it goes on."""

from pathlib import Path

import pytest

from tests.telemetry.builders import on_small_disk

DISK_MB = 24

COMMON = """
import sys, tempfile
from itertools import groupby
from pathlib import Path
import numpy as np
from telemetry.batch import Arrival, Batch
from telemetry.interface import StoreError
from telemetry.job import Compact, Import, Seal
from telemetry.ledger import Account
from telemetry.store import open_appender, open_querier
from telemetry.store.head import open_reader
from telemetry.store.manifest import every_block, every_dropped
from telemetry.window import ALL_TIME, DAY_US, HOUR_US, SECOND_US
from tests.telemetry.builders import NOON_US, SERIES, reading, values

folder = Path(sys.argv[1])
path = folder / "culex.db"
random = np.random.default_rng(7)
day_us = NOON_US - NOON_US % DAY_US
appender = open_appender(path, 0)

def told(first, count=20_000):
    noise = random.normal(size=count)
    return [reading(day_us + (first + n) * SECOND_US, float(noise[n])) for n in range(count)]

def arrive(rows):
    hours = groupby(rows, lambda one: one.time_us - one.time_us % HOUR_US)
    arrivals = [Arrival(Account(SERIES.client, hour), [*some]) for hour, some in hours]
    appender.append(Batch(arrivals=arrivals))

def everything():
    with open_querier(path).snapshot() as snapshot:
        assert not snapshot.damage() and not list(snapshot.recount())
        return values(snapshot.read(SERIES, ALL_TIME))

def strays():
    connection = open_reader(path)
    known = {one.path for one in every_block(connection)}
    known |= {one for one, _ in every_dropped(connection)}
    connection.close()
    names = {Path(one).name for one in known}
    files = [one for one in folder.glob("blocks/**/*") if one.is_file()]
    return [one.name for one in files if one.name not in names]

def leave(kilobytes):
    ballast = folder / "ballast"
    ballast.unlink(missing_ok=True)
    with ballast.open("wb", buffering=0) as file:
        try:
            while file.write(bytes(65_536)):
                pass
        except OSError:
            file.truncate(max(0, file.tell() - kilobytes * 1000))

def tried(job, kilobytes):
    leave(kilobytes)
    try:
        appender.do(job)
    except StoreError as error:
        assert "space" in str(error) or "full" in str(error), error
        return "full"
    return "done"

def run(job, is_right):
    found = []
    for kilobytes in (0, 30, 100, 300, 1000):
        found.append(tried(job, kilobytes))
        assert is_right(found[-1], everything())
        if found[-1] == "done":
            break
    (folder / "ballast").unlink()
    appender.do(job)
    assert is_right("done", everything())
    assert found.count("full") > 1, found  # so not only where there was no room for a first byte
    assert not strays(), strays()
    print("right")
"""

SEALING = """
arrive(told(0))
before = everything()
run(Seal(day_us + DAY_US), lambda _, now: now == before)
"""

COMPACTING = """
for piece in range(3):
    arrive(told(piece * 20_000))
    appender.do(Seal(day_us + DAY_US))
before = everything()
run(Compact(day_us + DAY_US), lambda _, now: now == before)
"""

IMPORTING = """
arrive(told(0))
before = everything()
rows = told(20_000, 60_000)
with tempfile.TemporaryDirectory() as other:
    file = Path(other) / "rows.csv"
    lines = [f"{one.series.client},{one.series.metric},{one.time_us},{one.value!r}" for one in rows]
    file.write_text("\\n".join(["client,metric,time,value", *lines]))
    after = before + [(one.time_us, one.value) for one in rows]
    job = Import((str(file),), day_us + 9 * DAY_US, day_us + 9 * DAY_US)
    run(job, lambda outcome, now: now == after if outcome == "done" else now in (before, after))
"""


@pytest.mark.parametrize("work", [SEALING, COMPACTING, IMPORTING])
def test_history_is_tended_on_a_disk_that_fills(tmp_path: Path, work: str) -> None:
    """Whatever room is left, every reading is there once, the ledger adds up; later it works."""
    done = on_small_disk(str(tmp_path), DISK_MB, COMMON + work)
    assert done.stdout.splitlines()[-1:] == ["right"], done.stderr[-3000:]
