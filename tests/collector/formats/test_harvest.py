"""What decoders collect can be kept; what cannot is a fault."""

import pytest

from collector.decoded import Measurement, NoteKind
from collector.formats.harvest import Harvest, dotted, measurement, read_unit
from collector.rejection import Fault, Rejected
from collector.timestamps import Stamp
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


@pytest.mark.parametrize(
    ("unit", "read"),
    [("°C", "°C"), (" K ", "K"), ("x" * 32, "x" * 32), ("x" * 33, ""), ("a\nb", ""), (5, ""),
     (None, ""), ("", "")],
)  # fmt: skip  # one unit a pair
def test_read_unit_that_cannot_be_shown_is_left_out(unit: object, read: str) -> None:
    """At most 32 characters without control characters."""
    assert read_unit(unit) == read
