"""How long what is kept: words, patterns and settings."""

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from telemetry.job import JobError, Retain, content_of, job_of
from telemetry.reading import Series
from telemetry.retention import Keep, Retention, Rule, parse_keep
from telemetry.settings import Settings, SettingsError, load_settings
from telemetry.usage import Rate, forecast, shared
from telemetry.window import DAY_US, TimeError

Write = Callable[[str], None]

RULES = Retention(
    (
        Rule("demo-*", "*", Keep(DAY_US)),
        Rule("*", "mode", Keep(2 * DAY_US)),
        Rule("*", "*.raw", Keep(3 * DAY_US)),
    ),
    Keep(4 * DAY_US),
)


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Write:
    """Replaces culex.toml by the given text; no CULEX_ variable is set."""
    for name in [name for name in os.environ if name.upper().startswith("CULEX_")]:
        monkeypatch.delenv(name)
    path = tmp_path / "culex.toml"
    monkeypatch.setattr(Settings, "toml_file", path)
    return lambda text: void(path.write_text(text, encoding="utf-8"))


def void(_: object) -> None:
    """Nothing."""


@pytest.mark.parametrize(
    ("series", "days"),
    [
        (Series("demo-solar", "mode"), 1),
        (Series("attic", "mode"), 2),
        (Series("attic", "flow.raw"), 3),
        (Series("attic", "flow"), 4),
        (Series("Demo-solar", "power"), 4),
    ],
)
def test_first_rule_that_fits_decides(series: Series, days: int) -> None:
    """The rest is for everything else; upper and lower case differ."""
    assert RULES.every[RULES.place(series)].keep.readings_us == days * DAY_US


def test_limit_shortens_readings_and_nothing_else() -> None:
    """Those kept for less long stay as they are."""
    limited = Retention((Rule("a", "*", Keep(DAY_US)),), Keep(None, 9, 9)).limited(2 * DAY_US)
    assert [rule.keep for rule in limited.every] == [Keep(DAY_US), Keep(2 * DAY_US, 9, 9)]


@pytest.mark.parametrize("text", ["", "0d", "0y", "1000y", "ever", "-1d", "1.5d", "90 d"])
def test_what_is_no_time_to_keep_something_says_what_would_be(text: str) -> None:
    """In one sentence."""
    with pytest.raises(TimeError, match="write for example 90d, 2y or forever"):
        parse_keep(text)


def test_rules_of_the_settings_are_read_in_their_order(write: Write) -> None:
    """What a rule does not say is as for everything else."""
    write(
        'keep_readings = "30d"\n'
        '[[retention]]\nclient = "demo-*"\nreadings = "7d"\n'
        '[[retention]]\nmetric = "mode"\nreadings = "forever"\n'
    )
    found = load_settings().policy
    rest = Keep(30 * DAY_US, 730 * DAY_US, None)
    assert found.low_disk_bytes == 1_000_000_000
    assert found.retention == Retention(
        (
            Rule("demo-*", "*", rest._replace(readings_us=7 * DAY_US)),
            Rule("*", "mode", rest._replace(readings_us=None)),
        ),
        rest,
    )


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('keep_hours = "1y"\n', "line 1, keep_hours: '1y' is less than keep_readings or keep_min"),
        ('keep_readings = "9 days"\n', "line 1, keep_readings: '9 days' is no time to keep"),
        (
            '[[retention]]\nhours = "7d"\n',
            "line 1, retention: rule 1 (client '*', metric '*') keep",
        ),
        (
            '[[retention]]\nreadings = "7d"\n[[retention]]\nreadings = "x"\n',
            "line 3, retention: 'x' is no time to keep something",
        ),
        ('[[retention]]\nclients = "a"\n', "line 1, retention: there is no such setting"),
        ("low_disk_mb = -1\n", "line 1, low_disk_mb: "),
    ],
)
def test_setting_that_cannot_be_used_is_named_with_its_line(
    write: Write, text: str, said: str
) -> None:
    """And says what to write."""
    write(text)
    with pytest.raises(SettingsError) as caught:
        load_settings()
    assert f"culex.toml, {said}" in str(caught.value)


def test_job_says_how_long_things_are_kept() -> None:
    """So that the collector lets go of what the command named, whatever it has read itself."""
    job = Retain(5, RULES)
    assert job_of(json.loads(json.dumps(content_of(job)))) == job
    with pytest.raises(JobError):
        job_of({"action": "retain", "now_us": 5, "retention": {"rules": [{}]}})


def test_disk_is_full_on_the_day_on_which_it_is() -> None:
    """Readings no longer grow when as many go as come; hours do for ever."""
    rates = [Rate(10.0, 0, 5 * DAY_US), Rate(1.0, 0, None)]
    assert [forecast(rates, 0, free).full_days for free in (0, 11, 12, 55, 56)] == [0, 1, 2, 5, 6]
    assert forecast([Rate(10.0, 0, 5 * DAY_US)], 7, 51).full_days is None
    assert forecast([Rate(10.0, 0, 5 * DAY_US)], 7, 51).balance_bytes == 57


def test_history_that_reaches_back_too_far_shrinks() -> None:
    """Until it is in balance: nothing was let go yet."""
    assert Rate(10.0, 9 * DAY_US, 5 * DAY_US).gain(3) == 0.0


@pytest.mark.parametrize("rows", [{"a": 1}, {"a": 1, "b": 1, "c": 1}, {"a": 7, "b": 0, "c": 9}])
def test_shares_add_up(rows: dict[str, int]) -> None:
    """Each as near to its part as whole numbers allow."""
    found = shared(100, rows)
    assert sum(found.values()) == 100
    assert all(abs(found[one] - 100 * rows[one] / sum(rows.values())) < 1 for one in rows)
