"""What must be remembered across a crash: identities, earlier payloads, names, clocks."""

import sqlite3
from pathlib import Path

import pytest

from telemetry.batch import Batch, Identity, Skew
from telemetry.interface import Appender
from telemetry.job import Erase
from telemetry.reading import Series, SeriesName
from telemetry.store import open_appender, recall
from tests.telemetry.builders import looking, reading


def named(number: int) -> Identity:
    """What a publisher calls its message."""
    return Identity(number.to_bytes(16, "big"), b"d" * 16)


def test_identities_are_known_again_with_their_digest(appender: Appender) -> None:
    """The first digest of a key stays; unknown keys are left out."""
    appender.append(Batch(identities=[named(1)]))
    appender.append(Batch(identities=[named(1)._replace(digest=b"e" * 16), named(2)]))
    known = appender.identified([named(1).key, named(2).key, named(3).key])
    assert known == {named(1).key: b"d" * 16, named(2).key: b"d" * 16}


def test_identities_beyond_the_bound_are_the_oldest(
    appender: Appender, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The newest stay."""
    monkeypatch.setattr(recall, "IDENTITIES_KEPT", 5)
    for number in range(12):
        appender.append(Batch(identities=[named(number)]))
    known = appender.identified([named(number).key for number in range(12)])
    assert list(known) == [named(number).key for number in range(7, 12)]


def test_memory_survives_reopening_and_is_replaced_by_key(path: Path) -> None:
    """What a payload left behind is there after a restart, as it was left last."""
    for content in (b"old", b"new"):
        appender = open_appender(path)
        appender.append(Batch(memory={"sparkplug:g/n": content, f"k{content!r}": content}))
        appender.close()
    appender = open_appender(path)
    assert appender.memory()["sparkplug:g/n"] == b"new"
    assert len(appender.memory()) == 3
    appender.close()


def test_memory_that_no_longer_holds_is_gone(appender: Appender) -> None:
    """An empty content leaves no key behind, however many there were."""
    appender.append(Batch(memory={"sparkplug:g/n": b"old", "kept": b"x"}))
    appender.append(Batch(memory={"sparkplug:g/n": b"", "never": b""}))
    assert appender.memory() == {"kept": b"x"}


def test_descriptions_beyond_the_bound_are_the_oldest_without_a_series(
    appender: Appender, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Names that are made up displace one another, and none of a series that is there."""
    monkeypatch.setattr(recall, "DESCRIPTIONS_KEPT", 3)
    here = Series("boiler", "temperature")
    appender.append(Batch([reading(1, series=here)], descriptions=[SeriesName(here, "Flow", "")]))
    for number in range(9):
        made_up = Series(f"x{number}", "m")
        for name in ("", "Again"):
            appender.append(Batch(descriptions=[SeriesName(made_up, name, "")]))
    connection = sqlite3.connect(path)
    kept = connection.execute("SELECT client, name FROM description ORDER BY position").fetchall()
    connection.close()
    assert kept == [("boiler", "Flow"), *((f"x{number}", "Again") for number in (6, 7, 8))]


def test_description_gives_a_series_its_name_and_a_unit_it_lacks(
    appender: Appender, path: Path
) -> None:
    """The name is shown; a unit that came with a value wins over the described one."""
    here, there = Series("boiler", "temperature"), Series("boiler", "power")
    appender.append(
        Batch(descriptions=[SeriesName(here, "Flow", "°F"), SeriesName(there, "", "W")])
    )
    appender.append(Batch([reading(1, series=here, unit="°C"), reading(1, series=there)]))
    with looking(path) as snapshot:
        shown = {one.series.metric: (one.name, one.unit) for one in snapshot.latest()}
    assert shown == {"temperature": ("Flow", "°C"), "power": ("", "W")}


def test_skews_are_read_by_both_sides(appender: Appender, path: Path) -> None:
    """The newest estimate of each client is kept."""
    appender.append(Batch(skews={"a": Skew(5, 1), "b": Skew(-7, 2)}))
    appender.append(Batch(skews={"a": Skew(6, 9)}))
    kept = {"a": Skew(6, 9), "b": Skew(-7, 2)}
    assert appender.skews() == kept
    with looking(path) as snapshot:
        assert snapshot.skews() == kept


def test_series_are_those_with_readings(appender: Appender) -> None:
    """An erased series is no longer there."""
    appender.append(Batch([reading(1), reading(1, series=Series("other", "m"))]))
    appender.do(Erase(client="other"))
    assert appender.series() == [Series("boiler", "temperature")]
