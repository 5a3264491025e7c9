"""The tiles of the Broker page: what is so now, and a dash where nobody knows."""

from pathlib import Path

import pytest

from dashboard.broker.facts import Fact, Figures, facts
from telemetry.reading import Reading
from tests.dashboard.broker.looks import figure, looking_at, store
from tests.dashboard.pictures import MINUTE_US, texts
from tests.telemetry.builders import NOON_US, SECOND_US


def told(path: Path, readings: list[Reading], lost: int = 0, **state: int | str) -> dict[str, Fact]:
    """The facts of a store that holds these readings, by name."""
    with looking_at(store(path / "culex.db", readings, **state)) as look:
        ours = [one for name in ("broker", "collector") for one in look.snapshot.latest(name)]
        figures = Figures(ours, look.now_us)
        found = facts(figures, look.snapshot.writer(), lost, 20_000, look.now_us)
    return {one.name: one for one in found}


def test_link_that_is_up_says_since_when_and_how_often_it_was_lost(tmp_path: Path) -> None:
    """Up, and not bad; losses within the time are told."""
    fact = told(tmp_path, [], lost=2)["Broker link"]
    assert (fact.value, fact.bad) == ("up", False)
    assert "".join(texts(list(fact.note))).startswith("connected ")
    assert "lost 2 times" in "".join(texts(list(fact.note)))


def test_link_that_is_down_says_why(tmp_path: Path) -> None:
    """The reason stands on the tile, as text."""
    reason = "connection refused \u202e<b>"
    fact = told(tmp_path, [], broker_up=0, broker_reason=reason)["Broker link"]
    assert (fact.value, fact.bad) == ("down", True)
    assert "connection refused <U+202E><b>" in "".join(texts(list(fact.note)))


def test_link_of_a_collector_that_does_not_run_is_not_known(tmp_path: Path) -> None:
    """What it last said of the link is no news."""
    fact = told(tmp_path, [], beat_us=NOON_US - MINUTE_US)["Broker link"]
    assert (fact.value, fact.bad) == ("–", True)


def test_figures_of_now_are_told_with_their_units(tmp_path: Path) -> None:
    """Per minute becomes per second, what is retained is not held, megabytes have a prefix."""
    found = told(
        tmp_path,
        [
            figure("broker", "version", "mosquitto version 2.0.11"),
            figure("broker", "clients.connected", 8.0),
            figure("broker", "clients.disconnected", 3.0),
            figure("broker", "load.publish.received.1min", 90.0),
            figure("broker", "store.messages.count", 60.0),
            figure("broker", "retained messages.count", 53.0),
            figure("collector", "lag_p50", 7.8184),
            figure("collector", "lag_p95", 41.26),
        ],
    )
    assert found["Mosquitto"].value == "2.0.11"
    assert found["Connected"].value == "8"
    assert found["Connected"].note == ["2 of them Culex's own", ", 3 away, their session kept"]
    assert (found["Messages in"].value, found["Messages in"].unit) == ("1.5", "/s")
    assert found["Held by the broker"].value == "7"
    assert (found["Lag"].value, found["Lag"].unit) == ("7.82", "ms")
    assert found["Lag"].note[0] == "95 %: 41.3 ms, "
    assert found["Free disk"].unit.endswith("B")


@pytest.mark.parametrize("readings", [[], [figure("broker", "clients.connected", 8.0, 61)]])
def test_figure_that_is_old_or_absent_is_a_dash(tmp_path: Path, readings: list[Reading]) -> None:
    """An old value is never shown as that of now, and nothing is never 0."""
    assert told(tmp_path, readings)["Connected"].value == "–"


def test_broker_started_at_the_same_moment_whenever_it_is_asked() -> None:
    """Its uptime counts whole seconds: the moment does not waver from tick to tick."""
    moments = set()
    for ago_s, uptime in ((20, 1000.0), (10, 1010.0), (0, 1020.0)):
        one = figure("broker", "uptime", uptime, ago_s)
        moments.add((one.time_us - int(uptime) * SECOND_US) // (10 * SECOND_US))
    assert len(moments) == 1


def test_backlog_that_fills_the_intake_is_bad(tmp_path: Path) -> None:
    """Half of what the collector holds at most is a thing to look at."""
    assert told(tmp_path, [figure("collector", "intake", 10_000.0)])["Held by the collector"].bad
    assert not told(tmp_path, [figure("collector", "intake", 12.0, 2)])["Held by the collector"].bad
