"""The nouns: flags and series."""

from telemetry.reading import Flag, Series, flag_names


def test_flags_of_the_disk_format_keep_their_numbers() -> None:
    """The integers are on disk; a flag never changes its own."""
    assert {flag.name: flag.value for flag in Flag} == {
        "LATE": 1,
        "REDELIVERED": 2,
        "RETAINED": 4,
        "IMPORTED": 8,
        "SIMULATED": 16,
        "CLOCK_CORRECTED": 32,
        "REPLAYED": 64,
        "CONFLICT": 128,
        "ZONE_ASSUMED": 256,
        "CLOCK_UNSET": 512,
        "QUOTED": 1024,
        "INEXACT": 2048,
        "COARSER": 4096,
    }


def test_flag_names_of_unknown_bits_are_left_out() -> None:
    """A bit of a later version is not misread as one of ours."""
    assert flag_names(1 << 30 | Flag.CLOCK_CORRECTED) == "clock-corrected"


def test_series_sort_by_client_then_metric() -> None:
    """The order of every listing."""
    assert sorted([Series("b", "a"), Series("a", "z"), Series("a", "b")]) == [
        Series("a", "b"),
        Series("a", "z"),
        Series("b", "a"),
    ]
