"""The collector's own statistics are readings of the client `collector`."""

from collector.statistics import PERIOD_US, Statistics


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
    assert not statistics.due(now_us + 1)


def test_statistics_of_an_idle_period_have_no_durations() -> None:
    """Where nothing was committed there is no duration, not a zero."""
    metrics = {r.series.metric for r in Statistics().readings(1, waiting=0)}
    assert "commit_p99" not in metrics
    assert "messages_rate" in metrics
