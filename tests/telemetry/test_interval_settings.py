"""The settings of reporting intervals."""

from collections.abc import Callable
from pathlib import Path

import pytest

from telemetry.interval import IntervalRule
from telemetry.settings import Settings, SettingsError, load_settings
from telemetry.window import SECOND_US

Write = Callable[[str], object]


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Write:
    """Replaces culex.toml by the given text."""
    monkeypatch.delenv("CULEX_INTERVALS", raising=False)
    monkeypatch.setattr(Settings, "toml_file", tmp_path / "culex.toml")
    return lambda text: (tmp_path / "culex.toml").write_text(text, "utf-8")


def test_intervals_of_the_settings_are_read_in_their_order(write: Write) -> None:
    """A pattern that is not given fits all."""
    write(
        '[[intervals]]\nclient = "demo-*"\ninterval = "10s"\n'
        '[[intervals]]\nmetric = "mode"\ninterval = "1h"\n'
    )
    assert load_settings().interval_rules == (
        IntervalRule("demo-*", "*", 10 * SECOND_US),
        IntervalRule("*", "mode", 3600 * SECOND_US),
    )


def test_intervals_of_a_variable_are_json(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    """As other lists are."""
    write("")
    monkeypatch.setenv("CULEX_INTERVALS", '[{"client": "a", "interval": "5m"}]')
    assert load_settings().interval_rules == (IntervalRule("a", "*", 300 * SECOND_US),)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            '[[intervals]]\ninterval = "10s"\n[[intervals]]\ninterval = "ten"\n',
            "culex.toml, line 3, intervals: 'ten' is not a duration; "
            "write for example 90s, 5m, 6h or 7d",
        ),
        ('[[intervals]]\nclient = "a"\n', "culex.toml, line 1, intervals: Field required"),
        (
            '[[intervals]]\nclients = "a"\ninterval = "1s"\n',
            "culex.toml, line 1, intervals: there is no such setting",
        ),
    ],
)
def test_interval_that_cannot_be_used_is_named_with_its_line(
    write: Write, text: str, said: str
) -> None:
    """And says what to write."""
    write(text)
    with pytest.raises(SettingsError) as caught:
        load_settings()
    assert str(caught.value) == said
