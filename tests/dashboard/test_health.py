"""Health: alive, ready, and how it is."""

import shutil

import pytest
from flask.testing import FlaskClient

from dashboard.app import create_app
from mosquitto.provision import initialise
from telemetry.clock import now_us
from telemetry.daemon import prepare_folders
from telemetry.settings import Settings
from telemetry.store import open_appender
from tests.dashboard.pictures import every
from tests.support import make_settings
from tests.telemetry.builders import NOON_US, SECOND_US, fill


def report(settings: Settings, **state: int | str) -> None:
    """Leaves what the collector says of itself."""
    appender = open_appender(settings.store_path)
    appender.report(state)
    appender.close()


def test_process_without_a_store_is_alive_but_not_ready(stranger: FlaskClient) -> None:
    """Alive needs nothing; ready names what is missing."""
    assert stranger.get("/healthz").get_json() == {"status": "ok"}
    answer = stranger.get("/readyz")
    assert answer.status_code == 503
    assert "make collector" in answer.get_json()["reasons"][0]


def test_process_with_a_collector_at_work_is_ready(
    stranger: FlaskClient, settings: Settings
) -> None:
    """A beat that is fresh and a broker link that is up."""
    report(settings, beat_us=NOON_US - SECOND_US, broker_up=1)
    answer = stranger.get("/readyz")
    assert (answer.status_code, answer.get_json()) == (200, {"ready": True, "reasons": []})


@pytest.mark.parametrize(
    ("state", "reason"),
    [
        ({"broker_up": 1}, "not started"),
        ({"beat_us": NOON_US - 11 * SECOND_US, "broker_up": 1}, "silent"),
        ({"beat_us": NOON_US, "broker_up": 1, "stopped": 1}, "stopped"),
        ({"beat_us": NOON_US, "broker_up": 0, "broker_reason": "refused"}, "refused"),
        ({"beat_us": NOON_US, "broker_up": 0}, "unknown"),
        ({"beat_us": NOON_US, "broker_up": 0, "broker": "h.example:8883"}, "at h.example:8883 is"),
    ],
)
def test_process_with_a_fault_elsewhere_is_not_ready(
    stranger: FlaskClient, settings: Settings, state: dict[str, int | str], reason: str
) -> None:
    """503 with the reason."""
    report(settings, **state)
    answer = stranger.get("/readyz")
    assert answer.status_code == 503
    assert reason in answer.get_json()["reasons"][0]


def test_reasons_name_no_file_of_this_machine(stranger: FlaskClient, settings: Settings) -> None:
    """Whoever asks needs no login, so no answer has a path in it, whatever is wrong."""
    answers = [stranger.get("/readyz").text]
    report(settings, beat_us=NOON_US - 11 * SECOND_US, broker_up=1)
    answers.append(stranger.get("/readyz").text)
    broken = make_settings(settings.data_dir.parent / "broken")
    prepare_folders(broken)
    broken.store_path.write_bytes(b"no database" * 1000)
    answers.append(create_app(broken).test_client().get("/readyz").text)
    assert ["cannot be read" in answer for answer in answers] == [False, False, True]
    assert not any("/" in answer for answer in answers), answers


def test_metrics_are_prometheus_text(person: FlaskClient, settings: Settings) -> None:
    """Each value has its type and stands on a line of its own."""
    fill(settings.store_path, every(SECOND_US, 3))
    report(settings, beat_us=NOON_US - SECOND_US, heard_us=NOON_US - 9, broker_up=1, rejected=7)
    answer = person.get("/metrics")
    assert answer.content_type.startswith("text/plain; version=0.0.4")
    lines = answer.text.splitlines()
    for line in (
        "culex_store_up 1",
        "culex_collector_beat_age_seconds 1.000",
        "culex_broker_heard_age_seconds 0.000",
        "culex_broker_link_up 1",
        "culex_messages_rejected_total 7",
        "culex_series 1",
    ):
        assert line in lines
        assert f"# TYPE {line.split()[0]} " in answer.text


def test_metrics_tell_what_is_free_on_the_disk(person: FlaskClient, settings: Settings) -> None:
    """An alarm can be made of it before the disk is full."""
    fill(settings.store_path, [])
    lines = person.get("/metrics").text.splitlines()
    (free,) = (line.split()[1] for line in lines if line.startswith("culex_store_free_bytes "))
    there = shutil.disk_usage(settings.data_dir)
    assert abs(int(free) - there.free) < there.total // 10
    assert "# TYPE culex_store_free_bytes gauge" in lines


def test_metrics_tell_how_long_certificates_are_good(
    person: FlaskClient, settings: Settings
) -> None:
    """An alarm can be made of it before clients are shut out; unknown is NaN."""
    fill(settings.store_path, [])
    assert "culex_certificate_days_left NaN" in person.get("/metrics").text
    initialise(settings)
    values = dict(
        line.split() for line in person.get("/metrics").text.splitlines() if line[0] != "#"
    )
    left = (now_us() - NOON_US) / 86_400_000_000
    assert float(values["culex_certificate_days_left"]) == pytest.approx(396 + left, abs=0.1)
    assert float(values["culex_authority_days_left"]) == pytest.approx(3650 + left, abs=0.1)


def test_metrics_without_a_store_say_that_it_is_down(person: FlaskClient) -> None:
    """Scraping goes on, and an alarm can be made of it."""
    assert "culex_store_up 0" in person.get("/metrics").text


def test_metrics_before_the_first_beat_have_no_age(person: FlaskClient, settings: Settings) -> None:
    """An unknown age is NaN, not 0."""
    fill(settings.store_path, [])
    assert "culex_collector_beat_age_seconds NaN" in person.get("/metrics").text
