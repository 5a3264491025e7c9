"""What decoders collect can be kept; what cannot is a fault."""

import pytest

from collector.decoded import Measurement, NoteKind
from collector.formats.harvest import (
    NAMED_FAULTS,
    UNNAMED,
    Harvest,
    dotted,
    joined,
    measurement,
    read_unit,
)
from collector.rejection import Fault, Rejected
from collector.timestamps import Stamp
from collector.topics import name_fault
from telemetry.reading import Flag, Kind


def test_harvest_keeps_values_with_unit_time_and_flags() -> None:
    """Flags of the value and of its time are both on it."""
    harvest = Harvest()
    harvest.put("a", "21.5", "K", Stamp(5, Flag.ZONE_ASSUMED))
    harvest.put("b", None)
    harvest.put("c", "21,5")
    harvest.put("", 1)
    harvest.refuse("too-many-fields", "d")
    decoded = harvest.decoded()
    flags = Flag.QUOTED | Flag.ZONE_ASSUMED
    assert decoded.measurements == [Measurement("a", 21.5, Kind.NUMBER, "K", 5, flags)]
    assert [(note.kind, note.metric) for note in decoded.notes] == [(NoteKind.NO_VALUE, "b")]
    assert decoded.faults == [
        Fault("decimal-comma", "c"),
        Fault("no-metric", ""),
        Fault("too-many-fields", "d"),
    ]


def test_harvest_of_nothing_is_rejected() -> None:
    """A payload without a value, a fault or a note holds nothing."""
    with pytest.raises(Rejected, match="no-values"):
        Harvest().decoded()


def test_harvest_fault_has_the_name_of_its_metric_or_the_start_of_it() -> None:
    """A name that could be kept is whole; of a longer one a hundred characters are."""
    harvest = Harvest()
    harvest.put("a" * 256, "21,5")
    harvest.put("a" * 257, 1)
    harvest.refuse("too-deep", "b" * 100_000)
    assert harvest.faults == [
        Fault("decimal-comma", "a" * 256),
        Fault("long-name", "a" * 100 + "…"),
        Fault("too-deep", "b" * 100 + "…"),
    ]


def test_harvest_of_many_faults_counts_each_and_names_the_first() -> None:
    """What is set apart is counted to the last value, though only some are told apart."""
    harvest = Harvest()
    for number in range(1000):
        harvest.put(f"m{number}", "21,5")
        harvest.put("", 1)
    assert len(harvest.faults) == 2000
    assert sum(bool(fault.metric) for fault in harvest.faults) == 1000
    assert harvest.faults[2] == Fault("decimal-comma", "m1")
    assert harvest.faults[-2:] == [Fault("decimal-comma", UNNAMED), Fault("no-metric", "")]
    assert len({id(fault) for fault in harvest.faults}) == NAMED_FAULTS + 1


def test_measurement_made_quickly_is_one_like_any_other() -> None:
    """It has the type and the fields of one that is made with its name."""
    quick = measurement(("a", 1.0, Kind.NUMBER, "K", 5, 2))
    assert type(quick) is Measurement
    assert quick == Measurement(
        metric="a", value=1.0, kind=Kind.NUMBER, unit="K", time_us=5, flags=2
    )


def test_dotted_name_of_nothing_stays_nothing() -> None:
    """An empty key gives no name, whatever it stands in, so that it becomes a fault."""
    assert dotted("a", "") == dotted("", "") == ""


@pytest.mark.parametrize("start", [1, 128, 255, 256, 257, 100_000])
@pytest.mark.parametrize("end", [1, 127, 128, 255, 256, 257, 100_000])
def test_name_of_two_parts_is_short_and_too_long_if_the_whole_is(start: int, end: int) -> None:
    """A name that can be kept is whole; one that cannot stays one that cannot."""
    first, second = "a" * start, "b" * end
    for name, whole in (
        (dotted(first, second), f"{first}.{second}"),
        (joined(first, second), first + second),
    ):
        assert name_fault(name) == name_fault(whole)
        assert name == whole or len(whole) > 256
        assert len(name) < 600


@pytest.mark.parametrize(
    ("unit", "read"),
    [("°C", "°C"), (" K ", "K"), ("x" * 32, "x" * 32), ("x" * 33, ""), ("a\nb", ""), (5, ""),
     (None, ""), ("", "")],
)  # fmt: skip  # one unit a pair
def test_read_unit_that_cannot_be_shown_is_left_out(unit: object, read: str) -> None:
    """At most 32 characters without control characters."""
    assert read_unit(unit) == read
