"""Changes in a broker that does not answer."""

import pytest

from mosquitto import live as module
from mosquitto.control import Control, ControlError
from mosquitto.live import live
from mosquitto.provision import initialise
from telemetry.settings import Settings


def never(_control: Control) -> None:
    """A change that nobody may take."""
    raise AssertionError("there is no broker")


def test_nothing_is_told_where_no_broker_runs(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It reads access.db when it starts; what a killed supervisor left changes nothing."""
    initialise(settings)
    live(settings, never)
    monkeypatch.setattr(module, "_STARTING_S", 0.0)
    (settings.run_dir / "broker.pid").write_text("1\n")
    live(settings, never)


@pytest.mark.usefixtures("deaf_broker")
def test_broker_that_runs_and_does_not_listen_did_not_take_it(settings: Settings) -> None:
    """Nothing was told, so nobody may believe it was."""
    with pytest.raises(ControlError, match="does not listen on port"):
        live(settings, never)
