"""The reserve: room for a delete on a full disk, taken only where there is plenty."""

from pathlib import Path

import pytest

from telemetry.store import reserve
from telemetry.store.reserve import Reserve, free_bytes
from tests.telemetry.builders import on_small_disk


def test_reserve_takes_its_room_once_and_gives_it_free_once(tmp_path: Path) -> None:
    """It is there after filling, however often, and gone after releasing."""
    kept = Reserve(tmp_path / "reserve", 100_000)
    assert not kept.release()
    for _ in range(2):
        kept.fill()
        assert (tmp_path / "reserve").stat().st_size == 100_000
    assert (kept.release(), kept.release()) == (True, False)


def test_reserve_is_not_taken_where_space_is_scarce(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A reserve must not be what fills the disk."""
    monkeypatch.setattr(reserve, "free_bytes", lambda _folder: 399_999)
    Reserve(tmp_path / "reserve", 100_000).fill()
    assert list(tmp_path.iterdir()) == []


def test_free_bytes_are_those_of_the_disk(tmp_path: Path) -> None:
    """There is space where tests run."""
    assert free_bytes(tmp_path) > 0


ON_SMALL_DISK = """
import sys
from pathlib import Path
from telemetry.batch import Batch
from telemetry.interface import StoreUnavailable
from telemetry.job import Erase
from telemetry.reading import Series
from telemetry.store import open_appender, open_querier, table
from tests.telemetry.builders import reading

table.ERASED_AT_ONCE = 1000
folder = Path(sys.argv[1])
appender = open_appender(folder / "culex.db", 4_000_000)
print((folder / "reserve").exists())
number = 0
try:
    while number < 1000:
        series = Series("ab"[number % 2], "m")
        rows = [reading(number * 100 + n, "x" * 300, series=series) for n in range(100)]
        appender.append(Batch(rows))
        number += 1
except StoreUnavailable as error:
    print("full" in str(error))
print(appender.do(Erase(client="a"))["erased"] > 0, (folder / "reserve").exists())
appender.append(Batch([reading(1)]))
with open_querier(folder / "culex.db").snapshot() as snapshot:
    print(sorted({one.series.client for one in snapshot.latest()}))
"""


def test_reserve_lets_something_be_deleted_on_a_full_disk(tmp_path: Path) -> None:
    """On a real full disk a client is erased, and storing goes on in the space it had."""
    done = on_small_disk(tmp_path, 24, ON_SMALL_DISK)
    assert done.stdout.splitlines() == ["True", "True", "True False", "['b', 'boiler']"], (
        done.stderr
    )
