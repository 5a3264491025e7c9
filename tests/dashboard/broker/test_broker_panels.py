"""The lines of the Broker page's charts: buckets, differences, gaps that stay gaps."""

from pathlib import Path

import numpy as np
import pytest

from dashboard.broker.panels import PANELS, PERIOD_US, Drawn, Panel, read_lines, width_us
from telemetry.reading import Reading
from telemetry.window import Window
from tests.dashboard.broker.looks import figure, figures, looking_at, store
from tests.dashboard.pictures import HOUR_US
from tests.telemetry.builders import NOON_US, SECOND_US

BACKLOG = next(one for one in PANELS if one.title == "Backlog")
NETWORK = next(one for one in PANELS if one.title == "Network")


def read(path: Path, readings: list[Reading], panel: Panel, bucket_us: int = PERIOD_US) -> Drawn:
    """The first line of a panel over the quarter of an hour before noon."""
    with looking_at(store(path / "culex.db", readings)) as look:
        return read_lines(look.snapshot, panel, look.window, bucket_us, look.now_us)[0]


def test_line_is_in_the_unit_of_its_panel(tmp_path: Path) -> None:
    """Bytes per minute become bytes per second."""
    line = read(tmp_path, figures("broker", "load.bytes.received.1min", [60.0, 120.0]), NETWORK)
    assert line.mean.tolist() == [1.0]  # noon itself is behind the window
    assert line.time_us.tolist() == [NOON_US - 5 * SECOND_US]


def test_what_is_retained_is_taken_off_what_is_stored(tmp_path: Path) -> None:
    """Only where both are known, and never below nothing."""
    stored = figures("broker", "store.messages.count", [60.0, 53.0, 50.0, 60.0])
    retained = [figure("broker", "retained messages.count", 53.0, ago) for ago in (30, 20, 10)]
    assert read(tmp_path, [*stored, *retained], BACKLOG).mean.tolist() == [7.0, 0.0, 0.0]


def test_missing_figures_break_the_line_once(tmp_path: Path) -> None:
    """A minute without figures is one break; one bucket that has none by chance is no break."""
    ages = [*range(300, 190, -10), *range(120, 60, -10), *range(50, 0, -10)]
    readings = [figure("broker", "load.bytes.received.1min", 60.0, ago) for ago in ages]
    line = read(tmp_path, readings, NETWORK)
    broken = np.flatnonzero(np.isnan(line.mean))
    assert len(broken) == 1
    assert line.time_us[broken[0] - 1] < NOON_US - 190 * SECOND_US
    assert (np.diff(line.time_us) > 0).all()


def test_peaks_survive_in_wide_buckets(tmp_path: Path) -> None:
    """The greatest figure of a bucket is known beside its mean."""
    readings = figures("broker", "load.bytes.received.1min", [60.0, 60.0, 6000.0, 60.0, 60.0, 0.0])
    line = read(tmp_path, readings, NETWORK, 60 * SECOND_US)
    assert line.high.max() == 100
    assert line.mean.max() < 100


@pytest.mark.parametrize(("hours", "seconds"), [(1, 10), (24, 300)])
def test_buckets_are_as_wide_as_figures_are_apart_or_as_pixels_need(
    tmp_path: Path, hours: int, seconds: int
) -> None:
    """Never narrower than figures come."""
    with looking_at(store(tmp_path / "culex.db")) as look:
        window = Window(NOON_US - hours * HOUR_US, NOON_US)
        assert width_us(look.snapshot, window, 400) == seconds * SECOND_US


def test_every_panel_has_lines_of_broker_or_collector() -> None:
    """At most two, told apart by colour and dash."""
    for panel in PANELS:
        assert 1 <= len(panel.lines) <= 2, panel.title
        assert {line.series.client for line in panel.lines} <= {"broker", "collector"}
