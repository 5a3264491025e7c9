"""Scrubbing: what is wrong with a file is found and named, and forgiven once it is right."""

from collections.abc import Iterator
from contextlib import closing
from itertools import count
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from telemetry.batch import Batch
from telemetry.condition import Damage
from telemetry.job import Compact, Seal
from telemetry.store import keeper, scrubbing
from telemetry.store.appender import StoreAppender
from telemetry.store.building import Product, Task
from telemetry.store.head import open_reader
from telemetry.store.layout import Block, Site, Tier, blocks_folder
from telemetry.store.manifest import every_block, is_damaged, known_damage, mark_damage, unfinished
from telemetry.store.scrubbing import SCRUB_US
from telemetry.window import ALL_TIME, DAY_US, HOUR_US, Window
from tests.support import wait_until
from tests.telemetry.builders import NOON_US, SECOND_US, SERIES, looking, reading, values

DEADLINE_S = 120
MINUTE_US = 60 * SECOND_US
END_US = NOON_US + HOUR_US
NOW_US = NOON_US + 3 * DAY_US
"""When nothing of the day is compacted yet."""

LATER_US = NOON_US + 20 * DAY_US
"""When all of it is to be."""


@pytest.fixture
def writer(path: Path) -> Iterator[StoreAppender]:
    """A store with two parts of one day, the second of late readings."""
    with closing(StoreAppender(path, keep_us=10 * DAY_US)) as writer:
        for start in (0, 1):
            seconds = range(start, 600, 2)
            writer.append(Batch([reading(NOON_US + n * SECOND_US, float(n)) for n in seconds]))
            writer.do(Seal(END_US))
        yield writer


def blocks(path: Path, tier: Tier | None = None) -> list[Block]:
    """The blocks of the store."""
    with closing(open_reader(path)) as connection:
        return [one for one in every_block(connection) if tier in (None, one.tier)]


def damage(path: Path) -> list[Damage]:
    """What is marked."""
    with closing(open_reader(path)) as connection:
        return known_damage(connection)


class Inline:
    """A build in this process: what `telemetry.store.building.Build` is, without its price."""

    def __init__(self, path: Path, site: Site, task: Task) -> None:
        self.task = task
        self.ready = True
        self._connection = open_reader(path)
        self._products = task.build(self._connection, site)

    def receive(self) -> Product | None:
        """The next product, or `None` after the last."""
        product = next(self._products, None)
        if product is None:
            self.stop()
        return product

    def go_on(self) -> None:
        """It does so when the next is asked for."""

    def stop(self) -> None:
        """Nothing is left of it."""
        self._products.close()
        self._connection.close()


@pytest.fixture
def inline(monkeypatch: pytest.MonkeyPatch) -> None:
    """No process is started for what is built."""
    monkeypatch.setattr(keeper, "Build", Inline)


def tended(writer: StoreAppender, now_us: int = NOW_US) -> None:
    """Everything that is due then is done: nothing is built, and nothing begins to be."""
    tending, moments = writer._keeper, count(now_us, SECOND_US)

    def is_quiet() -> bool:
        moment_us = next(moments)
        return (
            not writer.tend(moment_us)
            and tending._build is None
            and tending._due(moment_us) is None
        )

    wait_until(is_quiet, DEADLINE_S)


def flip(file: Path) -> bytes:
    """Changes a bit in the middle of a file, and returns what it was."""
    content = file.read_bytes()
    place = len(content) // 2
    file.write_bytes(content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :])
    return content


def truncate(file: Path) -> bytes:
    """Leaves the first hundred bytes of a file, and returns what it was."""
    content = file.read_bytes()
    file.write_bytes(content[:100])
    return content


def put_back(file: Path, content: bytes) -> None:
    """As a restored copy comes: another file of that name."""
    sibling = file.with_name("copy")
    sibling.write_bytes(content)
    sibling.rename(file)


def read(path: Path) -> list[tuple[int, float | str]]:
    """All readings."""
    with looking(path) as snapshot:
        return values(snapshot.read(SERIES, ALL_TIME))


def test_flipped_byte_is_found_and_named(writer: StoreAppender, path: Path) -> None:
    """A file nobody asked for is known to be wrong, and the rest is answered."""
    broken = blocks(path, Tier.READINGS)[1]
    flip(blocks_folder(path) / broken.path)
    tended(writer)
    assert damage(path) == [Damage(broken.path, "its checksum is wrong")]
    assert [time_us % (2 * SECOND_US) for time_us, _ in read(path)] == [0] * 300


@pytest.mark.usefixtures("inline")
@pytest.mark.parametrize("fate", ["truncated", "removed"])
def test_file_that_is_not_whole_is_named(writer: StoreAppender, path: Path, fate: str) -> None:
    """So is a file that is shorter, and one that is gone."""
    broken = blocks(path, Tier.HOURS)[0]
    file = blocks_folder(path) / broken.path
    if fate == "removed":
        file.unlink()
    else:
        truncate(file)
    tended(writer)
    reason = "it is missing" if fate == "removed" else f"it has 100 bytes instead of {broken.size}"
    assert damage(path) == [Damage(broken.path, reason)]


@pytest.mark.usefixtures("inline")
def test_file_put_back_is_asked_again_and_its_day_goes_on(
    writer: StoreAppender, path: Path
) -> None:
    """What is late waits while a file of its day is damaged; then it is sealed and compacted."""
    file = blocks_folder(path) / blocks(path, Tier.READINGS)[0].path
    content = truncate(file)
    tended(writer)
    assert damage(path)
    writer.append(Batch([reading(NOON_US + 700 * SECOND_US, 7.0)]))
    tended(writer, LATER_US)
    assert len(blocks(path, Tier.READINGS)) == 2
    put_back(file, content)
    tended(writer, LATER_US + 2 * MINUTE_US)
    assert damage(path) == []
    assert len(blocks(path, Tier.READINGS)) == 1
    assert len(read(path)) == 601
    with looking(path) as snapshot:
        assert snapshot.damage() == []


@pytest.mark.usefixtures("inline")
def test_file_that_stays_wrong_stays_marked(writer: StoreAppender, path: Path) -> None:
    """Something else in its place is no reason to ask it; the reason follows."""
    broken = blocks(path, Tier.READINGS)[0]
    file = blocks_folder(path) / broken.path
    flip(file)
    tended(writer)
    put_back(file, b"not it")
    tended(writer, NOW_US + 2 * MINUTE_US)
    assert damage(path) == [Damage(broken.path, f"it has 6 bytes instead of {broken.size}")]


@pytest.mark.usefixtures("inline")
def test_mark_of_a_part_half_in_the_head_is_taken_only_from_all_of_it(
    writer: StoreAppender, path: Path
) -> None:
    """While its readings are damaged its rollups stay marked, though their files are right."""
    readings, *_ = blocks(path, Tier.READINGS)
    with closing(open_reader(path)) as connection:
        shown = [one for one in every_block(connection) if one.part == readings.part]
    connection = writer._connection  # as a crash and a bad disk would
    connection.execute('UPDATE block SET through = \'["",""]\' WHERE part = ?', (readings.part,))
    mark_damage(connection, readings.part, "its checksum is wrong")
    content = flip(blocks_folder(path) / readings.path)
    tended(writer)
    assert len(damage(path)) == len(shown) > 1
    assert unfinished(connection) == []
    put_back(blocks_folder(path) / readings.path, content)
    tended(writer, NOW_US + 2 * MINUTE_US)
    assert damage(path) == []
    assert len(read(path)) == 600


@pytest.mark.usefixtures("inline")
def test_round_comes_to_every_file(
    writer: StoreAppender, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A share of the files at a time, and then the next: in a round each of them was read."""
    monkeypatch.setattr(scrubbing, "_LEAST_BYTES", 1)
    site = writer._keeper._site()  # what a build is given
    found: list[str] = []
    for due in range(len(blocks(path)) + 1):
        with closing(open_reader(path)) as connection:
            for checked in scrubbing.Scrub(due * SCRUB_US).build(connection, site):
                found += checked.reasons
                news = scrubbing.news_of(writer._connection, checked)  # the writer's
                scrubbing.note(writer._connection, checked, news)  # likewise
    assert found[:-1] == [one.path for one in blocks(path)]
    assert found[-1] == found[0]


@pytest.mark.usefixtures("inline")
def test_parquet_of_somebody_else_is_neither_read_nor_removed(
    writer: StoreAppender, path: Path
) -> None:
    """A file without a row in the manifest is no part of the store, whatever it looks like."""
    file = blocks_folder(path) / blocks(path, Tier.READINGS)[0].path
    stranger = file.with_name("stranger.parquet")
    pq.write_table(pa.table({"client": ["boiler"], "value": [1.0]}), stranger)
    twin = file.with_name("twin.parquet")
    twin.write_bytes(file.read_bytes())
    tended(writer)
    writer.do(Compact(NOW_US))
    assert stranger.exists()
    assert twin.exists()
    assert damage(path) == []
    assert len(read(path)) == 600


@pytest.mark.usefixtures("inline")
def test_damage_of_one_day_is_none_of_another(writer: StoreAppender, path: Path) -> None:
    """Only its own day waits."""
    writer.append(Batch([reading(NOON_US - DAY_US, 5.0)]))
    flip(blocks_folder(path) / blocks(path, Tier.READINGS)[0].path)
    tended(writer)
    writer.do(Seal(END_US))
    with closing(open_reader(path)) as connection:
        assert is_damaged(connection, Window(NOON_US, NOON_US + DAY_US))
        assert not is_damaged(connection, Window(NOON_US - DAY_US, NOON_US - 1))
    assert len(blocks(path, Tier.READINGS)) == 3


@pytest.mark.usefixtures("inline")
@pytest.mark.parametrize("tier", [*Tier])
def test_day_with_a_damaged_file_is_not_made_anew(
    writer: StoreAppender, path: Path, tier: Tier
) -> None:
    """Or what is put back would not fit what was made meanwhile: hours would count it twice."""
    writer.append(Batch([reading(NOON_US + 700 * SECOND_US, 700.0)]))
    writer.do(Seal(END_US))
    with looking(path) as snapshot:
        before = snapshot.buckets(SERIES, ALL_TIME, HOUR_US).frame
    file = blocks_folder(path) / blocks(path, tier)[0].path
    content = truncate(file)
    tended(writer)
    tended(writer, LATER_US)
    writer.do(Compact(LATER_US))
    assert len(blocks(path, Tier.READINGS)) == 3
    put_back(file, content)
    tended(writer, LATER_US + 2 * MINUTE_US)
    assert len(blocks(path, Tier.READINGS)) == 1
    with looking(path) as snapshot:
        pd.testing.assert_frame_equal(snapshot.buckets(SERIES, ALL_TIME, HOUR_US).frame, before)
        assert snapshot.count(SERIES, ALL_TIME, 1 << 60) == 601
