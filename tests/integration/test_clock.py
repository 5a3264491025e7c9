"""The clock of this machine jumps by two days: nothing is lost, nothing lands elsewhere."""

import os
import shutil
from pathlib import Path
from unittest import mock

import pytest

from telemetry.clock import now_us
from telemetry.files import publish_file
from telemetry.settings import Settings
from telemetry.window import SECOND_US, to_iso
from tests.support import wait_until
from tests.torture import store
from tests.torture.numbers import Key
from tests.torture.scene import Scene, Ways
from tests.torture.verdict import total

pytestmark = pytest.mark.broker

DAY_S = 86_400
JUMPS_S = (2 * DAY_S, 0, -2 * DAY_S, 0)
MORE = 40


class FalseClock:
    """The clock of processes that start within its `with` block, shifted at will."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / "clock"
        library = next(Path("/usr/lib").glob("*/faketime/libfaketime.so.1"), None)
        self._environment = {
            "LD_PRELOAD": str(library),
            "FAKETIME_TIMESTAMP_FILE": str(self._file),
            "FAKETIME_CACHE_DURATION": "1",  # how often it looks; each time costs a file
            "DONT_FAKE_MONOTONIC": "1",
            "NO_FAKE_STAT": "1",
        }
        self.jump_to(0)

    def jump_to(self, shift_s: int) -> None:
        """From now on those processes are that far ahead of this one."""
        publish_file(self._file, f"{shift_s:+d}\n".encode(), mode=0o644)

    def __enter__(self) -> None:
        self._patch = mock.patch.dict(os.environ, self._environment)
        self._patch.start()

    def __exit__(self, *_: object) -> None:
        self._patch.stop()


@pytest.fixture
def clock(tmp_path: Path) -> FalseClock:
    """A clock that is right, for now."""
    if shutil.which("faketime") is None:
        pytest.skip("a false clock takes libfaketime")
    return FalseClock(tmp_path)


def test_collector_whose_clock_jumps_loses_nothing(settings: Settings, clock: FalseClock) -> None:
    """Two days forward, back, two days back, forward: each number is stored or held, once.

    What clients measured at their own time lies at that time. While the clock is behind, such a
    time is in the future, and is held as the design has it.
    """
    with Scene(settings, ways=Ways(command=("tests.torture.dated",))) as scene:
        scene.kill_collector()
        with clock:
            scene.start_collector()
        process = scene.collector.pid
        for shift_s in JUMPS_S:
            for publisher in scene.publishers:
                publisher.wait_for_more(MORE)
            beat_us = store.writer(settings).beat_us
            clock.jump_to(shift_s)
            wait_until(lambda before=beat_us: jumped(settings, before))  # type: ignore[misc]  # bound now
        scene.settle()
        verdicts = scene.verdicts()
        timed = scene.publishers[0].numbers
        assert (scene.collector.pid, scene.collector.running) == (process, True)
        assert "Traceback" not in scene.collector.output
    assert total(verdicts.values()).doubled == total(verdicts.values()).flagged == 0
    assert verdicts[Key.NAME].lost == verdicts[Key.NONE].lost == 0
    missing = verdicts[Key.TIME].lost
    assert missing == store.messages(settings).held > 0
    values = [value for value, _ in store.rows(settings, timed.series)]
    assert store.times_us(settings, timed.series) == [timed.start_us + int(one) for one in values]


def jumped(settings: Settings, before_us: int | None) -> bool:
    """Whether the collector has reported at another time than a second or so after that."""
    after_us = store.writer(settings).beat_us
    assert before_us is not None
    assert after_us is not None
    return abs(after_us - before_us) > DAY_S * SECOND_US


def test_broker_whose_clock_jumps_keeps_its_sessions(settings: Settings, clock: FalseClock) -> None:
    """Through jumps, and restarts in between, the collector's session and its queue survive."""
    days: set[str] = set()
    with Scene(settings) as scene:
        with clock:
            before = scene.link()
            scene.stop_broker()
            scene.start_broker_again()
            scene.wait_for_link(before)
        for shift_s in JUMPS_S:
            for publisher in scene.publishers:
                publisher.wait_for_more(MORE)
            clock.jump_to(shift_s)
            days = {*days, to_iso(now_us() + shift_s * SECOND_US)[:10]}
            scene.collector.stop()
            with clock:
                scene.stop_broker()
                scene.start_broker_again()
            for publisher in scene.publishers:
                publisher.wait_for_more(MORE)
            scene.start_collector()
        scene.settle()
        verdict = total(scene.verdicts().values())
        assert {day for day in days if day in scene.broker.output} == days
        assert "lost our session" not in scene.collector.output
    assert verdict.acknowledged > 500
    assert (verdict.lost, verdict.doubled, verdict.flagged, verdict.strange) == (0, 0, 0, 0)
