"""What doctor finds in an installation that does not run."""

import os
from collections.abc import Sequence

import pytest

from telemetry.batch import Batch
from telemetry.commands.checkup.folders import check_disk, check_folders, check_secrets
from telemetry.commands.checkup.processes import check_processes
from telemetry.commands.checkup.stored import DROPPED, check_store
from telemetry.commands.checkup.versions import FAULTS, check_versions, told
from telemetry.daemon import prepare_folders
from telemetry.finding import Finding, Severity
from telemetry.presence import Changes, Event, EventKind
from telemetry.settings import Settings
from telemetry.store import open_appender
from tests.telemetry.builders import NOON_US, SECOND_US, reading


def by_code(findings: Sequence[Finding]) -> dict[str, Severity]:
    """How bad each is."""
    return {one.code: one.severity for one in findings}


def stored(settings: Settings, batch: Batch) -> dict[str, Finding]:
    """What is found at noon in a store that holds a batch, whose collector runs."""
    prepare_folders(settings)
    appender = open_appender(settings.store_path)
    appender.append(batch)
    appender.report({"beat_us": NOON_US, "broker_up": 1})
    appender.close()
    return {one.code: one for one in check_store(settings, NOON_US)}


@pytest.mark.parametrize(
    ("version", "severity", "words"),
    [
        ("1.6.10", Severity.FAIL, "dynamic-security"),
        ("2.0.11", Severity.OK, "max_connections"),
        ("2.0.15", Severity.OK, "$SYS"),
        ("of an unknown version", Severity.OK, ""),
    ],
)
def test_version_is_told_with_its_faults(version: str, severity: Severity, words: str) -> None:
    """As bad as the worst of them."""
    (found,) = told("Mosquitto", version)
    assert found.severity is severity
    assert words in found.seen


def test_version_without_faults_is_told_bare() -> None:
    """The first version without a fault does not have it."""
    for fault in FAULTS:
        version = ".".join(map(str, fault.before))
        assert fault.words not in next(iter(told(fault.program, version))).seen
    assert all(one.seen for one in check_versions())


def test_secret_that_others_can_read_fails(settings: Settings) -> None:
    """Whatever lies in that folder, at any depth."""
    prepare_folders(settings)
    assert by_code([*check_secrets(settings)]) == {"secrets": Severity.OK}
    secret = settings.secrets_dir / "one.json"
    secret.write_text("{}")
    secret.chmod(0o640)
    (found,) = check_secrets(settings)
    assert (found.severity, "one.json" in found.seen) == (Severity.FAIL, True)


def test_certificate_that_others_can_read_is_no_secret(settings: Settings) -> None:
    """With http_tls Culex writes one beside its key, for all to read; the key is a secret."""
    prepare_folders(settings)
    certificate, key = settings.http_certificate, settings.http_key
    for path in (certificate, key):
        path.touch()
        path.chmod(0o644)
    (found,) = check_secrets(settings)
    assert found.severity is Severity.FAIL
    assert str(key) in found.seen
    assert str(certificate) not in found.seen
    key.chmod(0o600)
    assert by_code([*check_secrets(settings)]) == {"secrets": Severity.OK}


def test_logs_that_everybody_reads_are_a_warning(settings: Settings) -> None:
    """They name clients and addresses."""
    prepare_folders(settings)
    assert by_code([*check_folders(settings)]) == {"folders": Severity.OK}
    settings.logs_dir.chmod(0o755)
    assert by_code([*check_folders(settings)])["logs"] is Severity.WARN


def test_disk_without_room_is_told_by_how_much(settings: Settings) -> None:
    """Below the reserve nothing can be stored; below low_disk_mb the oldest goes."""
    prepare_folders(settings)
    full = settings.model_copy(update={"reserve_mb": 10**9})
    low = settings.model_copy(update={"low_disk_mb": 10**9})
    assert [one.severity for one in check_disk(full)] == [Severity.FAIL]
    assert [one.severity for one in check_disk(low)] == [Severity.WARN]


def test_process_that_has_gone_does_not_run(settings: Settings) -> None:
    """Its file may be left; the dashboard is not needed to store."""
    prepare_folders(settings)
    (settings.run_dir / "broker.pid").write_text("4194399\n")
    (settings.run_dir / "collector.pid").write_text(f"{os.getpid()}\n")  # its number went on
    assert by_code([*check_processes(settings)]) == {
        "broker": Severity.FAIL,
        "collector": Severity.FAIL,
        "dashboard": Severity.WARN,
    }


def test_store_that_is_fine_says_so(settings: Settings) -> None:
    """Each check has its line."""
    found = stored(settings, Batch([reading(NOON_US - SECOND_US, 1.0)]))
    assert by_code([*found.values()]) == dict.fromkeys(
        ("link", "clock", "queue", "quarantine", "wal"), Severity.OK
    )


def test_no_store_is_a_warning(settings: Settings) -> None:
    """A collector makes it."""
    prepare_folders(settings)
    assert by_code([*check_store(settings, NOON_US)])["store"] is Severity.WARN


def test_dropped_messages_are_counted_over_restarts_of_the_broker(settings: Settings) -> None:
    """The figure begins anew then; what it grew by before counts."""
    figures = [(-50, 2.0), (-40, 7.0), (-30, 0.0), (-20, 3.0)]
    readings = [reading(NOON_US + at * SECOND_US, value, series=DROPPED) for at, value in figures]
    found = stored(settings, Batch(readings))["queue"]
    assert (found.severity, "8 messages" in found.seen) == (Severity.WARN, True)


def test_messages_dropped_for_the_collector_fail(settings: Settings) -> None:
    """They are readings that are gone."""
    event = Event(NOON_US - SECOND_US, EventKind.DROPPING, "collector", "to culex-collector")
    found = stored(settings, Batch(presence=Changes(events=[event])))["queue"]
    assert found.severity is Severity.FAIL


def test_clock_before_the_newest_arrivals_fails(settings: Settings) -> None:
    """This machine forgot the time; what arrives now is stored in the past."""
    ahead = reading(NOON_US, 1.0)._replace(delay_us=900 * SECOND_US)
    assert stored(settings, Batch([ahead]))["clock"].severity is Severity.FAIL
