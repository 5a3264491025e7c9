"""Thresholds and the settings they come from."""

import math
from collections.abc import Callable
from pathlib import Path

import pytest

from telemetry.reading import Series
from telemetry.settings import Settings, SettingsError, load_settings
from telemetry.thresholds import UNRULED, Level, Limit, MetricRule, Thresholds, rule_of

Write = Callable[[str], object]

BOTH = Thresholds(alarm_below=0.0, warn_below=10.0, warn_above=80.0, alarm_above=95.0)


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Write:
    """Replaces culex.toml by the given text."""
    monkeypatch.delenv("CULEX_METRICS", raising=False)
    monkeypatch.setattr(Settings, "toml_file", tmp_path / "culex.toml")
    return lambda text: (tmp_path / "culex.toml").write_text(text, "utf-8")


@pytest.mark.parametrize(
    ("number", "limit"),
    [
        (-1.0, Limit(0.0, Level.ALARM, above=False)),
        (0.0, Limit(10.0, Level.WARNING, above=False)),
        (9.9, Limit(10.0, Level.WARNING, above=False)),
        (10.0, None),
        (80.0, None),
        (80.1, Limit(80.0, Level.WARNING, above=True)),
        (95.0, Limit(80.0, Level.WARNING, above=True)),
        (95.1, Limit(95.0, Level.ALARM, above=True)),
        (math.nan, None),
    ],
)
def test_number_beyond_a_limit_names_the_worst(number: float, limit: Limit | None) -> None:
    """A number equal to a limit is not beyond it, and an alarm counts before a warning."""
    assert BOTH.exceeded(number) == limit


def test_limits_are_those_that_are_set() -> None:
    """The worse ones come first."""
    assert [one.at for one in BOTH.limits()] == [0.0, 95.0, 10.0, 80.0]
    assert list(Thresholds(warn_below=3.0).limits()) == [Limit(3.0, Level.WARNING, above=False)]
    assert list(Thresholds().limits()) == []


def test_first_rule_that_fits_decides() -> None:
    """What it does not say is not taken from a later one."""
    rules = [
        MetricRule("pump-*", "flow", "Flow", Thresholds()),
        MetricRule("*", "*", "", Thresholds(warn_above=1.0)),
    ]
    assert rule_of(Series("pump-1", "flow"), rules) is rules[0]
    assert rule_of(Series("Pump-1", "flow"), rules) is rules[1]
    assert rule_of(Series("a", "b"), []) is UNRULED


def test_metrics_of_the_settings_are_read_in_their_order(write: Write) -> None:
    """A pattern that is not given fits all, and a limit that is not given is none."""
    write(
        '[[metrics]]\nclient = "pump-*"\nmetric = "flow"\nlabel = " Flow "\nwarn_below = 2\n'
        "[[metrics]]\nalarm_above = 95.5\n"
    )
    assert load_settings().metric_rules == (
        MetricRule("pump-*", "flow", "Flow", Thresholds(warn_below=2.0)),
        MetricRule("*", "*", "", Thresholds(alarm_above=95.5)),
    )


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "[[metrics]]\nwarn_below = 9\nwarn_above = 3\n",
            "culex.toml, line 1, metrics: warn_below 9 is more than warn_above 3; swap them",
        ),
        (
            '[[metrics]]\nlabel = "a"\n[[metrics]]\nwarn_above = 9\nalarm_above = 8\n',
            "culex.toml, line 3, metrics: warn_above 9 is more than alarm_above 8; swap them",
        ),
        (
            '[[metrics]]\nclient = "a"\n',
            "culex.toml, line 1, metrics: an entry without label and limits says nothing; add one",
        ),
        (
            "[[metrics]]\nwarn = 9\n",
            "culex.toml, line 1, metrics: there is no such setting",
        ),
        (
            "[[metrics]]\nwarn_above = nan\n",
            "culex.toml, line 1, metrics: Input should be a finite number",
        ),
    ],
)
def test_metric_setting_that_cannot_be_used_is_named_with_its_line(
    write: Write, text: str, said: str
) -> None:
    """And says what to write."""
    write(text)
    with pytest.raises(SettingsError) as caught:
        load_settings()
    assert str(caught.value) == said
