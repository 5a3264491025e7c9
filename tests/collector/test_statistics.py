"""The collector's own statistics are readings of the client `collector`."""

import pytest

from collector.message import Message
from collector.statistics import PERIOD_US, Statistics
from telemetry.settings import ROOT

NOW_US = 1_790_000_000_000_000


def received(*ages_us: int) -> list[Message]:
    """Messages that arrived so long ago."""
    return [Message("clients/a/m", b"1", NOW_US - age_us) for age_us in ages_us]


def said(statistics: Statistics) -> dict[str, float | str]:
    """Value of each metric."""
    readings = statistics.readings(NOW_US, waiting=0)
    return {one.series.metric: one.value for one in readings}


def test_statistics_of_a_period_are_rates_and_totals() -> None:
    """Rates are over the period, totals since the start, durations of the period's commits."""
    statistics = Statistics()
    assert not statistics.due(1)
    statistics.messages, statistics.stored, statistics.rejected = 100, 300, 7
    statistics.maybe_repeated = 4
    for duration_us in (1000, 2000, 3000):
        statistics.committed(duration_us)
    now_us = 1 + PERIOD_US
    assert statistics.due(now_us)
    readings = statistics.readings(now_us, waiting=5, round_trip_us=1500)
    values = {r.series.metric: r.value for r in readings}
    assert values["round_trip"] == 1.5
    assert values["messages_rate"] == 10
    assert values["readings_rate"] == 30
    assert values["stored"] == 300
    assert values["rejected"] == 7
    assert values["maybe_repeated"] == 4
    assert values["intake"] == 5
    assert values["commit_p50"] == 2
    assert values["commit_p95"] == pytest.approx(2.9)
    assert not statistics.due(now_us + 1)


def test_statistics_of_an_idle_period_have_no_durations() -> None:
    """Where nothing was committed there is no duration, not a zero."""
    metrics = {r.series.metric for r in Statistics().readings(1, waiting=0)}
    assert "commit_p99" not in metrics
    assert "messages_rate" in metrics


def test_lag_is_from_receipt_to_commit() -> None:
    """Half of the messages are committed within the median, nearly all within the 95th percentile.

    A clock that was set back meanwhile makes no lag negative.
    """
    statistics = Statistics()
    statistics.settled(received(1000, 2000, 90_000), NOW_US)
    statistics.settled(received(-5000), NOW_US)
    values = said(statistics)
    assert values["lag_p50"] == 1
    assert values["lag_p95"] == 90
    assert "lag_p50" not in said(statistics)


def test_lag_of_a_large_load_counts_for_all_its_messages() -> None:
    """A few messages of a load are looked at, and stand for all of it; a small one weighs less."""
    statistics = Statistics()
    statistics.settled(received(*[7000] * 5000), NOW_US)
    for _ in range(30):
        statistics.settled(received(1000), NOW_US)
    assert said(statistics)["lag_p50"] == 7
    assert statistics.messages == 5030


def test_every_statistic_is_described() -> None:
    """Who reads the store finds in its description what each metric means."""
    statistics = Statistics()
    statistics.committed(1000)
    statistics.settled(received(1000), NOW_US)
    description = (ROOT / "data" / "README.md").read_text("utf-8")
    readings = statistics.readings(NOW_US, waiting=0, round_trip_us=1)
    missing = [r.series.metric for r in readings if f"`{r.series.metric}`" not in description]
    assert missing == []
