"""The tile about the broker's certificate: days left, and what to do before they are over."""

from pathlib import Path

import pytest

from dashboard.broker.certificate import certificate
from dashboard.broker.facts import Fact
from mosquitto.provision import initialise
from mosquitto.renewal import renew
from telemetry.clock import now_us
from telemetry.settings import Settings
from tests.pki import Files, Holder

DAY_US = 86_400_000_000
NOW_US = now_us() // 1_000_000 * 1_000_000  # as certificates have it


def told(settings: Settings, later_days: float = 0) -> tuple[str, str, str, bool]:
    """Value, unit, note, and whether somebody should look at it."""
    fact: Fact = certificate(settings, NOW_US + int(later_days * DAY_US))
    return fact.value, fact.unit, "".join(str(part) for part in fact.note), fact.bad


def test_certificate_of_ours_renews_itself(settings: Settings) -> None:
    """Nothing to do, unless it was not renewed when it should have been."""
    initialise(settings)
    assert told(settings) == ("396", "days left", "renewed by Culex itself", False)
    assert told(settings, 375.5)[:2] == ("20", "days left")
    note = "expires soon: to see why it was not renewed, run: .venv/bin/python -m mosquitto renew"
    assert told(settings, 376)[2:] == (note, True)
    assert told(settings, 395)[:2] == ("1", "day left")


@pytest.mark.parametrize(
    ("days", "note", "bad"),
    [
        (60, "your own: renew its files", False),
        (9, "expires soon: put a newer one in its files", True),
    ],
)
def test_own_certificate_is_warned_of_in_time(
    settings: Settings, tmp_path: Path, days: int, note: str, bad: bool
) -> None:
    """Culex cannot renew it, so its owner is told three weeks before."""
    own = with_own(settings, tmp_path, days)
    found = told(own, 0)
    assert found[:2] == (str(days), "days left")
    assert found[2].startswith(note)
    assert found[3] is bad
    value_then, _, note_then, _ = told(own, days + 1)
    assert (value_then, note_then[:18]) == ("expired", "no client connects")


def with_own(settings: Settings, folder: Path, days: int) -> Settings:
    """The settings of a broker with a certificate of the user's own."""
    files = Files(folder / "own.crt", folder / "own.key")
    files.put(Holder("Own", hosts=("127.0.0.1",), days=days))
    names = {"tls_certificate": str(files.certificate), "tls_key": str(files.key)}
    own = settings.model_copy(update=names)
    initialise(own)
    renew(own)
    return own


def test_end_of_the_authority_is_told_months_before(settings: Settings) -> None:
    """A fleet is not given a new authority in a day."""
    initialise(settings)
    path = settings.broker_dir / "server.crt"
    path.unlink()
    late = 3650 - 100
    clock = NOW_US + late * DAY_US
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("mosquitto.renewal.now_us", lambda: clock)
        renew(settings)
    value, _, note, bad = told(settings, late)
    assert (value, bad) == ("100", True)
    assert note.startswith("its authority has 100 days left; to replace it, begin with: ")


def test_certificate_that_cannot_be_read_is_not_known(settings: Settings) -> None:
    """A dash, as for every fact that nobody knows."""
    assert told(settings) == ("–", "", "of the broker: cannot be read from here", False)
